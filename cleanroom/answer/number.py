"""How an exact number is written in an answer, and how certain an interval is, in words."""

import math
from decimal import Decimal
from fractions import Fraction


def json_number(value: Decimal | None) -> int | float | None:
    """A whole number without a point, anything else as the nearest float; None stays null."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def percent(level: Fraction) -> str:
    """0.95 as `95%`; digits beyond the third after the point are dropped, never rounded up."""
    text = format(Decimal(math.floor(level * 100_000)).scaleb(-3).normalize(), "f")
    return f"{text}%"
