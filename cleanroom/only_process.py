"""One process at a time in a folder: a lock, and in its file the number of the process that has it.

The system gives the lock back when that process ends, however it ends. The number is for people, who may have to end a
process that nobody remembers.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MAX_DIGITS = 20


@contextmanager
def only_process(file: Path) -> Iterator[str]:
    """Empty inside when this process has the lock, until the block ends; else who has it and how to end that."""
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii", errors="replace") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            number = lock.read(_MAX_DIGITS).strip()
            yield f"process {number}, which ends with: kill {number}" if number.isdigit() else "a process of no number"
            return
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield ""
