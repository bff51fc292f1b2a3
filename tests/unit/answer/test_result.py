"""The answer as programs read it: its keys are kept stable, its numbers are exact."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.answer.result import answer_body, charge, epsilon_number, rho_text
from cleanroom.privacy.accountant import accountant
from cleanroom.question.quantity import Quantity
from tests.reference.discrete_gaussian_law import smallest_interval
from tests.unit.question.agreements import BRAND, RHO, contract, dataset, measure, plan

AGREED = contract()
ZCDP, PURE = accountant("zcdp"), accountant("pure")
LEVEL = Decimal("0.95")


def answered(cells: list[int], **asked: Any) -> dict[str, Any]:
    """The answer to a plan with these cells."""
    return answer_body(AGREED, plan(**asked), cells, stored=False, seconds={"match": 1.5, "answer": 0.25})


def test_the_keys_are_those_that_were_promised() -> None:
    body = answered(list(range(12)))
    assert list(body) == ["question", "interval", "cells", "spent", "stored", "sizes", "seconds"]
    assert list(body["question"]) == [
        "asker",
        "owner",
        "by",
        "quantity",
        "column",
        "epsilon",
        "delta",
        "sigma",
        "unit",
        "analyst",
        "plan",
        "base",
        "repeat",
    ]  # fmt: skip
    assert all(list(cell) == ["by", "of", "value", "low", "high"] for cell in body["cells"])
    assert list(body["spent"][0]) == ["party", "consumer", "rho", "epsilon", "delta"]
    assert body["interval"] == 0.95
    assert body["sizes"] == {"shop": 1000, "brand": 1000, "bank": 1000}
    assert body["seconds"] == {"match": 1.5, "answer": 0.25}


def test_cells_are_named_by_the_contract_s_words_groups_outermost() -> None:
    body = answered(list(range(12)))
    named = [(cell["by"], cell["of"], cell["value"]) for cell in body["cells"]]
    tiers, colours = ("gold", "silver", "other"), ("red", "blue", "green", "other")
    pairs = [(tier, colour) for tier in tiers for colour in colours]
    assert named == [(tier, colour, number) for number, (tier, colour) in enumerate(pairs)]


def test_what_was_not_asked_is_null() -> None:
    body = answered([7], by="", quantity=Quantity("count"))
    assert (body["question"]["by"], body["question"]["column"], body["question"]["unit"]) == (None, None, "people")
    assert (body["cells"][0]["by"], body["cells"][0]["of"]) == (None, None)


def test_an_interval_reaches_as_far_as_the_law_of_the_noise_says() -> None:
    asked = plan(by="", quantity=Quantity("count"))
    half_width, _ = smallest_interval(asked.scales[0], LEVEL)
    (cell,) = answer_body(AGREED, asked, [-3], stored=True, seconds={})["cells"]
    assert (cell["value"], cell["low"], cell["high"]) == (-3, -3 - half_width, -3 + half_width)


def test_a_sum_is_in_the_declared_unit_by_exact_decimal_steps() -> None:
    """Seven steps of 0.1 are 0.7 and not 0.7000000000000001; whole numbers stay whole."""
    tenths = measure(low=Decimal(0), high=Decimal(10), step=Decimal("0.1"))
    agreed = contract({BRAND: dataset(BRAND, columns=(tenths,))})
    asked = plan(agreed, by="", quantity=Quantity("sum", "spend"), units=RHO)
    half_width, _ = smallest_interval(asked.scales[0], LEVEL)
    for steps, value in ((7, 0.7), (3, 0.3), (-3, -0.3), (20, 2), (0, 0)):
        body = answer_body(agreed, asked, [steps], stored=False, seconds={})
        (cell,) = body["cells"]
        assert cell["value"] == value
        assert type(cell["value"]) is type(value)
        assert Decimal(str(cell["high"])) == (steps + half_width) * Decimal("0.1")
        assert Decimal(str(cell["low"])) == (steps - half_width) * Decimal("0.1")
        assert body["question"]["unit"] == "euros"
        assert body["question"]["sigma"] == float(asked.scales[0] / 10)


@pytest.mark.parametrize("cells", [[], [1] * 11, [1] * 13])
def test_a_wrong_number_of_cells_is_never_shown(cells: list[int]) -> None:
    with pytest.raises(ValueError, match="one number for each"):
        answered(cells)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (0, "0"),
        (1, "0.00000000000091"),
        (2**40, "1"),
        (2**39, "0.5"),
        (2**40 * 100, "100"),
        (2**40 + 1, "1.00000000000091"),
        (2**53 - 1, "8191.999999999999091"),
    ],
)
def test_rho_is_rounded_up_at_the_fifteenth_digit(units: int, text: str) -> None:
    """2^-40 = 9.094947…e-13: shown as 0.000000000000910."""
    assert rho_text(units, ZCDP) == text
    assert 0 <= Fraction(text) - Fraction(units, 2**40) < Fraction(1, 10**15)


def test_epsilon_is_shown_with_four_digits_never_too_small() -> None:
    assert epsilon_number(0, ZCDP) == 0.0
    assert epsilon_number(1, ZCDP) > 0
    shown = [epsilon_number(units, ZCDP) for units in (RHO // 100, RHO // 10, RHO)]
    assert shown == sorted(shown)
    assert all(round(value, 4) == value for value in shown)


def test_a_charge_names_owner_consumer_and_price() -> None:
    line = charge("brand", "shop", 2**39, ZCDP)
    assert line["party"] == "brand"
    assert line["consumer"] == "shop"
    assert line["rho"] == "0.5"
    assert line["delta"] == 1e-9


def test_a_charge_of_a_pure_room_is_an_exact_epsilon_and_no_rho() -> None:
    line = charge("brand", "shop", 2**40 // 10, PURE)
    assert list(line) == ["party", "consumer", "rho", "epsilon", "delta"]
    assert line["rho"] is None
    assert line["delta"] == 0
    assert Fraction(line["epsilon"]) == Fraction(2**40 // 10, 2**40)
