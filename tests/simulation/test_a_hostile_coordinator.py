"""A coordinator that lies: about placements, about its log, and about who said what when.

It can withhold and end things, which no protocol prevents. It cannot make a node count a person twice, take a
placement that was not signed, act twice on one message, release an answer without its place in the log, or blame an
honest party for what it delivers again. Row 23, and the order of protocol sections 2 and 4.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cleanroom.coordinator.placement import placement_hash
from cleanroom.crypto.placement import place
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.wire.messages import Delivery, Envelope, LogEntry, LogPage, Placement, Published
from tests.lying_hub import damaged
from tests.simulation.stepped_room import SteppedRoom, small_parties, stepped_room

Slots = tuple[bytes, bytes]


def numbers(packed: bytes) -> "np.typing.NDArray[np.uint32]":
    """Slots that can be changed."""
    return np.frombuffer(packed, dtype="<u4").copy()


def swapped(slots: Slots) -> Slots:
    """Each party gets the other's list: distinct, in range, and wrong."""
    return slots[1], slots[0]


def with_two_alike(slots: Slots) -> Slots:
    """Two rows in one slot: two people would be added up."""
    first = numbers(slots[0])
    first[1] = first[0]
    return first.tobytes(), slots[1]


def beyond_the_table(slots: Slots) -> Slots:
    """A slot that does not exist."""
    first = numbers(slots[0])
    first[0] = len(first) + len(slots[1]) // 4
    return first.tobytes(), slots[1]


def shifted(slots: Slots) -> Slots:
    """Everybody one place further on one side: hardly anybody matches."""
    first = numbers(slots[0])
    return np.roll(first, 1).astype("<u4").tobytes(), slots[1]


