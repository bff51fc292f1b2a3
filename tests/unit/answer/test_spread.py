"""How far noise may move a sum less a multiple of another: held to a sum over all pairs of outcomes."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.answer.spread import chance_beyond, checked_alpha, reach, spread
from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.law import Law
from tests.reference.combined_law import chance_at_least, one_noise, summed_noise

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SMALL = (Fraction(1), Fraction(3, 2), Fraction(4))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SMALL, ids=str)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_law_of_a_sum_is_the_sum_over_all_outcomes(law: Law, scale: Fraction, count: int) -> None:
    exact = summed_noise(law, scale, count)
    found = spread(law, scale, count)
    for distance in range(len(found.beyond)):
        tail = math.fsum(chance for x, chance in exact.items() if x > distance)
        assert math.isclose(found.beyond[distance], tail, abs_tol=1e-13)
    variance = math.fsum(x * x * chance for x, chance in exact.items())
    assert math.isclose(found.deviation, math.sqrt(variance), rel_tol=1e-9)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("count", "others"), [(1, 1), (2, 3)])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 1 / 3, 1.0, 2.75, -2.75, 9.0])
def test_a_chance_is_never_understated_and_hardly_overstated(law: Law, count: int, others: int, ratio: float) -> None:
    """Overstated by less than half a step of smoothing and one in a hundred of width would do."""
    for scale in (Fraction(1), Fraction(3)):
        first, second = summed_noise(law, scale, count), summed_noise(law, Fraction(3, 2), others)
        wide = math.hypot(float(scale), 1.5 * ratio) * math.sqrt(max(count, others))
        for factor in (0.5, 1.0, 2.0, 3.0):
            distance = factor * wide
            found = chance_beyond(distance, spread(law, scale, count), spread(law, Fraction(3, 2), others), ratio)
            assert found >= chance_at_least(distance - 1e-9, first, second, ratio)
            nearer = 0.97 * distance - 1.0
            assert nearer <= 0 or found <= chance_at_least(nearer, first, second, ratio) + 1e-7


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SMALL, ids=str)
@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.0, 7.3])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
def test_noise_stays_within_reach_as_often_as_asked(law: Law, scale: Fraction, ratio: float, alpha: float) -> None:
    found = reach(spread(law, scale), spread(law, Fraction(2)), ratio, alpha)
    exact = chance_at_least(found + 1e-9, one_noise(law, scale), one_noise(law, Fraction(2)), ratio)
    assert exact <= alpha


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [*SMALL, Fraction(50), Fraction(256), Fraction(257), Fraction(10**7)], ids=str)
def test_the_reach_of_one_noise_is_the_interval_of_one_number(law: Law, scale: Fraction) -> None:
    half_width = noise_interval(scale, law=law).half_width
    found = reach(spread(law, scale), None, 0.0, 0.05)
    assert half_width <= found <= half_width + 1 + float(scale) / 250


@pytest.mark.parametrize("scale", [257, 5000, 10**9])
@pytest.mark.parametrize("count", [1, 40])
def test_a_large_gaussian_tends_to_the_normal_law_from_above(scale: int, count: int) -> None:
    big = spread("gaussian", Fraction(scale), count)
    normal = 1.959964 * scale * math.sqrt(count) * math.hypot(1.0, 0.7)
    assert 1.0 <= reach(big, big, 0.7, 0.05) / normal < 1.02


@pytest.mark.parametrize("law", LAWS)
def test_the_coarse_grid_begins_without_a_jump(law: Law) -> None:
    fine, coarse = (spread(law, Fraction(scale), 10) for scale in (256, 257))
    assert (fine.grid, fine.slack, coarse.grid) == (1, 0.0, 1)
    onto = spread(law, Fraction(512), 10)
    assert onto.grid == 3
    ratio = reach(onto, onto, 0.5, 0.05) / reach(fine, fine, 0.5, 0.05)
    assert 2.0 <= ratio < 2.0 * 1.03


@given(ratio=st.floats(0, 50), more=st.floats(0, 50), law=st.sampled_from(LAWS))
@settings(max_examples=40, deadline=None)
def test_a_larger_multiple_reaches_as_far_at_least(ratio: float, more: float, law: Law) -> None:
    first, second = spread(law, Fraction(2)), spread(law, Fraction(3))
    assert reach(first, second, ratio, 0.05) <= reach(first, second, ratio + more, 0.05) * (1 + 1e-6)


def test_scales_far_apart_do_not_overflow() -> None:
    found = reach(spread("gaussian", Fraction(1)), spread("gaussian", Fraction(2**40)), float(2**31), 0.05)
    assert 1.95 < found / 2.0**71 < 2.0


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(1023, 1024), Fraction(10, 3)])
def test_a_forged_scale_has_no_spread(scale: Fraction) -> None:
    with pytest.raises(RefusedError):
        spread("gaussian", scale)


def test_limits_of_cells_and_levels_are_kept_on_both_sides() -> None:
    assert len(spread("gaussian", Fraction(1), 2**16).beyond) > 256
    for count in (0, 2**16 + 1):
        with pytest.raises(UsageError):
            spread("gaussian", Fraction(1), count)
    assert checked_alpha(1 - Fraction(1, 10**6)) == 1e-6
    assert checked_alpha(Fraction(1, 10)) == 0.9
    for level in (Fraction(0), 1 - Fraction(9, 10**7), Fraction(1)):
        with pytest.raises(UsageError):
            checked_alpha(level)
