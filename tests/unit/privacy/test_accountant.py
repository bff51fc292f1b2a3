"""Both accountants by numbers worked out by hand, at each bound, and against each other."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy import budget, interval
from cleanroom.privacy.accountant import ACCOUNTANTS, UNITS, Accountant, accountant
from cleanroom.privacy.budget import MAX_SCALE

STEP = Fraction(1, 1024)
PURE, ZCDP = accountant("pure"), accountant("zcdp")
BOTH = pytest.mark.parametrize("of", [PURE, ZCDP], ids=lambda one: one.name)


def test_an_interval_is_never_of_a_law_that_nobody_named() -> None:
    """A Laplace interval is half as wide again: the wrong law would promise too much."""
    assert PURE.noise_interval(Fraction(10)).half_width > ZCDP.noise_interval(Fraction(10)).half_width
    with pytest.raises(TypeError, match="law"):
        interval.noise_interval(Fraction(10))


def test_a_contract_names_one_of_two_accountants() -> None:
    assert [accountant(name).name for name in ACCOUNTANTS] == ["zcdp", "pure"]
    for name in ("", "Pure", "rdp", "zcdp "):
        with pytest.raises(UsageError, match="zcdp, pure"):
            accountant(name)


def test_a_pure_count_costs_one_over_its_scale() -> None:
    assert PURE.cost_units(1, Fraction(1)) == UNITS
    assert PURE.cost_units(1, Fraction(1024)) == 2**30
    assert PURE.cost_units(7, Fraction(7)) == UNITS
    assert PURE.cost_units(1, Fraction(3)) == UNITS // 3 + 1


def test_the_gaussian_costs_are_those_of_the_budget() -> None:
    for sensitivity, scale in ((1, Fraction(1)), (5, Fraction(3)), (255, Fraction(10_001, 1024))):
        assert ZCDP.cost_units(sensitivity, scale) == budget.cost_units(sensitivity**2, scale)


@BOTH
@pytest.mark.parametrize("sensitivity", [1, 3, 255])
@pytest.mark.parametrize("units", [10_000, 2**30 - 1, 2**30, 2**40])
def test_the_scale_bought_is_the_smallest_one_the_units_pay_for(of: Accountant, units: int, sensitivity: int) -> None:
    scale = of.scale_for_units(units, sensitivity)
    assert of.cost_units(sensitivity, scale) <= units
    assert scale == 1 or of.cost_units(sensitivity, scale - STEP) > units


def test_a_pure_budget_too_small_for_the_largest_scale_is_refused() -> None:
    assert PURE.scale_for_units(1, 1) == MAX_SCALE
    with pytest.raises(RefusedError, match="too small"):
        PURE.scale_for_units(1, 2)


@BOTH
def test_numbers_outside_the_rules_have_no_price(of: Accountant) -> None:
    for sensitivity in (0, -1, True, 1.0, 2**62 + 1):
        with pytest.raises(RefusedError):
            of.cost_units(sensitivity, Fraction(1))  # type: ignore[arg-type]
        with pytest.raises(RefusedError):
            of.scale_for_units(2**40, sensitivity)  # type: ignore[arg-type]
    assert of.cost_units(2**62, Fraction(1)) > 0
    for scale in (Fraction(0), 1 - STEP, MAX_SCALE + STEP, Fraction(10, 3), 1.0, math.nan):
        with pytest.raises(RefusedError):
            of.cost_units(1, scale)  # type: ignore[arg-type]
    for units in (0, -1, True, 1.0):
        with pytest.raises(RefusedError):
            of.scale_for_units(units, 1)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("epsilon", [Fraction(1, 100), Fraction(1, 10), Fraction(1), Fraction(100)])
def test_an_epsilon_buys_the_last_unit_it_can_and_not_one_more(of: Accountant, epsilon: Fraction) -> None:
    units = of.units_for_epsilon(epsilon)
    assert of.epsilon_view(units) <= epsilon < of.epsilon_view(units + 1)


def test_a_pure_reading_is_exact_and_its_delta_is_nothing() -> None:
    assert PURE.epsilon_view(UNITS) == 1
    assert PURE.epsilon_view(3) == Fraction(3, 2**40)
    assert PURE.delta == 0
    assert ZCDP.delta == Fraction(1, 10**9)


@BOTH
def test_an_epsilon_out_of_range_or_that_buys_nothing_is_refused(of: Accountant) -> None:
    for epsilon in (Fraction(0), Fraction(-1), 100 + STEP, Fraction(1, 2**41)):
        with pytest.raises(UsageError):
            of.units_for_epsilon(epsilon)
    for units in (-1, True, 1.0):
        with pytest.raises(UsageError):
            of.epsilon_view(units)  # type: ignore[arg-type]


def test_pure_is_the_better_choice_for_fewer_than_fourteen_counts_of_one_epsilon() -> None:
    """By the 95% interval of each; by standard deviation, sqrt(2) counts against 5.78 sqrt(counts), fewer than 17."""

    def half_width(of: Accountant, counts: int) -> int:
        return of.noise_interval(of.scale_for_units(of.units_for_epsilon(Fraction(1)) // counts, 1)).half_width

    assert all(half_width(PURE, counts) < half_width(ZCDP, counts) for counts in range(1, 14))
    assert half_width(PURE, 14) == half_width(ZCDP, 14)
    assert all(half_width(PURE, counts) > half_width(ZCDP, counts) for counts in range(15, 60))


@BOTH
@pytest.mark.parametrize("cells", [1, 20])
@pytest.mark.parametrize("level", [Fraction(1, 2), Fraction(95, 100), Fraction(999, 1000)])
@pytest.mark.parametrize("half_width", [50, 5000, 10**9])
def test_a_wished_accuracy_gets_the_most_noise_that_keeps_it(
    of: Accountant, half_width: int, level: Fraction, cells: int
) -> None:
    scale = of.scale_for_half_width(half_width, level=level, cells=cells)
    assert of.noise_interval(scale, level=level, cells=cells).half_width <= half_width
    assert of.noise_interval(scale + STEP, level=level, cells=cells).half_width > half_width


@BOTH
def test_a_wish_no_noise_can_meet_names_the_nearest_possible(of: Accountant) -> None:
    narrowest = of.noise_interval(Fraction(1)).half_width
    assert of.noise_interval(of.scale_for_half_width(narrowest)).half_width == narrowest
    for wish in (narrowest - 1, 0, -5, True):
        with pytest.raises(UsageError, match=f"plus or minus {narrowest}$"):
            of.scale_for_half_width(wish)


@BOTH
def test_a_wish_wider_than_the_largest_noise_gets_the_largest_noise(of: Accountant) -> None:
    widest = of.noise_interval(MAX_SCALE).half_width
    for wish in (widest, 10**30, 10**400):
        assert of.scale_for_half_width(wish) == MAX_SCALE
    assert of.scale_for_half_width(widest - 1) < MAX_SCALE


@BOTH
def test_replacing_a_value_costs_what_the_distance_between_two_values_costs(of: Accountant) -> None:
    """A histogram row moves two cells by 1: squares add to 2, sizes to 2. A centred value moves by twice its bound."""
    scale, bound = Fraction(64), 3
    one_cell, centred = of.cost_units(1, scale), of.cost_units(bound, scale)
    two_cells = budget.cost_units(2, scale) if of is ZCDP else PURE.cost_units(2, scale)
    assert of.replace_one_units(one_cell, centred=False) == two_cells
    assert of.replace_one_units(centred, centred=True) == of.cost_units(2 * bound, scale)
    with pytest.raises(UsageError):
        of.replace_one_units(-1, centred=False)


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(3, 2), Fraction(17), Fraction(10**6)])
def test_the_laplace_interval_is_the_smallest_one_by_the_law(scale: Fraction) -> None:
    """P(|x| <= h), summed from P(x) = (1 - q) / (1 + q) q^|x| in 28 digits."""
    q = (-1 / (Decimal(scale.numerator) / scale.denominator)).exp()

    def inside(half_width: int) -> Decimal:
        return 1 - 2 * q ** (half_width + 1) / (1 + q)

    centre = (1 - q) / (1 + q)
    assert abs(inside(0) - centre) < Decimal("1e-20")
    assert abs(inside(2) - centre * (1 + 2 * q + 2 * q * q)) < Decimal("1e-20")
    found = PURE.noise_interval(scale)
    assert inside(found.half_width) >= Decimal("0.95") > inside(found.half_width - 1)
    assert 0 <= Fraction(inside(found.half_width)) - found.coverage < Fraction(3, 10**12)


def test_ten_tenths_fit_an_epsilon_of_one_and_the_eleventh_does_not() -> None:
    """The classic float trap: ten times 0.1 added up is not 1.0, and neither side of it may be wrong here."""
    cap = PURE.units_for_epsilon(budget.parse_epsilon("1.0"))
    tenth = PURE.units_for_epsilon(budget.parse_epsilon("0.1"))
    cost = PURE.cost_units(1, PURE.scale_for_units(tenth, 1))
    assert 10 * tenth <= cap < 11 * tenth
    assert 10 * cost <= cap < 11 * cost
