"""Every envelope of a whole run opens with one key, in one place, from one sender, and not if a bit differs.

The issue's second "done when": "another opens each relayed message with every key but the right one, and fails". Rows
18 and 23: an envelope cannot be moved to another kind, subject, place, room or contract, even by its own sender.
"""

import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName, RoomName
from cleanroom.wire.messages import Envelope, sign_envelope
from parties.home import PartyKeys
from parties.post import Post
from tests.simulation.stepped_room import SteppedRoom, small_parties, stepped_room

ALL_KINDS = {
    "match.hello",
    "match.points",
    "match.dummies",
    "setup.open",
    "setup.base",
    "setup.matrix",
    "setup.challenge",
    "setup.answer",
    "setup.corrections",
    "question.plan",
    "question.rows",
    "question.release",
    "question.released",
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """A room in which shop has asked brand."""
    with stepped_room(tmp_path_factory.mktemp("room"), small_parties("shop", "brand", "airline")) as opened:
        opened.ask("shop", "brand", by="colour", of="colour")
        yield opened


@pytest.fixture(scope="module")
def envelopes(room: SteppedRoom) -> list[Envelope]:
    """Everything that was relayed."""
    relayed = [one for name in room.parties for one in room[name].post.written]
    assert {one.kind for one in relayed} == ALL_KINDS
    return relayed


def post_of(
    room: SteppedRoom, name: str, *, sealing: SealingKey | None = None, elsewhere: Mapping[str, Any] | None = None
) -> Post:
    """A party's post, perhaps with another sealing key, or in another room or contract."""
    desk = room[name].opened.desk
    keys = PartyKeys(desk.keys.identity, sealing or desk.keys.sealing, desk.keys.cosigning, desk.keys.state)
    terms = {"room": desk.contract.room, "contract_hash": desk.contract_hash, **(elsewhere or {})}
    return Post(name=desk.name, cards=desk.contract.cards, keys=keys, **terms)


def signed_again(party_room: SteppedRoom, envelope: Envelope, **more: Any) -> Envelope:
    """The same seal under a header that its own sender signs."""
    desk = party_room[envelope.sender].opened.desk
    fields = {
        name: getattr(envelope, name)
        for name in ("envelope_id", "sender", "recipient", "kind", "subject_id", "index", "count", "sealed")
    }
    terms: dict[str, Any] = {"room": desk.contract.room, "contract_hash": desk.contract_hash, **fields, **more}
    return sign_envelope(desk.keys.identity, **terms)


def test_each_message_opens_for_its_reader(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """The positive control of everything below."""
    for envelope in envelopes:
        assert post_of(room, envelope.recipient).open_piece(envelope)


def test_no_other_key_opens_any_message(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """Other parties' keys, the sender's own, fresh ones, and one that differs from the right one in half."""
    fresh = SealingKey.generate()
    for envelope in envelopes:
        right = room[envelope.recipient].opened.desk.keys.sealing
        others = [room[name].opened.desk.keys.sealing for name in room.parties if name != envelope.recipient]
        halves = [SealingKey(right.secret()[:64] + os.urandom(32)), SealingKey(os.urandom(64) + right.secret()[64:])]
        for key in (*others, fresh, *halves):
            with pytest.raises(PeerError):
                post_of(room, envelope.recipient, sealing=key).open_piece(envelope)


def test_a_message_for_somebody_else_is_refused_before_it_is_opened(
    room: SteppedRoom, envelopes: list[Envelope]
) -> None:
    """Also by those who could not open it anyway."""
    for envelope in envelopes:
        for name in room.parties:
            if name != envelope.recipient:
                with pytest.raises(AuthenticationError):
                    post_of(room, name).open_piece(envelope)


def test_a_message_moved_by_its_own_sender_does_not_open(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """Kind, subject, index and count are bound by the seal itself, not only by the signature."""
    for envelope in envelopes:
        post = post_of(room, envelope.recipient)
        moves: list[dict[str, Any]] = [
            {"kind": "match.abort"},
            {"subject_id": os.urandom(32)},
            {"index": envelope.index + 1, "count": envelope.count + 1},
            {"count": envelope.count + 1},
        ]
        for move in moves:
            with pytest.raises(PeerError, match="does not open"):
                post.open_piece(signed_again(room, envelope, **move))


def test_a_message_of_another_room_or_contract_does_not_open(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """First by signature; and if the sender signs for the other room, by the seal."""
    elsewhere: list[dict[str, Any]] = [{"room": RoomName("autumn")}, {"contract_hash": os.urandom(32)}]
    for envelope in envelopes:
        for terms in elsewhere:
            post = post_of(room, envelope.recipient, elsewhere=terms)
            with pytest.raises(AuthenticationError):
                post.open_piece(envelope)
            with pytest.raises(PeerError, match="does not open"):
                post.open_piece(signed_again(room, envelope, **terms))


def test_a_message_sealed_by_one_party_is_not_anothers(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """A third party that signs the bytes as its own gets nowhere: the seal names the sender's identity."""
    airline = room["airline"].opened.desk
    for envelope in envelopes:
        stolen = signed_again(room, replace(envelope, sender=airline.name))
        with pytest.raises(PeerError, match="does not open"):
            post_of(room, envelope.recipient).open_piece(stolen)


def test_no_other_identity_signed_any_message(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """Verified over the bytes received, before anything is opened."""
    desk = room["shop"].opened.desk
    strangers = [SigningKey.generate().public_bytes(), desk.contract.coordinator.log_key]
    for envelope in envelopes:
        cards = [card for name, card in desk.contract.cards.items() if name != envelope.sender]
        own = desk.contract.cards[PartyName(envelope.sender)]
        envelope.verify(desk.contract.room, desk.contract_hash, own.identity)
        for key in (*(card.identity for card in cards), own.cosigning, *strangers):
            with pytest.raises(AuthenticationError):
                envelope.verify(desk.contract.room, desk.contract_hash, key)


def flipped(data: bytes, bit: int) -> bytes:
    """One bit of the bytes turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_turned_bit_is_noticed_by_the_signature_and_by_the_seal(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """A sample of bits of every message: first, last, key encapsulation, and 16 anywhere; then the header's fields."""
    chance = random.Random(20)  # noqa: S311 # which bits are turned is no secret
    for envelope in envelopes:
        post, bits = post_of(room, envelope.recipient), 8 * len(envelope.sealed)
        places = [0, 8 * 1100, bits - 1, *(chance.randrange(bits) for _ in range(16))]
        for place in places:
            sealed = flipped(envelope.sealed, place)
            with pytest.raises(AuthenticationError):
                post.open_piece(replace(envelope, sealed=sealed))
            with pytest.raises(PeerError, match="does not open"):
                post.open_piece(signed_again(room, envelope, sealed=sealed))
        changes: list[dict[str, Any]] = [
            {"envelope_id": flipped(envelope.envelope_id, 7)},
            {"subject_id": flipped(envelope.subject_id, 255)},
            {"signature": flipped(envelope.signature, 300)},
            {"kind": "match.abort"},
            {"count": envelope.count + 1},
        ]
        for change in changes:
            with pytest.raises(AuthenticationError):
                post.open_piece(replace(envelope, **change))


def test_a_cut_seal_does_not_open(room: SteppedRoom, envelopes: list[Envelope]) -> None:
    """Row 22: truncated anywhere, down to one byte, signed by its sender."""
    for envelope in envelopes:
        for length in (1, 31, 1119, 1120, len(envelope.sealed) - 1):
            with pytest.raises(PeerError, match="does not open"):
                post_of(room, envelope.recipient).open_piece(
                    signed_again(
                        room, envelope, sealed=envelope.sealed[: max(1, min(length, len(envelope.sealed) - 1))]
                    )
                )
