"""The real samplers against their laws: shape, tail, centre and symmetry.

Each gate makes four decisions, each with a false-alarm rate below 1e-8: two laws at six scales, twice, are 96
decisions, together below 1e-6. The tail is held against the exact binomial law. Chi-square approximations are taken
at 1e-9, with at least 50 draws expected in each bin, to leave room for what they approximate.
"""

import math
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest

from cleanroom.privacy import opendp_door
from cleanroom.privacy.law import Law
from tests.reference import discrete_gaussian_law, discrete_laplace_law
from tests.reference.tail_laws import binomial_tails, chi_square_tail

# The gate looks below the product's smallest scale: the samplers' defects have shown there first.
SCALES = [Fraction(1, 2), Fraction(3, 2), Fraction(2), Fraction(3), Fraction(10 / 3), Fraction(10)]
LAWS: tuple[Law, ...] = ("gaussian", "laplace")
FALSE_ALARM = 1e-9
LEAST_EXPECTED = 50.0
FEW, MANY = 20_000, 200_000

# In scales: within the first every value is a bin of its own where enough draws are expected; the tail is what lies
# beyond the second, a few draws in a thousand.
SINGLE_VALUES: dict[Law, float] = {"gaussian": 2.5, "laplace": 6.0}
TAIL: dict[Law, float] = {"gaussian": 3.0, "laplace": 6.0}


@lru_cache
def probabilities(law: Law, scale: Fraction) -> dict[int, Decimal]:
    if law == "gaussian":
        return discrete_gaussian_law.probabilities(scale)
    return discrete_laplace_law.probabilities(scale)


def faults(draws: list[int], law: Law, scale: Fraction) -> set[str]:
    """Which of shape, tail, centre and symmetry the draws give away; empty for the law itself."""
    found = set()
    statistic, degrees = _chi_square(draws, law, scale)
    if chi_square_tail(statistic, degrees) < FALSE_ALARM:
        found.add("shape")
    if min(_tail(draws, law, scale)) < FALSE_ALARM:
        found.add("tail")
    if abs(sum(draws)) > float(scale) * WIDEST_SUM[law](len(draws)):
        found.add("centre")
    above, below = sum(x > 0 for x in draws), sum(x < 0 for x in draws)
    if abs(above - below) > math.sqrt(2 * (above + below) * math.log(2 / FALSE_ALARM)):
        found.add("symmetry")
    return found


def _chi_square(draws: list[int], law: Law, scale: Fraction) -> tuple[float, int]:
    """One bin a value near zero, the tails joined inwards until every bin expects enough."""
    expected = {x: float(p) * len(draws) for x, p in probabilities(law, scale).items()}
    edge = math.floor(SINGLE_VALUES[law] * scale) + 1
    while min(expected[edge - 1], sum(e for x, e in expected.items() if x >= edge)) < LEAST_EXPECTED:
        edge -= 1
    seen_bins = Counter(max(-edge, min(edge, x)) for x in draws)
    expected_bins: Counter[int] = Counter()
    for x, e in expected.items():
        expected_bins[max(-edge, min(edge, x))] += e  # type: ignore[assignment]
    statistic = math.fsum((seen_bins[x] - e) ** 2 / e for x, e in expected_bins.items())
    return statistic, len(expected_bins) - 1


def _tail(draws: list[int], law: Law, scale: Fraction) -> tuple[float, float]:
    """How probable so few, and so many, draws far from zero are; exactly."""
    edge = math.floor(TAIL[law] * scale)
    beyond = sum((p for x, p in probabilities(law, scale).items() if abs(x) > edge), Decimal(0))
    return binomial_tails(sum(abs(x) > edge for x in draws), len(draws), float(beyond))


def _widest_gaussian_sum(count: int) -> float:
    """The law is sub-Gaussian with its own sigma, so this is Hoeffding's bound and not an approximation."""
    return math.sqrt(2 * count * math.log(2 / FALSE_ALARM))


