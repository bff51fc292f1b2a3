"""Our readings of privacy against dp-accounting, which composes privacy-loss distributions instead of zCDP.

Nothing random decides here: histories are drawn from a fixed seed, so there is no false alarm.
"""

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from dp_accounting.pld import privacy_loss_distribution
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

from cleanroom.privacy.accountant import Accountant, accountant
from cleanroom.privacy.overlap import overlap_delta

History = list[tuple[Fraction, int]]


def random_histories() -> list[History]:
    """50 lists of (noise scale, number of counts asked with it)."""
    choice = random.Random(20_260)  # noqa: S311 - a reproducible choice of examples, not a secret
    return [
        [(Fraction(choice.randint(4 * 1024, 120 * 1024), 1024), choice.randint(1, 30)) for _ in range(kinds)]
        for kinds in (choice.randint(1, 4) for _ in range(50))
    ]


def our_epsilon(history: History, of: Accountant) -> Fraction:
    return of.epsilon_view(sum(times * of.cost_units(1, scale) for scale, times in history))


def their_epsilon(
    history: History, one_answer: Callable[[Fraction], PrivacyLossDistribution], *, delta: float, truncated: float
) -> float:
    """At `delta`, when each composition may move as much as `truncated` of the tail to infinity."""
    composed = None
    for scale, times in history:
        one = one_answer(scale).self_compose(times, truncated)
        composed = one if composed is None else composed.compose(one, truncated)
    assert composed is not None
    return float(composed.get_epsilon_for_delta(delta))


def gaussian(scale: Fraction) -> PrivacyLossDistribution:
    return privacy_loss_distribution.from_discrete_gaussian_mechanism(float(scale))


def laplace(scale: Fraction) -> PrivacyLossDistribution:
    return privacy_loss_distribution.from_discrete_laplace_mechanism(float(1 / scale))


def test_our_epsilon_is_never_below_theirs_and_at_most_15_percent_above() -> None:
    zcdp = accountant("zcdp")
    for history in random_histories():
        ours = our_epsilon(history, zcdp)
        theirs = their_epsilon(history, gaussian, delta=float(zcdp.delta), truncated=1e-15)
        assert theirs <= ours <= 1.15 * theirs, history


def test_our_pure_epsilon_is_the_sum_exactly() -> None:
    """Each of our costs is rounded up by less than a unit. Theirs, at a delta above 0, is larger by its grid only."""
    for history in random_histories():
        answers = sum(times for _, times in history)
        exact = sum((times / scale for scale, times in history), Fraction(0))
        ours = our_epsilon(history, accountant("pure"))
        assert 0 <= ours - exact < Fraction(answers, 2**40)
        assert their_epsilon(history, laplace, delta=1e-9, truncated=1e-15) <= ours + Fraction(answers, 10**4)


def test_their_pure_epsilon_of_a_few_answers_is_ours_on_their_grid() -> None:
    """At delta 0, where their transform still carries the least likely outcome; losses go up to steps of 1e-4."""
    for history in random_histories():
        once = [(scale, 1) for scale, _ in history]
        ours = our_epsilon(once, accountant("pure"))
        theirs = their_epsilon(once, laplace, delta=0.0, truncated=0.0)
        assert ours - Fraction(1, 10**9) <= theirs <= ours + Fraction(len(once), 10**4), once


def their_overlap_delta(tau: int, epsilon: float, matches: int, *, pessimistic: bool, step: float) -> float:
    logs = [
        2 * (math.lgamma(tau + 1) - math.lgamma(k + 1) - math.lgamma(tau - k + 1))
        - (math.lgamma(2 * tau + 1) - 2 * math.lgamma(tau + 1))
        for k in range(tau + 1)
    ]
    one = privacy_loss_distribution.from_two_probability_mass_functions(
        dict(enumerate(logs)),
        dict(enumerate(logs, start=1)),
        pessimistic_estimate=pessimistic,
        value_discretization_interval=step,
        symmetric=False,
    )
    return float(one.self_compose(matches).get_delta_for_epsilon(epsilon))


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(("tau", "matches"), [(82, 6), (777, 12), (1942, 30)])
def test_our_overlap_delta_lies_between_their_bounds(tau: int, matches: int) -> None:
    ours = float(overlap_delta(tau, Fraction(2), matches=matches))
    assert their_overlap_delta(tau, 2.0, matches, pessimistic=False, step=1e-4) <= ours
    assert ours <= their_overlap_delta(tau, 2.0, matches, pessimistic=True, step=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(("tau", "matches"), [(390, 6), (777, 12)])
def test_their_bounds_on_a_fine_grid_call_the_same_number_of_dummies_the_smallest(tau: int, matches: int) -> None:
    assert their_overlap_delta(tau, 2.0, matches, pessimistic=True, step=1e-5) <= 1e-9
    assert their_overlap_delta(tau - 1, 2.0, matches, pessimistic=False, step=1e-5) > 1e-9