def without_matches(slots: Slots) -> Slots:
    """All rows of the second party where the first has nobody."""
    first = numbers(slots[0])
    free = np.setdiff1d(np.arange(len(first) + len(slots[1]) // 4, dtype="<u4"), first)
    return slots[0], free[: len(slots[1]) // 4].astype("<u4").tobytes()


LIES: dict[str, Callable[[Slots], Slots]] = {
    "swapped lists": swapped,
    "two rows in one slot": with_two_alike,
    "a slot beyond the table": beyond_the_table,
    "a shifted list": shifted,
    "no matches": without_matches,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_placement_is_signed_and_still_not_taken(lie: str, tmp_path: Path) -> None:
    """Distinct and below M are checked by each node; which slots the shared dummies share, by both together."""

    def lying(first: Any, second: Any, *, seed: Any) -> Slots:
        return LIES[lie](place(first, second, seed=seed))

    with stepped_room(tmp_path, place=lying) as room:
        room["shop"].start_match("brand")
        room.settle()
        assert room["shop"].states("match") == room["brand"].states("match") == ["aborted"]
        assert room["shop"].match_debits() == room["brand"].match_debits() == 1
        assert room.incidents()
        for party in room.parties.values():
            assert party.look("SELECT count(*) FROM bulk WHERE kind LIKE 'match.%'") == [(0,)]


def changing(change: Callable[[Placement], Placement]) -> Callable[[list[Delivery]], list[Delivery]]:
    """What arrives, with placements changed."""

    def through(deliveries: list[Delivery]) -> list[Delivery]:
        return [replace(one, item=change(one.item)) if isinstance(one.item, Placement) else one for one in deliveries]

    return through


def another_order(placement: Placement) -> Placement:
    """Two slots exchanged after signing."""
    slots = numbers(placement.slots)
    slots[[0, 1]] = slots[[1, 0]]
    return replace(placement, slots=slots.tobytes())


ALTERED: dict[str, Callable[[Placement], Placement]] = {
    "other slots": another_order,
    "another salt": lambda one: replace(one, salt=os.urandom(32)),
    "a list too short": lambda one: replace(one, slots=one.slots[:-4]),
    "a damaged statement": lambda one: replace(one, statement=one.statement[:-9] + b"AAAA" + one.statement[-5:]),
    "a piece that never comes": lambda one: replace(one, count=2),
}


@pytest.mark.parametrize("lie", ALTERED)
def test_a_placement_other_than_the_signed_one_is_not_taken(lie: str, tmp_path: Path) -> None:
    """The hash of both placements stands signed in the log."""
    with stepped_room(tmp_path) as room:
        room["shop"].relayed.through = changing(ALTERED[lie])
        room["shop"].start_match("brand")
        room.settle(until=lambda: room["brand"].states("match") in (["placed"], ["ready"], ["aborted"]))
        for _ in range(6):
            room.step(20)
        assert room["shop"].states("match")[0] == ("tagged" if lie == "a piece that never comes" else "aborted")


@pytest.mark.parametrize("field", ["subject", "transcript", "slots", "kind"])
def test_a_placement_signed_for_something_else_is_not_taken(field: str, tmp_path: Path) -> None:
    """With the log key in its hands the coordinator can sign anything; the node compares with what it knows."""
    with stepped_room(tmp_path) as room:
        log_key = room.coordinator.identity()

        def lie(one: Placement) -> Placement:
            body = peek_statement(one.statement)
            others = {"subject": "11" * 32, "transcript": "11" * 32, "slots": {"shop": "11" * 32}, "kind": "incident"}
            return replace(one, statement=sign_statement(str(body["kind"]), {**body, field: others[field]}, log_key))

        room["shop"].relayed.through = changing(lie)
        room["shop"].start_match("brand")
        room.settle()
        assert room["shop"].states("match") == room["brand"].states("match") == ["aborted"]
        assert ("shop", "coordinator", "placement") in room.incidents()


def test_a_second_placement_with_fresh_signatures_is_not_taken(tmp_path: Path) -> None:
    """A node takes one placement; what comes later ends the match and moves nobody."""
    with stepped_room(tmp_path) as room:
        match = room.match()
        shop = room["shop"]
        given = next(one.item for one in shop.relayed.received if isinstance(one.item, Placement))
        slots = another_order(given).slots
        body = peek_statement(given.statement)
        salt = os.urandom(32)
        digest = placement_hash(salt, bytes.fromhex(match), shop.name, slots).hex()
        body["slots"] = {**body["slots"], "shop": digest}
        statement = sign_statement("match.placed", body, room.coordinator.identity())
        shop.take(Placement(bytes.fromhex(match), 0, 1, slots, salt, statement))
        room.settle()
        assert shop.states("match") == ["aborted"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """A room in which shop has asked brand, for replays."""
    with stepped_room(tmp_path_factory.mktemp("room"), small_parties("shop", "brand", "airline")) as opened:
        opened.ask("shop", "brand", by="colour")
        opened.settle()
        yield opened


def state_of(room: SteppedRoom) -> dict[str, object]:
    """Everything that a replay must not move."""
    state: dict[str, object] = {"log": [body["kind"] for body in room.log()]}
    for name, party in room.parties.items():
        for table in ("match", "setup", "question"):
            state[f"{name} {table}"] = party.look(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 # literals
        state[f"{name} ledger"] = party.look("SELECT * FROM ledger")
        state[f"{name} bulk"] = party.look("SELECT kind, id FROM bulk ORDER BY kind, id")
        state[f"{name} said"] = len(party.post.written)
    return state


def delivered(room: SteppedRoom, name: str) -> list[Envelope]:
    """Every envelope that a party received."""
    return [one.item for one in room[name].relayed.received if isinstance(one.item, Envelope)]


def test_a_message_delivered_again_does_nothing(room: SteppedRoom) -> None:
    """Replays of whole envelopes: each once more, in order and backwards; nobody acts and nobody is blamed."""
    before = state_of(room)
    for name in ("shop", "brand"):
        again = delivered(room, name)
        assert len(again) > 5
        for envelope in (*again, *reversed(again)):
            room[name].take(envelope)
    room.settle()
    assert state_of(room) == before


def test_a_message_delivered_to_the_wrong_party_does_nothing(room: SteppedRoom) -> None:
    """Row 23: envelopes for one party at another's node, or back at their own sender's."""
    before = state_of(room)
    for envelope in (*delivered(room, "shop"), *delivered(room, "brand")):
        for party in room.parties.values():
            if party.name != envelope.recipient:
                party.take(envelope)
    room.settle()
    assert state_of(room) == before


def test_a_message_with_a_changed_header_does_nothing_and_blames_nobody(room: SteppedRoom) -> None:
    """What its sender did not sign is dropped: the coordinator cannot make an honest party an offender."""
    before = state_of(room)
    for envelope in delivered(room, "brand"):
        changes: tuple[dict[str, Any], ...] = (
            {"kind": "match.abort"},
            {"subject_id": os.urandom(32)},
            {"sender": room["airline"].name},
            {"count": envelope.count + 1},
            {"envelope_id": os.urandom(32)},
            {"signature": bytes(64)},
            {"sealed": envelope.sealed[:-1]},
        )
        for change in changes:
            room["brand"].take(replace(envelope, **change))
    room.settle()
    assert state_of(room) == before


HEADS: dict[str, Callable[[Published], Published]] = {
    "no head at all": lambda _: Published(b"", (), 0),
    "a head that the log did not sign": lambda one: replace(one, request=one.request and damaged(one.request, 0)),
    "cosignatures that nobody gave": lambda one: replace(one, notes=tuple(damaged(note, -2) for note in one.notes)),
    "nobody's cosignatures": lambda one: replace(one, notes=(), version=0),
}


@pytest.mark.parametrize("lie", HEADS)
def test_a_plan_that_the_log_does_not_prove_reaches_no_rows(lie: str, tmp_path: Path) -> None:
    """Protocol section 4: the asker sends its plan with the log's proof, and the owner verifies it for itself."""
    with stepped_room(tmp_path) as room:
        room.match()
        room.settle()
        room["shop"].relayed.heads, room.patience_s = HEADS[lie], 1.0
        with pytest.raises(AssertionError, match="no answer"):
            room.ask("shop", "brand")
        assert room["shop"].states("question") == ["asked"]
        assert room["brand"].states("question") == []
        assert room["brand"].spent("shop") == 0
        room["shop"].relayed.heads, room.patience_s = lambda one: one, 20.0
        assert room.ask("shop", "brand").state == "answered"


PAGES: dict[str, Callable[[LogPage], LogPage]] = {
    "without its newest entry": lambda page: LogPage(page.entries[:-1]),
    "empty": lambda _: LogPage(()),
    "with another entry": lambda page: LogPage(
        (*page.entries[:-1], LogEntry(page.entries[-1].index, b'{"payload":""}'))
    ),
}


@pytest.mark.parametrize("lie", PAGES)
def test_a_log_that_does_not_hand_over_its_entries_is_not_cosigned(lie: str, tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        room.match()
        room.settle()
        held = room["brand"].node.watch.mirror.size
        room["brand"].relayed.pages, room.patience_s = PAGES[lie], 1.0
        with pytest.raises(AssertionError, match="no answer"):
            room.ask("shop", "brand")
        assert room["brand"].node.watch.mirror.size == held
        assert room["shop"].states("question") == ["asked"]
        room["brand"].relayed.pages, room.patience_s = lambda page: page, 20.0
        assert room.ask("shop", "brand").state == "answered"


def test_what_the_coordinator_withholds_is_waited_for_and_named(tmp_path: Path) -> None:
    """Withheld placements leave both sides waiting, with nothing spent on anybody."""
    with stepped_room(tmp_path) as room:
        for party in room.parties.values():
            party.relayed.through = lambda deliveries: [
                one for one in deliveries if not isinstance(one.item, Placement)
            ]
        room["shop"].start_match("brand")
        room.settle(placing=False)
        for _ in range(3):
            room.step(20)
        assert room["shop"].states("match") == room["brand"].states("match") == ["tagged"]
        assert room["brand"].spent("shop") == 0
