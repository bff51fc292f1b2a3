"""Pure decisions of matching: handshake, dummies, placement. No sockets, files or clocks."""
