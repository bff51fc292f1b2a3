"""What arrives: pieces are verified, opened and kept until a message is whole; each message is acted on once.

A piece that came before is recognised by its digest and ignored, so a relay that delivers a message again makes nothing
happen. Another message of the same kind about the same subject is an offence of its sender, except for kinds that may
be repeated (a plan asked again, an answer or the need for approval said again, an end told again). What is too long for
its kind is never kept.
"""

from collections.abc import Mapping
from hashlib import sha256

from cleanroom.errors import PeerError
from cleanroom.question.contract import Contract
from cleanroom.wire.messages import Envelope, Placement
from parties.database import Database
from parties.limits import MAX_UNFINISHED
from parties.post import Message, Post, join

REPEATABLE = frozenset(
    {
        *("question.plan", "question.pending", "question.release", "question.released", "question.refused"),
        *("match.abort", "setup.abort"),
    }
)
MAX_PIECES = 4096


def sealed_digest(envelope: Envelope) -> bytes:
    """32 bytes over the sealed bytes alone."""
    return sha256(envelope.sealed).digest()


def mailbox_mark(contract: Contract) -> str:
    """Where a node remembers what it acknowledged: with each of a room's logs the coordinator begins a database anew,
    and the mailboxes in it."""
    log = "" if contract.log_number == 1 else f"/{contract.log_number}"
    return f"acknowledged/{contract.room}{log}"


class Inbox:
    """Collects pieces inside the worker's transaction."""

    def __init__(self, database: Database, post: Post, most_pieces: Mapping[str, int]) -> None:
        """`most_pieces` is the largest number of pieces of each kind of message; no other kind is taken."""
        self._database = database
        self._post = post
        self._most_pieces = most_pieces

    def accept(self, envelope: Envelope) -> Message | None:
        """The whole message when this was its last missing piece; raises PeerError or AuthenticationError."""
        piece = self._post.open_piece(envelope)
        subject = envelope.subject_id.hex()
        if envelope.kind not in self._most_pieces:
            raise PeerError("a message of an unknown kind")
        if envelope.count > self._most_pieces[envelope.kind]:
            raise PeerError(f"a {envelope.kind} message is longer than the contract makes possible")
        if envelope.kind in REPEATABLE:
            if self._is_replay(envelope):
                return None
            return join(envelope.sender, envelope.kind, subject, [piece], [sealed_digest(envelope)])
        return self._collect(envelope.sender, envelope.kind, subject, envelope.index, envelope.count, piece, envelope)

    def _is_replay(self, envelope: Envelope) -> bool:
        """Whether this very envelope was acted on before; remembers it."""
        place = (envelope.sender, f"{envelope.kind}/{sealed_digest(envelope).hex()}", envelope.subject_id.hex())
        if self._database.one("SELECT 1 FROM inbox_done WHERE sender = ? AND kind = ? AND subject = ?", *place):
            return True
        self._database.run("INSERT INTO inbox_done VALUES (?, ?, ?, '')", *place)
        return False

    def _collect(
        self, sender: str, kind: str, subject: str, index: int, count: int, piece: bytes, envelope: Envelope
    ) -> Message | None:
        digest = sealed_digest(envelope).hex()
        done = self._database.one(
            "SELECT digest FROM inbox_done WHERE sender = ? AND kind = ? AND subject = ?", sender, kind, subject
        )
        if done is not None:
            if digest in done[0].split():
                return None
            raise PeerError(f"a second {kind} message came under one subject")
        key = f"{sender}/{kind}/{subject}"
        known = self._database.one(
            "SELECT count, digest FROM inbox_part WHERE sender = ? AND kind = ? AND subject = ? AND part = ?",
            sender,
            kind,
            subject,
            index,
        )
        if known is not None:
            if known != (count, digest):
                raise PeerError(f"a piece of a {kind} message came twice with different bytes")
            return None
        self._check_unfinished(sender, kind, subject)
        self._database.keep("inbox", f"{key}/{index}", piece)
        self._database.run(
            "INSERT INTO inbox_part VALUES (?, ?, ?, ?, ?, ?)", sender, kind, subject, index, count, digest
        )
        rows = self._database.all(
            "SELECT part, count, digest FROM inbox_part WHERE sender = ? AND kind = ? AND subject = ? ORDER BY part",
            sender,
            kind,
            subject,
        )
        if any(row[1] != count for row in rows):
            raise PeerError(f"the pieces of a {kind} message disagree on their number")
        if len(rows) < count:
            return None
        pieces = [self._database.kept("inbox", f"{key}/{row[0]}") for row in rows]
        self._close(sender, kind, subject, " ".join(row[2] for row in rows))
        return join(envelope.sender, kind, subject, pieces, [bytes.fromhex(row[2]) for row in rows])

    def _check_unfinished(self, sender: str, kind: str, subject: str) -> None:
        others = self._database.number(
            "SELECT COUNT(*) FROM (SELECT DISTINCT kind, subject FROM inbox_part WHERE sender = ?"
            " AND NOT (kind = ? AND subject = ?))",
            sender,
            kind,
            subject,
        )
        if others >= MAX_UNFINISHED:
            raise PeerError("a party has too many messages that are not whole yet")

    def _close(self, sender: str, kind: str, subject: str, digests: str) -> None:
        for (part,) in self._database.all(
            "SELECT part FROM inbox_part WHERE sender = ? AND kind = ? AND subject = ?", sender, kind, subject
        ):
            self._database.erase("inbox", f"{sender}/{kind}/{subject}/{part}")
        self._database.run(
            "DELETE FROM inbox_part WHERE sender = ? AND kind = ? AND subject = ?", sender, kind, subject
        )
        self._database.run("INSERT OR REPLACE INTO inbox_done VALUES (?, ?, ?, ?)", sender, kind, subject, digests)

    def close_offence(self, envelope: Envelope) -> bool:
        """Forget an offending message; False when this offence was noted before."""
        sender, kind, subject = envelope.sender, envelope.kind, envelope.subject_id.hex()
        done = self._database.one(
            "SELECT digest FROM inbox_done WHERE sender = ? AND kind = ? AND subject = ?",
            sender,
            f"offence:{kind}",
            subject,
        )
        self._close(sender, kind, subject, sealed_digest(envelope).hex())
        self._database.run("INSERT OR REPLACE INTO inbox_done VALUES (?, ?, ?, '')", sender, f"offence:{kind}", subject)
        return done is None

    def accept_placement(self, piece: Placement) -> bytes | None:
        """All slots when this was the last missing piece; raises PeerError."""
        if piece.count > MAX_PIECES:
            raise PeerError("a placement has too many pieces")
        match, database = piece.match_id.hex(), self._database
        database.keep("inbox", f"placement/{match}/{piece.index}", piece.slots)
        database.run(
            "INSERT OR REPLACE INTO inbox_part VALUES ('coordinator', 'placement', ?, ?, ?, '')",
            match,
            piece.index,
            piece.count,
        )
        rows = database.all(
            "SELECT part, count FROM inbox_part WHERE sender = 'coordinator' AND subject = ? ORDER BY part", match
        )
        if any(count != piece.count for _, count in rows):
            raise PeerError("the pieces of a placement disagree on their number")
        if len(rows) < piece.count:
            return None
        slots = b"".join(database.kept("inbox", f"placement/{match}/{part}") for part, _ in rows)
        for part, _ in rows:
            database.erase("inbox", f"placement/{match}/{part}")
        database.run("DELETE FROM inbox_part WHERE sender = 'coordinator' AND subject = ?", match)
        return slots
