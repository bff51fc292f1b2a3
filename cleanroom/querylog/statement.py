"""Which statements the log takes, and whose signature each must carry.

A statement is a signed JSON body `{v, kind, room, contract, at, actor, subject, ...}`. The kinds are a closed list.
`actor` is the party whose identity key, as written in the contract, must verify; a few kinds are the coordinator's own
and carry its identity key. Which further fields a kind may have is a list too; what they say is read by the parties.
"""

import re
from dataclasses import dataclass
from typing import Any

from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName, party_name
from cleanroom.querylog.dsse import MAX_STATEMENT_BYTES, Envelope, open_envelope, read_envelope
from cleanroom.question.contract import Contract

KINDS = frozenset(
    {
        "room.opened",
        "contract.signed",
        "member.joined",
        "key.rotated",
        "match.opened",
        "match.debit",
        "match.placed",
        "match.aborted",
        "question.asked",
        "question.approved",
        "question.refused",
        "budget.debit",
        "answer.released",
        "budget.voided",
        "room.paused",
        "room.resumed",
        "room.closed",
        "incident",
    }
)
_COMMON_FIELDS = frozenset({"actor", "at", "contract", "kind", "room", "subject", "v"})
_MORE_FIELDS = {
    "key.rotated": frozenset({"comes", "follows", "goes"}),
    "match.opened": frozenset({"initiator", "responder"}),
    "match.debit": frozenset({"dummies", "lineage", "observer", "peer"}),
    "match.placed": frozenset({"slots", "transcript"}),
    "match.aborted": frozenset({"peer"}),
    "question.asked": frozenset({"owner", "plan"}),
    "question.approved": frozenset({"approver", "consumer", "reason"}),
    "question.refused": frozenset({"advice", "consumer", "explanation", "owner", "rule"}),
    "budget.debit": frozenset({"accountant", "consumer", "lineage", "match", "quantity", "units"}),
    "answer.released": frozenset({"consumer", "digest"}),
    "budget.voided": frozenset({"consumer"}),
    "room.paused": frozenset({"reason"}),
    "room.closed": frozenset({"reason"}),
    "room.resumed": frozenset({"lifts"}),
    "incident": frozenset({"message", "sender"}),
}
COORDINATOR = "coordinator"
COORDINATOR_KINDS = frozenset({"key.rotated", "match.placed", "match.aborted"})
ONCE_KINDS = frozenset({"budget.debit", "answer.released", "match.debit"})
"""What a party says once about one subject: a second one comes from another node under the same identity."""
MAX_SUBJECT_CHARACTERS = 200
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Statement:
    """A verified statement: its kind, who made it ("coordinator" or a party), what it is about, and its whole body."""

    kind: str
    actor: str
    subject: str
    body: dict[str, Any]


def _text(body: dict[str, Any], name: str, limit: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= limit:
        raise PeerError(f"a statement lacks its {name}")
    return value


def check_fields(kind: str, body: dict[str, Any]) -> None:
    """Nothing stands in a statement beside what its kind says; raises PeerError."""
    if not set(body) <= _COMMON_FIELDS | _MORE_FIELDS.get(kind, frozenset()):
        raise PeerError("a statement has a field that its kind does not know")


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement whose envelope was read and whose kind is known; nothing else about it was checked."""

    kind: str
    actor: str
    envelope: Envelope

    @property
    def contract(self) -> str:
        """The hash of the contract under which it says it was made, 64 hex digits; raises PeerError."""
        named = self.envelope.body.get("contract")
        if not isinstance(named, str) or _HASH.fullmatch(named) is None:
            raise PeerError("a statement names no contract")
        return named

    def check_signature(self, contract: Contract) -> None:
        """Its actor, as this contract knows it, signed it; raises PeerError or AuthenticationError."""
        open_envelope(self.kind, self.envelope, _key_of(self.actor, self.kind, contract))

    def statement(self, contract: Contract) -> Statement:
        """With every field in its form, under whichever terms of this room; raises PeerError."""
        body = self.envelope.body
        if body.get("v") != 1 or body.get("room") != contract.room:
            raise PeerError("a statement is of another version, room or contract")
        check_fields(self.kind, body)
        if _TIME.fullmatch(_text(body, "at", 20)) is None:
            raise PeerError("a statement's time is written YYYY-MM-DDTHH:MM:SSZ")
        return Statement(self.kind, self.actor, _text(body, "subject", MAX_SUBJECT_CHARACTERS), body)


def read_claim(envelope: bytes) -> Claim:
    """What a statement says it is; raises PeerError when malformed or of a kind that the log does not take."""
    if not 1 <= len(envelope) <= MAX_STATEMENT_BYTES:
        raise PeerError("a statement has 1 to 65,535 bytes")
    read = read_envelope(envelope)
    kind, actor = _text(read.body, "kind", 40), _text(read.body, "actor", 63)
    if kind not in KINDS:
        raise PeerError("a statement is of a kind the log does not take")
    return Claim(kind, actor, read)


def verify_statement(envelope: bytes, contract: Contract, contract_hash: bytes) -> Statement:
    """The statement in these bytes; raises PeerError when malformed or foreign, AuthenticationError when forged."""
    claim = read_claim(envelope)
    claim.check_signature(contract)
    if claim.contract != contract_hash.hex():
        raise PeerError("a statement is of another version, room or contract")
    return claim.statement(contract)


def _key_of(actor: str, kind: str, contract: Contract) -> bytes:
    if kind in COORDINATOR_KINDS and actor == COORDINATOR and COORDINATOR not in contract.cards:
        return contract.coordinator.identity
    card = contract.cards.get(PartyName(actor))
    if card is None or kind == "match.placed":
        raise AuthenticationError("a statement's actor may not make statements of this kind")
    return card.identity


def match_pair(statement: Statement) -> tuple[PartyName, PartyName]:
    """Initiator and responder of a `match.opened`; raises PeerError or UsageError."""
    initiator = party_name(statement.body.get("initiator"))
    responder = party_name(statement.body.get("responder"))
    if initiator == responder or statement.actor not in {initiator, responder}:
        raise PeerError("a match is between two different parties and opened by one of them")
    return initiator, responder
