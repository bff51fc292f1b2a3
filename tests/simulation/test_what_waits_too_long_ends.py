"""Reservations and set-ups that never come to their end are ended by the owner's clock, and nothing leaves for them.

Also a flood: an asker holds at most as many reservations as the gate allows, each is freed when its time has come, and
a proof of its debit that arrives afterwards releases nothing.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cleanroom.errors import UnavailableError
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.gate import MAX_OPEN_RESERVATIONS
from cleanroom.question.plan import Plan
from parties.expiry import RESERVATION_S, SETUP_S, SWEEP_S
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, small_parties, stepped_room

COUNTER = itertools.count(1)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """One room for all; each test leaves it at rest."""
    folder = tmp_path_factory.mktemp("room")
    with stepped_room(folder, small_parties("shop", "brand"), budget="100", setups_per_match=100) as opened:
        opened.ask("shop", "brand", by="colour", of="colour")
        yield opened


def without_proofs(party: SteppedParty, kind: str) -> None:
    """The coordinator logs this party's statements of a kind, and its answers are lost."""

    def lose(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            raise UnavailableError("the answer was lost")

    party.relayed.appended = lose


def with_proofs(party: SteppedParty) -> None:
    """From now on they arrive."""
    party.relayed.appended = lambda _: None


def later(party: SteppedParty, seconds: float) -> None:
    """The party's clock goes on, and its worker looks at what has waited too long."""
    now = party.opened.desk.clock() + seconds
    party.opened.desk.clock = lambda: now
    with party.opened.desk.database.transaction():
        party.node.expiry.sweep()


def put(room: SteppedRoom) -> Plan:
    """A question like the first, sent by shop and taken up by brand."""
    (first,) = room["shop"].look("SELECT plan FROM question WHERE owner = 0 ORDER BY rowid LIMIT 1")[0]
    plan = replace(Plan.from_body(peek_statement(first)["plan"]), repeat=next(COUNTER))
    with room["shop"].opened.desk.database.transaction():
        room["shop"].node.asking.start(plan)
    room.settle(until=lambda: room["brand"].node._answering.knows(plan.hash()))
    return plan


def state(party: SteppedParty, plan: Plan) -> str:
    """Where a party has the question."""
    rows: list[tuple[str]] = party.look("SELECT state FROM question WHERE plan_hash = ?", plan.hash())
    return rows[0][0]


def kinds(room: SteppedRoom, plan: Plan) -> list[str]:
    """What brand's ledger holds of a plan, in order."""
    found = room["brand"].look("SELECT kind FROM ledger WHERE subject = ? ORDER BY sequence", plan.hash())
    return [kind for (kind,) in found]


def test_a_reservation_is_freed_when_its_time_has_come_and_releases_nothing_afterwards(room: SteppedRoom) -> None:
    brand = room["brand"]
    before = brand.spent("shop")
    without_proofs(brand, "budget.debit")
    plan = put(room)
    later(brand, RESERVATION_S - 1)
    assert (state(brand, plan), brand.spent("shop")) == ("reserved", before + plan.cost_units)
    later(brand, 1)
    assert (state(brand, plan), brand.spent("shop")) == ("voided", before)
    with_proofs(brand)
    room.settle()
    assert kinds(room, plan) == ["reserve", "voided"]
    assert state(room["shop"], plan) == "failed"
    said = [body["kind"] for body in room.log() if body["subject"] == plan.hash()]
    assert said == ["question.asked", "budget.debit", "budget.voided"]
    assert not [
        one for one in brand.post.written if one.subject_id.hex() == plan.hash() and one.kind != "question.voided"
    ]
    assert room.incidents() == []


def test_a_clock_that_was_set_back_keeps_a_reservation_no_longer_than_any_other(room: SteppedRoom) -> None:
    """It once waited until the clock had caught up, and held its asker's reservations that long."""
    brand = room["brand"]
    before = brand.spent("shop")
    honest = brand.opened.desk.clock
    later(brand, 10 * RESERVATION_S)
    without_proofs(brand, "budget.debit")
    plan = put(room)
    brand.opened.desk.clock = honest
    later(brand, 0)
    later(brand, RESERVATION_S - 1)
    assert (state(brand, plan), brand.spent("shop")) == ("reserved", before + plan.cost_units)
    later(brand, 1)
    assert (state(brand, plan), brand.spent("shop")) == ("voided", before)
    brand.opened.desk.clock = honest
    with_proofs(brand)
    room.settle()
    assert room.ask("shop", "brand", by="colour", of="colour").state == "answered"


def test_the_question_number_of_a_freed_reservation_stays_burnt(room: SteppedRoom) -> None:
    brand = room["brand"]
    without_proofs(brand, "budget.debit")
    plan = put(room)
    later(brand, RESERVATION_S)
    with_proofs(brand)
    room.settle()
    asked = put(room)
    room.settle()
    assert state(room["shop"], asked) == "answered"
    numbers = [number for (number,) in brand.look("SELECT question FROM question WHERE owner = 1 ORDER BY question")]
    assert len(set(numbers)) == len(numbers)
    assert plan.hash() != asked.hash()


def test_a_flood_holds_no_more_reservations_than_the_gate_allows_and_not_for_ever(room: SteppedRoom) -> None:
    brand = room["brand"]
    before = brand.spent("shop")
    without_proofs(brand, "budget.debit")
    plans = [put(room) for _ in range(MAX_OPEN_RESERVATIONS + 3)]
    states = [state(brand, plan) for plan in plans]
    assert states == ["reserved"] * MAX_OPEN_RESERVATIONS + ["refused"] * 3
    assert brand.spent("shop") == before + MAX_OPEN_RESERVATIONS * plans[0].cost_units
    later(brand, RESERVATION_S)
    with_proofs(brand)
    room.settle()
    assert brand.spent("shop") == before
    assert [body["rule"] for body in room.log("question.refused")][-3:] == ["patience"] * 3
    plan = put(room)
    room.settle()
    assert state(room["shop"], plan) == "answered"


def test_a_released_answer_never_expires(room: SteppedRoom) -> None:
    """Its statement's proof is late; its noise is drawn and it stays spent, however long that takes."""
    brand = room["brand"]
    before = brand.spent("shop")
    without_proofs(brand, "answer.released")
    plan = put(room)
    room.settle(until=lambda: state(brand, plan) == "released")
    later(brand, 10 * RESERVATION_S)
    assert brand.spent("shop") == before + plan.cost_units
    with_proofs(brand)
    room.settle()
    assert state(room["shop"], plan) == "answered"


def test_what_was_reserved_under_an_older_contract_is_freed_at_the_start(room: SteppedRoom) -> None:
    brand = room["brand"]
    before = brand.spent("shop")
    without_proofs(brand, "budget.debit")
    plan = put(room)
    desk, present = brand.opened.desk, brand.opened.desk.contract_hash
    with desk.database.transaction():
        brand.node.expiry.void_of_older_contracts()
    assert state(brand, plan) == "reserved"
    desk.contract_hash = bytes(32)
    with desk.database.transaction():
        brand.node.expiry.void_of_older_contracts()
        desk.contract_hash = present
        desk.database.run("DELETE FROM outbox WHERE subject = ? AND id = (SELECT MAX(id) FROM outbox)", plan.hash())
    assert (state(brand, plan), brand.spent("shop")) == ("voided", before)


@pytest.mark.parametrize("waiting", ["shop", "brand"])
def test_a_setup_that_stalls_dies_on_both_sides_and_accuses_nobody(
    tmp_path_factory: pytest.TempPathFactory, waiting: str
) -> None:
    """Whichever side waits: the other one hears of it, and the next question opens a new set-up."""
    with stepped_room(tmp_path_factory.mktemp("room"), small_parties("shop", "brand"), budget="100") as room:
        match = room.match()
        shop, brand = room["shop"], room["brand"]
        with shop.opened.desk.database.transaction():
            found = shop.node.matching.find(match)
            assert found is not None
            shop.node.setups.start(found, "colour")
        shop.step()
        if waiting == "brand":
            room.settle(until=lambda: brand.states("setup") == ["offered"])
        later(room[waiting], SETUP_S - 1)
        assert "dead" not in room[waiting].states("setup")
        later(room[waiting], 1)
        assert room[waiting].states("setup") == ["dead"]
        room.settle()
        assert set(shop.states("setup") + brand.states("setup")) == {"dead"}
        assert room.incidents() == []
        assert room.ask("shop", "brand", by="colour", of="colour").state == "answered"


def test_the_worker_looks_by_the_desks_clock_also_when_it_was_set_back(room: SteppedRoom) -> None:
    brand = room["brand"]
    later(brand, 0)
    now = brand.opened.desk.clock()
    for seconds, due in ((SWEEP_S - 1, False), (SWEEP_S, True), (1 - SWEEP_S, False), (-SWEEP_S, True)):
        brand.opened.desk.clock = lambda seconds=seconds: now + seconds  # type: ignore[misc]
        assert brand.node.expiry.is_due is due
