"""The agreement: the contract's bytes and, under them, the signature of every party that is in it.

A room is in force when all parties have signed the same bytes; any other term, and be it a comma, is another hash and
needs every signature anew. Each signature is a statement `contract.signed` about the contract's hash, made with the
identity key on that party's card inside the contract. The file carries itself from one operator to the next: whoever
reads it checks everything, and nobody has to be believed who handed it over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import PartyName, party_name
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.question.contract import Contract
from cleanroom.question.signature import check_signature, embedded, extracted
from cleanroom.wire.canonical import MAX_BYTES, canonical_bytes, parse_canonical
from cleanroom.wire.contract_file import contract_bytes, contract_hash, parse_contract

KIND = "contract.signed"
_FIELDS = {"contract", "kind", "signatures", "v"}


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract and the signatures under it (DSSE bytes by party); every one of them holds."""

    contract: Contract
    signatures: Mapping[PartyName, bytes]

    def __post_init__(self) -> None:
        object.__setattr__(self, "signatures", MappingProxyType(dict(self.signatures)))
        for name, envelope in self.signatures.items():
            check_signature(name, envelope, self.contract, kind=KIND, subject=self.hash, over="agreement")

    @property
    def hash(self) -> str:
        """The contract's hash in hex: what is signed."""
        return contract_hash(self.contract).hex()

    @property
    def missing(self) -> tuple[PartyName, ...]:
        """Who has not signed yet, in order of name."""
        return tuple(sorted(set(self.contract.cards) - set(self.signatures)))

    @property
    def complete(self) -> bool:
        """Whether every party has signed."""
        return not self.missing

    def signed_at(self, name: PartyName) -> str:
        """When a party says it signed (UTC)."""
        return str(peek_statement(self.signatures[name])["at"])

    def signed(self, name: PartyName, identity: SigningKey, *, at: str) -> "Agreement":
        """With this party's signature; the same if it is there already. Raises PeerError when the key is another."""
        if name in self.signatures:
            return self
        body = {
            "actor": name,
            "at": at,
            "contract": self.hash,
            "kind": KIND,
            "room": self.contract.room,
            "subject": self.hash,
            "v": 1,
        }
        return replace(self, signatures={**self.signatures, name: sign_statement(KIND, body, identity)})

    def file_bytes(self) -> bytes:
        """The one spelling of this file; raises UsageError when it would be too long to be read again."""
        data = canonical_bytes(
            {
                "contract": parse_canonical(contract_bytes(self.contract)),
                "kind": "agreement",
                "signatures": {name: embedded(envelope) for name, envelope in self.signatures.items()},
                "v": 1,
            }
        )
        if len(data) > MAX_BYTES:
            raise UsageError(f"an agreement has at most {MAX_BYTES} bytes; declare fewer columns or values")
        return data


def parse_agreement(data: bytes) -> Agreement:
    """The agreement whose bytes these are, all of it or none; raises PeerError or UsageError."""
    body = parse_canonical(data)
    if not isinstance(body, dict) or body.get("kind") != "agreement" or body.get("v") != 1 or set(body) != _FIELDS:
        raise PeerError("this is not an agreement of a format this version knows")
    if not isinstance(body["signatures"], dict) or not isinstance(body["contract"], dict):
        raise PeerError("an agreement lacks its contract or its signatures")
    contract = parse_contract(canonical_bytes(body["contract"]))
    if len(body["signatures"]) > len(contract.cards):
        raise PeerError("an agreement has more signatures than parties")
    signatures = {party_name(name): extracted(value, name) for name, value in body["signatures"].items()}
    return Agreement(contract, signatures)


def in_force(data: bytes) -> Agreement:
    """A complete agreement; raises PeerError or UsageError that names who has not signed."""
    agreement = parse_agreement(data)
    if not agreement.complete:
        raise UsageError(
            f"the agreement of room {agreement.contract.room} is not in force: not signed by"
            f" {', '.join(agreement.missing)}; carry the file there: cleanroom room sign FILE"
        )
    return agreement