def _widest_laplace_sum(count: int) -> float:
    """Chernoff's bound with E exp(t x) <= 1 / (1 - t^2) in scales, at a t that is near the best for it."""
    t = math.sqrt(math.log(2 / FALSE_ALARM) / count)
    return (math.log(2 / FALSE_ALARM) - count * math.log1p(-t * t)) / t


WIDEST_SUM: dict[Law, Callable[[int], float]] = {"gaussian": _widest_gaussian_sum, "laplace": _widest_laplace_sum}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_twenty_thousand_draws_follow_the_law(scale: Fraction, law: Law) -> None:
    assert faults(opendp_door.draw(law, FEW, scale), law, scale) == set()


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_two_hundred_thousand_draws_follow_the_law(scale: Fraction, law: Law) -> None:
    assert faults(opendp_door.draw(law, MANY, scale), law, scale) == set()


Sampler = Callable[[Law, Fraction], list[int]]


def _honest(law: Law, scale: Fraction) -> list[int]:
    return opendp_door.draw(law, FEW, scale)


def _with_scale(factor: float) -> Sampler:
    return lambda law, scale: opendp_door.draw(law, FEW, Fraction(float(scale) * factor))


def _continuous(law: Law, scale: Fraction) -> list[float]:
    generator = np.random.default_rng(1)
    drawn = generator.normal if law == "gaussian" else generator.laplace
    return [float(x) for x in drawn(0.0, float(scale), FEW)]


def _zero_drawn_twice(law: Law, scale: Fraction) -> list[int]:
    """A sign and a size, without drawing again at minus zero: zero is twice as likely as it should be."""
    drawn = _honest(law, scale)
    again = np.random.default_rng(1).random(FEW) < drawn.count(0) / FEW / 2
    return [0 if zero else x for x, zero in zip(drawn, again.tolist(), strict=True)]


def _cut_short(law: Law, scale: Fraction) -> list[int]:
    """Draws far out are brought back to the edge, as a table of too few entries would."""
    edge = math.floor(TAIL[law] * scale)
    return [max(-edge, min(edge, x)) for x in _honest(law, scale)]


def _of_the_other_law(law: Law, scale: Fraction) -> list[int]:
    """The same variance, near enough, under the other law."""
    if law == "gaussian":
        return opendp_door.draw("laplace", FEW, Fraction(float(scale) / math.sqrt(2)))
    return opendp_door.draw("gaussian", FEW, Fraction(float(scale) * math.sqrt(2)))


DEFECTS: dict[str, tuple[Fraction, Sampler]] = {
    "no noise at all": (Fraction(2), lambda law, scale: [0] * FEW),
    "scale too small by a root of two": (Fraction(2), _with_scale(1 / math.sqrt(2))),
    "scale too small by a tenth": (Fraction(10), _with_scale(0.9)),
    "scale too large by a tenth": (Fraction(10), _with_scale(1.1)),
    "continuous noise, rounded": (Fraction(1), lambda law, scale: [round(x) for x in _continuous(law, scale)]),
    "continuous noise, cut to whole numbers": (
        Fraction(10),
        lambda law, scale: [int(x) for x in _continuous(law, scale)],
    ),
    "one draw for all cells": (Fraction(2), lambda law, scale: [1] * FEW),
    "off by one": (Fraction(3), lambda law, scale: [x + 1 for x in _honest(law, scale)]),
    "no sign": (Fraction(10), lambda law, scale: [abs(x) for x in _honest(law, scale)]),
    "zero drawn twice": (Fraction(3, 2), _zero_drawn_twice),
    "no tail": (Fraction(10), _cut_short),
    "the other law": (Fraction(10), _of_the_other_law),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_the_gate_rejects_a_sampler_with(defect: str, law: Law) -> None:
    scale, sampler = DEFECTS[defect]
    assert faults(sampler(law, scale), law, scale) != set()
