"""What an approver reads: the question, its price and what is new about it; nothing but what plan and contract say."""

from dataclasses import replace
from typing import Any

import pytest

from cleanroom.answer.result import epsilon_number
from cleanroom.ids import AnalystName
from cleanroom.privacy.accountant import accountant
from cleanroom.question.quantity import Quantity
from cleanroom.report.question_words import budget, differences, facts, headline
from tests.unit.question.agreements import BRAND, RHO, contract, dataset, measure, plan, seed

AGREED = contract()
PLAN = plan()
# The scale is sqrt(50), rounded up to a 1024th, and rho is 1 / (2 scale²): a little less than 1/100.
COST = f"epsilon {epsilon_number(PLAN.cost_units, accountant('zcdp')):g} (rho 0.009999)"


def said(asked: Any = PLAN, agreed: Any = AGREED) -> dict[str, str]:
    """The facts by name."""
    return {fact.name: fact.says for fact in facts(agreed, asked)}


def test_every_fact_of_a_histogram_is_said_in_words() -> None:
    assert said() == {
        "asker": "shop, its analyst alice",
        "about": "brand's people that shop has as well (over the match)",
        "asks": "how many people have each value of brand's `colour`: red; blue; green; other",
        "split": "by shop's `tier`: gold; silver; other",
        "cells": "12 noisy numbers: 3 × 4",
        "noise": "sigma 7.071 people, so 95% of the numbers are within ±14 people of the truth",
        "cost": COST,
    }


ASKS = {
    "count": (Quantity("count"), "how many people there are"),
    "sum": (Quantity("sum", "spend"), "the sum of brand's `spend`, each person clamped to -10 to 100 euros"),
    "mean": (Quantity("mean", "spend"), "the mean of brand's `spend`, each person clamped to -10 to 100 euros"),
}


@pytest.mark.parametrize("kind", ASKS)
def test_each_quantity_has_words(kind: str) -> None:
    quantity, words = ASKS[kind]
    assert said(plan(quantity=quantity))["asks"] == words


def test_a_quantile_names_its_bins() -> None:
    agreed = contract({BRAND: dataset(BRAND, columns=(measure(edges=(measure().low + 20,)),))})
    asked = plan(agreed, quantity=Quantity("quantile", "spend"))
    assert (
        said(asked, agreed)["asks"] == "how many people lie in each bin of brand's `spend`: -10 to below 10; 10 to 100"
    )


def test_the_noise_of_a_sum_is_in_the_columns_unit() -> None:
    """Sigma is in steps of half a euro in the plan."""
    asked = plan(quantity=Quantity("sum", "spend"))
    assert said(asked)["noise"].startswith(f"sigma {asked.scales_1024[0] / 2048:.4g} euros, so 95%")


def test_a_mean_says_the_noise_of_both_its_parts() -> None:
    people, euros = said(plan(quantity=Quantity("mean", "spend")))["noise"].split("; ")
    assert (people.split()[2], euros.split()[2]) == ("people,", "euros,")


def test_groups_are_said_as_they_are_asked_and_not_as_they_are_usual() -> None:
    assert said(replace(PLAN, groups=((1, 3),)))["split"] == "by shop's `tier`: gold or other"


def test_a_pure_room_speaks_of_epsilon_alone() -> None:
    agreed = contract(accountant="pure")
    facts_of = said(plan(agreed), agreed)
    assert facts_of["cost"] == "epsilon 0.0099999", "1 / scale, which is the first 1024th above 100"
    assert facts_of["noise"].startswith("Laplace scale ")
    assert "rho" not in budget(agreed, plan(agreed), 0)


def test_the_headline_is_one_line_without_declared_values() -> None:
    line = headline(AGREED, PLAN)
    assert line == f"spread over `colour` by shop's `tier` over the match, 12 cells, {COST}"


def test_what_is_left_is_said_before_and_after_and_that_nothing_would_be() -> None:
    assert " (rho 3.5) is left of shop's " in budget(AGREED, PLAN, RHO // 2)
    assert budget(AGREED, PLAN, RHO // 2).endswith(" (rho 3.49); it is rho that adds up")
    last = 4 * RHO - PLAN.cost_units
    assert budget(AGREED, PLAN, last).endswith("after this question epsilon 0 (rho 0); it is rho that adds up")
    assert budget(AGREED, PLAN, last + 1).endswith("(rule budget)")
    assert budget(AGREED, PLAN, 9 * RHO).startswith("epsilon 0 (rho 0) is left")


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nothing": ({}, ("nothing: the same question was approved before",)),
    "asked again": (
        {"repeat": 1},
        ("asked anew: the same question was approved before, and this is another draw of noise, paid once more",),
    ),
    "another analyst": (
        {"analyst": AnalystName("bob")},
        ("asker: shop, its analyst bob; it was: shop, its analyst alice",),
    ),
    "a new match": ({"match": seed("new").hex()}, ("people: they were matched anew since then",)),
    "fewer groups": (
        {"groups": ((1,),)},
        (
            "split: by shop's `tier`: gold; it was: by shop's `tier`: gold; silver; other",
            "cells: 4 noisy numbers: 1 × 4; it was: 12 noisy numbers: 3 × 4",
        ),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_question_is_compared_fact_by_fact(case: str) -> None:
    change, expected = CHANGES[case]
    assert differences(AGREED, replace(PLAN, **change), PLAN) == expected


def test_an_earlier_question_under_terms_that_are_gone_is_still_comparable() -> None:
    now = contract({BRAND: dataset(BRAND, columns=(measure(),))})
    found = differences(now, plan(now, quantity=Quantity("count")), PLAN)
    assert found[0] == "terms: the contract was changed since then"
    assert (
        "it was: how many people have each value of brand's `colour`: 4 values that are not agreed any more" in found[1]
    )
