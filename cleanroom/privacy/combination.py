"""How far noise moves a weighted sum of cells, for any weights and without knowing the cells' grid.

For independent noise e_i of one law with scale s, and fixed weights w with |w| their Euclidean length,

    P( |sum w_i e_i| > s * |w| * reach ) <= alpha

holds exactly, at every size: no normal approximation. The price is an interval somewhat wider than the exact law's.

Gaussian: the discrete law is sub-Gaussian with its own scale, so E exp(t e) <= exp(s^2 t^2 / 2) and, by Chernoff,
reach = sqrt(2 ln(2 / alpha)) (Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", 2020,
section 2.2).

Laplace: E exp(t e) = (cosh(1 / s) - 1) / (cosh(1 / s) - cosh(t)) = 1 / (1 - (sinh(t / 2) / sinh(1 / 2s))^2), which is
at most 1 / (1 - s^2 t^2), since sinh(x) / x grows. With weights of length 1 the product of the factors
1 - s^2 t^2 w_i^2 is at least (1 - s^2 t^2 / n)^n if n weights are equal, and at least 1 - s^2 t^2 whatever they are.
Chernoff: alpha / 2 = exp(-u reach) (1 - u^2 / n)^-n at the best u; n = 1 stands for any weights. One cell alone needs
no Chernoff: P(|e| > r) <= 2 exp(-r / s) by the law's own tail.
"""

import math

from cleanroom.privacy.law import Law

_BISECTIONS = 60


def reach(law: Law, alpha: float, *, equal_weights: int | None = None) -> float:
    """The reach of the module's bound. `equal_weights` is how many cells are added up, or None for other weights.

    `alpha` is above 0 and below 1.
    """
    if law == "gaussian":
        return math.sqrt(2.0 * math.log(2.0 / alpha))
    if equal_weights == 1:
        return math.log(2.0 / alpha)
    return _laplace_reach(math.log(2.0 / alpha), equal_weights or 1)


def _laplace_reach(doubt: float, cells: int) -> float:
    """The least reach whose Chernoff exponent is `doubt`; rounded up."""
    low, high = 0.0, doubt + 2.0 * math.sqrt(doubt) + 2.0
    while _exponent(high, cells) < doubt:
        high *= 2.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if _exponent(middle, cells) >= doubt else (middle, high)
    return high


def _exponent(distance: float, cells: int) -> float:
    """max over u of u * distance + cells * ln(1 - u^2 / cells), reached where the derivative is 0."""
    best = distance / (1.0 + math.sqrt(1.0 + distance * distance / cells))
    return best * distance + cells * math.log1p(-best * best / cells)
