"""Tags on their way to a placement: which match is open, which pieces have come, and what is left afterwards.

A match becomes known through its logged `match.opened`. Its tags are kept only until the placement is made or the
match is aborted; then they are deleted, and of each piece a hash stays, so that a late resend is recognised.
"""

import hashlib
from dataclasses import dataclass

from cleanroom.coordinator.store import Transaction
from cleanroom.ids import PartyName
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import MAX_PIECE_BYTES, TAG_BYTES, TagPiece

MAX_UNPLACED_MATCHES = 8


@dataclass(frozen=True, slots=True)
class OpenMatch:
    """A match by its 32-byte id; `state` is open, placed or aborted; `transcript` (32 bytes) once tags have come."""

    match_id: bytes
    initiator: PartyName
    responder: PartyName
    state: str
    transcript: bytes | None

    def other(self, party: PartyName) -> PartyName | None:
        """The party on the other side, None for someone who is on neither."""
        return {self.initiator: self.responder, self.responder: self.initiator}.get(party)


def find_match(tx: Transaction, match_id: bytes) -> OpenMatch | None:
    """The match of this id."""
    row = tx.execute(
        "SELECT match_id, initiator, responder, state, transcript FROM match WHERE match_id = ?", (match_id,)
    ).fetchone()
    return None if row is None else OpenMatch(*row)


def open_match(tx: Transaction, match_id: bytes, initiator: PartyName, responder: PartyName) -> None:
    """Make a match known; raises CallRefused when the id is taken by another pair or the initiator has too many."""
    known = find_match(tx, match_id)
    if known is not None:
        if (known.initiator, known.responder) != (initiator, responder):
            raise CallRefused(Reason.CONFLICT, "a match id was used for another pair")
        return
    (unplaced,) = tx.execute(
        "SELECT count(*) FROM match WHERE initiator = ? AND state = 'open'", (initiator,)
    ).fetchone()
    if unplaced >= MAX_UNPLACED_MATCHES:
        raise CallRefused(Reason.NOT_NOW, "an initiator has too many matches that are neither placed nor aborted")
    tx.execute("INSERT INTO match VALUES (?, ?, ?, 'open', NULL)", (match_id, initiator, responder))


def piece_sizes(capacity: int) -> tuple[int, int]:
    """Number of pieces and bytes in the last one, for a list of `capacity` tags."""
    total = capacity * TAG_BYTES
    count = -(-total // MAX_PIECE_BYTES)
    return count, total - (count - 1) * MAX_PIECE_BYTES


def put_piece(tx: Transaction, match: OpenMatch, piece: TagPiece, capacity: int) -> None:
    """Store a piece once; raises CallRefused when its size or transcript is wrong or other bytes came before."""
    count, last = piece_sizes(capacity)
    if piece.count != count or len(piece.tags) != (last if piece.index == count - 1 else MAX_PIECE_BYTES):
        raise CallRefused(Reason.MALFORMED, "a tag list does not have the length that the contract states")
    digest = hashlib.sha256(piece.transcript_hash + piece.tags).digest()
    known = tx.execute(
        "SELECT digest FROM tag_piece WHERE match_id = ? AND owner_of_rows = ? AND position = ?",
        (piece.match_id, piece.owner_of_rows, piece.index),
    ).fetchone()
    if known is not None:
        if known[0] != digest:
            raise CallRefused(Reason.CONFLICT, "a piece of a tag list came again with other bytes")
        return
    if match.state != "open":
        raise CallRefused(Reason.NOT_NOW, "tags came for a match that is over")
    tx.execute(
        "INSERT INTO tag_piece VALUES (?, ?, ?, ?, ?)",
        (piece.match_id, piece.owner_of_rows, piece.index, digest, piece.tags),
    )


def agree_on_transcript(tx: Transaction, match: OpenMatch, transcript: bytes) -> bool:
    """Whether both sides name the same transcript; the first to come sets it."""
    if match.transcript is None:
        tx.execute("UPDATE match SET transcript = ? WHERE match_id = ?", (transcript, match.match_id))
        return True
    return match.transcript == transcript


def complete_list(tx: Transaction, match_id: bytes, owner: PartyName, capacity: int) -> bytes | None:
    """All tags that stand for the owner's rows, in the owner's order; None while pieces are missing."""
    rows = tx.execute(
        "SELECT tags FROM tag_piece WHERE match_id = ? AND owner_of_rows = ? AND tags IS NOT NULL ORDER BY position",
        (match_id, owner),
    ).fetchall()
    return b"".join(tags for (tags,) in rows) if len(rows) == piece_sizes(capacity)[0] else None


def open_matches(tx: Transaction) -> list[OpenMatch]:
    """Every match that waits for tags or for its placement."""
    rows = tx.execute("SELECT match_id, initiator, responder, state, transcript FROM match WHERE state = 'open'")
    return [OpenMatch(*row) for row in rows]


def end_match(tx: Transaction, match_id: bytes, state: str) -> None:
    """Mark a match placed or aborted and delete its tags."""
    tx.execute("UPDATE match SET state = ? WHERE match_id = ?", (state, match_id))
    tx.execute("UPDATE tag_piece SET tags = NULL WHERE match_id = ?", (match_id,))
