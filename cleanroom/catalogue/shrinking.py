"""Shares within segments, pulled towards the average by as much as noise and small numbers ask for.

A histogram by segment gives noisy cells x_sj: c_sj true people of segment s with value j, plus noise of a known law.
For a recommender the raw shares x_sj / n_s are poor guesses of what the next person of a segment likes: they may be
negative, and where a segment is small they are mostly noise. Empirical Bayes (Robbins, 1956; Morris, 1983) instead:

1. The average pi_j: each value's total over all m segments, with the total's noise taken as normal with its exact
   variance, is read as the expectation of a number that is not below 0 (so pi_j is above 0, whatever the noise), plus a
   half, and divided by the sum.
2. How much segments differ: shares of a segment are taken to be Dirichlet(kappa pi), for which

       E (x_sj - n_s pi_j)^2 = n_s pi_j (1 - pi_j) (1 + (n_s - 1) rho)  +  v ((1 - pi_j)^2 + (k - 1) pi_j^2),

   rho = 1 / (1 + kappa), with v the variance of one cell's noise: sampling, differences between segments, and noise
   (the row's total is noisy too, hence its weights). rho is the mean of what each cell says it is, weighted by the
   inverse variance that this has when rho is 0. Not above 0 means that segments differ by no more than chance and
   noise: all get the average.
3. The posterior of each cell: P(c | x) is proportional to P(c) P(noise = x - c), with the beta-binomial of (n_s,
   kappa pi_j, kappa (1 - pi_j)) and the noise's own law. Its expectation is not below 0, so

       p_sj  proportional to  E(c_sj | x_sj) + kappa pi_j

   is above 0 and adds up to 1 by itself: nothing is clipped, and no noise is thrown away that points down only.

These are estimates, good on average; what they are worth is measured on customers held out, and no interval is claimed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.privacy.law import Law

Floats = NDArray[np.float64]

_MOST_ALIKE = 0.99  # rho of segments of which each likes one thing only; kappa is then about 0.01
_WIDEST: dict[Law, float] = {"gaussian": 12.0, "laplace": 40.0}
_FAR_BELOW = -30.0


@dataclass(frozen=True, slots=True)
class Shrunk:
    """`shares` of each segment and the `average`, each adding up to 1, every number above 0.

    `strength` is kappa, for how many people of its own the average counts in each segment; None where all segments get
    the average.
    """

    shares: tuple[tuple[float, ...], ...]
    average: tuple[float, ...]
    strength: float | None


def shrink(cells: Sequence[Sequence[float]], *, scale: float, law: Law) -> Shrunk:
    """`cells` are noisy numbers of people, segments outermost, all of one noise scale."""
    noisy = np.array(cells, dtype=np.float64)
    segments, values = noisy.shape
    variance = scale * scale * (1.0 if law == "gaussian" else 2.0)
    totals = [_not_below_zero(total, math.sqrt(segments * variance)) + 0.5 for total in noisy.sum(axis=0)]
    average: Floats = np.array(totals) / math.fsum(totals)
    people: Floats = np.array([_not_below_zero(row, math.sqrt(values * variance)) for row in noisy.sum(axis=1)])
    rho = _differences(noisy, people, average, variance)
    if rho <= 0.0:
        flat = tuple(average.tolist())
        return Shrunk((flat,) * segments, flat, None)
    kappa = 1.0 / min(rho, _MOST_ALIKE) - 1.0
    shares = []
    for row, crowd in zip(noisy.tolist(), people.tolist(), strict=True):
        weights = [
            _expected(x, round(crowd), share, kappa, scale, law) + kappa * share
            for x, share in zip(row, average.tolist(), strict=True)
        ]
        total = math.fsum(weights)
        shares.append(tuple(weight / total for weight in weights))
    return Shrunk(tuple(shares), tuple(average.tolist()), kappa)


def _not_below_zero(x: float, deviation: float) -> float:
    """E(t | x) for x = t + normal noise and any t from 0 on alike; always above 0."""
    z = x / deviation
    if z < _FAR_BELOW:
        return deviation / -z
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return deviation * (z + density / (0.5 * math.erfc(-z / math.sqrt(2.0))))


def _differences(noisy: Floats, people: Floats, average: Floats, variance: float) -> float:
    """rho of step 2; it may come out below 0."""
    crowd, share = people[:, None], average[None, :]
    spread = share * (1.0 - share)
    noise = variance * ((1.0 - share) ** 2 + (len(average) - 1) * share**2)
    chance = crowd * spread + noise
    surplus = (noisy - noisy.sum(axis=1, keepdims=True) * share) ** 2 - chance
    weights = crowd**2 * spread / chance**2
    moved = float((weights * np.maximum(crowd * (crowd - 1.0), 0.0) * spread).sum())
    return float((weights * surplus).sum()) / moved if moved > 0.0 else 0.0


def _expected(x: float, people: int, share: float, kappa: float, scale: float, law: Law) -> float:
    """E(c | x) of step 3, by adding up every c that matters."""
    if people < 1:
        return 0.0
    ends, far = sorted((x, people * share)), _WIDEST[law] * scale
    first = min(max(0, math.floor(ends[0] - far)), people)
    last = max(min(people, math.ceil(ends[1] + far)), first)
    counts: Floats = np.arange(first, last + 1, dtype=np.float64)
    below = counts[:-1]
    # The ratio of neighbouring terms of the beta-binomial, from c to c + 1.
    steps = np.log((people - below) / (below + 1.0))
    steps += np.log(kappa * share + below) - np.log(kappa * (1.0 - share) + people - below - 1.0)
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    away = (counts - x) / scale
    logs -= away * away / 2.0 if law == "gaussian" else np.abs(away)
    weights = np.exp(logs - logs.max())
    return float((weights * counts).sum() / weights.sum())
