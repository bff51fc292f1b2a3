"""The heads that were published, each as a signed note that grows by the cosignatures that come for it.

    checkpoint   size, note, version      version 0 until somebody cosigned it; then a number that grows with each line

Only lines that were verified are ever stored. A head that nobody needs any more is deleted: kept are the last 64, the
newest one that the quorum of the whole log has cosigned, and the one that grew last (its version is never given again).
"""

from dataclasses import dataclass

from cleanroom.coordinator.store import Transaction
from cleanroom.transparency.cosignature import with_cosignature
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.note_key import NoteKey

KEPT_HEADS = 64


@dataclass(frozen=True, slots=True)
class Grown:
    """A head that has been cosigned: its size, the whole note, and the version at which it had these lines."""

    size: int
    note: bytes
    version: int


def put_head(tx: Transaction, size: int, note: bytes) -> None:
    """Store a head that only the log has signed, once for a size."""
    tx.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?, 0)", (size, note))


def newest_version(tx: Transaction) -> int:
    """How many cosignatures have come; 0 before the first."""
    (version,) = tx.execute("SELECT coalesce(max(version), 0) FROM checkpoint").fetchone()
    return int(version)


def add_cosignature(tx: Transaction, size: int, answer: bytes, key: NoteKey) -> Grown | None:
    """Give a head this cosigner's line out of a witness's answer; raises PeerError or AuthenticationError.

    None when nothing is new: the head is not kept any more, or its note has this line or a newer one.
    """
    stored = find_head(tx, size)
    if stored is None:
        return None
    held = parse_note(stored)
    note = with_cosignature(held, answer, key)
    if note == held:
        return None
    grown = Grown(size, note.to_bytes(), newest_version(tx) + 1)
    tx.execute("UPDATE checkpoint SET note = ?, version = ? WHERE size = ?", (grown.note, grown.version, size))
    return grown


def replace_head(tx: Transaction, size: int, note: bytes) -> None:
    """Store the same head with another line of the log's; everybody is offered it."""
    tx.execute("UPDATE checkpoint SET note = ?, version = ? WHERE size = ?", (note, newest_version(tx) + 1, size))


def grown_since(tx: Transaction, seen: int, limit: int) -> list[Grown]:
    """The first `limit` heads that were cosigned after version `seen`, in the order in which they were."""
    rows = tx.execute(
        "SELECT size, note, version FROM checkpoint WHERE version > ? ORDER BY version LIMIT ?", (seen, limit)
    )
    return [Grown(*row) for row in rows]


def find_head(tx: Transaction, size: int) -> bytes | None:
    """The note of a published head, None when it is not kept."""
    row = tx.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
    return None if row is None else bytes(row[0])


def stored_heads(tx: Transaction) -> list[tuple[int, bytes]]:
    """Size and note of every head that is kept, the smallest first."""
    return list(tx.execute("SELECT size, note FROM checkpoint ORDER BY size"))


def forget_heads(tx: Transaction, whole: int | None) -> None:
    """Delete what is not kept; `whole` is the size of the newest head that the whole log's quorum has cosigned."""
    tx.execute(
        "DELETE FROM checkpoint WHERE size NOT IN (SELECT size FROM checkpoint ORDER BY size DESC LIMIT ?)"
        " AND size IS NOT ? AND (version = 0 OR version < (SELECT max(version) FROM checkpoint))",
        (KEPT_HEADS, whole),
    )
