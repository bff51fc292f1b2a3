"""Which failures are this machine's, and which are about what somebody else sent."""

import sqlite3


def is_our_own_trouble(error: Exception) -> bool:
    """Disk, database or memory is gone, whatever was delivered: the node ends and acts on the delivery when it is
    started again. Every other failure is about what was delivered."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError):
        return False
    return isinstance(error, OSError | MemoryError | sqlite3.DatabaseError)
