import math

import numpy as np
import pytest

from cleanroom.catalogue.deviation import Noisy, Sampled, reach
from cleanroom.privacy import combination
from cleanroom.privacy.law import Law
from tests.reference.tail_laws import binomial_tails

LAWS: tuple[Law, ...] = ("gaussian", "laplace")


def share(people: int, probability: float) -> Sampled:
    return Sampled(people, probability * (1 - probability), 1.0)


@pytest.mark.parametrize("law", LAWS)
def test_noise_alone_is_bounded_as_combinations_are(law: Law) -> None:
    for count in (1, 2, 9):
        far = reach(law, noises=(Noisy(7.0, count),), samples=(), alpha=0.05)
        # One Laplace noise has a sharper bound of its own there; Chernoff's is the one for two or more.
        weights = count if count > 1 else None
        expected = 7.0 * math.sqrt(count) * combination.reach(law, 0.05, equal_weights=weights)
        assert far == pytest.approx(expected, rel=1e-4)
        assert far >= expected * (1 - 1e-9)


@pytest.mark.parametrize("people", [20, 300])
@pytest.mark.parametrize("probability", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
def test_chance_alone_is_bounded_against_the_exact_binomial(people: int, probability: float, alpha: float) -> None:
    far = reach("gaussian", noises=(), samples=(share(people, probability),), alpha=alpha)
    below, above = math.ceil(people * probability - far) - 1, math.floor(people * probability + far) + 1
    outside = 0.0
    if below >= 0:
        outside += float(binomial_tails(below, people, probability)[0])
    if above <= people:
        outside += float(binomial_tails(above, people, probability)[1])
    assert outside <= alpha


def test_noise_and_chance_add_up_as_squares_do_and_not_as_lengths() -> None:
    both = reach("gaussian", noises=(Noisy(30.0),), samples=(share(4000, 0.3),), alpha=0.05)
    noise = reach("gaussian", noises=(Noisy(30.0),), samples=(), alpha=0.05)
    chance = reach("gaussian", noises=(), samples=(share(4000, 0.3),), alpha=0.05)
    assert both == pytest.approx(math.hypot(noise, chance), rel=0.02)


def test_a_weight_stretches_a_sum() -> None:
    once = reach("gaussian", noises=(), samples=(share(500, 0.2),), alpha=0.05)
    twice = reach("gaussian", noises=(), samples=(share(500, 0.2).weighted(2.0),), alpha=0.05)
    assert twice == pytest.approx(2 * once, rel=1e-6)


def test_a_wide_range_of_rare_values_is_bounded_wider_than_a_normal_law_would() -> None:
    """Ten people of whom one in a hundred has 1000: Bennett's bound is far above 1.96 deviations, and must be."""
    sample = Sampled(10, 0.01 * 0.99 * 1000**2, 1000.0)
    far = reach("gaussian", noises=(), samples=(sample,), alpha=0.05)
    assert far > 2 * 1.96 * math.sqrt(10 * sample.variance)


def test_nothing_uncertain_reaches_nowhere() -> None:
    assert reach("laplace", noises=(Noisy(0.0),), samples=(share(50, 0.0),), alpha=0.05) == 0.0


@pytest.mark.parametrize("law", LAWS)
def test_noise_and_chance_together_stay_inside_as_often_as_stated(law: Law) -> None:
    luck = np.random.default_rng(3)
    far = reach(law, noises=(Noisy(2.0, 3),), samples=(share(40, 0.2),), alpha=0.2)
    kind = luck.normal if law == "gaussian" else luck.laplace
    errors = luck.binomial(40, 0.2, 20_000) - 8 + kind(0.0, 2.0, (20_000, 3)).sum(axis=1)
    assert np.mean(np.abs(errors) > far) <= 0.2


def test_a_value_that_hardly_anybody_has_does_not_break_the_search() -> None:
    sample = Sampled(10, 1e-9, 1e6)
    assert 0 < reach("gaussian", noises=(), samples=(sample,), alpha=0.05) < 1e7
