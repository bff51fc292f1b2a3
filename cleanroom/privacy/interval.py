"""The interval shown with every noisy number: how far noise alone may have moved it.

"1,204 +/- 22" says that the owner's noise is within 22 with at least the stated probability. It speaks of
noise only: nothing about who is missing from either table. Anyone can compute it, since the law of the noise
is public; it depends on no data.

The half width is the smallest integer h with P(-h <= noise <= h) of at least the level, under the discrete
Gaussian law itself, P(x) proportional to exp(-x^2 / (2 sigma^2)) on the integers. A normal approximation
would cover too little at small sigma.

The law is summed term by term up to sigma = 2048. Above that the tail is the normal integral from h + 1/2
with the first Euler-Maclaurin correction (DLMF 2.10.1, midpoint form); what is left out is below 1e-15.
Coverage is rounded down to 1e-12 before it is compared with the level, so rounding never narrows an interval.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from cleanroom.errors import UsageError
from cleanroom.privacy.budget import check_scale

LEVEL = Fraction(95, 100)
MAX_LEVEL = 1 - Fraction(1, 10**9)
MAX_CELLS = 2**16

_SUMMED_UP_TO = 2048
_WIDEST_IN_SIGMAS = 12
_COVERAGE_STEPS = 10**12


@dataclass(frozen=True, slots=True)
class NoiseInterval:
    """The noise is within `half_width` of zero, in every cell at once, with probability `coverage`."""

    half_width: int
    coverage: Fraction


@lru_cache(maxsize=1024)
def noise_interval(scale: Fraction, *, level: Fraction = LEVEL, cells: int = 1) -> NoiseInterval:
    """The smallest symmetric interval that holds the noise of `cells` cells at once with `level` or more.

    `scale` is sigma in steps of the released number. `cells=1` is the interval of one number; more gives the
    wider one that is needed before comparing numbers with each other (their noise is independent).

    Raises RefusedError for a scale outside the rules, UsageError for a level outside 0 to 1 - 1e-9 or a
    number of cells outside 1 to 65,536.
    """
    check_scale(scale)
    if not 0 < level <= MAX_LEVEL:
        raise UsageError("the level of an interval must be above 0 and below 1")
    if not 1 <= cells <= MAX_CELLS:
        raise UsageError(f"an interval is for 1 to {MAX_CELLS} cells")
    tail = _summed_tail(scale) if scale <= _SUMMED_UP_TO else _smooth_tail(scale)
    too_narrow, wide_enough = -1, math.ceil(_WIDEST_IN_SIGMAS * scale)
    while wide_enough - too_narrow > 1:
        middle = (too_narrow + wide_enough) // 2
        if _coverage(tail(middle), cells) >= level:
            wide_enough = middle
        else:
            too_narrow = middle
    return NoiseInterval(wide_enough, _coverage(tail(wide_enough), cells))


def _coverage(tail: float, cells: int) -> Fraction:
    """P(all cells inside) from P(one cell outside), rounded down."""
    inside = math.exp(cells * math.log1p(-tail))
    return Fraction(max(math.floor(inside * _COVERAGE_STEPS) - 1, 0), _COVERAGE_STEPS)


def _summed_tail(scale: Fraction) -> Callable[[int], float]:
    """h -> P(|noise| > h), every term summed, smallest first."""
    distances = np.arange(math.ceil(_WIDEST_IN_SIGMAS * scale) + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (distances / float(scale)) ** 2)
    beyond = np.cumsum(weights[::-1])[::-1] - weights
    total = weights[0] + 2.0 * beyond[0]
    return lambda half_width: float(2.0 * beyond[half_width] / total)


def _smooth_tail(scale: Fraction) -> Callable[[int], float]:
    """h -> P(|noise| > h) where sigma is large and the sum is all but an integral."""
    sigma = float(scale)

    def tail(half_width: int) -> float:
        edge = (half_width + 0.5) / sigma
        slope = edge * math.exp(-0.5 * edge * edge) / (24.0 * sigma * sigma)
        return math.erfc(edge / math.sqrt(2.0)) - 2.0 * slope / math.sqrt(2.0 * math.pi)

    return tail
