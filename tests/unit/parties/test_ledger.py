"""The ledger only grows, counts over all rooms of a lineage, and notices every change."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import StateError
from cleanroom.querylog.consumer_chain import spent_units
from cleanroom.question.gate import LedgerView
from parties.database import Database
from parties.ledger import Chain, Ledger
from tests.unit.parties.nodes import database

WHO: dict[str, str] = {"at": "2026-01-02T03:04:05Z", "lineage": "people", "room": "spring", "consumer": "shop"}


@pytest.fixture
def state(tmp_path: Path) -> Database:
    """An empty database."""
    return database(tmp_path)


@pytest.fixture
def ledger(state: Database) -> Ledger:
    """An empty ledger."""
    return Ledger(state)


def reserve(ledger: Ledger, plan: str, units: int, **more: str) -> None:
    """Reserve for a plan."""
    ledger.reserve(**{**WHO, **more}, plan_hash=plan, quantity="count", units=units)


def sums(ledger: Ledger, lineage: str, consumer: str) -> tuple[int, int, int]:
    """Units of everybody, units of this consumer, and its open reservations."""
    return ledger.spent(lineage), ledger.spent(lineage, consumer), ledger.open_reservations(lineage, consumer)


def test_an_empty_ledger_has_spent_nothing(ledger: Ledger) -> None:
    assert sums(ledger, "people", "shop") == (0, 0, 0)
    ledger.verify()


def test_a_reservation_is_spent_and_open_from_the_start(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    assert sums(ledger, "people", "shop") == (7, 7, 1)


def test_a_released_answer_stays_spent_and_is_no_longer_open(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    ledger.share_sent(at=WHO["at"], plan_hash="p1")
    assert sums(ledger, "people", "shop") == (7, 7, 0)


def test_a_voided_reservation_is_free_again(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    reserve(ledger, "p2", 5)
    ledger.void(at=WHO["at"], plan_hash="p1")
    assert sums(ledger, "people", "shop") == (5, 5, 1)


def test_a_released_answer_cannot_be_voided(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    ledger.share_sent(at=WHO["at"], plan_hash="p1")
    with pytest.raises(StateError, match="cannot be voided"):
        ledger.void(at=WHO["at"], plan_hash="p1")
    assert sums(ledger, "people", "shop") == (7, 7, 0)


def test_a_voided_reservation_is_never_released(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    ledger.void(at=WHO["at"], plan_hash="p1")
    with pytest.raises(StateError, match="standing reservation"):
        ledger.share_sent(at=WHO["at"], plan_hash="p1")


def test_what_was_never_reserved_is_neither_released_nor_voided(ledger: Ledger) -> None:
    """A plan voided beforehand would once have been reserved free of charge."""
    with pytest.raises(StateError, match="standing reservation"):
        ledger.share_sent(at=WHO["at"], plan_hash="p1")
    with pytest.raises(StateError, match="no reservation"):
        ledger.void(at=WHO["at"], plan_hash="p1")
    reserve(ledger, "p1", 7)
    assert ledger.spent("people") == 7


def test_each_plan_is_reserved_released_and_voided_once(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    with pytest.raises(sqlite3.IntegrityError):
        reserve(ledger, "p1", 7, room="autumn", consumer="bank")
    ledger.share_sent(at=WHO["at"], plan_hash="p1")
    with pytest.raises(sqlite3.IntegrityError):
        ledger.share_sent(at=WHO["at"], plan_hash="p1")
    reserve(ledger, "p2", 7)
    ledger.void(at=WHO["at"], plan_hash="p2")
    with pytest.raises(sqlite3.IntegrityError):
        ledger.void(at=WHO["at"], plan_hash="p2")
    assert ledger.spent("people") == 7


def test_sums_are_over_the_lineage_across_rooms_and_partners(ledger: Ledger) -> None:
    reserve(ledger, "p1", 1)
    reserve(ledger, "p2", 10, room="autumn")
    reserve(ledger, "p3", 100, consumer="bank")
    reserve(ledger, "p4", 1000, room="autumn", consumer="bank")
    reserve(ledger, "p5", 10_000, lineage="other people")
    assert sums(ledger, "people", "shop") == (1111, 11, 2)
    assert sums(ledger, "people", "bank") == (1111, 1100, 2)
    assert sums(ledger, "people", "brand") == (1111, 0, 0)
    assert sums(ledger, "other people", "shop") == (10_000, 10_000, 1)
    assert [ledger.spent("people", name) for name in ("shop", "bank", "brand")] == [11, 1100, 0]


def test_the_gate_sees_the_questions_of_the_room_and_the_units_of_the_day(ledger: Ledger) -> None:
    """What is voided costs nothing any more and was a question all the same."""
    reserve(ledger, "p1", 1, at="2026-01-01T23:59:59Z")
    reserve(ledger, "p2", 10)
    reserve(ledger, "p3", 100, room="autumn")
    reserve(ledger, "p4", 1000, consumer="bank")
    reserve(ledger, "p5", 10_000)
    ledger.void(at=WHO["at"], plan_hash="p5")
    assert ledger.view("people", "shop", room="spring", today="2026-01-02") == LedgerView(
        lineage_units=1111, consumer_units=111, open_reservations=3, questions=3, units_today=110
    )


def test_a_voided_question_counts_for_no_kind_and_sums_fit_the_chains(ledger: Ledger) -> None:
    reserve(ledger, "p1", 1)
    reserve(ledger, "p2", 10)
    reserve(ledger, "p3", 100, consumer="bank")
    ledger.void(at=WHO["at"], plan_hash="p2")
    assert ledger.spent_by_quantity("people") == {"shop": {"count": 1}, "bank": {"count": 100}}
    for sequence, spent in ((3, (11, 100)), (4, (1, 100))):
        standings = ledger.standings(sequence)
        assert tuple(standings[Chain("people", "spring", name)].spent for name in ("shop", "bank")) == spent
    for chain, standing in ledger.standings(ledger.sequence()).items():
        entries = ledger.entries(chain, 1)
        assert (standing.spent, standing.head) == (spent_units(entries), ledger.head_at(chain, len(entries)))


def debit(ledger: Ledger, match: str, *, dummies: int = 390, **more: str) -> None:
    """Show the overlap of one match."""
    place = {"at": WHO["at"], "lineage": "people", "room": "spring", "peer": "shop", **more}
    ledger.match_debit(**place, match_id=match, dummies=dummies)


def test_matches_are_counted_over_the_lineage_and_cost_no_rho(ledger: Ledger) -> None:
    debit(ledger, "m1")
    debit(ledger, "m2", room="autumn", peer="bank")
    debit(ledger, "m3", lineage="other people")
    assert (ledger.matches("people"), ledger.matches("other people"), ledger.matches("nobody")) == (2, 1, 0)
    assert sums(ledger, "people", "shop") == (0, 0, 0)
    with pytest.raises(sqlite3.IntegrityError):
        debit(ledger, "m1")


def test_the_weakest_hiding_of_a_lineage_is_remembered(ledger: Ledger) -> None:
    reserve(ledger, "p1", 7)
    assert ledger.fewest_dummies("people") is None
    debit(ledger, "m1", dummies=390)
    debit(ledger, "m2", dummies=777)
    debit(ledger, "m3", dummies=82, lineage="other people")
    assert ledger.fewest_dummies("people") == 390


def filled(ledger: Ledger) -> None:
    """Five entries."""
    reserve(ledger, "p1", 7)
    ledger.share_sent(at=WHO["at"], plan_hash="p1")
    reserve(ledger, "p2", 5, consumer="bank")
    ledger.void(at=WHO["at"], plan_hash="p2")
    debit(ledger, "m1", peer="bank")


@pytest.mark.parametrize(
    "sql", ["UPDATE ledger SET units = 0", "DELETE FROM ledger", "DELETE FROM ledger WHERE sequence = 5"]
)
def test_the_database_itself_refuses_to_change_or_remove_an_entry(ledger: Ledger, state: Database, sql: str) -> None:
    filled(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        state.run(sql)


CHANGES: dict[str, Any] = {
    "sequence": 9,
    "at": "2026-01-02T03:04:06Z",
    "kind": "other",
    "lineage": "others",
    "room": "autumn",
    "consumer": "brand",
    "subject": "p9",
    "units": 6,
    "quantity": "sum",
    "place": 8,
    "head": "1" * 64,
    "previous": "1" * 64,
    "hash": "1" * 64,
}


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("sequence", [1, 3, 5])
def test_every_changed_field_of_every_entry_is_noticed(
    ledger: Ledger, state: Database, column: str, sequence: int
) -> None:
    filled(ledger)
    ledger.verify()
    state.run("DROP TRIGGER ledger_keeps")
    state.run(f"UPDATE ledger SET {column} = ? WHERE sequence = ?", CHANGES[column], sequence)  # noqa: S608
    with pytest.raises(StateError, match="does not fit its chain"):
        ledger.verify()


@pytest.mark.parametrize("sequence", [1, 2, 3, 4])
def test_a_removed_entry_is_noticed_at_the_next_one(ledger: Ledger, state: Database, sequence: int) -> None:
    filled(ledger)
    state.run("DROP TRIGGER ledger_grows")
    state.run("DELETE FROM ledger WHERE sequence = ?", sequence)
    with pytest.raises(StateError, match=f"entry {sequence + 1} does not fit"):
        ledger.verify()


def test_a_rolled_back_reservation_was_never_there(ledger: Ledger, state: Database) -> None:
    def fail() -> None:
        with state.transaction():
            reserve(ledger, "p1", 7)
            raise StateError("the disk is full")

    with pytest.raises(StateError, match="full"):
        fail()
    assert sums(ledger, "people", "shop") == (0, 0, 0)
    reserve(ledger, "p1", 7)
    ledger.verify()


def test_a_lineage_is_counted_in_one_currency_for_ever(ledger: Ledger) -> None:
    """Units of rho and of epsilon under one cap would be a cap on nothing."""
    ledger.fix_accountant("people", "zcdp")
    ledger.fix_accountant("people", "zcdp")
    ledger.fix_accountant("other people", "pure")
    with pytest.raises(StateError, match="spending on lineage `people` is counted by the accountant zcdp"):
        ledger.fix_accountant("people", "pure")
