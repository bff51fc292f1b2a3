"""The auditor's program: reads a copy of a room's log and the signed agreement, needs no node and trusts no server."""
