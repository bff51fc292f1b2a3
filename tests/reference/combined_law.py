"""The law of A - r B, sums of discrete noises, by adding up every pair of outcomes: slow, exact to about 1e-14."""

import math
from collections import defaultdict
from fractions import Fraction
from functools import lru_cache

from cleanroom.privacy.law import Law

_WIDEST: dict[Law, int] = {"gaussian": 8, "laplace": 33}


@lru_cache(maxsize=64)
def one_noise(law: Law, scale: Fraction) -> dict[int, float]:
    """P(x) for every x that matters, normed to 1."""
    last = math.ceil(_WIDEST[law] * scale)
    size = float(scale)
    power = 1 if law == "laplace" else 2
    weights = {x: math.exp(-((abs(x) / size) ** power) / power) for x in range(-last, last + 1)}
    total = math.fsum(weights.values())
    return {x: weight / total for x, weight in weights.items()}


@lru_cache(maxsize=64)
def summed_noise(law: Law, scale: Fraction, count: int) -> dict[int, float]:
    """P(x) for the sum of `count` noises."""
    law_of_sum = {0: 1.0}
    for _ in range(count):
        longer: defaultdict[int, float] = defaultdict(float)
        for x, chance in law_of_sum.items():
            for y, other in one_noise(law, scale).items():
                longer[x + y] += chance * other
        law_of_sum = dict(longer)
    return law_of_sum


def chance_at_least(distance: float, first: dict[int, float], second: dict[int, float], ratio: float) -> float:
    """P(|first - ratio * second| >= distance)."""
    return math.fsum(p * q for x, p in first.items() for y, q in second.items() if abs(x - ratio * y) >= distance)
