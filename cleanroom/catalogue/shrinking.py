"""Shares within segments, pulled towards the average by as much as noise and small numbers ask for.

A histogram by segment gives noisy cells x_sj: c_sj true people of segment s with value j, plus noise of a known law;
another, over everybody shared, gives noisy totals of the values, with a law of their own.
For a recommender the raw shares x_sj / n_s are poor guesses of what the next person of a segment likes: they may be
negative, and where a segment is small they are mostly noise. Empirical Bayes (Robbins, 1956; Morris, 1983) instead:

1. The average pi_j. Beside its own total a value has one from the segments, sum_s a_s x_sj; the plain sum's noise would
   grow with every segment, however small. With rho as in step 2 and R = rho pi_j (1 - pi_j), weights a_s that keep
   sum_s a_s n_s miss the total by a mean square of sum_s (a_s - 1)^2 n_s^2 R + v sum_s a_s^2, which is least at

       a_s = (n_s^2 R + mu n_s) / (n_s^2 R + v),     mu = (sum_s n_s v / (n_s^2 R + v)) / (sum_s n_s^2 / (n_s^2 R + v)):

   segments that are alike count by their size, segments that differ count for themselves. Both totals are averaged by
   their mean squares. The error taken as normal, the total t is read as its expectation under a density of
   t^(w - 1), t >= 0, so pi_j is above 0 whatever the noise. w is 1 for a value that the owner names, since it named it
   for a reason, and 1/10 for `other`, which is empty wherever the owner named all there is: as many people as the noise
   may hide would be taken from the named values for nothing. The first time rho is not known: the own totals alone are
   taken, then steps 1 and 2 are done.
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
_FAR = 9.0  # in deviations: beyond is nothing
_POINTS = 4096
_NAMED, _OTHER, _SEGMENT = 1.0, 0.1, 0.5  # w of step 1, and that of a segment's number of people (Jeffreys)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """`shares` of each segment and the `average`, each adding up to 1, every number above 0.

    `strength` is kappa, for how many people of its own the average counts in each segment; None where all segments get
    the average.
    """

    shares: tuple[tuple[float, ...], ...]
    average: tuple[float, ...]
    strength: float | None


def shrink(
    cells: Sequence[Sequence[float]],
    totals: Sequence[float],
    *,
    named: Sequence[bool],
    scale: float,
    total_scale: float,
    law: Law,
) -> Shrunk:
    """`cells` are noisy numbers of people, segments outermost; `totals` those of each value over everybody shared.

    `named` says for each value whether the owner named it. `scale` is that of the cells' noise, `total_scale` that of
    the totals'.
    """
    noisy = np.array(cells, dtype=np.float64)
    segments, values = noisy.shape
    factor = 1.0 if law == "gaussian" else 2.0
    variance, own_variance = factor * scale**2, factor * total_scale**2
    people: Floats = np.array(
        [_not_below_zero(row, math.sqrt(values * variance), _SEGMENT) for row in noisy.sum(axis=1)]
    )
    average = _average([(total, own_variance) for total in totals], named)
    rho = _differences(noisy, people, average, variance)
    between = max(rho, 0.0) * average * (1.0 - average)
    added = [_total(noisy[:, j], people, float(between[j]), variance) for j in range(values)]
    both = [_together((total, own_variance), other) for total, other in zip(totals, added, strict=True)]
    average = _average(both, named)
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


def _average(totals: Sequence[tuple[float, float]], named: Sequence[bool]) -> Floats:
    """Shares of the values, from their totals and the mean squares of these; all above 0."""
    weights = [_NAMED if each else _OTHER for each in named]
    above = np.array([_not_below_zero(t, math.sqrt(square), w) for (t, square), w in zip(totals, weights, strict=True)])
    found: Floats = above / above.sum()
    return found


def _total(column: Floats, people: Floats, between: float, variance: float) -> tuple[float, float]:
    """One value's total by the weights of step 1, and its mean square error."""
    own = people**2 * between
    mu = (people * variance / (own + variance)).sum() / (people**2 / (own + variance)).sum()
    weights = (own + mu * people) / (own + variance)
    square = ((weights - 1.0) ** 2 * own).sum() + variance * (weights**2).sum()
    return float((weights * column).sum()), float(square)


def _together(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """Two independent estimates of one number, weighted by their mean squares."""
    square = 1.0 / (1.0 / first[1] + 1.0 / second[1])
    return square * (first[0] / first[1] + second[0] / second[1]), square


def _not_below_zero(x: float, deviation: float, weight: float) -> float:
    """E(t | x) for x = t + normal noise and t of density t^(weight - 1), summed over t^weight; always above 0."""
    first = max(x - _FAR * deviation, 0.0) ** weight
    last = (max(x, 0.0) + _FAR * deviation) ** weight
    truths = (first + (last - first) * (np.arange(_POINTS) + 0.5) / _POINTS) ** (1.0 / weight)
    logs = -(((x - truths) / deviation) ** 2) / 2.0
    weights = np.exp(logs - logs.max())
    return float((weights * truths).sum() / weights.sum())


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
