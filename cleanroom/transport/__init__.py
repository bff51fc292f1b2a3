"""Mutual TLS, who may call what, deadlines, and what a peer is told when something is wrong."""
