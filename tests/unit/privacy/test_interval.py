import math
from decimal import Decimal
from fractions import Fraction

import pytest

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy import interval
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.interval import NoiseInterval
from tests.reference.discrete_gaussian_law import probabilities, smallest_interval

noise_interval = accountant("zcdp").noise_interval
SCALES = [Fraction(1), Fraction(1025, 1024), Fraction(3, 2), Fraction(2), Fraction(5918, 1024), Fraction(50)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("level", [Fraction(1, 2), Fraction(95, 100), Fraction(999, 1000)])
def test_the_interval_is_the_smallest_one_by_the_law_in_fifty_digits(scale: Fraction, level: Fraction) -> None:
    half_width, inside = smallest_interval(scale, Decimal(level.numerator) / level.denominator)
    found = noise_interval(scale, level=level)
    assert found.half_width == half_width
    assert 0 <= Fraction(inside) - found.coverage < Fraction(3, 10**12)


def test_at_scale_one_two_steps_either_side_cover_99_percent() -> None:
    found = noise_interval(Fraction(1))
    assert (found.half_width, round(float(found.coverage), 4)) == (2, 0.9909)


def test_the_normal_interval_would_have_covered_too_little() -> None:
    """At this scale 1.96 sigma, rounded to the grid, is one step short."""
    scale = Fraction(1024 + 512, 1024)
    law = probabilities(scale)
    normal = int(Decimal("1.96") * 3 / 2)
    assert sum(law[x] for x in range(-normal, normal + 1)) < Decimal("0.95")
    assert noise_interval(scale).half_width == normal + 1


def test_the_two_ways_to_sum_the_tail_agree_where_they_meet() -> None:
    scale = Fraction(interval._SUMMED_UP_TO)
    summed, smooth = interval._summed_tail(scale), interval._smooth_tail(scale)
    for half_width in (0, 1, 100, 2048, 4014, 10_000):
        assert math.isclose(summed(half_width), smooth(half_width), rel_tol=1e-12)


@pytest.mark.parametrize("sigma", [2048, 2049, 10**6, 10**9, 2**40])
def test_a_large_scale_tends_to_the_normal_quantile(sigma: int) -> None:
    found = noise_interval(Fraction(sigma))
    assert abs(found.half_width / sigma - 1.959964) < 1 / sigma + 1e-6
    assert Fraction(95, 100) <= found.coverage < Fraction(95, 100) + Fraction(1, sigma)


@pytest.mark.parametrize("cells", [2, 20, 2**16])
def test_an_interval_for_many_cells_holds_them_all_at_once(cells: int) -> None:
    scale, level = Fraction(10), Fraction(95, 100)
    law = probabilities(scale)
    found = noise_interval(scale, cells=cells)

    def together(half_width: int) -> Decimal:
        return sum((law[x] for x in range(-half_width, half_width + 1)), Decimal(0)) ** cells

    assert together(found.half_width) >= Decimal("0.95") > together(found.half_width - 1)
    assert math.isclose(together(found.half_width), found.coverage, rel_tol=1e-9)
    assert found.coverage >= level


def test_an_interval_may_be_a_single_point() -> None:
    assert noise_interval(Fraction(1), level=Fraction(1, 3)) == NoiseInterval(
        0, noise_interval(Fraction(1), level=Fraction(1, 4)).coverage
    )


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(1023, 1024), Fraction(2**40 + 1), Fraction(10, 3)])
def test_a_forged_scale_has_no_interval(scale: Fraction) -> None:
    with pytest.raises(RefusedError):
        noise_interval(scale)


@pytest.mark.parametrize(
    "level", [Fraction(0), Fraction(-1, 2), 1 - Fraction(1, 10**9) + Fraction(1, 10**12), Fraction(1)]
)
def test_a_level_out_of_range_is_refused(level: Fraction) -> None:
    with pytest.raises(UsageError):
        noise_interval(Fraction(1), level=level)


def test_the_highest_level_and_the_most_cells_have_an_interval() -> None:
    found = noise_interval(Fraction(1), level=1 - Fraction(1, 10**9), cells=2**16)
    assert found.half_width < 12
    assert found.coverage >= 1 - Fraction(1, 10**9)
    for cells in (0, 2**16 + 1):
        with pytest.raises(UsageError):
            noise_interval(Fraction(1), cells=cells)
