"""The interval shown with every noisy number: how far noise alone may have moved it.

"1,204 +/- 22" says that the owner's noise is within 22 with at least the stated probability. It speaks of
noise only: nothing about who is missing from either table. Anyone can compute it, since the law of the noise
is public; it depends on no data.

The half width is the smallest integer h with P(-h <= noise <= h) of at least the level, under the exact law on the
integers: the discrete Gaussian, P(x) proportional to exp(-x^2 / (2 scale^2)), or the discrete Laplace, P(x)
proportional to exp(-|x| / scale). A normal approximation would cover too little at small scales.

The Gaussian is summed term by term up to scale 2048. Above that the tail is the normal integral from h + 1/2
with the first Euler-Maclaurin correction (DLMF 2.10.1, midpoint form); what is left out is below 1e-15. The Laplace
tail is a geometric sum: P(|x| > h) = 2 q^(h + 1) / (1 + q) with q = exp(-1 / scale).
Coverage is rounded down to 1e-12 before it is compared with the level, so rounding never narrows an interval.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from cleanroom.errors import UsageError
from cleanroom.privacy.budget import MAX_SCALE, MIN_SCALE, SCALE_DENOMINATOR, check_scale
from cleanroom.privacy.law import Law

LEVEL = Fraction(95, 100)
MAX_LEVEL = 1 - Fraction(1, 10**9)
MAX_CELLS = 2**16

_SUMMED_UP_TO = 2048
# Beyond these, in scales, either law holds less than MAX_LEVEL leaves to each of MAX_CELLS cells.
_WIDEST: dict[Law, int] = {"gaussian": 12, "laplace": 40}
_COVERAGE_STEPS = 10**12


@dataclass(frozen=True, slots=True)
class NoiseInterval:
    """The noise is within `half_width` of zero, in every cell at once, with probability `coverage`."""

    half_width: int
    coverage: Fraction


@lru_cache(maxsize=1024)
def noise_interval(scale: Fraction, *, level: Fraction = LEVEL, cells: int = 1, law: Law) -> NoiseInterval:
    """The smallest symmetric interval that holds the noise of `cells` cells at once with `level` or more.

    `scale` is the law's parameter in steps of the released number. `cells=1` is the interval of one number; more
    gives the wider one that is needed before comparing numbers with each other (their noise is independent).

    Raises RefusedError for a scale outside the rules, UsageError for a level outside 0 to 1 - 1e-9 or a
    number of cells outside 1 to 65,536.
    """
    check_scale(scale)
    _check(level, cells)
    tail = _tail(scale, law)
    too_narrow, wide_enough = -1, math.ceil(_WIDEST[law] * scale)
    while wide_enough - too_narrow > 1:
        middle = (too_narrow + wide_enough) // 2
        if _coverage(tail(middle), cells) >= level:
            wide_enough = middle
        else:
            too_narrow = middle
    return NoiseInterval(wide_enough, _coverage(tail(wide_enough), cells))


@lru_cache(maxsize=1024)
def largest_scale(half_width: int, *, level: Fraction = LEVEL, cells: int = 1, law: Law) -> Fraction:
    """The largest allowed scale whose interval is at most `half_width` to either side: a wish for accuracy, met.

    Raises UsageError, naming the nearest possible half width, if the smallest allowed noise is already wider.
    """
    narrowest = noise_interval(MIN_SCALE, level=level, cells=cells, law=law).half_width
    if type(half_width) is not int or half_width < narrowest:
        raise UsageError(f"no allowed noise is as small as that; the nearest possible is plus or minus {narrowest}")

    def narrow(numerator: int) -> bool:
        tail = _tail(Fraction(numerator, SCALE_DENOMINATOR), law)
        return half_width >= _WIDEST[law] * MAX_SCALE or _coverage(tail(half_width), cells) >= level

    # More noise covers less of a fixed width, under both laws; so the answer is where that first falls short.
    most = int(MAX_SCALE) * SCALE_DENOMINATOR
    enough, too_much = SCALE_DENOMINATOR, 2 * SCALE_DENOMINATOR
    while too_much <= most and narrow(too_much):
        enough, too_much = too_much, 2 * too_much
    too_much = min(too_much, most + 1)
    while too_much - enough > 1:
        middle = (enough + too_much) // 2
        if narrow(middle):
            enough = middle
        else:
            too_much = middle
    return Fraction(enough, SCALE_DENOMINATOR)


def chance_below(value: Fraction, threshold: int, *, scale: Fraction, law: Law) -> float:
    """The chance that a number expected at `value` comes out below `threshold` once the noise is added.

    Raises RefusedError for a scale outside the rules.
    """
    check_scale(scale)
    tail = _tail(scale, law)
    most = math.ceil(threshold - value) - 1  # value + noise < threshold exactly when noise <= most
    return 1.0 - tail(most) / 2.0 if most >= 0 else tail(-most - 1) / 2.0


def _check(level: Fraction, cells: int) -> None:
    if not 0 < level <= MAX_LEVEL:
        raise UsageError("the level of an interval must be above 0 and below 1")
    if not 1 <= cells <= MAX_CELLS:
        raise UsageError(f"an interval is for 1 to {MAX_CELLS} cells")


def _coverage(tail: float, cells: int) -> Fraction:
    """P(all cells inside) from P(one cell outside), rounded down."""
    inside = math.exp(cells * math.log1p(-tail))
    return Fraction(max(math.floor(inside * _COVERAGE_STEPS) - 1, 0), _COVERAGE_STEPS)


def _tail(scale: Fraction, law: Law) -> Callable[[int], float]:
    """h -> P(|noise| > h)."""
    if law == "laplace":
        return _geometric_tail(scale)
    return _summed_tail(scale) if scale <= _SUMMED_UP_TO else _smooth_tail(scale)


def _geometric_tail(scale: Fraction) -> Callable[[int], float]:
    one_step = math.exp(-1.0 / float(scale))
    return lambda half_width: 2.0 * math.exp(-(half_width + 1) / float(scale)) / (1.0 + one_step)


def _summed_tail(scale: Fraction) -> Callable[[int], float]:
    """Every term summed, smallest first; 0 beyond the last one."""
    distances = np.arange(math.ceil(_WIDEST["gaussian"] * scale) + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (distances / float(scale)) ** 2)
    beyond = np.cumsum(weights[::-1])[::-1] - weights
    total = weights[0] + 2.0 * beyond[0]
    return lambda half_width: float(2.0 * beyond[half_width] / total) if half_width < len(beyond) else 0.0


def _smooth_tail(scale: Fraction) -> Callable[[int], float]:
    """Where sigma is large and the sum is all but an integral."""
    sigma = float(scale)

    def tail(half_width: int) -> float:
        edge = (half_width + 0.5) / sigma
        slope = edge * math.exp(-0.5 * edge * edge) / (24.0 * sigma * sigma)
        return math.erfc(edge / math.sqrt(2.0)) - 2.0 * slope / math.sqrt(2.0 * math.pi)

    return tail
