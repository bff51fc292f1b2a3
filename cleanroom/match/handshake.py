"""What both parties commit to before anything is masked: a difference here is an error, never zero matches.

Steps 3 of protocol.md section 2. The coordinator learns nothing of it (hellos are sealed); each party learns the
other's capacity, dataset version (random id and counter, no function of content), profile, suite and dummies.
"""

from dataclasses import dataclass
from typing import Any

from cleanroom.errors import PeerError
from cleanroom.ids import PartyName, hex32, party_name
from cleanroom.privacy.overlap import shared_dummies
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import canonical_bytes, labelled_hash
from cleanroom.wire.contract_file import contract_hash


@dataclass(frozen=True, slots=True)
class Hello:
    """One party's half of the handshake. `share` and `nonce` are 32 bytes in hex."""

    match: str
    initiator: PartyName
    party: PartyName
    contract: str
    version: str
    version_counter: int
    capacity: int
    profile: str
    suite: str
    dummies: int
    share: str
    nonce: str

    def body(self) -> dict[str, Any]:
        """The JSON value that travels and that the transcript covers."""
        return {name: getattr(self, name) for name in sorted(self.__dataclass_fields__)}

    @staticmethod
    def from_body(value: object) -> "Hello":
        """Raises PeerError or UsageError."""
        if not isinstance(value, dict) or set(value) != set(Hello.__dataclass_fields__):
            raise PeerError("a hello lacks a field, or has one too many")
        hello = Hello(**value)
        for name in ("match", "contract", "version", "share", "nonce"):
            hex32(getattr(hello, name), f"a hello's {name}")
        party_name(hello.initiator)
        party_name(hello.party)
        if any(type(number) is not int for number in (hello.version_counter, hello.capacity, hello.dummies)):
            raise PeerError("a hello's number is not a whole number")
        return hello

    def check(self, contract: Contract, *, match: str, initiator: str, sender: str) -> None:
        """Raises PeerError naming the first term on which the other side differs from the contract."""
        if (self.match, self.initiator, self.party) != (match, initiator, sender):
            raise PeerError("a hello speaks of another match or another party")
        agreed = {
            "contract": contract_hash(contract).hex(),
            "profile": contract.profile,
            "suite": contract.suite,
            "capacity": contract.datasets[self.party].capacity,
        }
        for name, value in agreed.items():
            if getattr(self, name) != value:
                raise PeerError(f"{sender} matches with another {name} than the contract's; nothing was masked")


def dummies_of_match(contract: Contract, one: PartyName, other: PartyName) -> int:
    """Tau: the larger of what the two lineages need."""
    return max(dummies_of_lineage(contract, name) for name in (one, other))


def dummies_of_lineage(contract: Contract, party: PartyName) -> int:
    """Tau that this dataset's overlap promise needs, from (epsilon, delta, matches) alone."""
    overlap = contract.datasets[party].overlap
    return shared_dummies(overlap.epsilon, overlap.delta, matches=overlap.matches)


def most_people(contract: Contract, party: PartyName) -> int:
    """The most people a table may hold: capacity less the largest tau of any partner; no match fails on a count."""
    largest = max(dummies_of_match(contract, party, other) for other in contract.datasets if other != party)
    return contract.datasets[party].capacity - largest


def transcript(contract: Contract, initiator: Hello, responder: Hello) -> bytes:
    """32 bytes that bind everything both sides said before masking."""
    return labelled_hash(
        "cleanroom/v1/match-transcript",
        contract_hash(contract),
        canonical_bytes(initiator.body()),
        canonical_bytes(responder.body()),
    )
