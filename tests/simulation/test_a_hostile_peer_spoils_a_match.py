"""Rows 21 and 23 of the hostile inputs: lists of masked points that no honest party would send, at real nodes.

The hostile party is a real node that changes its own messages before it seals and signs them, so everything up to the
defect is in order. Expected each time: the match ends on both sides, the log names the sender, no tag of the bad list
reaches the coordinator, the debit stays, and the same two parties match again.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cleanroom.errors import UnavailableError
from cleanroom.querylog.dsse import peek_statement
from cleanroom.wire.messages import sign_envelope
from tests.live_room import read_database
from tests.reference.curve25519 import P
from tests.simulation.stepped_room import Change, SteppedRoom, small_parties, stepped_room

OTHER = {"shop": "brand", "brand": "shop"}
ORDER_EIGHT = 325606250916557431795983626356110631294008115727848805560023387167927233504


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """One room for all defects: each must leave it in working order. The limit on matches is lifted for that."""
    parties = small_parties("shop", "brand", "airline")
    with stepped_room(tmp_path_factory.mktemp("room"), parties) as opened, pytest.MonkeyPatch.context() as patch:
        for party in opened.parties.values():
            patch.setattr(party.node.matching, "check_limit", lambda _: None)
        yield opened


def number(u: int) -> Callable[[bytes], bytes]:
    """Put this number in the place of the list's second point."""
    return lambda points: points[:32] + u.to_bytes(32, "little") + points[64:]


def shifted_by_order_two(points: bytes) -> bytes:
    """P and P + (0, 0), which is 1 / u: two good points that every clamped key masks to the same one."""
    inverse = pow(int.from_bytes(points[:32], "little"), P - 2, P)
    return points[:32] + inverse.to_bytes(32, "little") + points[64:]


DEFECTS: dict[str, Callable[[bytes], bytes]] = {
    "a point of the twist": number(2),
    "the identity's mark": number(0),
    "a point of order four": number(1),
    "a point of order eight": number(ORDER_EIGHT),
    "minus one": number(P - 1),
    "the generator, written with p added": number(P + 9),
    "p itself": number(P),
    "a number with its high bit set": number(9 + 2**255),
    "a byte too few": lambda points: points[:-1],
    "a byte too many": lambda points: points + b"\x00",
    "a point too few": lambda points: points[:-32],
    "a point too many": lambda points: points + (9).to_bytes(32, "little"),
    "ten times the list": lambda points: points * 10,
    "nothing": lambda _: b"",
    "a point twice": lambda points: points[:32] + points[:32] + points[64:],
    "two points with one mask": shifted_by_order_two,
}
RESPONDER = ("a point of the twist", "a point too few", "a point twice")


def spoiled_match(room: SteppedRoom, hostile: str, change: Change) -> str:
    """One match in which `hostile` changes its list; its id."""
    room[hostile].tamper("match.points", change)
    try:
        match = room["shop"].start_match("brand")
        room.settle()
    finally:
        del room[hostile].post.changes["match.points"]
    return match


def remembering(memory: list[Any], part: Callable[[dict[str, Any], bytes], Any]) -> Change:
    """Change nothing, but keep a part of what was said."""

    def keep(header: dict[str, Any], points: bytes) -> tuple[dict[str, Any], bytes]:
        memory.append(part(header, points))
        return header, points

    return keep


def check_ended(
    room: SteppedRoom, match: str, hostile: str, debits: dict[str, int], incidents: int, *, paid: int
) -> None:
    """What every defect has to end in; `paid` is 0 where the victim found it before its own debit was due."""
    victim = OTHER[hostile]
    for name in ("shop", "brand"):
        assert room[name].look("SELECT state FROM match WHERE id = ?", match) == [("aborted",)]
        assert room[name].match_debits() == debits[name] + (paid if name == victim else 1)
        assert room[name].look("SELECT count(*) FROM bulk WHERE id = ? AND kind LIKE 'match.%'", match) == [(0,)]
    news = room.incidents()[incidents:]
    assert (victim, hostile, "match.points") in news
    assert all(who == victim for who, _, _ in news)
    tags = read_database(
        room.coordinator.database(room.contract.room),
        "SELECT count(*) FROM tag_piece WHERE match_id = ? AND owner_of_rows = ?",
        bytes.fromhex(match),
        hostile,
    )
    assert tags == [(0,)]


QUICK = ("a point of the twist", "the identity's mark", "a point of order eight", "a point too few", "a point twice")
ALL = [pytest.param(name, "shop", marks=() if name in QUICK else pytest.mark.slow) for name in DEFECTS]


@pytest.mark.parametrize(("defect", "hostile"), [*ALL, *((defect, "brand") for defect in RESPONDER)])
def test_a_bad_list_ends_the_match_and_names_its_sender(room: SteppedRoom, defect: str, hostile: str) -> None:
    """Rows 21 and 23, whether the initiator or the responder is hostile."""
    debits = {name: room[name].match_debits() for name in OTHER}
    incidents = len(room.incidents())
    match = spoiled_match(room, hostile, lambda header, points: (header, DEFECTS[defect](points)))
    late = hostile == "brand" or defect == "two points with one mask"
    check_ended(room, match, hostile, debits, incidents, paid=1 if late else 0)


