"""Messages in pieces: opened by their reader, in their place, whole and once."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName, RoomName
from cleanroom.wire.contract_file import contract_hash
from cleanroom.wire.messages import Envelope, Placement
from parties.inbox import Inbox
from parties.post import PIECE_BYTES, Message, join
from tests.unit.parties.nodes import AGREED, database, post
from tests.unit.question.agreements import BRAND, SHOP, contract, identity, seed

SUBJECT = seed("match").hex()
SHOPS, BRANDS = post("shop"), post("brand")
LONG = random.Random(1).randbytes(2 * PIECE_BYTES + 5)  # noqa: S311 only a long message
LIMITS = {"match.points": 4, "match.hello": 1, "question.plan": 1}


def written(kind: str = "match.points", blob: bytes = LONG, subject: str = SUBJECT, **header: Any) -> list[Envelope]:
    """The pieces of a message from shop to brand."""
    return SHOPS.write(BRAND, kind, subject, {"a": 1, **header}, blob)


PIECES = written()
SHORT = written("match.hello", b"bulk")[0]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """brand's inbox."""
    return Inbox(database(tmp_path), BRANDS, LIMITS)


def test_a_long_message_is_cut_into_pieces_of_a_mebibyte() -> None:
    assert [(piece.index, piece.count) for piece in PIECES] == [(0, 3), (1, 3), (2, 3)]
    assert [len(BRANDS.open_piece(piece)) for piece in PIECES] == [PIECE_BYTES, PIECE_BYTES, 4 + 7 + 5]
    assert len({piece.envelope_id for piece in PIECES}) == 3


@pytest.mark.parametrize(("length", "count"), [(PIECE_BYTES - 11, 1), (PIECE_BYTES - 10, 2)])
def test_the_header_counts_towards_the_first_piece(length: int, count: int) -> None:
    assert len(written(blob=bytes(length))) == count


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 0, 2, 2, 1), (1, 1, 1, 0, 0, 2)])
def test_pieces_may_come_in_any_order_and_more_than_once(inbox: Inbox, order: tuple[int, ...]) -> None:
    *others, last = [inbox.accept(PIECES[place]) for place in order]
    assert others == [None] * len(others)
    assert last is not None
    assert (last.sender, last.kind, last.subject, last.header) == (SHOP, "match.points", SUBJECT, {"a": 1})
    assert last.blob == LONG
    assert len(last.sealed_digests) == 3


def test_a_message_is_acted_on_once_however_often_it_comes(inbox: Inbox) -> None:
    assert inbox.accept(SHORT) is not None
    assert [inbox.accept(SHORT) for _ in range(3)] == [None] * 3
    for piece in (*PIECES, *PIECES):
        last = inbox.accept(piece)
    assert last is None


def test_pieces_survive_a_restart(tmp_path: Path) -> None:
    assert Inbox(database(tmp_path), BRANDS, LIMITS).accept(PIECES[0]) is None
    assert Inbox(database(tmp_path), BRANDS, LIMITS).accept(PIECES[2]) is None
    again = Inbox(database(tmp_path), BRANDS, LIMITS)
    assert again.accept(PIECES[0]) is None
    assert again.accept(PIECES[1]) is not None
    assert Inbox(database(tmp_path), BRANDS, LIMITS).accept(PIECES[1]) is None


@pytest.mark.parametrize("blob", [b"bulk", b"other"], ids=["the same words sealed again", "other words"])
def test_a_second_message_under_one_subject_is_an_offence(inbox: Inbox, blob: bytes) -> None:
    inbox.accept(SHORT)
    with pytest.raises(PeerError, match=r"second match\.hello"):
        inbox.accept(written("match.hello", blob)[0])


def test_another_subject_or_kind_is_another_message(inbox: Inbox) -> None:
    inbox.accept(SHORT)
    assert inbox.accept(written("match.hello", subject=seed("two").hex(), blob=b"")[0]) is not None
    assert inbox.accept(written("match.points", b"")[0]) is not None


def test_a_plan_may_come_again_sealed_anew(inbox: Inbox) -> None:
    assert inbox.accept(written("question.plan", b"")[0]) is not None
    assert inbox.accept(written("question.plan", b"")[0]) is not None


def test_a_piece_that_comes_with_other_bytes_is_an_offence(inbox: Inbox) -> None:
    inbox.accept(PIECES[1])
    with pytest.raises(PeerError, match="twice with different bytes"):
        inbox.accept(written()[1])


def test_pieces_that_disagree_on_their_number_are_an_offence(inbox: Inbox) -> None:
    inbox.accept(PIECES[0])
    with pytest.raises(PeerError, match="disagree"):
        inbox.accept(written(blob=LONG[: PIECE_BYTES + 5])[1])


def test_a_message_longer_than_its_kind_or_of_no_kind_is_not_kept(tmp_path: Path) -> None:
    state = database(tmp_path)
    taken = Inbox(state, BRANDS, {**LIMITS, "match.points": 2})
    for envelope in (PIECES[0], written("match.other", b"")[0]):
        with pytest.raises(PeerError, match=r"longer than|unknown kind"):
            taken.accept(envelope)
    assert state.number("SELECT COUNT(*) FROM bulk") == 0


