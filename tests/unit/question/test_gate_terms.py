"""What an owner allows of whom, in which form and until when: each term just inside and just outside."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cleanroom.errors import RefusedError
from cleanroom.question.contract import Contract
from cleanroom.question.gate import Accepted, LedgerView, Situation, decide
from cleanroom.question.quantity import Quantity
from tests.unit.question.agreements import BANK, BRAND, SHOP, contract, dataset, dimension, measure, plan

NOTHING_SPENT = LedgerView(0, 0, 0)
DAY = Situation(today="2026-11-23", table_day="2026-11-01")


def decided(agreed: Contract, view: LedgerView = NOTHING_SPENT, situation: Situation = DAY, **asked: Any) -> Accepted:
    """The decision on shop's plan to brand."""
    return decide(agreed, plan(agreed, **asked), view, situation)


def refused(agreed: Contract, view: LedgerView = NOTHING_SPENT, situation: Situation = DAY, **asked: Any) -> str:
    """The rule that shop's plan breaks."""
    with pytest.raises(RefusedError) as caught:
        decided(agreed, view, situation, **asked)
    assert caught.value.owner == BRAND
    return caught.value.rule


def owned(**terms: Any) -> Contract:
    """Brand's dataset with other terms."""
    return contract({BRAND: dataset(BRAND, **terms)})


def test_a_contract_is_in_force_from_its_first_day_to_its_last() -> None:
    assert decided(contract(starts="2026-11-23", ends="2026-11-23"))
    assert refused(contract(starts="2026-11-24", ends="2026-12-01")) == "validity"
    assert refused(contract(starts="2026-01-01", ends="2026-11-22")) == "validity"


def test_a_kind_of_question_that_the_owner_does_not_allow_is_refused() -> None:
    assert decided(owned(questions=("histogram",)))
    assert refused(owned(questions=("count", "sum", "mean", "quantile"))) == "question"


def test_a_question_over_the_match_needs_to_be_allowed_as_one_over_the_table() -> None:
    assert decided(owned(bases=("match",)))
    assert refused(owned(bases=("table",))) == "question"


def test_a_column_is_for_those_to_whom_it_is_granted() -> None:
    for_shop, for_bank = (
        (dimension(), dimension("colour", ("red", "blue", "green"), consumers=(who,)), measure())
        for who in (SHOP, BANK)
    )
    assert decided(owned(columns=for_shop))
    assert refused(owned(columns=for_bank)) == "consumer"
    assert decided(owned(columns=for_bank), quantity=Quantity("count"))


def test_an_answer_has_as_many_cells_as_the_owner_allows_and_no_more() -> None:
    """Tier is gold, silver and other; colour red, blue, green and other."""
    assert decided(owned(cells=12))
    assert refused(owned(cells=11)) == "cells"


def test_a_table_is_asked_about_until_it_is_too_old() -> None:
    assert decided(owned(fresh_days=22))
    assert refused(owned(fresh_days=21)) == "freshness"
    assert decided(owned(fresh_days=0))


def test_an_asker_has_as_many_questions_as_were_agreed() -> None:
    assert decided(owned(questions_each=3), replace(NOTHING_SPENT, questions=2))
    assert refused(owned(questions_each=3), replace(NOTHING_SPENT, questions=3)) == "questions"


def test_a_mean_is_charged_for_its_count_and_for_its_sum() -> None:
    agreed = owned(columns=(dimension(), measure(low=Decimal(-10), high=Decimal(100))))
    asked = plan(agreed, quantity=Quantity("mean", "spend"))
    count, total = (scale * scale for scale in asked.scales)
    accepted = decide(agreed, asked, NOTHING_SPENT, DAY)
    # -10 to 100 in half euros are 220 steps: a person moves the centred sum by 110, the count by 1.
    exact = 2**40 * (1 / (2 * count) + 110**2 / (2 * total))
    assert exact <= accepted.cost_units == asked.cost_units < exact + 2
    for part in (2**39 / count, 2**39 * 110**2 / total):
        cheaper = replace(asked, cost_units=int(part) + 1)
        with pytest.raises(RefusedError, match="not what this noise costs"):
            decide(agreed, cheaper, NOTHING_SPENT, DAY)
