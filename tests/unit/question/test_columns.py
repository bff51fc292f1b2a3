"""What a company may declare about a person: every bound, on both sides."""

from decimal import Decimal
from typing import Any

import pytest

from cleanroom.errors import UsageError
from cleanroom.question.columns import Reduction, checked_text
from tests.unit.question.agreements import dimension, measure


def values(count: int) -> tuple[str, ...]:
    """Distinct texts."""
    return tuple(f"v{number}" for number in range(count))


def test_texts_hold_one_to_a_limit_of_characters() -> None:
    assert checked_text("x", "it", 3) == "x"
    assert checked_text("xyz", "it", 3) == "xyz"
    for text in ("", "wxyz"):
        with pytest.raises(UsageError, match="1 to 3"):
            checked_text(text, "it", 3)


@pytest.mark.parametrize(
    "text", [" a", "a ", "a\n", "a\u0000b", "a\u202eb", "e\u0301", "a\u00a0", None, 5, b"a", ["a"]]
)
def test_texts_with_blanks_around_or_marks_unseen_are_refused(text: object) -> None:
    with pytest.raises(UsageError):
        checked_text(text, "it")


@pytest.mark.parametrize("text", ["\u00e9", "a b", "\u65e5\u672c", "NA", "0", "\U0001f600"])
def test_any_printable_text_in_normal_form_is_a_value(text: str) -> None:
    assert dimension(values=(text,)).cells == (text, "other")


@pytest.mark.parametrize(("count", "allowed"), [(0, False), (1, True), (254, True), (255, False)])
def test_a_dimension_declares_1_to_254_values(count: int, allowed: bool) -> None:
    if allowed:
        assert dimension(values=values(count)).cells == (*values(count), "other")
        return
    with pytest.raises(UsageError, match="1 to 254"):
        dimension(values=values(count))


@pytest.mark.parametrize("declared", [("a", "a"), ("a", "other"), ("other",)])
def test_declared_values_are_distinct_and_other_is_not_declared(declared: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="distinct"):
        dimension(values=declared)


def test_a_value_that_differs_from_other_in_case_may_be_declared() -> None:
    assert dimension(values=("Other",)).cells == ("Other", "other")


PASSING = Reduction("any", where={"kind": ("x",)})


def test_any_has_yes_and_no_in_this_order() -> None:
    assert dimension(values=("yes", "no"), reduction=PASSING).values == ("yes", "no")
    for declared in (("no", "yes"), ("yes",), ("yes", "no", "maybe")):
        with pytest.raises(UsageError, match="yes"):
            dimension(values=declared, reduction=PASSING)


@pytest.mark.parametrize("kind", ["sum", "max", "count"])
def test_a_dimension_is_no_number(kind: str) -> None:
    with pytest.raises(UsageError, match="last, most_frequent, any"):
        dimension(reduction=Reduction(kind, source="" if kind == "count" else "a"))


@pytest.mark.parametrize("reduction", [Reduction("most_frequent", source="a"), PASSING], ids=["most_frequent", "any"])
def test_a_measure_is_no_category(reduction: Reduction) -> None:
    with pytest.raises(UsageError, match="sum, max, count, last"):
        measure(reduction=reduction)


REDUCTIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "count looks at rows alone": ({"kind": "count"}, True),
    "count of a column": ({"kind": "count", "source": "a"}, False),
    "sum of a column": ({"kind": "sum", "source": "a"}, True),
    "sum of nothing": ({"kind": "sum"}, False),
    "any of a column": ({"kind": "any", "source": "a", "where": {"b": ("c",)}}, False),
    "any without a filter": ({"kind": "any"}, False),
    "last by a date": ({"kind": "last", "source": "a", "order_by": "b", "date_format": "%Y"}, True),
    "last without a date": ({"kind": "last", "source": "a"}, False),
    "last without a format": ({"kind": "last", "source": "a", "order_by": "b"}, False),
    "last without a column of dates": ({"kind": "last", "source": "a", "date_format": "%Y"}, False),
    "max by a date": ({"kind": "max", "source": "a", "order_by": "b", "date_format": "%Y"}, False),
    "max by a column of dates alone": ({"kind": "max", "source": "a", "order_by": "b"}, False),
    "max with a format alone": ({"kind": "max", "source": "a", "date_format": "%Y"}, False),
    "an unknown reduction": ({"kind": "first", "source": "a"}, False),
}


@pytest.mark.parametrize("case", REDUCTIONS)
def test_a_reduction_has_what_it_needs_and_nothing_else(case: str) -> None:
    terms, allowed = REDUCTIONS[case]
    if allowed:
        assert Reduction(**terms).kind == terms["kind"]
        return
    with pytest.raises(UsageError):
        Reduction(**terms)


