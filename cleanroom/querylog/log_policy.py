"""The contract as the log's readers need it: the log's name, everybody's key, and whose signatures an entry needs.

The log is called `<domain>/<room>/log/<number>`, a cosigner `<domain>/<room>/cosigner/<name>`; the domain is that of
the coordinator's card. Every party and every auditor may cosign. A question needs asker, owner, and every auditor that
the contract requires. A folder needs any two parties, since every question has two, and every required auditor: a
party that has been away does not make the others' log doubtful.
"""

from collections.abc import Mapping
from typing import Any

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import PartyName
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import Checkpoint, log_origin
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.policy import Policy, Quorum, all_of
from cleanroom.transparency.spelling import decimal, hash_bytes


def origin_of(contract: Contract, number: int) -> str:
    """What a log of this room is called."""
    return log_origin(contract.coordinator.domain, contract.room, number)


def former_head(contract: Contract) -> Checkpoint | None:
    """The last good head of the log before this one, as every party signed it; None for the first log."""
    if not contract.follows:
        return None
    size, _, root = contract.follows.partition(" ")
    origin = origin_of(contract, contract.log_number - 1)
    return Checkpoint(origin, decimal(size, "a head's size"), hash_bytes(root, "a head's root"))


def log_key(contract: Contract) -> NoteKey:
    """The log's verifier key; raises UsageError."""
    return NoteKey(origin_of(contract, contract.log_number), KeyKind.LOG, contract.coordinator.log_key)


def cosigner_key(contract: Contract, name: PartyName) -> NoteKey:
    """The cosigning key of a party or an auditor of the contract; raises UsageError."""
    card = contract.cards.get(name)
    auditor = contract.auditors.get(name)
    if card is None and auditor is None:
        raise UsageError(f"{name} is neither a party nor an auditor of this contract")
    public = card.cosigning if card is not None else auditor.key if auditor is not None else b""
    return NoteKey(f"{contract.coordinator.domain}/{contract.room}/cosigner/{name}", KeyKind.COSIGNER, public)


def required_auditors(contract: Contract) -> tuple[PartyName, ...]:
    """Without whose cosignatures nothing is answered."""
    return tuple(name for name, auditor in contract.auditors.items() if auditor.required)


def log_policy(contract: Contract) -> Policy:
    """What a reader of the whole log asks for; raises UsageError for a key that nobody should trust."""
    names = [*contract.cards, *contract.auditors]
    parties = Quorum("two-parties", min(2, len(contract.cards)), tuple(contract.cards))
    auditors = required_auditors(contract)
    quorum = Quorum("whole-log", 1 + len(auditors), (parties, *auditors))
    return Policy((log_key(contract),), {name: cosigner_key(contract, name) for name in names}, quorum)


def question_quorum(contract: Contract, *, asker: PartyName, owner: PartyName) -> Quorum:
    """Whose cosignatures an entry of a question needs before anything follows from it; raises UsageError."""
    for name in (asker, owner):
        if name not in contract.cards:
            raise UsageError(f"{name} is not a party of this contract")
    return all_of(asker, owner, *required_auditors(contract))


_OTHER = {
    "question.asked": "owner",
    "question.approved": "consumer",
    "question.refused": "consumer",
    "budget.debit": "consumer",
    "budget.voided": "consumer",
    "answer.released": "consumer",
    "match.debit": "peer",
    "match.aborted": "peer",
}


def statement_quorum(contract: Contract, body: Mapping[str, Any]) -> Quorum:
    """Whose cosignatures a statement needs before anything follows from it: the two parties whom it concerns, and every
    required auditor. Raises PeerError for a statement that concerns no two parties of this contract.

    `body` is the statement's own; whoever acts on it has verified that its actor signed it.
    """
    kind, actor = str(body.get("kind")), body.get("actor")
    if kind == "match.opened":
        pair = [body.get("initiator"), body.get("responder")]
    else:
        pair = [actor, body.get(_OTHER.get(kind, ""))]
    names = [name for name in contract.cards if name in pair]
    if len(names) != 2 or actor not in names:
        raise PeerError("a statement does not say which two parties of the room it concerns")
    return question_quorum(contract, asker=names[0], owner=names[1])
