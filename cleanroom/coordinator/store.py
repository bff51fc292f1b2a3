"""The coordinator's database of one room: its log, its mailboxes and the tags of matches that are not placed yet.

SQLite in one file of mode 0600, every commit on disk before it is answered (WAL, synchronous FULL), deleted bytes
overwritten (secure_delete), the log and the list of ids already seen append-only by trigger. The triggers guard
against our own mistakes, not against somebody who has the file; against them there are the signed heads that the
parties keep.

One connection, one lock: operations of the rooms next door (`mailbox`, `tag_lists`, `log_table`, `head_table`) run
inside `transaction`, so what belongs together is committed together or not at all. What a transaction changes in memory
is taken back with it: `if_rolled_back`.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanroom.crypto.key_files import private_folder
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import RoomName
from cleanroom.transparency.frontier import Frontier

SCHEMA_VERSION = 3
Transaction = sqlite3.Connection

_SCHEMA = """
CREATE TABLE room (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, contract BLOB NOT NULL) STRICT;
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root BLOB NOT NULL, frontier BLOB NOT NULL
) STRICT;
CREATE TABLE log (position INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, statement BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL, version INTEGER NOT NULL) STRICT;
CREATE TABLE match (
    match_id BLOB PRIMARY KEY, initiator TEXT NOT NULL, responder TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'placed', 'aborted')), transcript BLOB
) STRICT;
CREATE TABLE tag_piece (
    match_id BLOB NOT NULL REFERENCES match, owner_of_rows TEXT NOT NULL, position INTEGER NOT NULL,
    digest BLOB NOT NULL, tags BLOB, PRIMARY KEY (match_id, owner_of_rows, position)
) STRICT;
CREATE TABLE sent (
    sender TEXT NOT NULL, envelope_id BLOB NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (sender, envelope_id)
) STRICT;
CREATE TABLE counter (recipient TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE mailbox (
    recipient TEXT NOT NULL, sequence INTEGER NOT NULL, sender TEXT NOT NULL, size INTEGER NOT NULL,
    delivery BLOB NOT NULL, PRIMARY KEY (recipient, sequence)
) STRICT;
CREATE INDEX mailbox_by_sender ON mailbox (recipient, sender, size);
CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER sent_is_never_changed BEFORE UPDATE ON sent BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER sent_is_never_shortened BEFORE DELETE ON sent BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER head_never_shrinks BEFORE UPDATE ON head WHEN NEW.size <= OLD.size
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA busy_timeout=5000",
)


class Store:
    """One room's database, opened or created; raises StateError when it is not usable, UsageError when foreign."""

    def __init__(self, path: Path, room: RoomName, contract_hash: bytes) -> None:
        private_folder(path.parent)
        self._lock = threading.Lock()
        self._undo: list[Callable[[], None]] = []
        self._connection = _open(path)
        self._prepare(room, contract_hash)

    def _prepare(self, room: RoomName, contract_hash: bytes) -> None:
        with self.transaction() as tx:
            (version,) = tx.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for command in sqlite_commands(_SCHEMA):
                    tx.execute(command)
                tx.execute("INSERT INTO room VALUES (1, ?, ?)", (room, contract_hash))
                tx.execute("INSERT INTO head VALUES (1, 0, ?, x'')", (Frontier().root(),))
                tx.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise StateError("the room's database was written by another version")
            name, contract = tx.execute("SELECT name, contract FROM room").fetchone()
            if name != room:
                raise UsageError("the room's database belongs to another room; use another --home")
            if contract != contract_hash:
                _begin_contract(tx, contract_hash)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing, durable when the block ends; one at a time."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._undo = []
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                for undo in reversed(self._undo):
                    undo()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def if_rolled_back(self, undo: Callable[[], None]) -> None:
        """Called inside a transaction: `undo` runs, before anybody else's turn comes, when nothing of it stays."""
        self._undo.append(undo)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A look at one moment, nothing written."""
        with self._lock:
            yield self._connection

    def forget_deleted(self) -> None:
        """Empty the write-ahead file as well, where deleted tags would otherwise stay until they are overwritten."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _begin_contract(tx: Transaction, contract_hash: bytes) -> None:
    """The room goes on under new terms: its log is continued, what was under way under the old ones is dropped."""
    tx.execute("DELETE FROM mailbox")
    tx.execute("DELETE FROM tag_piece")
    tx.execute("UPDATE match SET state = 'aborted' WHERE state = 'open'")
    tx.execute("UPDATE room SET contract = ?", (contract_hash,))


def sqlite_commands(script: str) -> Iterator[str]:
    """The single commands of a script; sqlite3's own `executescript` would commit the transaction around it."""
    command = ""
    for line in script.splitlines(keepends=True):
        command += line
        if sqlite3.complete_statement(command):
            yield command
            command = ""


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if path.stat().st_mode & 0o077:
        raise StateError(f"{path} must be readable by this user alone: chmod 600 {path}")
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            connection.execute(setting).fetchall()
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path} is not a usable database") from error
    return connection
