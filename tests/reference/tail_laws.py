"""Exact tails of the laws the statistical tests decide by, so that each can state its false-alarm rate."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(chi-square of `degrees` >= statistic): the finite sums of DLMF 8.4.8 and 8.4.10."""
    half = statistic / 2
    if degrees % 2 == 0:
        return math.fsum(_poisson_term(half, i) for i in range(degrees // 2))
    return math.erfc(math.sqrt(half)) + math.fsum(_poisson_term(half, i + 0.5) for i in range(degrees // 2))


def binomial_tails(successes: int, trials: int, probability: float) -> tuple[float, float]:
    """P(at most `successes`) and P(at least `successes`) of Binomial(trials, probability); 0 < probability < 1."""
    count = np.arange(trials + 1)
    odds = count * math.log(probability) + (trials - count) * math.log1p(-probability)
    terms = np.exp(_log_choices(trials) + odds)
    return float(terms[: successes + 1].sum()), float(terms[successes:].sum())


def clopper_pearson(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """An interval that misses the true probability on either side with at most `alpha`."""
    low, high = 0.0, 1.0
    if successes > 0:
        low = _bisect(lambda p: binomial_tails(successes, trials, p)[1] >= alpha)
    if successes < trials:
        high = _bisect(lambda p: binomial_tails(successes, trials, p)[0] < alpha)
    return low, high


def _bisect(is_above: Callable[[float], bool]) -> float:
    """The point of 0..1 above which `is_above` holds."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return (low + high) / 2


def _poisson_term(mean: float, count: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) if mean > 0 else float(count == 0)


@lru_cache(maxsize=8)
def _log_choices(trials: int) -> NDArray[np.float64]:
    """ln C(trials, k) for k = 0 .. trials."""
    factorials = np.array([math.lgamma(count + 1) for count in range(trials + 1)])
    logs: NDArray[np.float64] = factorials[-1] - factorials - factorials[::-1]
    return logs
