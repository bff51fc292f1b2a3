"""How a number is printed: thousands separated, no more digits than it deserves, ranges rounded outward.

Ranges and lists in a sentence, too.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

_MOST_DIGITS = 9


def show(value: Fraction) -> str:
    """A number with thousands separators, and at most two digits after the point where it has any."""
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.2f}"


def show_range(low: Fraction, high: Fraction) -> tuple[str, str]:
    """Both ends, rounded outward to about a tenth of the range's width."""
    digits = _digits(high - low)
    return _fixed(math.floor(low * 10**digits), digits), _fixed(math.ceil(high * 10**digits), digits)


def show_within(value: Fraction, low: Fraction, high: Fraction) -> str:
    """A number with as many digits as its range has."""
    digits = _digits(high - low)
    return _fixed(round(value * 10**digits), digits)


def spanned(low: int, high: int, unit: str = "") -> str:
    """`4,100 to 4,300`, `18% to 22%`, or the one number that both ends are."""
    return f"{low:,}{unit}" if low == high else f"{low:,}{unit} to {high:,}{unit}"


def enumerated(texts: Sequence[str]) -> str:
    """`black`, or `black, white and red`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _digits(width: Fraction) -> int:
    if width <= 0:
        return _MOST_DIGITS
    return min(max(math.ceil(-math.log10(width)) + 1, 0), _MOST_DIGITS)


def _fixed(units: int, digits: int) -> str:
    """Units of 10^-digits as text; zeros behind the point are left out."""
    sign = "-" * (units < 0)
    whole, rest = divmod(abs(units), 10**digits)
    behind = f"{rest:0{digits}d}".rstrip("0") if digits else ""
    return f"{sign}{whole:,}{'.' if behind else ''}{behind}"
