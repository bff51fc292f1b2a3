"""What the overlap counts of a few matches give away, without any grid.

Two plain computations of the smallest delta at epsilon for R counts of the form overlap + Hypergeometric(2
tau, tau, tau): one in exact rationals for a handful of dummies, one that lists every combination of three
losses for the six matches of a usual contract.
"""

import math
from collections import defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


def count_law(tau: int) -> list[Fraction]:
    """P(H = k) for k = 0 .. tau."""
    return [Fraction(math.comb(tau, k) ** 2, math.comb(2 * tau, tau)) for k in range(tau + 1)]


def exact_delta(tau: int, epsilon: Fraction, matches: int, *, one_more: bool) -> Fraction:
    """Sum of (P - e^epsilon Q)+ over all outcomes of all matches, in rationals; e^epsilon to 60 digits.

    `one_more` says whether P is the table with the additional person or Q.
    """
    shorter, longer = [*count_law(tau), Fraction(0)], [Fraction(0), *count_law(tau)]
    once = list(zip(longer, shorter, strict=True) if one_more else zip(shorter, longer, strict=True))
    outcomes: dict[tuple[Fraction, Fraction], int] = {(Fraction(1), Fraction(1)): 1}
    for _ in range(matches):
        longer_outcomes: dict[tuple[Fraction, Fraction], int] = defaultdict(int)
        for (p, q), ways in outcomes.items():
            for p_next, q_next in once:
                longer_outcomes[p * p_next, q * q_next] += ways
        outcomes = longer_outcomes
    with localcontext() as context:
        context.prec = 60
        odds = Fraction((Decimal(epsilon.numerator) / Decimal(epsilon.denominator)).exp())
    return sum((ways * max(p - odds * q, Fraction(0)) for (p, q), ways in outcomes.items()), Fraction(0))


def delta_of_six_matches(tau: int, epsilon: float) -> float:
    """The delta of six matches from all triples of losses on either side; outcomes below 1e-17 are left out.

    Too small by at most their mass, some 1e-15.
    """
    law = [float(p) for p in count_law(tau)]
    kept = [k for k in range(1, tau + 1) if law[k] > 1e-17]
    loss = np.array([math.log(law[k] / law[k - 1]) for k in kept])
    logs = np.array([math.log(law[k]) for k in kept])
    triples = np.array(list(combinations_with_replacement(range(len(kept)), 3)))
    distinct = 1 + (np.diff(triples, axis=1) != 0).sum(axis=1)
    ways = np.choose(distinct - 1, [1.0, 3.0, 6.0])
    losses: _Floats = loss[triples].sum(axis=1)
    mass: _Floats = ways * np.exp(logs[triples].sum(axis=1))

    order = np.argsort(losses)
    losses, mass = losses[order], mass[order]
    p_above = np.append(np.cumsum(mass[::-1])[::-1], 0.0)
    q_above = np.append(np.cumsum((mass * np.exp(-losses))[::-1])[::-1], 0.0)
    first = np.searchsorted(losses, epsilon - losses, side="right")
    finite = (mass * (p_above[first] - np.exp(epsilon - losses) * q_above[first])).sum()
    return float(finite) - math.expm1(6 * math.log1p(-law[0]))
