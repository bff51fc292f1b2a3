import math
from fractions import Fraction

import pytest

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.budget import (
    DELTA,
    MAX_SCALE,
    UNITS_PER_RHO,
    check_delta,
    cost_units,
    epsilon_view,
    parse_epsilon,
    scale_for_units,
    units_for_epsilon,
)
from cleanroom.privacy.interval import noise_interval

STEP = Fraction(1, 1024)


def test_a_count_at_scale_one_costs_half_a_rho() -> None:
    assert cost_units(1, Fraction(1)) == UNITS_PER_RHO // 2


def test_a_cost_is_rounded_up_to_a_whole_unit() -> None:
    exact = Fraction(UNITS_PER_RHO, 2 * 9)
    assert exact.denominator != 1
    assert cost_units(1, Fraction(3)) == math.floor(exact) + 1


def test_a_cost_that_is_a_whole_number_is_not_rounded() -> None:
    assert cost_units(1, Fraction(2**10)) == 2**19


def test_a_cost_grows_with_the_square_of_the_sensitivity() -> None:
    assert cost_units(9, Fraction(3)) == UNITS_PER_RHO // 2
    assert cost_units(Fraction(9, 4), Fraction(3, 2)) == UNITS_PER_RHO // 2


@pytest.mark.parametrize(
    "scale",
    [Fraction(0), Fraction(-1), 1 - STEP, MAX_SCALE + STEP, Fraction(10, 3), 1 + STEP / 2],
    ids=["none", "negative", "just below one", "just above the largest", "no double holds it", "half a step"],
)
def test_a_forged_scale_has_no_price(scale: Fraction) -> None:
    with pytest.raises(RefusedError) as refusal:
        cost_units(1, scale)
    assert refusal.value.rule == "noise-scale"


@pytest.mark.parametrize("scale", [Fraction(1), 1 + STEP, MAX_SCALE - STEP, MAX_SCALE])
def test_a_scale_on_the_inner_side_of_every_bound_has_a_price(scale: Fraction) -> None:
    assert cost_units(1, scale) >= 1