MEASURES: dict[str, tuple[dict[str, Any], bool]] = {
    "no digits after the point": ({"decimals": 0}, True),
    "nine digits after the point": ({"decimals": 9}, True),
    "ten digits after the point": ({"decimals": 10}, False),
    "minus one digit": ({"decimals": -1}, False),
    "a truth value of digits": ({"decimals": True}, False),
    "a unit of thirty characters": ({"unit": "u" * 30}, True),
    "a unit of thirty-one characters": ({"unit": "u" * 31}, False),
    "no unit": ({"unit": ""}, False),
    "low equals high": ({"low": Decimal(1), "high": Decimal(1)}, False),
    "low above high": ({"low": Decimal(2), "high": Decimal(1)}, False),
    "one step from low to high": ({"low": Decimal(1), "high": Decimal("1.5")}, True),
    "step zero": ({"step": Decimal(0)}, False),
    "a negative step": ({"step": Decimal("-0.5")}, False),
    "low beside the grid": ({"low": Decimal("-9.75")}, False),
    "low on the grid": ({"low": Decimal("-9.5")}, True),
    "high beside the grid": ({"high": Decimal("99.9")}, False),
    "low not a number": ({"low": Decimal("NaN")}, False),
    "low a signalling not-a-number": ({"low": Decimal("sNaN")}, False),
    "high infinite": ({"high": Decimal("Infinity")}, False),
    "step infinite": ({"step": Decimal("Infinity")}, False),
    "high of 2^31 steps": ({"low": Decimal(0), "high": Decimal(2**31), "step": Decimal(1)}, True),
    "high of 2^31 and one steps": ({"low": Decimal(0), "high": Decimal(2**31 + 1), "step": Decimal(1)}, False),
    "low of minus 2^31 steps": ({"low": Decimal(-(2**31)), "step": Decimal(1)}, True),
    "low of minus 2^31 and one steps": ({"low": Decimal(-(2**31) - 1), "step": Decimal(1)}, False),
    "twenty digits before the point": ({"low": Decimal(0), "high": Decimal("9e19"), "step": Decimal("9e19")}, True),
    "twenty-one digits before the point": (
        {"low": Decimal(0), "high": Decimal("1e20"), "step": Decimal("1e20")},
        False,
    ),
    "twenty digits after the point": ({"low": Decimal(0), "high": Decimal("1e-20"), "step": Decimal("1e-20")}, True),
    "twenty-one digits after the point": (
        {"low": Decimal(0), "high": Decimal("1e-21"), "step": Decimal("1e-21")},
        False,
    ),
    "a zero of a billion digits": ({"low": Decimal("0e999999999")}, False),
    "a billion digits": ({"high": Decimal("1e999999999")}, False),
    "a step of a billion digits": ({"step": Decimal("1e-999999999")}, False),
    "bounds far above the step": ({"high": Decimal(10**19), "step": Decimal("1e-20")}, False),
}


@pytest.mark.parametrize("case", MEASURES)
def test_a_measure_keeps_its_bounds(case: str) -> None:
    terms, allowed = MEASURES[case]
    if allowed:
        assert measure(**terms).sensitivity >= 1
        return
    with pytest.raises(UsageError):
        measure(**terms)


@pytest.mark.parametrize(
    ("low", "high", "step", "units"),
    [
        ("-10", "100", "0.5", (-20, 200, 200)),
        ("-100", "10", "0.5", (-200, 20, 200)),
        ("0", "4000", "10", (0, 400, 400)),
        ("-5", "-1", "1", (-5, -1, 5)),
        ("0", "0.3", "0.1", (0, 3, 3)),
    ],
)
def test_one_person_moves_a_sum_by_the_farther_bound(low: str, high: str, step: str, units: tuple[int, ...]) -> None:
    column = measure(low=Decimal(low), high=Decimal(high), step=Decimal(step))
    assert (column.low_units, column.high_units, column.sensitivity) == units


def test_what_is_missing_or_too_much_beside_a_reduction_is_named() -> None:
    with pytest.raises(UsageError, match=r"^`last` goes by a date: date_format is missing$"):
        Reduction("last", "a", order_by="b")
    with pytest.raises(UsageError, match=r"^`last` goes by a date: order_by and date_format are missing$"):
        Reduction("last", "a")
    with pytest.raises(UsageError, match=r"^order_by and date_format are for `last` alone; the reduction is `max`$"):
        Reduction("max", "a", order_by="b")
