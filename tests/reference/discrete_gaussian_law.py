"""The discrete Gaussian law in fifty decimal digits, term by term: slow, and with nothing to get wrong."""

from decimal import Decimal, localcontext
from fractions import Fraction

_DIGITS = 50
_WIDEST_IN_SIGMAS = 14


def probabilities(scale: Fraction) -> dict[int, Decimal]:
    """P(x) for every integer x within 14 sigma; the rest is below 1e-40."""
    with localcontext() as context:
        context.prec = _DIGITS
        variance = Decimal(scale.numerator) ** 2 / Decimal(scale.denominator) ** 2
        widest = int(_WIDEST_IN_SIGMAS * scale) + 1
        weights = [(-Decimal(x * x) / (2 * variance)).exp() for x in range(widest + 1)]
        total = weights[0] + 2 * sum(weights[1:])
        return {x: weights[abs(x)] / total for x in range(-widest, widest + 1)}


def smallest_interval(scale: Fraction, level: Decimal) -> tuple[int, Decimal]:
    """The smallest h with P(|x| <= h) >= level, and that probability."""
    law = probabilities(scale)
    with localcontext() as context:
        context.prec = _DIGITS
        half_width, inside = 0, law[0]
        while inside < level:
            half_width += 1
            inside += 2 * law[half_width]
        return half_width, inside
