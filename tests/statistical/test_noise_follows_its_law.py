"""The real sampler against the discrete Gaussian law: shape, centre and symmetry.

Each gate makes three decisions, each with a false-alarm rate below 1e-8: six scales twice are 36 decisions,
together below 1e-6. Chi-square approximations are taken at 1e-9, with at least 50 draws expected in each
bin, to leave room for what they approximate.
"""

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from cleanroom.privacy import opendp_door
from tests.reference.discrete_gaussian_law import probabilities
from tests.reference.tail_laws import chi_square_tail

# The gate looks below the product's smallest scale: the sampler's defects have shown there first.
SCALES = [Fraction(1, 2), Fraction(3, 2), Fraction(2), Fraction(3), Fraction(10 / 3), Fraction(10)]
FALSE_ALARM = 1e-9
LEAST_EXPECTED = 50.0
FEW, MANY = 20_000, 200_000


def faults(draws: list[int], scale: Fraction) -> set[str]:
    """Which of shape, centre and symmetry the draws give away; empty for the law itself."""
    found = set()
    statistic, degrees = _chi_square(draws, scale)
    if chi_square_tail(statistic, degrees) < FALSE_ALARM:
        found.add("shape")
    # The law is sub-Gaussian with its own sigma, so this is Hoeffding's bound and not an approximation.
    widest_mean = float(scale) * math.sqrt(2 * math.log(2 / FALSE_ALARM) / len(draws))
    if abs(sum(draws)) > widest_mean * len(draws):
        found.add("centre")
    above, below = sum(x > 0 for x in draws), sum(x < 0 for x in draws)
    if abs(above - below) > math.sqrt(2 * (above + below) * math.log(2 / FALSE_ALARM)):
        found.add("symmetry")
    return found


def _chi_square(draws: list[int], scale: Fraction) -> tuple[float, int]:
    """One bin a value within 2.5 sigma, the tails joined inwards until every bin expects enough."""
    expected = {x: float(p) * len(draws) for x, p in probabilities(scale).items()}
    edge = math.floor(2.5 * scale) + 1
    while sum(e for x, e in expected.items() if x >= edge) < LEAST_EXPECTED:
        edge -= 1
    seen_bins = Counter(max(-edge, min(edge, x)) for x in draws)
    expected_bins: Counter[int] = Counter()
    for x, e in expected.items():
        expected_bins[max(-edge, min(edge, x))] += e  # type: ignore[assignment]
    statistic = math.fsum((seen_bins[x] - e) ** 2 / e for x, e in expected_bins.items())
    return statistic, len(expected_bins) - 1


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_twenty_thousand_draws_follow_the_law(scale: Fraction) -> None:
    assert faults(opendp_door.gaussian_noise(FEW, scale), scale) == set()


@pytest.mark.slow
@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_two_hundred_thousand_draws_follow_the_law(scale: Fraction) -> None:
    assert faults(opendp_door.gaussian_noise(MANY, scale), scale) == set()


def _with_scale(factor: float) -> Callable[[Fraction], list[int]]:
    def defect(scale: Fraction) -> list[int]:
        return opendp_door.gaussian_noise(FEW, Fraction(float(scale) * factor))

    return defect


DEFECTS: dict[str, tuple[Fraction, Callable[[Fraction], list[int]]]] = {
    "no noise at all": (Fraction(2), lambda scale: [0] * FEW),
    "scale too small by a root of two": (Fraction(2), _with_scale(1 / math.sqrt(2))),
    "scale too small by a tenth": (Fraction(10), _with_scale(0.9)),
    "scale too large by a tenth": (Fraction(10), _with_scale(1.1)),
    "continuous noise, rounded": (
        Fraction(1),
        lambda scale: [round(x) for x in np.random.default_rng(1).normal(0, float(scale), FEW).tolist()],
    ),
    "continuous noise, cut to whole numbers": (
        Fraction(10),
        lambda scale: [int(x) for x in np.random.default_rng(1).normal(0, float(scale), FEW).tolist()],
    ),
    "one draw for all cells": (Fraction(2), lambda scale: [1] * FEW),
    "off by one": (Fraction(3), lambda scale: [x + 1 for x in opendp_door.gaussian_noise(FEW, scale)]),
    "no sign": (Fraction(10), lambda scale: [abs(x) for x in opendp_door.gaussian_noise(FEW, scale)]),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_gate_rejects_a_sampler_with(defect: str) -> None:
    scale, sampler = DEFECTS[defect]
    assert faults(sampler(scale), scale) != set()
