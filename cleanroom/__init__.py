"""A clean room: companies match audiences and exchange noisy statistics, never rows."""
