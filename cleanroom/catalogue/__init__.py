"""Questions worth asking: what marketers ask, as plans, and what the answers say. No sockets, files or clocks."""
