"""Pure decisions of answering: trees, groups, opening, intervals. No sockets, files or clocks."""