def test_an_offence_is_noted_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    state = database(tmp_path)
    taken = Inbox(state, BRANDS, LIMITS)
    taken.accept(PIECES[0])
    assert taken.close_offence(PIECES[0])
    assert not taken.close_offence(PIECES[0])
    assert state.number("SELECT COUNT(*) FROM bulk") == state.number("SELECT COUNT(*) FROM inbox_part") == 0
    with pytest.raises(PeerError, match="second"):
        taken.accept(PIECES[1])


ALTERED: dict[str, dict[str, Any]] = {
    "another id": {"envelope_id": bytes(32)},
    "another kind": {"kind": "match.other"},
    "another subject": {"subject_id": bytes(32)},
    "another place": {"index": 1},
    "another count": {"count": 4},
    "other bytes": {"sealed": PIECES[0].sealed[:-1] + b"\x00\x00"},
    "another signature": {"signature": bytes(64)},
    "another sender": {"sender": PartyName("bank")},
    "an unknown sender": {"sender": PartyName("thief")},
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_altered_envelope_is_not_authentic(case: str) -> None:
    with pytest.raises(AuthenticationError):
        BRANDS.open_piece(replace(PIECES[0], **ALTERED[case]))


def test_a_message_opens_for_its_recipient_only() -> None:
    with pytest.raises(AuthenticationError, match="to this party"):
        post("bank").open_piece(SHORT)
    resealed = replace(SHORT, recipient=PartyName("bank"))
    with pytest.raises(AuthenticationError):
        post("bank").open_piece(resealed)


def test_a_message_of_another_contract_or_room_is_not_authentic() -> None:
    for agreed in (contract(purpose="another"), replace(AGREED, room=RoomName("autumn"))):
        with pytest.raises(AuthenticationError):
            post("brand", agreed).open_piece(SHORT)


def test_sealed_bytes_signed_anew_in_another_place_do_not_open() -> None:
    """The sender's own signature does not help: the place is in the context of the sealing."""
    changes: list[dict[str, Any]] = [
        {"subject_id": bytes(32)},
        {"kind": "match.other"},
        {"index": 1},
        {"count": 2},
    ]
    hashed = contract_hash(AGREED)
    for change in changes:
        moved = replace(PIECES[0], **change)
        signed = replace(moved, signature=identity("shop").sign(moved.signed_bytes(AGREED.room, hashed)))
        with pytest.raises(PeerError, match="does not open"):
            BRANDS.open_piece(signed)


@pytest.mark.parametrize("change", [{"purpose": "another"}, {"room": RoomName("autumn")}], ids=["contract", "room"])
def test_sealed_bytes_signed_anew_under_another_agreement_do_not_open(change: dict[str, Any]) -> None:
    agreed = contract(**change)
    signature = identity("shop").sign(SHORT.signed_bytes(agreed.room, contract_hash(agreed)))
    with pytest.raises(PeerError, match="does not open"):
        post("brand", agreed).open_piece(replace(SHORT, signature=signature))


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\x00", b"\x00\x00\x00\x05{}", b"\xff\xff\xff\xff{}", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x03{ }"],
)
def test_a_malformed_body_is_our_error(body: bytes) -> None:
    with pytest.raises(PeerError):
        join(SHOP, "kind", SUBJECT, [body], [bytes(32)])


def test_a_body_is_header_and_bulk() -> None:
    message = join(SHOP, "kind", SUBJECT, [b"\x00\x00\x00\x07{", b'"a":5}', b"bulk"], [])
    assert (message.header, message.blob, message.number("a")) == ({"a": 5}, b"bulk", 5)


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, -1, "1"])
def test_a_field_of_another_type_is_our_error(value: object) -> None:
    message = Message(SHOP, "kind", SUBJECT, {"a": value}, b"")
    with pytest.raises(PeerError, match="lacks its a"):
        message.number("a")
    if not isinstance(value, str):
        with pytest.raises(PeerError, match="lacks its a"):
            message.text("a")


@pytest.mark.parametrize("value", ["xx", "0", "\u0661\u0661", "00" * 31, "00" * 33, ""])
def test_hex_has_its_length(value: str) -> None:
    with pytest.raises(PeerError):
        Message(SHOP, "kind", SUBJECT, {"a": value}, b"").hex("a", 32)
    assert Message(SHOP, "kind", SUBJECT, {"a": "0a" * 32}, b"").hex("a", 32) == b"\x0a" * 32


def placement(index: int, count: int, slots: bytes) -> Placement:
    """A piece of brand's slots."""
    return Placement(bytes.fromhex(SUBJECT), index, count, slots, bytes(32), b"s")


def test_a_placement_is_whole_in_any_order_and_its_pieces_agree(inbox: Inbox) -> None:
    assert inbox.accept_placement(placement(1, 2, b"bbbb")) is None
    assert inbox.accept_placement(placement(1, 2, b"bbbb")) is None
    assert inbox.accept_placement(placement(0, 2, b"aaaa")) == b"aaaabbbb"
    assert inbox.accept_placement(placement(0, 3, b"aaaa")) is None
    with pytest.raises(PeerError, match="disagree"):
        inbox.accept_placement(placement(1, 2, b"bbbb"))
