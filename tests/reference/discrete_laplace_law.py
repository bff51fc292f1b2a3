"""The discrete Laplace law in fifty decimal digits: slow, and with nothing to get wrong."""

from decimal import Decimal, localcontext
from fractions import Fraction

_DIGITS = 50
_WIDEST_IN_SCALES = 100


def probabilities(scale: Fraction) -> dict[int, Decimal]:
    """P(x) for every integer x within 100 scales; the rest is below 1e-43."""
    with localcontext() as context:
        context.prec = _DIGITS
        widest = int(_WIDEST_IN_SCALES * scale) + 1
        weights = [(-Decimal(x * scale.denominator) / scale.numerator).exp() for x in range(widest + 1)]
        total = weights[0] + 2 * sum(weights[1:])
        return {x: weights[abs(x)] / total for x in range(-widest, widest + 1)}
