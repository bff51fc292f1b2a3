"""A mean from noisy numbers: exact coverage by adding up every draw, and what is said when there is nothing to say."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.answer.mean import Mean, mean
from cleanroom.answer.spread import reach, spread
from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.law import Law
from tests.reference.combined_law import chance_at_least, one_noise
from tests.unit.answer.measures import measure

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SPEND = measure()


def found(centred_sum: int, count: int, **changes: Any) -> Mean:
    """The mean of 0 to 100 with noise of scale 40 on the sum and 2 on the count, unless something else is asked."""
    given_ = {"column": SPEND, "scale_sum": Fraction(40), "scale_count": Fraction(2), "law": "gaussian", **changes}
    return mean(centred_sum=centred_sum, count=count, **given_)


def test_the_value_is_the_middle_plus_sum_over_count() -> None:
    assert found(300, 200).value == Decimal("51.5")
    assert found(-300, 200).value == Decimal("48.5")
    uneven = measure("0", "7", "0.5")  # 14 steps: the middle is 7 steps
    assert found(10, 20, column=uneven).value == Decimal("3.75")
    odd = measure("0", "15")  # the middle is 7
    assert found(10, 20, column=odd).value == Decimal("7.5")


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(
    ("people", "total", "scale_sum", "scale_count"),
    [
        (12, 0, Fraction(1), Fraction(1)),
        (12, 24, Fraction(2), Fraction(1)),
        (9, -18, Fraction(5, 4), Fraction(1)),
        (7, 14, Fraction(1), Fraction(3, 2)),
        (4, -5, Fraction(2), Fraction(1)),
    ],
)
def test_the_truth_is_inside_with_at_least_95_percent_over_every_possible_draw(
    law: Law, people: int, total: int, scale_sum: Fraction, scale_count: Fraction
) -> None:
    column = measure("0", "4")
    truth = Decimal(2) + Decimal(total) / people
    missed = 0.0
    for x, chance in one_noise(law, scale_sum).items():
        for y, other in one_noise(law, scale_count).items():
            if chance * other > 1e-9:
                scales: dict[str, Any] = {"scale_sum": scale_sum, "scale_count": scale_count, "law": law}
                shown = found(total + x, people + y, column=column, **scales)
                missed += 0.0 if shown.low <= truth <= shown.high else chance * other
            else:
                missed += chance * other
    assert missed <= 0.05


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("centred_sum", "count"), [(60, 12), (-31, 9), (0, 30), (118, 25)])
def test_every_mean_that_the_exact_law_allows_is_in_the_interval_and_few_others(
    law: Law, centred_sum: int, count: int
) -> None:
    """Held to the test itself, theta by theta: the chance of noise as large, over all pairs of draws."""
    column, sums, counts = measure("0", "12"), one_noise(law, Fraction(6)), one_noise(law, Fraction(1))
    shown = found(centred_sum, count, column=column, scale_sum=Fraction(6), scale_count=Fraction(1), law=law)
    allowed = [
        theta
        for theta in (step / 8 for step in range(-48, 49))
        if chance_at_least(abs(centred_sum - theta * count), sums, counts, theta) > 0.05
    ]
    assert float(shown.low) <= 6 + min(allowed)
    assert 6 + max(allowed) <= float(shown.high)
    width = max(allowed) - min(allowed)
    assert float(shown.high - shown.low) <= 1.1 * width + 0.5


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("centred_sum", [-480, 250, 480])
def test_no_mean_is_lost_between_the_points_where_the_width_is_known(law: Law, centred_sum: int) -> None:
    """Here the count's noise is the larger part, so the width changes most from point to point."""
    shown = found(centred_sum, 40, scale_sum=Fraction(1), scale_count=Fraction(4), law=law)
    first, second = spread(law, Fraction(1)), spread(law, Fraction(4))
    allowed = [
        theta
        for theta in (step / 8 for step in range(-400, 401))
        if abs(centred_sum - theta * 40) <= reach(first, second, theta, 0.05)
    ]
    assert float(shown.low) <= 50 + min(allowed)
    assert 50 + max(allowed) <= float(shown.high)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [Fraction(1), Fraction(2), Fraction(20)], ids=str)
def test_a_mean_is_undefined_exactly_where_the_count_s_interval_reaches_zero(law: Law, scale: Fraction) -> None:
    half_width = noise_interval(scale, law=law).half_width
    inside = found(5, half_width, scale_count=scale, law=law)
    assert [inside.value, inside.shown, inside.low, inside.high] == [None, None, 0, 100]
    assert "undefined" in inside.note
    assert found(5, half_width + 1, scale_count=scale, law=law).value is not None
    assert found(-5, -half_width - 1, scale_count=scale, law=law).value is None


def test_the_raw_value_may_leave_the_bounds_and_what_is_shown_does_not() -> None:
    above = found(1045, 20)
    assert [above.value, above.shown, above.high] == [Decimal("102.25"), 100, 100]
    assert "outside" in above.note
    at_the_bound = found(1000, 20)
    assert [at_the_bound.value, at_the_bound.shown] == [100, 100]
    assert "outside" not in at_the_bound.note


