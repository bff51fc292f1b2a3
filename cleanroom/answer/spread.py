"""How far noise may move a combination of noisy numbers: a sum less a multiple of another sum.

`noise_interval` speaks of one number. A mean compares a noisy sum with a multiple of a noisy count, a quantile the
cells below an edge with a multiple of those above: both need a bound on |A - r B|, where A and B are independent sums
of independent noises. `reach` gives a number h with P(|A - r B| > h) <= alpha under the exact laws. Errors are on
one side only, the side of a wider interval. Anyone can compute it: it depends on the law, and on nobody's data.

The law of a sum (`spread`) is a convolution of the exact law, by a Fourier transform of whole periods; what lies
beyond the period is below 1e-15. Noise of a scale above 256 is first rounded to a grid of about a 256th of the scale.
What rounding takes off is symmetric, independent between noises and at most half a grid step, so of n noises it adds
up to at most n / 2 steps, and by Hoeffding's inequality to more than 3.3 sqrt(n) steps with probability 1e-9: `slack`.

A and B are both symmetric with one peak at 0 (both laws are log-concave, and so are their sums). So, for U uniform
within half a step of 0, A + U has a density that falls on both sides of 0, and P(|A + U + c| <= h) can only fall when
|c| grows (Anderson, 1955, in one dimension). Hence

  1. |A - r B| <= |A + U - r B| + 1/2;
  2. to replace |B| by the next larger point of a coarse list only raises P(|A + U - r B| > h);
  3. an h that is enough for one r is enough for every smaller |r|.

What is summed is P(|A + U - r b| > h) over the points b of the list. All floats together err by less than 1e-8, which
is taken off alpha.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import UsageError
from cleanroom.privacy.budget import check_scale
from cleanroom.privacy.law import Law

Floats = NDArray[np.float64]

MAX_COUNT = 2**16
MAX_LEVEL = 1 - Fraction(1, 10**6)

_FINEST = 256
_POINTS_PER_DEVIATION = 128
_HOEFFDING = 3.3  # sqrt(2 ln(2e9)) / 2 is 3.27
_NUMERIC = 1e-8
_NEGLIGIBLE = 1e-12
_HALVINGS = 24
# Beyond these, in scales, one noise has less than 1e-15 of its law.
_WIDEST: dict[Law, int] = {"gaussian": 9, "laplace": 40}


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The law of a sum of noises: `grid` times a whole number K, within `slack`.

    `halves` is P(K > k) for k = -1, 0, 1, …: the tail of K + U at -1/2, 1/2, 3/2, … `deviation` is K's, the root of its
    variance; `slack` is in whole units, as the noise is.
    """

    grid: int
    slack: float
    deviation: float
    halves: Floats

    @property
    def beyond(self) -> Floats:
        """P(K > k) for k = 0, 1, …"""
        return self.halves[1:]


def checked_alpha(level: Fraction) -> float:
    """How often an interval of this level may miss; raises UsageError for a level outside 0 to 0.999999."""
    if not 0 < level <= MAX_LEVEL:
        raise UsageError("the level of an interval must be above 0 and at most 0.999999")
    return float(1 - level)


@lru_cache(maxsize=512)
def spread(law: Law, scale: Fraction, count: int = 1) -> Spread:
    """The law of the sum of `count` independent noises.

    Raises RefusedError for a scale outside the rules, UsageError for a count outside 1 to 65,536.
    """
    check_scale(scale)
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"noise is added up for 1 to {MAX_COUNT} cells")
    grid = _grid(scale)
    one = _one(law, scale, grid)
    beyond = one if count == 1 else _many(law, one, float(scale) / grid, count)
    variance = 2.0 * float(np.sum((2.0 * np.arange(len(beyond)) + 1.0) * beyond))
    slack = 0.0 if grid == 1 else grid * min(count / 2.0, _HOEFFDING * math.sqrt(count))
    return Spread(grid, slack, math.sqrt(variance), np.append(1.0 - beyond[0], beyond[beyond > _NEGLIGIBLE]))


def chance_beyond(distance: float, first: Spread, second: Spread | None, ratio: float) -> float:
    """At least P(|first - r * second| >= distance) for each |r| up to |ratio|, and hardly more.

    Without `second` it is about `first` alone.
    """
    slack = first.slack + (abs(ratio) * second.slack if second else 0.0)
    points, weights = _points(second)
    return _chance((distance - slack) / first.grid - 0.5, first, abs(ratio) * points / first.grid, weights)


