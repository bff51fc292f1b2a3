"""A node's SQLite database: everything that matters survives a crash, and one transaction at a time changes it.

Journal WAL with full synchronisation; a transaction is on disk when it returns. Several connections may write: the
node's worker has one, and pauses and approvals are written beside it over their own. Transactions begin IMMEDIATE, so
they take turns and none decides on what another is about to change.

The tables of `_APPEND_ONLY` are so by trigger (a guard against bugs, not against the machine's owner). A receipt is
not among them: a newer one takes its place. Bulk state (tables, slots, trees) is sealed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cleanroom.errors import StateError
from parties.vault import Vault

SCHEMA_VERSION = 7
_APPEND_ONLY = ("ledger", "head_given", "evidence", "statement", "room_stop", "room_lift")

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE bulk (kind TEXT NOT NULL, id TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;
CREATE TABLE dataset_version (
  id TEXT PRIMARY KEY, counter INTEGER NOT NULL UNIQUE, source_digest TEXT NOT NULL, report TEXT NOT NULL,
  day TEXT NOT NULL
) STRICT;
CREATE TABLE match (
  id TEXT PRIMARY KEY, peer TEXT NOT NULL, initiator INTEGER NOT NULL, state TEXT NOT NULL, contract TEXT NOT NULL,
  own_version TEXT NOT NULL, peer_version TEXT NOT NULL DEFAULT '', dummies INTEGER NOT NULL,
  own_hello BLOB, peer_hello BLOB, transcript TEXT NOT NULL DEFAULT '', since REAL NOT NULL
) STRICT;
CREATE TABLE setup (
  id TEXT PRIMARY KEY, match TEXT NOT NULL REFERENCES match (id), owner INTEGER NOT NULL, by TEXT NOT NULL,
  leaves INTEGER NOT NULL, state TEXT NOT NULL, joint_id TEXT NOT NULL DEFAULT '',
  transcript TEXT NOT NULL DEFAULT '', since REAL NOT NULL
) STRICT;
CREATE TABLE question (
  plan_hash TEXT PRIMARY KEY, owner INTEGER NOT NULL, peer TEXT NOT NULL, request_digest TEXT NOT NULL,
  plan BLOB NOT NULL, state TEXT NOT NULL, setup TEXT NOT NULL, question INTEGER NOT NULL DEFAULT 0,
  rows_root TEXT NOT NULL DEFAULT '', release_digest TEXT NOT NULL DEFAULT '', salt TEXT NOT NULL DEFAULT '',
  refusal TEXT NOT NULL DEFAULT '', waits TEXT NOT NULL DEFAULT '', since REAL NOT NULL
) STRICT;
CREATE TABLE ledger (
  sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, quantity TEXT NOT NULL, lineage TEXT NOT NULL,
  room TEXT NOT NULL, consumer TEXT NOT NULL, subject TEXT NOT NULL, units INTEGER NOT NULL,
  place INTEGER NOT NULL, head TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
  UNIQUE (kind, subject), UNIQUE (lineage, room, consumer, place)
) STRICT;
CREATE VIEW booking AS -- what costs: reservations, each with what became of it, and what a replay booked for good
SELECT sequence, at, lineage, room, consumer, quantity, subject, units, voided_at,
  kind = 'reserve' AND voided_at IS NULL AND sent_at IS NULL AS is_open
FROM (SELECT *,
  CASE kind WHEN 'reserve' THEN
    (SELECT sequence FROM ledger WHERE kind = 'voided' AND subject = entry.subject) END AS voided_at,
  (SELECT sequence FROM ledger WHERE kind = 'share_sent' AND subject = entry.subject) AS sent_at
  FROM ledger AS entry WHERE kind IN ('reserve', 'replayed'));
CREATE TABLE head_given (
  digest TEXT PRIMARY KEY, sequence INTEGER NOT NULL, nonce BLOB NOT NULL, statement BLOB NOT NULL
) STRICT;
CREATE TABLE head_told (
  lineage TEXT NOT NULL, room TEXT NOT NULL, consumer TEXT NOT NULL, entries INTEGER NOT NULL,
  PRIMARY KEY (lineage, room, consumer)
) STRICT;
CREATE TABLE receipt (
  owner TEXT NOT NULL, lineage TEXT NOT NULL, room TEXT NOT NULL, statement BLOB NOT NULL,
  PRIMARY KEY (owner, lineage, room)
) STRICT;
CREATE TABLE receipt_entry (
  owner TEXT NOT NULL, lineage TEXT NOT NULL, room TEXT NOT NULL, place INTEGER NOT NULL, entry TEXT NOT NULL,
  head TEXT NOT NULL, PRIMARY KEY (owner, lineage, room, place)
) STRICT;
CREATE TABLE evidence (
  digest TEXT PRIMARY KEY, at TEXT NOT NULL, party TEXT NOT NULL, why TEXT NOT NULL, statement BLOB NOT NULL,
  entries BLOB NOT NULL
) STRICT;
CREATE TABLE statement (
  digest TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, bytes BLOB NOT NULL, proof TEXT NOT NULL
) STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, says TEXT NOT NULL, subject TEXT NOT NULL,
  recipient TEXT NOT NULL DEFAULT '', payload BLOB NOT NULL
) STRICT;
CREATE TABLE awaiting ( -- statements that the coordinator has, until a head that their quorum cosigned covers them
  id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL,
  bytes BLOB NOT NULL, since REAL NOT NULL, shown INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE VIEW said AS -- every statement that this node signed, wherever it is on its way
SELECT kind, subject, bytes FROM statement
UNION ALL SELECT kind, subject, bytes FROM awaiting
UNION ALL SELECT says, subject, payload FROM outbox WHERE kind = 'statement';
CREATE TABLE room_stop (
  digest TEXT PRIMARY KEY, room TEXT NOT NULL, kind TEXT NOT NULL, party TEXT NOT NULL, reason TEXT NOT NULL,
  at TEXT NOT NULL, subject TEXT NOT NULL, statement BLOB NOT NULL
) STRICT;
CREATE TABLE room_lift (room TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (room, digest)) STRICT;
CREATE TABLE inbox_part (
  sender TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, part INTEGER NOT NULL, count INTEGER NOT NULL,
  digest TEXT NOT NULL, PRIMARY KEY (sender, kind, subject, part)
) STRICT;
CREATE TABLE inbox_done (
  sender TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (sender, kind, subject)
) STRICT;
"""