@pytest.mark.parametrize("scale", [1.0, math.nan, math.inf, True, 1])
def test_a_scale_that_is_no_fraction_has_no_price(scale: object) -> None:
    with pytest.raises(RefusedError):
        cost_units(1, scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("sensitivity", [0, -1, Fraction(0), 2**124 + 1, True, 1.0, math.nan])
def test_a_forged_sensitivity_has_no_price(sensitivity: object) -> None:
    with pytest.raises(RefusedError) as refusal:
        cost_units(sensitivity, Fraction(1))  # type: ignore[arg-type]
    assert refusal.value.rule == "sensitivity"


def test_the_largest_sensitivity_has_a_price() -> None:
    assert cost_units(2**124, Fraction(1)) == 2**163


@pytest.mark.parametrize("sensitivity", [1, 3, 255**2, Fraction(9, 4)])
@pytest.mark.parametrize("units", [10_000, 2**30 - 1, 2**30, 16_463_051_015])
def test_the_scale_bought_is_the_smallest_one_the_units_pay_for(units: int, sensitivity: int | Fraction) -> None:
    scale = scale_for_units(units, sensitivity)
    assert cost_units(sensitivity, scale) <= units
    assert scale == 1 or cost_units(sensitivity, scale - STEP) > units


def test_a_rich_budget_buys_scale_one_and_no_less() -> None:
    assert scale_for_units(UNITS_PER_RHO // 2, 1) == 1
    assert scale_for_units(UNITS_PER_RHO // 2 - 1, 1) == 1 + STEP
    assert scale_for_units(10**30, 1) == 1


@pytest.mark.parametrize("units", [0, -1, True, 1.0])
def test_nothing_buys_no_scale(units: object) -> None:
    with pytest.raises(RefusedError):
        scale_for_units(units, 1)  # type: ignore[arg-type]


def test_a_budget_too_small_for_the_largest_scale_is_refused() -> None:
    at_the_bound = 2 * (2**40) ** 2 // UNITS_PER_RHO
    assert scale_for_units(1, at_the_bound) == MAX_SCALE
    with pytest.raises(RefusedError, match="too small"):
        scale_for_units(1, at_the_bound + 1)


@pytest.mark.parametrize(
    ("epsilon", "rho", "counts_at_scale_20"), [(1, 0.015, 11), (2, 0.056, 44), (4, 0.206, 165), (8, 0.733, 586)]
)
def test_the_published_budgets_come_out(epsilon: int, rho: float, counts_at_scale_20: int) -> None:
    units = units_for_epsilon(Fraction(epsilon))
    assert round(units / UNITS_PER_RHO, 3) == rho
    assert units // cost_units(1, Fraction(20)) == counts_at_scale_20


def test_epsilon_one_is_plus_or_minus_eleven_on_a_count() -> None:
    assert noise_interval(scale_for_units(units_for_epsilon(Fraction(1)), 1), law="gaussian").half_width == 11


@pytest.mark.parametrize("epsilon", [Fraction(1, 100), Fraction(1, 2), Fraction(1), Fraction(7), Fraction(100)])
@pytest.mark.parametrize("delta", [DELTA, Fraction(1, 10**6)])
def test_an_epsilon_buys_the_last_unit_it_can_and_not_one_more(epsilon: Fraction, delta: Fraction) -> None:
    units = units_for_epsilon(epsilon, delta)
    assert epsilon_view(units, delta) <= epsilon < epsilon_view(units + 1, delta)


def test_the_epsilon_view_agrees_with_the_libraries_own_example_from_above() -> None:
    # sigma = 4 is rho = 1/32; OpenDP 0.16.0 prints 1.1429257095713568 at delta 1e-6.
    assert epsilon_view(UNITS_PER_RHO // 32, Fraction(1, 10**6)) == Fraction("1.142926")


def test_the_epsilon_view_lies_below_the_textbook_bound() -> None:
    """Bun and Steinke (2016), Proposition 1.3: rho + 2 sqrt(rho ln(1 / delta)); ours is the sharper one."""
    for rho in (Fraction(1, 1000), Fraction(1, 10), Fraction(3)):
        textbook = float(rho) + 2 * math.sqrt(float(rho) * math.log(1e9))
        assert 0.8 * textbook < epsilon_view(int(rho * UNITS_PER_RHO)) < textbook


def test_the_epsilon_view_never_falls_as_the_units_grow() -> None:
    views = [epsilon_view(units) for units in range(10**10, 10**10 + 200)]
    assert views == sorted(views)


def test_nothing_spent_reads_as_epsilon_zero_and_one_unit_as_more() -> None:
    assert epsilon_view(0) == 0
    assert epsilon_view(1) > 0
    with pytest.raises(UsageError):
        epsilon_view(-1)


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1, 10**9)])
def test_a_delta_that_is_no_probability_has_no_view(delta: Fraction) -> None:
    with pytest.raises(UsageError):
        epsilon_view(1, delta)
    with pytest.raises(UsageError):
        units_for_epsilon(Fraction(1), delta)


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(-1), Fraction(101), Fraction(1, 10**6)])
def test_an_epsilon_that_is_out_of_range_or_buys_nothing_is_refused(epsilon: Fraction) -> None:
    with pytest.raises(UsageError):
        units_for_epsilon(epsilon)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", Fraction(1)), ("0.1", Fraction(1, 10)), ("100", Fraction(100)), ("0.000001", Fraction(1, 10**6))],
)
def test_an_epsilon_is_read_exactly(text: str, value: Fraction) -> None:
    assert parse_epsilon(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "0.0", "-1", "+1", " 1", "1 ", "1\n", "1.", ".5", "1e3", "1/2", "1_0", "inf", "nan", "1,5"),
        *("0x1", "1000", "100.000001", "0.0000001", "\u0663"),
    ],
)
def test_an_epsilon_that_is_not_a_plain_decimal_in_range_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_epsilon(text)
    assert "\n" not in str(refusal.value)


def test_delta_may_be_a_tenth_of_one_person_and_no_more() -> None:
    check_delta(Fraction(1, 10_000), capacity=1000)
    for too_large in (Fraction(1, 9_999), Fraction(0), Fraction(-1, 10_000)):
        with pytest.raises(UsageError):
            check_delta(too_large, capacity=1000)
    with pytest.raises(UsageError):
        check_delta(DELTA, capacity=0)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("one", "`one` is not a number"),
        ("1e0", "`1e0` has an exponent"),
        ("1e308", "`1e308` has an exponent"),
        ("0,5", "`0,5` has a comma where a point belongs"),
        ("0", "`0` is not above 0"),
        ("0.0", "`0.0` is not above 0"),
        ("-1", "`-1` is not above 0"),
        ("nan", "`nan` is not a number"),
        ("inf", "`inf` is not a number"),
        ("", "`` is empty"),
        (" 1", "` 1` is not a number"),
        ("100.000001", "`100.000001` is above 100"),
        ("1000", "`1000` is above 100"),
        ("0.1234567", "`0.1234567` has more than 6 decimals"),
        ("\u0661", "`\u0661` is not a number"),
    ],
)
def test_a_mistyped_epsilon_is_told_what_is_wrong_and_how_it_is_written(text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_epsilon(text)
    assert str(caught.value) == f"epsilon {wrong}; write a plain decimal above 0 and at most 100, such as 1 or 0.5"
