"""A party's word that stops the room: `room.paused` until all sign again, `room.closed` for good.

Any party may say it, alone and at once, with a reason that the others are shown. The statement's subject is a random
id, so two pauses are never the same statement and a resumption says exactly which ones it lifts.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import PartyName, hex32
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.statement import verify_statement
from cleanroom.question.contract import Contract

PAUSED, CLOSED = "room.paused", "room.closed"
MAX_REASON = 200


def checked_reason(reason: Any) -> str:
    """1 to 200 printable characters; raises UsageError."""
    if not isinstance(reason, str) or not 1 <= len(reason.strip()) <= len(reason) <= MAX_REASON:
        raise UsageError(f"a reason has 1 to {MAX_REASON} characters; the other parties are shown it")
    if not reason.isprintable():
        raise UsageError("a reason is one line of printable characters; the other parties are shown it")
    return reason


@dataclass(frozen=True, slots=True)
class Stop:
    """A verified pause or closing: its digest is what a resumption names."""

    kind: str
    by: PartyName
    reason: str
    at: str
    subject: str
    statement: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the statement's bytes, hex."""
        return sha256(self.statement).hexdigest()


def read_stop(envelope: bytes, contract: Contract, contract_hash: bytes) -> Stop:
    """The stop that a party of the room signed under this contract; raises PeerError or AuthenticationError."""
    statement = verify_statement(envelope, contract, contract_hash)
    if statement.kind not in (PAUSED, CLOSED) or statement.actor not in contract.cards:
        raise PeerError("a statement stops no room, or not by one of its parties")
    try:
        subject = hex32(statement.subject, "a stop's id")
        reason = checked_reason(statement.body.get("reason"))
    except UsageError as error:
        raise PeerError("a stop of the room lacks its id or its reason") from error
    return Stop(statement.kind, PartyName(statement.actor), reason, str(statement.body["at"]), subject, envelope)


def read_earlier_stop(envelope: bytes, contract: Contract) -> Stop:
    """As `read_stop`, under whichever terms of this room it was said: a pause outlives a change of the terms."""
    try:
        claimed = hex32(peek_statement(envelope).get("contract"), "a contract's hash")
    except UsageError as error:
        raise PeerError("a stop of the room names no contract") from error
    return read_stop(envelope, contract, bytes.fromhex(claimed))
