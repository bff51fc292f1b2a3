"""Computed ends of intervals as they are printed: rounded outward, so that nothing true falls out.

Whatever is decided from an interval (is 0 outside, is one above the other) is decided from these rounded ends, so that
a reader of the printed numbers and the program never disagree.
"""

from fractions import Fraction

from cleanroom.report.figure import show_range

_ROUNDS = 8


def outward(low: float, high: float) -> tuple[Fraction, Fraction]:
    """Both ends rounded outward, to as many digits as the width deserves; printing them changes nothing more."""
    ends = Fraction(low), Fraction(high)
    for _ in range(_ROUNDS):  # a rounded interval is wider, and may deserve a digit less
        first, last = (Fraction(text.replace(",", "")) for text in show_range(*ends))
        if (first, last) == ends:
            break
        ends = first, last
    return ends


def within(value: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """An estimate, moved to the nearest number that its interval has."""
    return min(max(value, low), high)


def said(low: Fraction, high: Fraction, unit: str = "", between: str = " to ") -> str:
    """A range of `outward` as text, such as 18% to 22%; one number where both ends are the same."""
    return between.join(dict.fromkeys(f"{text}{unit}" for text in show_range(low, high)))
