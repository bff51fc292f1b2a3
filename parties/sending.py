"""What leaves a node: the outbox, in order, the same bytes again and again until each was taken.

The order is kept for each recipient, and for what goes to the coordinator itself. A party that does not read its
mailbox holds up what is for that party and nothing else: it is left out for this round and tried again in the next.

A message leaves the outbox when the coordinator has it. So does a statement, and if a step waits for it, it then
awaits its proof: that our own copy of the log has it under a head which the statement's quorum has cosigned. The step
runs in the transaction that takes it from there. What we signed is never dropped: it may stand in the log already, and
a statement there that we do not hold would look like a restored backup.

While the room is paused or closed, only what ends things or accounts for them leaves; everything else, a release that
was drawn among it, keeps its place until the room is resumed. What stops the room leaves before anything else.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Protocol

from cleanroom.errors import (
    AuthenticationError,
    CleanroomError,
    ConflictError,
    MailboxFullError,
    PeerError,
    StateError,
    UnavailableError,
)
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.log_policy import statement_quorum
from cleanroom.querylog.statement import ONCE_KINDS
from cleanroom.transparency.policy import Quorum
from cleanroom.wire.messages import Envelope
from parties.desk import Desk, unpack_envelope, unpack_tags
from parties.work_log import timed

_LOG = logging.getLogger("cleanroom.node")

WHILE_STOPPED = (
    "contract.signed",
    "room.paused",
    "room.closed",
    "room.resumed",
    "room.stopped",
    "match.debit",
    "match.aborted",
    "match.abort",
    "setup.abort",
    "budget.debit",
    "budget.voided",
    "answer.released",
    "question.approved",
    "question.refused",
    "question.voided",
    "incident",
    "log.head",
)
"""Statements and messages that leave while the room is stopped; nothing that is not named here does."""
_NEXT = """SELECT id, kind, subject, recipient, payload FROM outbox
 WHERE {may_leave} AND recipient NOT IN (SELECT value FROM json_each(?))
 ORDER BY says = 'room.stopped' DESC, says IN ('room.paused', 'room.closed') DESC, id LIMIT 1"""
_NEXT_WHILE_STOPPED = _NEXT.format(may_leave=f"says IN ({', '.join('?' * len(WHILE_STOPPED))})")
_NEXT_OF_ALL = _NEXT.format(may_leave="TRUE")

_DOUBLED = (
    "the log holds another {kind} of this node for {subject}: another node uses this identity, or a backup was"
    " restored. All set-ups are dead; stop the other node, then replay the missing debits before serving again:"
    " cleanroom party ledger replay --home FOLDER"
)

Step = Callable[[str, bytes, str], None]
"""What waited for a statement: called with its subject, its bytes and the text of its proof file."""


class DoubledError(StateError):
    """Another node says under our identity what this one was about to say; neither may go on unseen."""


class Carrier(Protocol):
    """What takes what we say."""

    def send(self, envelope: Envelope) -> None: ...
    def submit_tags(self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes) -> None: ...
    def append(self, statement: bytes) -> int: ...


class Proofs(Protocol):
    """Our own copy of the log."""

    def proof(self, statement: bytes, quorum: Quorum) -> bytes | None: ...


class Sending:
    """Empties the outbox. `steps` are keyed by kind of statement; `ended` is told the subject of what failed."""

    def __init__(
        self,
        desk: Desk,
        carrier: Carrier,
        proofs: Proofs,
        *,
        steps: Mapping[str, Step],
        ended: Callable[[str], None],
        troubled: Callable[[CleanroomError], None],
    ) -> None:
        self._desk = desk
        self._carrier = carrier
        self._proofs = proofs
        self._steps = steps
        self._ended = ended
        self._troubled = troubled

    def flush(self, stopping: threading.Event) -> bool:
        """Send in order until nothing is left, the coordinator is out of reach, or the node is to stop.

        Whether something awaits its proof now that did not before. The log may have covered it long ago, when it was
        sent again: then there will be no news of it, and the caller has to look.

        Raises DoubledError, for good, when the log holds another debit or release in the place of ours.
        """
        database = self._desk.database
        full: set[str] = set()
        awaits = False
        while not stopping.is_set():
            if self._desk.stops.standing().state == "open":
                row = database.one(_NEXT_OF_ALL, json.dumps(sorted(full)))
            else:
                row = database.one(_NEXT_WHILE_STOPPED, *WHILE_STOPPED, json.dumps(sorted(full)))
            if row is None:
                break
            identifier, kind, subject, recipient, payload = row
            try:
                self._deliver(kind, payload)
            except MailboxFullError as error:
                self._troubled(error)
                full.add(recipient)
            except UnavailableError as error:
                self._troubled(error)
                break
            except CleanroomError as error:
                self._troubled(error)
                if kind == "statement" and isinstance(error, ConflictError):
                    self._check_alone(identifier, subject, payload)
                if kind == "statement" and self._desk.is_current(payload) and not _is_of_another_log(payload, error):
                    break
                self._give_up(identifier, kind, subject, payload)
            else:
                awaits = self._taken(identifier, kind, payload) or awaits
        return awaits

    def _deliver(self, kind: str, payload: bytes) -> None:
        if kind == "statement":
            self._carrier.append(payload)
        elif kind == "envelope":
            self._carrier.send(unpack_envelope(payload))
        else:
            match, peer, transcript, tags = unpack_tags(payload)
            self._carrier.submit_tags(bytes.fromhex(match), PartyName(peer), bytes.fromhex(transcript), tags)

    def _take_out(self, identifier: int) -> None:
        self._desk.database.run("DELETE FROM outbox WHERE id = ?", identifier)

    def _give_up(self, identifier: int, kind: str, subject: str, payload: bytes) -> None:
        """The coordinator will never take it: a message of an ended conversation, a statement under old terms."""
        with self._desk.database.transaction():
            self._take_out(identifier)
            if kind == "statement":
                self._desk.keep_statement(str(peek_statement(payload)["kind"]), subject, payload, "")
            self._ended(subject)

    def _check_alone(self, identifier: int, subject: str, payload: bytes) -> None:
        """The next start refuses to serve, too; what was refused is kept, and not said again after the replay."""
        kind = str(peek_statement(payload)["kind"])
        if kind not in ONCE_KINDS:
            return
        error = DoubledError(_DOUBLED.format(kind=kind, subject=subject[:12]))
        with self._desk.database.transaction():
            self._take_out(identifier)
            self._desk.keep_statement(kind, subject, payload, "")
            self._desk.database.run("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", str(error))
        raise error

    def _taken(self, identifier: int, kind: str, payload: bytes) -> bool:
        """The coordinator has it. A statement that a step waits for awaits its proof, and is True; another is kept."""
        with self._desk.database.transaction():
            self._take_out(identifier)
            if kind != "statement":
                return False
            body = peek_statement(payload)
            said, subject = str(body["kind"]), str(body["subject"])
            if said in self._steps and self._quorum(payload) is not None:
                self._desk.database.run(
                    "INSERT OR IGNORE INTO awaiting (digest, kind, subject, bytes, since) VALUES (?, ?, ?, ?, ?)",
                    sha256(payload).hexdigest(),
                    said,
                    subject,
                    payload,
                    self._desk.clock(),
                )
                return True
            self._desk.keep_statement(said, subject, payload, "")
            return False

    def _quorum(self, statement: bytes) -> Quorum | None:
        """None where nobody who is still in the room waits for anything, and nothing follows."""
        try:
            return statement_quorum(self._desk.contract, peek_statement(statement))
        except PeerError:
            return None

    # ---- what the log has covered --------------------------------------------------------------------------------

    def look(self) -> None:
        """Go on with every step whose statement is proved by now, oldest first.

        Raises what the mirror raises when the log is in doubt: then nothing follows from it any more.
        """
        rows = self._desk.database.all("SELECT id, kind, subject, bytes FROM awaiting ORDER BY id")
        for identifier, kind, subject, statement in rows:
            quorum = self._quorum(statement) if self._desk.is_current(statement) else None
            if quorum is None:
                self._close(identifier, kind, subject, statement, "")
                continue
            proof = self._proofs.proof(statement, quorum)
            if proof is not None:
                self._go_on(identifier, kind, subject, statement, proof.decode("utf-8"))

    def _go_on(self, identifier: int, kind: str, subject: str, statement: bytes, proof: str) -> None:
        """Our statement stands in the log, and its quorum has seen it there: go on with the step that waited for it."""
        try:
            with self._desk.database.transaction():
                self._covered(identifier, kind, subject, statement, proof)
                with timed(kind):
                    self._steps[kind](subject, statement, proof)
        except (CleanroomError, sqlite3.IntegrityError) as error:
            _LOG.warning("a step could not be continued: %s", error)
            self._close(identifier, kind, subject, statement, proof)

    def _covered(self, identifier: int, kind: str, subject: str, statement: bytes, proof: str) -> None:
        self._desk.database.run("DELETE FROM awaiting WHERE id = ?", identifier)
        self._desk.keep_statement(kind, subject, statement, proof)

    def _close(self, identifier: int, kind: str, subject: str, statement: bytes, proof: str) -> None:
        """Whatever becomes of the step, this node holds what it said."""
        with self._desk.database.transaction():
            self._covered(identifier, kind, subject, statement, proof)
            self._ended(subject)


def _is_of_another_log(statement: bytes, error: CleanroomError) -> bool:
    """The end of a match that this coordinator never opened: it was of another room, or of the log before."""
    return isinstance(error, AuthenticationError) and peek_statement(statement)["kind"] == "match.aborted"
