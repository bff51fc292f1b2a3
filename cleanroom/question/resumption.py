"""The resumption: every party's signature that exactly these pauses are lifted.

It is a file like the agreement: it holds the pauses as their parties signed them, and one statement `room.resumed` of
each party over the contract's hash and the pauses' digests. A pause that was said later is not in it and is not lifted
by it, however often it is shown; what was closed is never lifted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import PartyName, party_name
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.question.contract import Contract
from cleanroom.question.signature import check_signature, embedded, extracted
from cleanroom.question.stop import PAUSED, Stop, read_earlier_stop
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical
from cleanroom.wire.contract_file import contract_hash

KIND = "room.resumed"
MAX_PAUSES = 256
_FIELDS = {"contract", "kind", "pauses", "room", "signatures", "v"}


@dataclass(frozen=True, slots=True)
class Resumption:
    """Pauses in the order of their digests, and who has signed that they are lifted; every signature holds."""

    contract: Contract
    pauses: tuple[Stop, ...]
    signatures: Mapping[PartyName, bytes]

    def __post_init__(self) -> None:
        object.__setattr__(self, "signatures", MappingProxyType(dict(self.signatures)))
        if not 1 <= len(self.pauses) <= MAX_PAUSES:
            raise PeerError(f"a resumption lifts 1 to {MAX_PAUSES} pauses")
        if any(pause.kind != PAUSED for pause in self.pauses):
            raise PeerError("a resumption lifts pauses; a closed room never opens again")
        if list(self.lifts) != sorted(set(self.lifts)):
            raise PeerError("a resumption's pauses are not in order, or one stands there twice")
        for name, envelope in self.signatures.items():
            statement = check_signature(
                name, envelope, self.contract, kind=KIND, subject=self.subject, over="list of pauses"
            )
            if statement.body.get("lifts") != list(self.lifts):
                raise PeerError(f"the signature of {name} does not hold: it lifts other pauses")

    @property
    def lifts(self) -> tuple[str, ...]:
        """The digests of the pauses, hex."""
        return tuple(pause.digest for pause in self.pauses)

    @property
    def subject(self) -> str:
        """32 bytes that stand for the list, hex."""
        return labelled_hash("cleanroom/v1/resumption", *(bytes.fromhex(digest) for digest in self.lifts)).hex()

    @property
    def missing(self) -> tuple[PartyName, ...]:
        """Who has not signed yet, in order of name."""
        return tuple(sorted(set(self.contract.cards) - set(self.signatures)))

    @property
    def complete(self) -> bool:
        """Whether every party has signed."""
        return not self.missing

    def signed(self, name: PartyName, identity: SigningKey, *, at: str) -> "Resumption":
        """With this party's signature; the same if it is there already."""
        if name in self.signatures:
            return self
        body = {
            "actor": name,
            "at": at,
            "contract": contract_hash(self.contract).hex(),
            "kind": KIND,
            "lifts": list(self.lifts),
            "room": self.contract.room,
            "subject": self.subject,
            "v": 1,
        }
        return replace(self, signatures={**self.signatures, name: sign_statement(KIND, body, identity)})

    def signed_at(self, name: PartyName) -> str:
        """When a party says it signed (UTC)."""
        return str(peek_statement(self.signatures[name])["at"])

    def file_bytes(self) -> bytes:
        """The one spelling of this file."""
        return canonical_bytes(
            {
                "contract": contract_hash(self.contract).hex(),
                "kind": "resumption",
                "pauses": [embedded(pause.statement) for pause in self.pauses],
                "room": self.contract.room,
                "signatures": {name: embedded(envelope) for name, envelope in self.signatures.items()},
                "v": 1,
            }
        )


def start_resumption(contract: Contract, pauses: Iterable[Stop]) -> Resumption:
    """Nobody's signature yet; raises UsageError when there is nothing to lift."""
    chosen = tuple(sorted(pauses, key=lambda pause: pause.digest))
    if not chosen:
        raise UsageError("the room is not paused; there is nothing to resume")
    return Resumption(contract, chosen, {})


def parse_resumption(data: bytes, contract: Contract) -> Resumption:
    """The resumption whose bytes these are, all of it or none, for a room under this contract; raises PeerError."""
    body = parse_canonical(data)
    if not isinstance(body, dict) or body.get("kind") != "resumption" or body.get("v") != 1 or set(body) != _FIELDS:
        raise PeerError("this is not a resumption of a format this version knows")
    if (body["room"], body["contract"]) != (contract.room, contract_hash(contract).hex()):
        raise PeerError("this resumption is for another room, or for other terms than the agreement in force")
    if not isinstance(body["pauses"], list) or not isinstance(body["signatures"], dict):
        raise PeerError("a resumption lacks its pauses or its signatures")
    if len(body["pauses"]) > MAX_PAUSES or len(body["signatures"]) > len(contract.cards):
        raise PeerError("a resumption has too many pauses or signatures")
    pauses = tuple(read_earlier_stop(extracted(value, "a pause"), contract) for value in body["pauses"])
    signatures = {party_name(name): extracted(value, name) for name, value in body["signatures"].items()}
    return Resumption(contract, pauses, signatures)