def reach(first: Spread, second: Spread | None, ratio: float, alpha: float) -> float:
    """A number h with P(|first - r * second| > h) <= alpha for |r| up to |ratio|, hardly larger than need be.

    Without `second` it is the bound of `first` alone.
    """
    points, weights = _points(second)
    shifts = abs(ratio) * points / first.grid
    too_near, far_enough = 0.0, len(first.beyond) + 1.0 + float(shifts[-1])
    for _ in range(_HALVINGS):
        middle = (too_near + far_enough) / 2.0
        if _chance(middle, first, shifts, weights) <= alpha:
            far_enough = middle
        else:
            too_near = middle
    slack = first.slack + (abs(ratio) * second.slack if second else 0.0)
    return (far_enough + 0.5) * first.grid + slack


def _chance(distance: float, first: Spread, shifts: Floats, weights: Floats) -> float:
    """P(|A + U - r B| > distance) in grid steps, for |r B| as `shifts` and `weights` say, plus the floats' error."""
    if distance <= 0.0:
        return 1.0
    tails = _smoothed_tail(first, distance - shifts) + _smoothed_tail(first, distance + shifts)
    return float(np.dot(weights, tails)) + (1.0 - float(weights.sum())) + _NUMERIC


def _grid(scale: Fraction) -> int:
    """1 up to scale 256; above, the odd number next to scale / 256, so that cells have a middle."""
    return 1 if scale <= _FINEST else int(scale / _FINEST) | 1


def _one(law: Law, scale: Fraction, grid: int) -> Floats:
    """P(K > k) for one noise rounded to the grid, k from 0: P(noise > grid (k + 1/2) - 1/2)."""
    last = math.ceil(_WIDEST[law] * scale / grid)
    edges = (np.arange(last + 1) + 0.5) * grid
    size = float(scale)
    if law == "laplace":
        geometric: Floats = np.exp(-(edges + 0.5) / size) / (1.0 + math.exp(-1.0 / size))
        return geometric
    if grid > 1:
        # The normal integral with the first Euler-Maclaurin correction, as in `privacy.interval`; here below 1e-12.
        z = edges / size
        slope = z * np.exp(-0.5 * z * z) / (24.0 * size * size * math.sqrt(2.0 * math.pi))
        return 0.5 * np.array([math.erfc(each / math.sqrt(2.0)) for each in z]) - slope
    weights = np.exp(-0.5 * (np.arange(last + 1) / size) ** 2)
    tails = np.cumsum(weights[::-1])[::-1] - weights
    beyond: Floats = tails / (weights[0] + 2.0 * tails[0])
    return beyond


def _many(law: Law, one: Floats, scale: float, count: int) -> Floats:
    """P(sum > k): the `count`-fold convolution, on a circle so long that what goes round it is below 1e-15."""
    farthest = math.sqrt(count) * 9.0 * scale if law == "gaussian" else (40.0 + 9.0 * math.sqrt(2.0 * count)) * scale
    size = 2 ** math.ceil(math.log2(2.0 * (farthest + len(one)) + 2.0))
    circle = np.zeros(size)
    right = -np.diff(one)
    circle[0] = 1.0 - 2.0 * one[0]
    circle[1 : len(one)] = right
    circle[-1 : -len(one) : -1] = right
    summed = np.fft.irfft(np.fft.rfft(circle).real ** count, size)
    half = np.clip(summed[1 : math.ceil(farthest) + 2], 0.0, None)
    return np.append(np.cumsum(half[::-1])[::-1], 0.0)


@lru_cache(maxsize=512)
def _points(second: Spread | None) -> tuple[Floats, Floats]:
    """Points b >= 0 and weights: |second| is at most as far out as a number of this law. Ascending."""
    if second is None:
        return np.zeros(1), np.ones(1)
    width = max(1, int(second.deviation / _POINTS_PER_DEVIATION))
    inside: Floats = 1.0 - 2.0 * second.beyond[::width]
    weights = inside - np.append(0.0, inside[:-1])
    points = np.arange(len(weights), dtype=np.float64) * float(width * second.grid)
    return points, weights


def _smoothed_tail(first: Spread, distances: Floats) -> Floats:
    """P(K + U > distance): known halfway between whole numbers, and linear between those."""
    place = np.minimum(np.abs(distances) + 0.5, len(first.halves) - 1.0)
    whole = np.minimum(place.astype(np.int64), len(first.halves) - 2)
    part = place - whole
    far = first.halves[whole] * (1.0 - part) + first.halves[whole + 1] * part
    tails: Floats = np.where(distances >= 0.0, far, 1.0 - far)
    return tails
