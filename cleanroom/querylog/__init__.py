"""Signed statements and the log that holds them."""
