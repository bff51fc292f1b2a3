"""The database of a log that ended, read and never written: its entries, and the heads that were stored of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cleanroom.errors import StateError


def former_log(path: Path, size: int) -> list[bytes]:
    """Its first `size` entries; raises StateError when the file is gone or unreadable."""
    with _reading(path) as database:
        rows = database.execute("SELECT statement FROM log ORDER BY position LIMIT ?", (size,))
        return [bytes(entry) for (entry,) in rows]


def former_notes(path: Path) -> list[bytes]:
    """The notes of its stored heads; raises StateError."""
    with _reading(path) as database:
        return [bytes(note) for (note,) in database.execute("SELECT note FROM checkpoint ORDER BY size")]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise StateError(f"{path} is gone: the room's log goes on from the log in it; restore the file")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            yield database
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be read: {error}") from error