_TRIGGERS = """
CREATE TRIGGER {table}_keeps BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_grows BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""


class Database:
    """One connection, used by the thread that opened it; others open their own."""

    def __init__(self, path: Path, vault: Vault, *, patience_s: float = 30.0) -> None:
        """`patience_s` is how long a transaction waits for another connection's."""
        previous = os.umask(0o077)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=patience_s)
        finally:
            os.umask(previous)
        self._path = path
        self._vault = vault
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "fullfsync=ON",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # a row that REPLACE puts out of the way counts as deleted
            "trusted_schema=OFF",
            "secure_delete=ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            with self.transaction():
                triggers = "".join(_TRIGGERS.format(table=table) for table in _APPEND_ONLY)
                for statement in _statements(_SCHEMA + triggers):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise StateError(f"{path} was written by another version of the node (schema {version})")

    def beside(self) -> "Database":
        """Another connection to the same file, for the thread that asks."""
        return Database(self._path, self._vault)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when it ends; a transaction inside another joins it."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; returns the number of changed rows."""
        return self._connection.execute(sql, values).rowcount

    def one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def number(self, sql: str, *values: Any) -> int:
        """The one number of an aggregate."""
        return int(self._connection.execute(sql, values).fetchone()[0])

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        return self._connection.execute(sql, values).fetchall()

    def keep(self, kind: str, identifier: str, data: bytes) -> None:
        """Seal bulk state under (kind, id), replacing what was there."""
        sealed = self._vault.seal(data, table="bulk", row=identifier, column=kind)
        self.run("INSERT OR REPLACE INTO bulk VALUES (?, ?, ?)", kind, identifier, sealed)

    def kept(self, kind: str, identifier: str) -> bytes:
        """Open bulk state; raises StateError when it is gone or does not open."""
        row = self.one("SELECT sealed FROM bulk WHERE kind = ? AND id = ?", kind, identifier)
        if row is None:
            raise StateError(f"this node's state lacks {kind}; it cannot go on with this match")
        return self._vault.open(row[0], table="bulk", row=identifier, column=kind)

    def erase(self, kind: str, identifier: str) -> None:
        """Forget bulk state; SQLite overwrites the pages (secure_delete)."""
        self.run("DELETE FROM bulk WHERE kind = ? AND id = ?", kind, identifier)

    def close(self) -> None:
        """Close the connection and fold the journal into the file."""
        self._connection.close()


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's inner semicolons do not end it."""
    buffer = ""
    for line in script.splitlines():
        buffer += line + "\n"
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""
