"""The mirror's SQLite file: one log's entries, its cosigned heads, and the newest head that we signed.

One file of mode 0600, every commit on disk before it is answered (WAL, synchronous FULL, fullfsync). Entries are
append-only by trigger and the held head never shrinks, which guards against our own mistakes, not against somebody who
has the file. A file that is gone although it had begun is not made anew: without it nobody knows what was signed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanroom.crypto.key_files import private_folder
from cleanroom.errors import StateError

SCHEMA_VERSION = 1
Transaction = sqlite3.Connection

_SCHEMA = (
    """CREATE TABLE held (
    one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
    time INTEGER NOT NULL, frontier BLOB NOT NULL, sent INTEGER NOT NULL) STRICT""",
    "CREATE TABLE entry (position INTEGER PRIMARY KEY, leaf BLOB NOT NULL, entry BLOB NOT NULL) STRICT",
    "CREATE INDEX entry_by_leaf ON entry (leaf, position)",
    "CREATE TABLE note (size INTEGER PRIMARY KEY, time INTEGER NOT NULL, note BLOB NOT NULL) STRICT",
    """CREATE TABLE heard (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, time INTEGER NOT NULL, lacks_since INTEGER) STRICT""",
    "CREATE TABLE ahead (sender TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL) STRICT",
    "CREATE TABLE own_ahead (note BLOB PRIMARY KEY) STRICT",
    """CREATE TABLE evidence (
    number INTEGER PRIMARY KEY, is_split INTEGER NOT NULL, why TEXT NOT NULL, ours BLOB NOT NULL,
    theirs BLOB NOT NULL UNIQUE) STRICT""",
    """CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'append only'); END""",
    """CREATE TRIGGER entry_is_never_forgotten BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'append only'); END""",
    """CREATE TRIGGER held_never_shrinks BEFORE UPDATE ON held WHEN NEW.size < OLD.size OR NEW.time < OLD.time
    BEGIN SELECT RAISE(ABORT, 'the held head only grows'); END""",
)
_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA recursive_triggers=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA busy_timeout=5000",
)


class MirrorFile:
    """One connection. The caller holds its own lock; `begun` says that the file existed once. Raises StateError."""

    def __init__(self, path: Path, *, begun: bool) -> None:
        self.path = path
        if begun and (not path.exists() or path.stat().st_size == 0):
            raise StateError(
                f"{path} is gone, so nobody knows what this cosigning key has signed: restore the file, or retire the"
                " key with a new card and a new agreement"
            )
        self._connection = _open(path)
        with self.transaction() as tx:
            (version,) = tx.execute("PRAGMA user_version").fetchone()
            if version == 0 and begun:
                raise StateError(f"{path} has lost what this cosigning key has signed: restore it, or retire the key")
            if version == 0:
                for command in _SCHEMA:
                    tx.execute(command)
                tx.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise StateError(f"{path} was written by another version")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing, durable when the block ends; raises StateError when the disk does not take it."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StateError(f"{self.path} cannot be written, so nothing is signed: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A look, nothing written; raises StateError when the file cannot be read."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise StateError(f"{self.path} cannot be read: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    private_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if path.stat().st_mode & 0o077:
        raise StateError(f"{path} must be readable by this user alone: chmod 600 {path}")
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            connection.execute(setting).fetchall()
    except sqlite3.Error as error:
        raise StateError(f"{path} is not a usable database: {error}") from error
    return connection
