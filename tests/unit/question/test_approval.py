"""When a person of the owner must look at a question: each limit at its edge, and every reason in words."""

from typing import Any

import pytest

from cleanroom.errors import UsageError
from cleanroom.question.approval import Approval
from cleanroom.question.gate import LedgerView, Situation, decide
from cleanroom.question.quantity import Quantity
from tests.unit.question.agreements import BRAND, contract, dataset, plan

DAY = Situation(today="2026-11-23", table_day="2026-11-01")
FACTS: dict[str, Any] = {"columns": ("colour",), "cells": 12, "units": 100, "units_today": 50}
COLUMN = "column colour is not among those that pass by themselves"
CELLS = "12 cells are more than the 11 that pass by themselves"
ONE = "it costs more than one question may without approval"
TODAY = "with it this asker's questions of today cost more than a day may without approval"


@pytest.mark.parametrize(
    ("limits", "reasons"),
    [
        (Approval(), ()),
        (Approval(mode="required"), ("every question needs approval",)),
        (Approval(columns=("colour",)), ()),
        (Approval(columns=("tier",)), (COLUMN,)),
        (Approval(columns=()), (COLUMN,)),
        (Approval(cells=12), ()),
        (Approval(cells=11), (CELLS,)),
        (Approval(units_per_question=100), ()),
        (Approval(units_per_question=99), (ONE,)),
        (Approval(units_per_day=150), ()),
        (Approval(units_per_day=149), (TODAY,)),
        (Approval(columns=("tier",), cells=11, units_per_question=99, units_per_day=149), (COLUMN, CELLS, ONE, TODAY)),
    ],
)
def test_a_question_passes_by_itself_up_to_each_limit(limits: Approval, reasons: tuple[str, ...]) -> None:
    assert limits.reasons(**FACTS) == reasons


def test_without_a_column_no_column_needs_approval() -> None:
    assert Approval(columns=()).reasons(columns=(), cells=1, units=1, units_today=0) == ()


@pytest.mark.parametrize(
    "terms",
    [
        {"mode": "sometimes"},
        {"cells": -1},
        {"cells": True},
        {"units_per_question": -1},
        {"units_per_day": 1.0},
        {"mode": "required", "cells": 0},
        {"mode": "required", "columns": ()},
    ],
    ids=str,
)
def test_limits_are_whole_numbers_and_stand_only_where_something_passes(terms: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="approval"):
        Approval(**terms)


def test_the_gate_hands_its_own_numbers_to_the_limits() -> None:
    asked = plan()

    def needs(view: LedgerView = LedgerView(0, 0, 0), **limits: Any) -> bool:  # noqa: B008 # a frozen value
        agreed = contract({BRAND: dataset(BRAND, approval=Approval(**limits))})
        return bool(decide(agreed, plan(agreed), view, DAY).approval)

    assert [needs(cells=12), needs(cells=11)] == [False, True]
    assert [needs(columns=("colour",)), needs(columns=("tier",))] == [False, True]
    assert [needs(units_per_question=asked.cost_units), needs(units_per_question=asked.cost_units - 1)] == [False, True]
    today = LedgerView(0, 0, 0, units_today=7)
    assert [needs(today, units_per_day=asked.cost_units + 7), needs(today, units_per_day=asked.cost_units + 6)] == [
        False,
        True,
    ]
    spent_before = LedgerView(500, 500, 0)
    assert not needs(spent_before, units_per_day=asked.cost_units), "a day is not the whole life of a budget"


def test_over_the_whole_table_the_column_that_splits_is_the_owner_s_and_counts() -> None:
    agreed = contract({BRAND: dataset(BRAND, approval=Approval(columns=("colour",)))})
    over_the_match = decide(agreed, plan(agreed, by="tier"), LedgerView(0, 0, 0), DAY)
    assert over_the_match.approval == (), "there `tier` is the asker's own column"
    from_table = plan(agreed, by="tier", quantity=Quantity("histogram", "colour"), base="table")
    assert decide(agreed, from_table, LedgerView(0, 0, 0), DAY).approval == (
        "column tier is not among those that pass by themselves",
    )
