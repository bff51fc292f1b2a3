"""The gate's rules: the case just inside and just outside each, and the order in which they are checked."""

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from inspect import signature
from typing import Any

import pytest

from cleanroom.errors import RefusedError
from cleanroom.ids import PartyName
from cleanroom.privacy.budget import units_for_epsilon
from cleanroom.question.gate import MAX_OPEN_RESERVATIONS, LedgerView, Situation, decide
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import parts_of
from cleanroom.question.standing import RoomStanding
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP, contract, dataset, plan, seed

AGREED = contract()
NOTHING_SPENT = LedgerView(0, 0, 0)
TODAY = Situation(today="2026-11-23", table_day="2026-11-01")
PLAN = plan()
COUNT = plan(quantity=Quantity("count"))
CAP, SUB_CAP = 8 * RHO, 4 * RHO


def refusal(of: Plan, view: LedgerView = NOTHING_SPENT, agreed: Any = AGREED) -> RefusedError:
    """The refusal of a plan."""
    with pytest.raises(RefusedError) as caught:
        decide(agreed, of, view, TODAY)
    return caught.value


def priced(scale_1024: int, of: Plan = COUNT) -> Plan:
    """A count with this noise and its true price, ceil(2^39 × 1024² / n²)."""
    return replace(
        of, scales_1024=(scale_1024,), cost_units=-(-(2**39 * 1024**2) // scale_1024**2) if scale_1024 else 0
    )


@pytest.mark.parametrize("quantity", [Quantity("count"), Quantity("histogram", "tier"), Quantity("sum", "spend")])
@pytest.mark.parametrize("by", ["", "tier", "colour"])
def test_every_compiled_plan_is_accepted_at_its_own_price(quantity: Quantity, by: str) -> None:
    asked = plan(quantity=quantity, by=by)
    assert decide(AGREED, asked, NOTHING_SPENT, TODAY).cost_units == asked.cost_units
    assert [part.sensitivity for part in parts_of(AGREED, asked)] == [200 if quantity.kind == "sum" else 1]


def test_the_decision_has_no_data_to_depend_on() -> None:
    assert list(signature(decide).parameters) == ["contract", "plan", "view", "situation"]
    assert {field.name: field.type for field in fields(LedgerView)} == {
        "lineage_units": int,
        "consumer_units": int,
        "open_reservations": int,
        "questions": int,
        "units_today": int,
    }
    assert {field.name: field.type for field in fields(Situation)} == {
        "today": str,
        "table_day": str,
        "standing": RoomStanding,
    }


GROUPS: dict[str, tuple[tuple[tuple[int, ...], ...], bool]] = {
    "every leaf alone": (((1,), (2,), (3,)), True),
    "some leaves alone": (((3,), (1,)), True),
    "leaves together": (((1, 3), (2,)), True),
    "all in one": (((1, 2, 3),), True),
    "leaf 0": (((0,), (1,)), False),
    "leaf 0 in a group": (((0, 1),), False),
    "the first unused leaf": (((4,),), False),
    "the last leaf of the tree": (((15,),), False),
    "a leaf beyond the tree": (((16,),), False),
    "a leaf twice in a group": (((1, 1),), False),
    "a leaf in two groups": (((1, 2), (2, 3)), False),
    "the same group twice": (((1,), (1,)), False),
    "an unordered group": (((2, 1),), False),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_are_disjoint_ascending_and_of_leaves_that_stand_for_somebody(case: str) -> None:
    groups, allowed = GROUPS[case]
    asked = replace(PLAN, groups=groups)
    if allowed:
        assert decide(AGREED, asked, NOTHING_SPENT, TODAY).cost_units == PLAN.cost_units
        return
    error = refusal(asked)
    assert (error.rule, error.owner) == ("partition", "brand")
    assert "1 to 3 of 16" in error.advice


TAMPERED: dict[str, tuple[str, Mapping[str, Any]]] = {
    "another contract": ("contract", {"contract": seed("other").hex()}),
    "an owner that asks itself": ("parties", {"asker": BRAND}),
    "an asker from outside": ("parties", {"asker": PartyName("thief")}),
    "an owner from outside": ("parties", {"owner": PartyName("thief")}),
    "noise 0": ("noise", {"scales_1024": (0,)}),
    "an unknown column of the asker": ("column", {"by": "size"}),
    "a measure of the asker": ("column", {"by": "spend"}),
    "an unknown column of the owner": ("column", {"quantity": Quantity("histogram", "size")}),
    "a histogram of a measure": ("column", {"quantity": Quantity("histogram", "spend")}),
    "a sum of a dimension": ("column", {"quantity": Quantity("sum", "tier")}),
    "a larger tree": ("partition", {"leaves": 64}),
    "a smaller tree": ("partition", {"leaves": 4}),
    "no column, yet its leaves": ("partition", {"by": ""}),
    "a word more": ("arithmetic", {"words": 5}),
    "a word less": ("arithmetic", {"words": 3}),
    "more bits": ("arithmetic", {"bits": 32}),
    "fewer bits": ("arithmetic", {"bits": 16}),
    "a narrower dimension under the same words": ("arithmetic", {"quantity": Quantity("histogram", "tier")}),
    "one unit too little": ("cost", {"cost_units": PLAN.cost_units - 1}),
    "one unit too much": ("cost", {"cost_units": PLAN.cost_units + 1}),
    "free of charge": ("cost", {"cost_units": 0}),
    "less noise at the same price": ("cost", {"scales_1024": (PLAN.scales_1024[0] - 1,)}),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_plan_is_refused_by_the_rule_it_breaks(case: str) -> None:
    rule, change = TAMPERED[case]
    error = refusal(replace(PLAN, **change))
    assert error.rule == rule
    assert error.owner == change.get("owner", "brand")
    assert error.explanation
    assert error.advice


def test_a_sum_is_charged_by_its_bound_and_never_as_a_count() -> None:
    asked = plan(quantity=Quantity("sum", "spend"), units=RHO)
    cheap = replace(asked, cost_units=priced(asked.scales_1024[0]).cost_units)
    assert refusal(cheap).rule == "cost"
    assert decide(AGREED, asked, NOTHING_SPENT, TODAY).cost_units == -(
        -(200**2 * 2**39 * 1024**2) // asked.scales_1024[0] ** 2
    )


def test_the_scale_is_from_1_to_2_to_the_40() -> None:
    assert decide(AGREED, priced(1024), NOTHING_SPENT, TODAY).cost_units == 2**39
    assert refusal(priced(1023)).rule == "noise"
    wide = replace(priced(2**50), bits=48)
    assert decide(AGREED, wide, NOTHING_SPENT, TODAY).cost_units == 1
    assert refusal(priced(2**50 + 1)).rule == "noise"


def test_an_asker_without_a_grant_is_refused_and_told_who_has_one() -> None:
    closed = contract({BRAND: dataset(BRAND, consumer_caps={BANK: RHO})})
    error = refusal(plan(closed), agreed=closed)
    assert (error.rule, error.advice) == ("grant", "granted: bank; another needs a new contract of all")
    nobody = contract({BRAND: dataset(BRAND, consumer_caps={})})
    assert refusal(plan(nobody), agreed=nobody).advice.startswith("granted: nobody; ")


def test_a_consumer_may_spend_its_last_unit_and_not_one_more() -> None:
    spent = SUB_CAP - PLAN.cost_units
    assert decide(AGREED, PLAN, LedgerView(spent, spent, 0), TODAY).cost_units == PLAN.cost_units
    error = refusal(PLAN, LedgerView(spent + 1, spent + 1, 0))
    assert (error.rule, error.owner) == ("budget", "brand")
    assert "epsilon" in error.advice


def test_a_consumer_with_nothing_left_is_told_so() -> None:
    assert "nothing is left" in refusal(PLAN, LedgerView(SUB_CAP, SUB_CAP, 0)).advice


def test_the_lineage_may_be_spent_to_its_last_unit_and_not_one_more() -> None:
    spent = CAP - PLAN.cost_units
    assert decide(AGREED, PLAN, LedgerView(spent, 0, 0), TODAY).cost_units == PLAN.cost_units
    assert refusal(PLAN, LedgerView(spent + 1, 0, 0)).rule == "lineage"


def test_a_refusal_for_the_lineage_says_nothing_of_what_others_spent() -> None:
    texts = {str(refusal(PLAN, LedgerView(spent, 0, 0))) for spent in (CAP - PLAN.cost_units + 1, CAP, 2 * CAP)}
    assert len(texts) == 1
    assert not any(character.isdigit() for character in texts.pop())


def test_a_refusal_for_the_consumer_says_nothing_of_what_others_spent() -> None:
    texts = {str(refusal(PLAN, LedgerView(lineage, SUB_CAP - 5, 0))) for lineage in (SUB_CAP - 5, CAP - 1, CAP)}
    assert len(texts) == 1


def test_an_asker_has_at_most_eight_open_questions() -> None:
    assert MAX_OPEN_RESERVATIONS == 8
    assert decide(AGREED, PLAN, LedgerView(0, 0, 7), TODAY).cost_units == PLAN.cost_units
    assert refusal(PLAN, LedgerView(0, 0, 8)).rule == "patience"


BREAKS: list[tuple[str, Mapping[str, Any]]] = [
    ("contract", {"contract": seed("other").hex()}),
    ("parties", {"asker": PartyName("thief")}),
    ("column", {"by": "size"}),
    ("noise", {"scales_1024": (0,)}),
    ("partition", {"groups": ((0,),)}),
    ("arithmetic", {"words": 5}),
    ("cost", {"cost_units": PLAN.cost_units + 1}),
]


@pytest.mark.parametrize("first", range(len(BREAKS)), ids=[rule for rule, _ in BREAKS])
def test_rules_are_checked_in_the_order_of_the_list(first: int) -> None:
    """Everything from one rule on is wrong, and all budgets are spent: the first rule is the one that is named."""
    changes: dict[str, Any] = {}
    for _, change in BREAKS[first:]:
        changes |= change
    assert refusal(replace(PLAN, **changes), LedgerView(CAP, SUB_CAP, 8)).rule == BREAKS[first][0]


def test_the_last_three_rules_are_budget_lineage_patience() -> None:
    assert refusal(PLAN, LedgerView(CAP, SUB_CAP, 8)).rule == "budget"
    assert refusal(PLAN, LedgerView(CAP, 0, 8)).rule == "lineage"
    assert refusal(PLAN, LedgerView(0, 0, 8)).rule == "patience"


def test_the_grant_is_checked_before_columns_and_noise() -> None:
    closed = contract({BRAND: dataset(BRAND, consumer_caps={})})
    assert refusal(plan(closed, scales_1024=(0,)), agreed=closed).rule == "grant"


def test_each_asker_has_its_own_sub_cap() -> None:
    uneven = contract({BRAND: dataset(BRAND, consumer_caps={SHOP: PLAN.cost_units, BANK: 0})})
    asked = plan(uneven)
    assert decide(uneven, asked, NOTHING_SPENT, TODAY).cost_units == PLAN.cost_units
    assert refusal(replace(asked, asker=BANK), agreed=uneven).rule == "budget"


def test_the_epsilon_that_a_spent_budget_still_buys_is_granted_when_asked_for() -> None:
    for left in (RHO // 1000, RHO // 777, RHO // 3):
        asked = plan(units=2 * RHO)
        advice = refusal(asked, LedgerView(0, SUB_CAP - left, 0)).advice
        epsilon = Fraction(advice.split("epsilon ")[1].split(" ")[0])
        again = plan(units=units_for_epsilon(epsilon))
        assert decide(AGREED, again, LedgerView(0, SUB_CAP - left, 0), TODAY).cost_units <= left
        more = plan(units=units_for_epsilon(epsilon + Fraction(1, 500)))
        assert refusal(more, LedgerView(0, SUB_CAP - left, 0)).rule == "budget"


def test_what_buys_less_than_a_thousandth_of_epsilon_is_nothing() -> None:
    assert refusal(PLAN, LedgerView(0, SUB_CAP - 1, 0)).advice.startswith("nothing is left; ")


def test_too_many_cells_are_answered_by_the_questions_that_have_few_enough() -> None:
    def advice(cells: int) -> str:
        agreed = contract({BRAND: dataset(BRAND, cells=cells)})
        error = refusal(plan(agreed, by="tier", quantity=Quantity("histogram", "colour")), agreed=agreed)
        assert (error.rule, error.explanation) == ("cells", f"the answer would have 12 cells and brand allows {cells}")
        return error.advice

    assert (
        advice(11)
        == "without shop's `tier` it has 4; without brand's `colour` it has 3; with `tier` instead of `colour` it has 9"
    )
    assert advice(8) == "without shop's `tier` it has 4; without brand's `colour` it has 3"
    assert advice(3) == "without brand's `colour` it has 3"
    assert advice(2) == "choose columns with fewer declared values"


def test_a_party_that_is_not_there_is_answered_by_the_one_that_was_meant() -> None:
    error = refusal(replace(PLAN, owner=PartyName("brnad")))
    assert (error.explanation, error.advice) == (
        "there is no party `brnad` in room spring",
        "did you mean `brand`? parties: shop, brand, bank",
    )
    assert refusal(replace(PLAN, asker=BRAND)).explanation == "brand cannot ask itself"