@pytest.mark.parametrize("defect", ["two points with one mask"])
def test_a_bad_list_that_comes_before_our_debit_is_logged_names_its_sender_too(room: SteppedRoom, defect: str) -> None:
    """Row 21: the list waits in memory until the debit stands; what is wrong with it must not get lost on the way."""
    debits = {name: room[name].match_debits() for name in OTHER}
    incidents = len(room.incidents())

    def slow(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == "match.debit":
            raise UnavailableError("the log is slow today")

    room["shop"].tamper("match.points", lambda header, points: (header, DEFECTS[defect](points)))
    room["brand"].relayed.appended = slow
    match = room["shop"].start_match("brand")
    for _ in range(6):
        room.step(10)
    room["brand"].relayed.appended = lambda _: None
    room.settle()
    del room["shop"].post.changes["match.points"]
    check_ended(room, match, "shop", debits, incidents, paid=1)
    held = room["brand"].look("SELECT count(*) FROM statement WHERE kind = 'match.debit' AND subject = ?", match)
    assert held == [(1,)], "brand would take its own debit in the log for a restored backup at its next start"


@pytest.mark.parametrize("wrong", ["", "00" * 31, "zz" * 32, "00" * 32, 5, None])
def test_a_list_without_the_right_confirmation_is_refused(room: SteppedRoom, wrong: object) -> None:
    """Row 23: the confirmation proves that both sides derived one secret from one transcript."""
    debits = {name: room[name].match_debits() for name in OTHER}
    incidents = len(room.incidents())
    match = spoiled_match(room, "shop", lambda header, points: ({**header, "confirmation": wrong}, points))
    check_ended(room, match, "shop", debits, incidents, paid=0)


def test_a_confirmation_from_another_match_is_refused(room: SteppedRoom) -> None:
    """Row 23: items of another match."""
    kept: list[dict[str, Any]] = []
    spoiled_match(room, "shop", remembering(kept, lambda header, _: header))
    debits = {name: room[name].match_debits() for name in OTHER}
    incidents = len(room.incidents())
    match = spoiled_match(room, "shop", lambda _, points: (kept[0], points))
    check_ended(room, match, "shop", debits, incidents, paid=0)


def test_a_second_list_under_one_match_ends_it(room: SteppedRoom) -> None:
    """Row 23: a shuffled resend is another message under the same id, and two masks of one list are one too many."""
    lists: list[tuple[dict[str, Any], bytes]] = []
    match = spoiled_match(room, "shop", remembering(lists, lambda header, points: (header, points)))
    assert room["brand"].look("SELECT state FROM match WHERE id = ?", match) == [("ready",)]
    header, points = lists[0]
    rows = [points[start : start + 32] for start in range(0, len(points), 32)]
    random.Random(1).shuffle(rows)  # noqa: S311 # any other order will do
    room["shop"].say("brand", "match.points", match, header, b"".join(rows))
    room.settle()
    assert room["brand"].look("SELECT state FROM match WHERE id = ?", match) == [("aborted",)]
    assert room.incidents()[-1] == ("brand", "shop", "match.points")


def test_pieces_of_another_match_do_not_open_in_this_one(room: SteppedRoom) -> None:
    """Row 23: sealed for one match, signed again by its sender for another: the seal is bound to the first."""
    first = room.match()
    sealed = next(
        one for one in room["shop"].post.written if one.kind == "match.points" and one.subject_id.hex() == first
    )
    shop = room["shop"].opened.desk
    second = room.match()
    moved = sign_envelope(
        shop.keys.identity,
        room=shop.contract.room,
        contract_hash=shop.contract_hash,
        envelope_id=bytes(31) + b"\x01",
        sender=sealed.sender,
        recipient=sealed.recipient,
        kind=sealed.kind,
        subject_id=bytes.fromhex(second),
        index=0,
        count=1,
        sealed=sealed.sealed,
    )
    room["shop"].relayed.send(moved)
    room.settle()
    assert room["brand"].look("SELECT state FROM match WHERE id IN (?, ?) ORDER BY since", first, second) == [
        ("ready",),
        ("aborted",),
    ]


@pytest.mark.parametrize(
    "kind", ["match.points", "match.hello", "match.dummies", "setup.open", "question.rows", "junk"]
)
def test_a_third_party_cannot_end_a_match_of_two_others(room: SteppedRoom, kind: str) -> None:
    """Ids of matches stand in the log; a stranger that writes about one ends nothing."""
    match = room.match()
    room["airline"].say("brand", kind, match, {}, b"x")
    room["airline"].say("shop", kind, match, {}, b"x")
    room.settle()
    for name in OTHER:
        assert room[name].look("SELECT state FROM match WHERE id = ?", match) == [("ready",)]


def test_a_third_party_cannot_take_over_a_match_that_is_being_made(room: SteppedRoom) -> None:
    """The key of a running match survives a stranger's hello under its id."""
    match = room["shop"].start_match("brand")
    room["shop"].step()
    room["airline"].say("brand", "match.hello", match, {"hello": {}})
    room["airline"].say("shop", "match.hello", match, {"hello": {}})
    room.settle()
    for name in OTHER:
        assert room[name].look("SELECT state FROM match WHERE id = ?", match) == [("ready",)]


def test_after_all_this_the_two_still_match_and_answer(room: SteppedRoom) -> None:
    """Rows 21 and 23: "both sides' later match works"."""
    assert room.ask("shop", "brand").cells == (20,)
    assert room.ask("brand", "shop").cells == (20,)
