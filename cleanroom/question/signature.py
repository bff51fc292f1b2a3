"""A party's signature under something that all parties sign: one signed statement, by the key on that party's card.

Whoever reads such a signature says what it must be over; what it is over, and whose key made it, is checked here. A
refusal names whose signature does not hold, and why.
"""

from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.statement import Statement, verify_statement
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.contract_file import contract_hash


def check_signature(
    name: PartyName, envelope: bytes, contract: Contract, *, kind: str, subject: str, over: str
) -> Statement:
    """The statement of `kind` that party `name` made about `subject`; raises PeerError or AuthenticationError.

    `over` says in words what is signed, for the refusal.
    """
    if name not in contract.cards:
        raise PeerError(f"{name} stands among the signatures and is no party of the room")
    digest = contract_hash(contract)
    try:
        claimed = peek_statement(envelope)
        if claimed.get("kind") != kind or claimed.get("actor") != name:
            raise PeerError("it is another party's, or of another kind")
        if claimed.get("contract") != digest.hex() or claimed.get("subject") != subject:
            raise PeerError(f"it is over another {over}")
        return verify_statement(envelope, contract, digest)
    except AuthenticationError:
        raise AuthenticationError(
            f"the signature of {name} does not hold: it was not made with the identity key on {name}'s card"
        ) from None
    except PeerError as error:
        raise PeerError(f"the signature of {name} does not hold: {error}") from None


def embedded(envelope: bytes) -> object:
    """A signed statement as a value inside a file; its own bytes are that value's canonical bytes."""
    return parse_canonical(envelope)


def extracted(value: object, whose: str) -> bytes:
    """The bytes of a statement that stands in a file; raises PeerError."""
    if not isinstance(value, dict):
        raise PeerError(f"the signature of {whose} does not hold: it is not a signed statement")
    return canonical_bytes(value)
