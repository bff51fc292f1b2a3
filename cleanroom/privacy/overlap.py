"""How many shared dummies hide the size of an overlap from the coordinator.

In a match the coordinator counts equal tags. Both parties put tau dummies of their own choice out of a common
pool of 2 tau among their rows, so that count is the true overlap plus a hypergeometric number of dummies that
both chose. One person more or less moves the true overlap by one. This file finds the smallest tau for which
the counts of `matches` matches together are (epsilon, delta)-differentially private towards the coordinator.

Both parties compute tau from the contract's words alone and name it in their signed commitments; two machines
that disagreed would refuse each other before anything is masked.

How: with H = Hypergeometric(2 tau, tau, tau) and p(k) = P(H = k) = C(tau, k)^2 / C(2 tau, tau), the privacy
loss of the count at k is ln(p(k) / p(k - 1)) = 2 ln((tau - k + 1) / k), and infinite at k = 0, which the
neighbour cannot show. p(k) = p(tau - k), so adding a person and removing one have the same loss. Losses of
matches add, so their law is a convolution, computed by a fast Fourier transform on a grid:

- A loss between two grid points is split over both so that both hypotheses keep their mass; delta can only
  grow (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi, "Connect the Dots", 2022).
- Loss mass too small to matter is moved up, to infinity or to the lowest kept loss; delta can only grow.
- The law is tilted exponentially before the transform, so that its tail, which is delta, keeps relative
  precision (Esscher's transform).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cleanroom.errors import UsageError

MAX_SHARED_DUMMIES = 2**20
MAX_MATCHES = 1000
MAX_EPSILON = Fraction(100)
MIN_DELTA = Fraction(1, 10**15)

_NEGLIGIBLE = 1e-30
_LEAST_DEVIATION = 1e-6
_STEPS_PER_DEVIATION = 1000
_MAX_GRID_POINTS = 2**20
_LARGEST_TILT = 600.0  # exp(-600) is still a normal double
_TILT_BISECTIONS = 16
_FLOAT_ROUNDING = 1.0 + 2.0**-30

# With a single match delta is not quite monotone: one dummy more can raise it, by the place of the few
# possible losses around epsilon. Seen at most two dummies away; a partner's larger tau must be safe as well.
_RIPPLE = 4

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _LossLaw:
    """The loss of one match on a grid: mass[i] at (lowest + i) * step, and the mass of an infinite loss."""

    step: float
    lowest: int
    mass: _Floats
    infinite: float


@lru_cache(maxsize=256)
def shared_dummies(epsilon: Fraction, delta: Fraction, *, matches: int) -> int:
    """The smallest tau such that `matches` matches show the coordinator an (epsilon, delta)-private overlap.

    Each party's list then holds tau shared dummies, or a partner's tau if that is larger: the next few
    numbers are checked too. Raises UsageError if epsilon is not above 0 and at most 100, delta not in 1e-15
    to 1, matches not in 1 to 1000, or if more than 2^20 dummies would be needed.
    """
    _check_epsilon(epsilon)
    _check_matches(matches)
    if not MIN_DELTA <= delta < 1:
        raise UsageError("delta towards the coordinator must be at least 1e-15 and below 1")
    bound = float(delta)

    def suffices(tau: int) -> bool:
        return _delta(tau, float(epsilon), matches) <= bound

    too_few, enough = 0, 1
    while not suffices(enough):
        too_few, enough = enough, 2 * enough
        if enough > MAX_SHARED_DUMMIES:
            raise UsageError(
                f"hiding the overlap this well takes more than {MAX_SHARED_DUMMIES} shared dummies; "
                "allow the coordinator a larger epsilon or fewer matches"
            )
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if suffices(middle):
            enough = middle
        else:
            too_few = middle
    while not all(suffices(enough + more) for more in range(_RIPPLE + 1)):
        enough += 1
    return enough


def overlap_delta(tau: int, epsilon: Fraction, *, matches: int) -> Fraction:
    """The delta at `epsilon` of the overlap counts of `matches` matches with `tau` shared dummies each.

    An upper bound, within a few parts in 100,000 of the true value. Raises UsageError for arguments outside
    the limits of `shared_dummies`.
    """
    _check_epsilon(epsilon)
    _check_matches(matches)
    if type(tau) is not int or not 1 <= tau <= MAX_SHARED_DUMMIES:
        raise UsageError(f"the number of shared dummies must be 1 to {MAX_SHARED_DUMMIES}")
    return min(Fraction(_delta(tau, float(epsilon), matches)), Fraction(1))


def _delta(tau: int, epsilon: float, matches: int) -> float:
    law = _loss_law(tau, matches)
    some_infinite = -math.expm1(matches * math.log1p(-law.infinite))
    return (some_infinite + _finite_delta(law, epsilon, matches)) * _FLOAT_ROUNDING


def _loss_law(tau: int, matches: int) -> _LossLaw:
    shown = np.arange(1, tau + 1, dtype=np.float64)
    losses = 2.0 * np.log((tau - shown + 1.0) / shown)
    # ln p(k) - ln p(0) is the running sum of the losses, which spares us the binomials.
    logs = np.concatenate(([0.0], np.cumsum(losses)))
    probabilities = np.exp(logs - logs.max())
    probabilities /= probabilities.sum()
    infinite, finite = float(probabilities[0]), probabilities[1:]

    kept = finite >= _NEGLIGIBLE
    infinite += float(finite[~kept & (losses > 0.0)].sum())
    pushed_up = float(finite[~kept & (losses <= 0.0)].sum())
    losses, finite = losses[kept], finite[kept]
    finite[-1] += pushed_up

    # One dummy leaves the single finite loss 0, and a grid still needs a step.
    deviation = max(math.sqrt(float((finite * losses**2).sum())), _LEAST_DEVIATION)
    width = float(losses[0] - losses[-1])
    step = max(deviation / _STEPS_PER_DEVIATION, width * matches / _MAX_GRID_POINTS)
    return _LossLaw(step, *_split_on_grid(losses, finite, step), infinite)


def _split_on_grid(losses: _Floats, mass: _Floats, step: float) -> tuple[int, _Floats]:
    """Split each loss over its two grid neighbours, keeping its mass under both hypotheses."""
    cells = np.floor(losses / step).astype(np.int64)
    lowest = int(cells.min())
    below = (np.exp(-(losses - cells * step)) - math.exp(-step)) / -math.expm1(-step)
    below = np.clip(below, 0.0, 1.0)
    places, points = cells - lowest, int(cells.max()) - lowest + 2
    split = np.zeros(points)
    np.add.at(split, places, mass * below)
    np.add.at(split, places + 1, mass * (1.0 - below))
    return lowest, split


def _finite_delta(law: _LossLaw, epsilon: float, matches: int) -> float:
    """E[(1 - exp(epsilon - L))+] over the sum L of the finite losses of all matches."""
    grid = (law.lowest + np.arange(len(law.mass), dtype=np.float64)) * law.step
    largest = float(grid[-1])
    if matches * largest <= epsilon:
        return 0.0
    tilt = _saddle_point(grid, law.mass, epsilon / matches)
    tilted = law.mass * np.exp(tilt * (grid - largest))
    weight = float(tilted.sum())
    log_weight = math.log(weight) + tilt * largest

    points = matches * (len(law.mass) - 1) + 1
    size = 1 << (points - 1).bit_length()
    composed = np.fft.irfft(np.fft.rfft(tilted / weight, size) ** matches, size)[:points]
    total = (matches * law.lowest + np.arange(points)) * law.step

    beyond = total > epsilon
    # The exponent is at most the logarithm of Chernoff's bound, hence at most 0.
    untilted = np.maximum(composed[beyond], 0.0) * np.exp(matches * log_weight - tilt * total[beyond])
    return float((untilted * -np.expm1(epsilon - total[beyond])).sum())


def _saddle_point(grid: _Floats, mass: _Floats, target: float) -> float:
    """The tilt that moves the mean loss of one match to `target`, roughly; 0 if it is there already.

    Every tilt is correct; this one gives the tail beyond the target the best relative precision.
    """
    low, high = 0.0, _LARGEST_TILT / max(float(grid[-1] - grid[0]), 1.0e-3)
    for _ in range(_TILT_BISECTIONS):
        middle = (low + high) / 2
        tilted = mass * np.exp(middle * (grid - grid[-1]))
        if float((tilted * grid).sum()) < target * float(tilted.sum()):
            low = middle
        else:
            high = middle
    return low


def _check_epsilon(epsilon: Fraction) -> None:
    if not 0 < epsilon <= MAX_EPSILON:
        raise UsageError(f"epsilon towards the coordinator must be above 0 and at most {MAX_EPSILON}")


def _check_matches(matches: int) -> None:
    if type(matches) is not int or not 1 <= matches <= MAX_MATCHES:
        raise UsageError(f"the number of matches must be 1 to {MAX_MATCHES}")
