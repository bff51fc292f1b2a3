"""Asking by accuracy: the most noise whose interval is what was said, and not a step more."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from cleanroom.errors import UsageError
from cleanroom.privacy.accountant import accountant
from cleanroom.question.accuracy import parse_accuracy, units_for_accuracy
from cleanroom.question.compile import compile_plan
from cleanroom.question.quantity import Quantity
from tests.unit.question.agreements import STANDING, contract, question

AGREED = contract()
STEP = Fraction(1, 1024)


@pytest.mark.parametrize("name", ["zcdp", "pure"])
@pytest.mark.parametrize(
    ("quantity", "accuracy", "steps"),
    [
        (Quantity("count"), "50", 50),
        (Quantity("histogram", "colour"), "50.9", 50),
        (Quantity("sum", "spend"), "1000", 2000),
        (Quantity("sum", "spend"), "1000.49", 2000),
    ],
    ids=["count", "histogram", "sum", "a sum off the grid"],
)
def test_noise_is_within_the_accuracy_and_no_larger_noise_would_be(
    name: str, quantity: Quantity, accuracy: str, steps: int
) -> None:
    agreed, prices = replace(AGREED, accountant=name), accountant(name)
    units = units_for_accuracy(agreed, question(quantity=quantity), parse_accuracy(accuracy))
    plan = compile_plan(agreed, question(quantity=quantity, units=units), STANDING)
    assert plan.cost_units == units
    assert prices.noise_interval(plan.scales[0]).half_width <= steps
    largest = prices.scale_for_half_width(steps)
    assert prices.noise_interval(largest).half_width <= steps < prices.noise_interval(largest + STEP).half_width
    assert units == prices.cost_units(200 if quantity.kind == "sum" else 1, largest)


def test_the_nearest_accuracy_is_named_and_is_then_granted() -> None:
    for quantity, asked in ((Quantity("count"), "1"), (Quantity("sum", "spend"), "1")):
        with pytest.raises(
            UsageError, match=r"no question has an accuracy of ±1 (people|euros): .*; ask for"
        ) as caught:
            units_for_accuracy(AGREED, question(quantity=quantity), parse_accuracy(asked))
        nearest = str(caught.value).split("ask for ")[1].split(" ")[0]
        assert units_for_accuracy(AGREED, question(quantity=quantity), Decimal(nearest)) > 0
        less = Decimal(nearest) - (Decimal("0.5") if quantity.kind == "sum" else 1)
        with pytest.raises(UsageError, match="no question has"):
            units_for_accuracy(AGREED, question(quantity=quantity), less)


def test_a_mean_has_no_accuracy_that_could_be_promised() -> None:
    with pytest.raises(UsageError, match=r"cannot be promised for a mean: .*; ask with an epsilon"):
        units_for_accuracy(AGREED, question(quantity=Quantity("mean", "spend")), Decimal(5))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("fifty", "accuracy `fifty` is not a number"),
        ("±50", "accuracy `±50` is not a number"),
        ("0,5", "accuracy `0,5` has a comma where a point belongs"),
        ("5e1", "accuracy `5e1` has an exponent"),
        ("0", "accuracy `0` is not above 0"),
        ("-5", "accuracy `-5` is not above 0"),
        ("", "accuracy `` is empty"),
        ("nan", "accuracy `nan` is not a number"),
        ("0.1234567", "accuracy `0.1234567` has more than 6 decimals"),
        ("1000000000001", "accuracy `1000000000001` is above 1000000000000"),
    ],
)
def test_a_mistyped_accuracy_is_told_what_is_wrong_and_how_it_is_written(text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_accuracy(text)
    assert str(caught.value) == f"{wrong}; write how far noise may move a number, such as 50 for ±50 people"


@pytest.mark.parametrize("text", ["50", "0.000001", "1000000000000"])
def test_a_plain_accuracy_is_read_exactly(text: str) -> None:
    assert parse_accuracy(text) == Decimal(text)
