import math

import numpy as np
import pytest

from cleanroom.catalogue.arm import Arm, Span, effect, mean_span
from cleanroom.privacy.combination import reach as combined
from cleanroom.privacy.law import Law
from tests.reference.least_held import least_held

LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SHARE = Span(0.0, 1.0)
ALPHA = 0.05


def exact(total: float, people: float, bounds: Span = SHARE) -> Arm:
    return Arm(total, people, bounds, total_scale=1.0)


def drawn(luck: np.random.Generator, law: Law, share: float, people: int, scale: float, cells: int) -> Arm:
    """A group of a histogram of so many cells."""
    noise = np.round((luck.normal if law == "gaussian" else luck.laplace)(0.0, scale, cells))
    total, everybody = luck.binomial(people, share) + noise[0], people + noise.sum()
    return Arm(float(total), float(everybody), SHARE, scale, scale, cells, inside=True)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("people", "scale"), [(60, 1.0), (5000, 11.0)])
@pytest.mark.parametrize(("test", "control"), [(0.5, 0.4), (0.05, 0.05), (0.9, 0.99)])
def test_means_difference_and_ratio_are_inside(
    law: Law, people: int, scale: float, test: float, control: float
) -> None:
    luck, draws, held = np.random.default_rng(7), 30, np.zeros(4)
    for _ in range(draws):
        arms = [drawn(luck, law, share, people, scale, 4) for share in (test, control)]
        found = effect(*arms, law=law, alpha=ALPHA)
        spans = [mean_span(arm, law, ALPHA) for arm in arms]
        held[:2] += [span.low <= share <= span.high for span, share in zip(spans, (test, control), strict=True)]
        held[2] += found is None or found.difference.low <= test - control <= found.difference.high
        held[3] += found is None or found.ratio is None or found.ratio.low <= test / control <= found.ratio.high
    assert min(held / draws) >= least_held(draws)


def test_a_difference_is_narrower_than_two_groups_apart() -> None:
    test, control = exact(3000, 10_000), exact(2000, 10_000)
    found = effect(test, control, law="gaussian", alpha=ALPHA)
    assert found is not None
    apart = mean_span(test, "gaussian", ALPHA).high - mean_span(control, "gaussian", ALPHA).low
    assert found.difference.high < 0.9 * (apart - 0.1) + 0.1
    assert found.difference.low < 0.1 < found.difference.high


@pytest.mark.parametrize("law", LAWS)
def test_where_noise_drowns_chance_the_intervals_are_those_of_the_noise(law: Law) -> None:
    """A million people: chance moves a half by 0.0005, noise by 0.03. A tenth of the doubt is kept back, or a fifth."""
    people, scale = 1_000_000, 30_000.0
    alone = Arm(people / 2, people, SHARE, scale)
    one = mean_span(alone, law, ALPHA)
    assert (one.high - one.low) / 2 == pytest.approx(scale / people * combined(law, 0.9 * ALPHA), rel=0.01)
    found = effect(alone, alone, law=law, alpha=ALPHA)
    assert found is not None
    far = math.sqrt(2) * scale / people * combined(law, 0.8 * ALPHA, equal_weights=2)
    assert found.difference.high == pytest.approx(far, rel=0.01)
    assert found.difference.low == pytest.approx(-far, rel=0.01)


def test_noise_in_the_number_of_people_widens_even_where_chance_is_large() -> None:
    narrow, wide = (
        effect(
            Arm(3000, 10_000, SHARE, 1.0, scale, 1),
            Arm(2000, 10_000, SHARE, 1.0, scale, 1),
            law="gaussian",
            alpha=ALPHA,
        )
        for scale in (1.0, 300.0)
    )
    assert narrow is not None
    assert wide is not None
    assert wide.difference.low < narrow.difference.low < narrow.difference.high < wide.difference.high


def test_the_variance_is_the_largest_that_the_mean_allows() -> None:
    """One in a hundred: 0.01 * 0.99 instead of a quarter; the round that finds it leaves a few percent on top."""
    rare = mean_span(exact(10_000, 1_000_000), "gaussian", ALPHA)
    even = mean_span(exact(500_000, 1_000_000), "gaussian", ALPHA)
    assert (rare.high - rare.low) / (even.high - even.low) == pytest.approx((0.01 * 0.99 / 0.25) ** 0.5, rel=0.05)


def test_means_of_amounts_scale_with_their_bounds() -> None:
    one, hundred = exact(300, 1000), Arm(30_000, 1000, Span(0.0, 100.0), total_scale=100.0)
    first, second = (mean_span(arm, "laplace", ALPHA) for arm in (one, hundred))
    assert second.low == pytest.approx(100 * first.low)
    assert second.high == pytest.approx(100 * first.high)


def test_a_group_that_may_be_empty_has_no_effect_and_all_of_the_bounds() -> None:
    nobody = Arm(3.0, 20.0, SHARE, 11.0, 11.0, 6, inside=True)
    assert effect(nobody, exact(5, 1000), law="gaussian", alpha=ALPHA) is None
    assert effect(exact(5, 1000), nobody, law="gaussian", alpha=ALPHA) is None
    assert mean_span(nobody, "gaussian", ALPHA) == SHARE


def test_a_ratio_needs_a_control_group_that_certainly_has_something() -> None:
    some, little = exact(300, 1000), exact(2, 1000)
    found = effect(some, little, law="gaussian", alpha=ALPHA)
    assert found is not None
    assert found.ratio is None
    turned = effect(little, some, law="gaussian", alpha=ALPHA)
    assert turned is not None
    assert turned.ratio is not None
    assert turned.ratio.low <= 2 / 300 <= turned.ratio.high < 0.2


def test_a_draw_that_fits_no_mean_says_nothing() -> None:
    assert mean_span(exact(-500, 1000), "gaussian", ALPHA) == SHARE
    assert mean_span(exact(5000, 1000), "gaussian", ALPHA) == SHARE


def test_each_group_s_size_takes_a_twentieth_of_all_doubt() -> None:
    """Where nobody may be in a group, nothing is told of it."""
    nobody = 1000.0 * combined("gaussian", ALPHA / 20)
    for people, told in ((0.99 * nobody, False), (1.01 * nobody, True)):
        arm = Arm(100.0, people, SHARE, 1.0, 1000.0, 1)
        assert (effect(arm, arm, law="gaussian", alpha=ALPHA) is not None) == told
