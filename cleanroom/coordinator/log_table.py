"""The log as it is stored: every statement once, in the order in which it came, each with its signed head.

Appending is a compare-and-swap of the head inside the caller's transaction; a statement that is already there gets
the proof it got before. On start the whole chain is computed again: what does not add up is never served.
"""

import hashlib

from cleanroom.coordinator.store import Transaction
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import CleanroomError, StateError
from cleanroom.ids import RoomName
from cleanroom.querylog.chain import LogProof, genesis_head, next_head, sign_head, verify_head
from cleanroom.wire.messages import MAX_LOG_PAGE_BYTES, LogEntry, LogPage


def _digest(statement: bytes) -> bytes:
    return hashlib.sha256(statement).digest()


def known_proof(tx: Transaction, statement: bytes) -> LogProof | None:
    """The proof of a statement that the log has already, else None."""
    row = tx.execute(
        "SELECT position, previous_head, head, signature FROM log WHERE digest = ?", (_digest(statement),)
    ).fetchone()
    return None if row is None else LogProof(*row)


def append_entry(tx: Transaction, statement: bytes, room: RoomName, log_key: SigningKey) -> LogProof:
    """Make a new statement the log's last entry; raises StateError when another process moved the head."""
    size, head = tx.execute("SELECT size, head FROM head").fetchone()
    proof = sign_head(size, head, next_head(head, statement), room, log_key)
    moved = tx.execute(
        "UPDATE head SET size = ?, head = ? WHERE size = ? AND head = ?", (size + 1, proof.head, size, head)
    )
    if moved.rowcount != 1:
        raise StateError("another process writes this room's log")
    tx.execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
        (size, _digest(statement), statement, head, proof.head, proof.signature),
    )
    return proof


def read_entries(tx: Transaction, first: int, limit: int) -> LogPage:
    """Up to `limit` entries and about 3 MiB from `first` on."""
    entries: list[LogEntry] = []
    size = 0
    for index, statement in tx.execute(
        "SELECT position, statement FROM log WHERE position >= ? ORDER BY position LIMIT ?", (first, limit)
    ):
        size += len(statement)
        if entries and size > MAX_LOG_PAGE_BYTES:
            break
        entries.append(LogEntry(index, statement))
    return LogPage(tuple(entries))


def check_log(tx: Transaction, room: RoomName, log_key: bytes) -> int:
    """Compute the chain again from the first entry; the log's size. Raises StateError naming the first bad entry."""
    head, size = genesis_head(room), 0
    for index, statement, *stored in tx.execute(
        "SELECT position, statement, digest, previous_head, head, signature FROM log ORDER BY position"
    ):
        digest, previous_head, stored_head, signature = stored
        if index != size or digest != _digest(statement) or previous_head != head:
            raise StateError(f"the stored log does not add up at entry {size}")
        head = next_head(head, statement)
        try:
            verify_head(LogProof(index, previous_head, stored_head, signature), room, log_key)
        except CleanroomError as error:
            raise StateError(f"the stored log does not add up at entry {size}") from error
        if stored_head != head:
            raise StateError(f"the stored log does not add up at entry {size}")
        size += 1
    if tx.execute("SELECT size, head FROM head").fetchone() != (size, head):
        raise StateError("the stored log is shorter or longer than its head says")
    return size
