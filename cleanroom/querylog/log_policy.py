"""The contract as the log's readers need it: the log's name, everybody's key, and whose signatures an entry needs.

The log is called `<domain>/<room>/log/<number>`, a cosigner `<domain>/<room>/cosigner/<name>`; the domain is that of
the coordinator's card. Every party and every auditor may cosign. A question needs asker, owner, and every auditor that
the contract names. A folder needs any two parties, since every question has two, and every auditor: a party that has
been away does not make the others' log doubtful.
"""

from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import log_origin
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.policy import Policy, Quorum, all_of

FIRST_LOG = 1


def log_key(contract: Contract, number: int = FIRST_LOG) -> NoteKey:
    """The log's verifier key; `number` is that of its present history. Raises UsageError."""
    coordinator = contract.coordinator
    return NoteKey(log_origin(coordinator.domain, contract.room, number), KeyKind.LOG, coordinator.log_key)


def cosigner_key(contract: Contract, name: PartyName) -> NoteKey:
    """The cosigning key of a party or an auditor of the contract; raises UsageError."""
    card = contract.cards.get(name)
    public = contract.auditors.get(name) if card is None else card.cosigning
    if public is None:
        raise UsageError(f"{name} is neither a party nor an auditor of this contract")
    return NoteKey(f"{contract.coordinator.domain}/{contract.room}/cosigner/{name}", KeyKind.COSIGNER, public)


def log_policy(contract: Contract, number: int = FIRST_LOG) -> Policy:
    """What a reader of the whole log asks for; raises UsageError for a key that nobody should trust."""
    names = [*contract.cards, *contract.auditors]
    parties = Quorum("two-parties", min(2, len(contract.cards)), tuple(contract.cards))
    quorum = Quorum("whole-log", 1 + len(contract.auditors), (parties, *contract.auditors))
    return Policy((log_key(contract, number),), {name: cosigner_key(contract, name) for name in names}, quorum)


def question_quorum(contract: Contract, *, asker: PartyName, owner: PartyName) -> Quorum:
    """Whose cosignatures an entry of a question needs before anything follows from it; raises UsageError."""
    for name in (asker, owner):
        if name not in contract.cards:
            raise UsageError(f"{name} is not a party of this contract")
    return all_of(asker, owner, *contract.auditors)