def test_a_draw_that_fits_no_mean_at_all_says_that_nothing_is_known() -> None:
    rare = found(100_000, 200)
    assert [rare.low, rare.high, rare.shown] == [0, 100, 100]
    assert "nothing is known" in rare.note


@given(centred_sum=st.integers(-4000, 4000), count=st.integers(10, 300), law=st.sampled_from(LAWS))
@settings(max_examples=60, deadline=None)
def test_an_interval_holds_what_is_shown_and_stays_within_the_bounds(centred_sum: int, count: int, law: Law) -> None:
    shown = found(centred_sum, count, law=law)
    assert shown.value is not None
    assert shown.shown is not None
    assert 0 <= shown.low <= shown.shown <= shown.high <= 100


@given(centred_sum=st.integers(-3000, 3000), more=st.integers(0, 500), count=st.integers(80, 300))
@settings(max_examples=60, deadline=None)
def test_more_in_the_sum_never_lowers_the_mean_or_its_interval(centred_sum: int, more: int, count: int) -> None:
    less, greater = found(centred_sum, count), found(centred_sum + more, count)
    assert less.value is not None
    assert greater.value is not None
    assert less.value <= greater.value
    assert less.low <= greater.low
    assert less.high <= greater.high


@given(centred_sum=st.integers(-3000, 3000), count=st.integers(10, 300), law=st.sampled_from(LAWS))
@settings(max_examples=60, deadline=None)
def test_the_same_people_seen_in_a_mirror_have_the_mirrored_mean(centred_sum: int, count: int, law: Law) -> None:
    one, other = found(centred_sum, count, law=law), found(-centred_sum, count, law=law)
    assert one.value is not None
    assert other.value is not None
    assert one.value + other.value == 100
    assert one.low + other.high == one.high + other.low == 100


@given(centred_sum=st.integers(-3000, 3000), count=st.integers(10, 300), shift=st.integers(-50, 50))
@settings(max_examples=30, deadline=None)
def test_bounds_moved_by_a_constant_move_everything_by_it(centred_sum: int, count: int, shift: int) -> None:
    here = found(centred_sum, count)
    there = found(centred_sum, count, column=measure(str(shift), str(shift + 100)))
    assert here.value is not None
    assert (there.value, there.low, there.high) == (here.value + shift, here.low + shift, here.high + shift)


@given(scale=st.integers(1, 20), more=st.integers(0, 20), law=st.sampled_from(LAWS))
@settings(max_examples=8, deadline=None)
def test_more_noise_never_narrows_an_interval(scale: int, more: int, law: Law) -> None:
    def width(scale_sum: int) -> Decimal:
        shown = found(900, 100, scale_sum=Fraction(scale_sum), law=law)
        return shown.high - shown.low

    assert width(scale) <= width(scale + more) + Decimal("0.001")


def test_large_numbers_are_as_near_to_the_normal_interval_as_their_grid_allows() -> None:
    """Where noise is smooth and the count far from 0, Fieller's interval is the familiar one."""
    column = measure("0", "1000000", "0.01")
    shown = found(10**12, 10**6, column=column, scale_sum=Fraction(20 * 50_000_000), scale_count=Fraction(20))
    assert shown.value == Decimal(510_000)
    normal = 1.959964 * math.hypot(20 * 500_000, 20 * 10_000) / 10**6
    assert 1.0 <= float(shown.high - shown.low) / (2 * normal) < 1.01


def test_the_json_value_is_small_and_keeps_its_keys() -> None:
    body = found(300, 200).body(by="DE")
    assert list(body) == ["kind", "by", "defined", "value", "shown", "low", "high", "coverage", "note"]
    assert (body["kind"], body["by"], body["defined"], body["value"], body["shown"]) == ("mean", "DE", True, 51.5, 51.5)
    assert body["coverage"] == 0.95
    nothing = found(5, 1).body(by=None)
    assert (nothing["by"], nothing["defined"], nothing["value"], nothing["shown"]) == (None, False, None, None)
    assert (nothing["low"], nothing["high"]) == (0, 100)


def test_a_higher_level_is_a_wider_interval_and_is_named() -> None:
    ordinary, strict = found(300, 200), found(300, 200, level=Fraction(995, 1000))
    assert strict.low < ordinary.low < ordinary.high < strict.high
    assert "99.5%" in strict.note
    assert strict.coverage == Fraction(995, 1000)


def test_forged_scales_and_levels_are_refused() -> None:
    for forged in (Fraction(1, 2), Fraction(10, 3)):
        with pytest.raises(RefusedError):
            found(5, 100, scale_sum=forged)
        with pytest.raises(RefusedError):
            found(5, 100, scale_count=forged)
    for level in (Fraction(0), Fraction(1), 1 - Fraction(1, 10**7)):
        with pytest.raises(UsageError):
            found(5, 100, level=level)
