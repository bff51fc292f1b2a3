"""What an asker is told before it asks: the gate's own price and decision, without data, match or ledger."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from inspect import signature
from typing import Any

import pytest

from cleanroom.errors import RefusedError, UsageError
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.question.approval import Approval
from cleanroom.question.compile import compile_plan
from cleanroom.question.contract import Contract
from cleanroom.question.dry_run import DryRun, OwnRecord, Price, dry_run
from cleanroom.question.gate import LedgerView, Situation, check_words, decide
from cleanroom.question.quantity import Quantity
from cleanroom.question.standing import RoomStanding
from tests.unit.question.agreements import BRAND, RHO, SHOP, STANDING, contract, dataset, measure, question

TODAY = "2026-11-23"
AGREED = contract()
NEW = OwnRecord()
KINDS = [
    Quantity("count"),
    Quantity("histogram", "colour"),
    Quantity("sum", "spend"),
    Quantity("mean", "spend"),
    Quantity("quantile", "spend"),
]


def edged(**more: Any) -> Contract:
    """The room, where brand's spend has edges for quantiles, and with other terms of brand's."""
    spend = measure(edges=(Decimal(0), Decimal(50)))
    columns = (*dataset(BRAND).columns[:2], spend)
    return contract({BRAND: dataset(BRAND, columns=columns, **more)})


def ran(agreed: Contract = AGREED, record: OwnRecord = NEW, **more: Any) -> DryRun:
    """A dry run of the question with these words."""
    guess = more.pop("guess", None)
    standing = more.pop("standing", RoomStanding())
    today = more.pop("today", TODAY)
    return dry_run(agreed, question(**more), record, today=today, standing=standing, guess=guess)


def price_of(found: DryRun) -> Price:
    """Its price."""
    assert found.price is not None
    return found.price


def test_a_dry_run_has_no_data_to_depend_on() -> None:
    assert list(signature(dry_run).parameters) == ["contract", "question", "record", "today", "standing", "guess"]


@pytest.mark.parametrize("quantity", KINDS, ids=lambda quantity: quantity.kind)
@pytest.mark.parametrize("base", ["match", "table"])
@pytest.mark.parametrize("name", ["zcdp", "pure"])
def test_a_dry_run_s_price_is_what_the_gate_charges(quantity: Quantity, base: str, name: str) -> None:
    agreed = replace(edged(), accountant=name)
    asked = question(quantity=quantity, base=base)
    plan = compile_plan(agreed, asked, STANDING if base == "match" else type(STANDING)())
    accepted = decide(agreed, plan, LedgerView(0, 0, 0), Situation(TODAY, TODAY))
    found = dry_run(agreed, asked, NEW, today=TODAY)
    price = price_of(found)
    assert (found.refusal, found.approval) == (None, ())
    assert price.units == accepted.cost_units
    assert price.cells == sum(part.numbers for part in price.parts) == len(plan.groups) * plan.words
    steps = [Decimal("0.5") if part.unit == "euros" else Decimal(1) for part in price.parts]
    assert [part.scale for part in price.parts] == [
        scale * Fraction(step) for scale, step in zip(plan.scales, steps, strict=True)
    ]
    law = accountant(name)
    for part, scale, step in zip(price.parts, plan.scales, steps, strict=True):
        assert part.half_width == step * law.noise_interval(scale).half_width
        assert part.half_width_all == step * law.noise_interval(scale, cells=price.cells).half_width
        assert part.half_width_all >= part.half_width


def test_a_mean_s_two_parts_are_told_apart_with_their_units() -> None:
    price = price_of(ran(edged(), quantity=Quantity("mean", "spend")))
    assert [(part.counts, part.unit, part.numbers) for part in price.parts] == [
        ("people", "people", 3),
        ("sum around the middle", "euros", 3),
    ]


def test_what_the_asker_has_spent_decides_as_it_would_at_the_owner() -> None:
    cost, cap = price_of(ran()).units, 4 * RHO
    assert ran(record=OwnRecord(units=cap - cost)).refusal is None
    refusal = ran(record=OwnRecord(units=cap - cost + 1)).refusal
    assert refusal is not None
    assert refusal.rule == "budget"
    assert price_of(ran(record=OwnRecord(units=cap))).units == cost, "the price is told although it is not affordable"
    assert (ran().cap_units, ran(record=OwnRecord(units=5)).record.units) == (cap, 5)


def test_open_questions_and_questions_so_far_count() -> None:
    assert ran(record=OwnRecord(open_questions=7)).refusal is None
    assert _rule(ran(record=OwnRecord(open_questions=8))) == "patience"
    few = edged(questions_each=3)
    assert ran(few, record=OwnRecord(questions=2)).refusal is None
    assert _rule(ran(few, record=OwnRecord(questions=3))) == "questions"


def _rule(found: DryRun) -> str:
    assert found.refusal is not None
    return found.refusal.rule


def test_a_refusal_of_the_words_is_the_gate_s_own_text_and_has_no_price() -> None:
    for changes in ({"by": "size"}, {"quantity": Quantity("sum", "tier")}, {"owner": PartyName("brnad")}):
        found = ran(**changes)
        asked = question(**changes)
        with pytest.raises(RefusedError) as caught:
            check_words(AGREED, asked, Situation(TODAY, TODAY))
        assert found.price is None
        assert str(found.refusal) == str(caught.value)


def test_a_room_that_is_over_or_stopped_is_refused_as_it_stands_today() -> None:
    over = replace(AGREED, starts="2026-01-01", ends=TODAY)
    assert ran(over).refusal is None
    assert _rule(ran(over, today="2026-11-24")) == "validity"
    assert _rule(ran(standing=RoomStanding("paused", BRAND, "a question of ours"))) == "room"


def test_who_must_approve_is_said_with_the_reasons_and_spends_nothing() -> None:
    limited = edged(approval=Approval(cells=11, units_per_day=RHO // 100))
    assert ran(limited, by="").approval == ()
    assert ran(limited).approval == ("12 cells are more than the 11 that pass by themselves",)
    assert len(ran(limited, record=OwnRecord(units_today=RHO)).approval) == 2


def test_what_nobody_tells_an_asker_is_filled_in_so_that_nothing_is_refused_by_guess() -> None:
    """The table's age and what others spent: the owner may still refuse for these, and the result says so."""
    assert ran(edged(fresh_days=1)).refusal is None


