"""Placing two lists of masked tags into one table of slots: what is checked before, and what is signed after.

Pure: the injection is drawn by the kernel from a seed that comes in, and time and salts come in too. The coordinator
sees which tags are equal and nothing of what they stand for (protocol section 2, step 5); each party is told the
slots of its own rows only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.querylog.statement import COORDINATOR
from cleanroom.question.contract import Contract
from cleanroom.wire.canonical import labelled_hash
from cleanroom.wire.messages import MAX_PIECE_BYTES, SLOT_BYTES, TAG_BYTES, Placement


class Place(Protocol):
    """The kernel's `cleanroom.crypto.placement.place`; refuses a tag that is twice in a list with PeerError."""

    def __call__(self, tags_a: bytes, tags_b: bytes, /, *, seed: bytes) -> tuple[bytes, bytes]: ...


@dataclass(frozen=True, slots=True)
class MatchTags:
    """Both complete lists of a match: packed 16-byte tags for the initiator's rows and for the responder's."""

    match_id: bytes
    transcript: bytes
    initiator: PartyName
    responder: PartyName
    of_initiator: bytes
    of_responder: bytes


def check_length(tags: bytes, capacity: int) -> None:
    """A list has exactly the contract's capacity; raises PeerError."""
    if len(tags) != capacity * TAG_BYTES:
        raise PeerError("a tag list does not have the contract's length")


def slots_of(tags: MatchTags, contract: Contract, seed: bytes, place: Place) -> dict[PartyName, bytes]:
    """Packed little-endian uint32 slots for each party's rows, in that party's order; raises PeerError.

    `seed` is 32 random bytes, used here once and kept nowhere: whoever has it could draw the injection again.
    """
    check_length(tags.of_initiator, contract.datasets[tags.initiator].capacity)
    check_length(tags.of_responder, contract.datasets[tags.responder].capacity)
    of_initiator, of_responder = place(tags.of_initiator, tags.of_responder, seed=seed)
    slots = {tags.initiator: of_initiator, tags.responder: of_responder}
    for party, packed in slots.items():
        if len(packed) != contract.datasets[party].capacity * SLOT_BYTES:
            raise PeerError("a placement does not have the contract's length")
    return slots


def placement_hash(salt: bytes, match_id: bytes, party: PartyName, slots: bytes) -> bytes:
    """32 bytes that stand in the log for one party's whole slot list; the 32-byte salt is given to that party only."""
    return labelled_hash("cleanroom/v1/placement", salt, match_id, party.encode("ascii"), slots)


def _statement(
    kind: str,
    match_id: bytes,
    contract: Contract,
    contract_hash: bytes,
    identity: SigningKey,
    now: datetime,
    more: Mapping[str, Any],
) -> bytes:
    body = {
        "actor": COORDINATOR,
        "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contract": contract_hash.hex(),
        "kind": kind,
        "room": contract.room,
        "subject": match_id.hex(),
        "v": 1,
    }
    return sign_statement(kind, {**body, **more}, identity)


def placed_statement(
    tags: MatchTags,
    slots: Mapping[PartyName, bytes],
    salts: Mapping[PartyName, bytes],
    *,
    contract: Contract,
    contract_hash: bytes,
    identity: SigningKey,
    now: datetime,
) -> bytes:
    """The signed `match.placed`: transcript and salted hashes of both slot lists."""
    hashes = {
        party: placement_hash(salts[party], tags.match_id, party, packed).hex() for party, packed in slots.items()
    }
    more = {"slots": hashes, "transcript": tags.transcript.hex()}
    return _statement("match.placed", tags.match_id, contract, contract_hash, identity, now, more)


def aborted_statement(
    match_id: bytes, *, contract: Contract, contract_hash: bytes, identity: SigningKey, now: datetime
) -> bytes:
    """The signed `match.aborted`: the same words whatever was wrong."""
    return _statement("match.aborted", match_id, contract, contract_hash, identity, now, {})


def pieces(match_id: bytes, slots: bytes, salt: bytes, statement: bytes) -> list[Placement]:
    """One party's slots in pieces of at most 1 MiB."""
    parts = [slots[start : start + MAX_PIECE_BYTES] for start in range(0, len(slots), MAX_PIECE_BYTES)]
    return [Placement(match_id, index, len(parts), part, salt, statement) for index, part in enumerate(parts)]