@pytest.mark.parametrize(("people", "below"), [(1, 9), (179, 9), (180, 0), (100_000, 0)])
def test_a_guess_is_spread_evenly_and_says_which_cells_are_likely_below_the_threshold(people: int, below: int) -> None:
    """20 people in each of 9 cells are 180: there a number is below 20 a little less than half the time."""
    threshold = edged(display_threshold=20)
    found = price_of(ran(threshold, quantity=Quantity("histogram", "tier"), guess=people)).guess
    assert found is not None
    assert (found.cells, found.each, found.threshold) == (9, Fraction(people, 9), 20)
    assert found.likely_below == below
    assert 0 <= found.chance_below <= 1


def test_without_a_threshold_or_for_a_sum_nothing_is_below() -> None:
    found = price_of(ran(guess=1)).guess
    assert found is not None
    assert (found.likely_below, found.chance_below) == (0, 0.0)
    assert price_of(ran(edged(display_threshold=20), quantity=Quantity("sum", "spend"), guess=5)).guess is None
    assert price_of(ran()).guess is None


@pytest.mark.parametrize("guess", [0, -1, 2**23 + 1])
def test_a_guess_is_a_possible_number_of_people(guess: int) -> None:
    with pytest.raises(UsageError, match="--guess: guess a whole number of people from 1 to 8388608"):
        ran(guess=guess)


def test_the_asker_is_the_one_in_the_question() -> None:
    assert ran().question.asker == SHOP
