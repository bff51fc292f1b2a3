"""What an analyst wants read off an answer: which quantiles, how long a ranking. It costs nothing.

An answer's noisy numbers are paid for once. Quantiles at other levels and rankings of another length are arithmetic on
the same numbers, so neither is part of the plan: asked again with another view, the stored answer is read again, free.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.nearest import quoted
from cleanroom.question.columns import OTHER
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, quantity_cells

USUAL_LEVELS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
MAX_LEVELS = 20
_MAX_DIGITS = 6


@dataclass(frozen=True, slots=True)
class View:
    """`levels` are the orders of the quantiles, 1/2 being the median; `top` is the ranking's length, 0 for none."""

    levels: tuple[Fraction, ...] = USUAL_LEVELS
    top: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.levels) <= MAX_LEVELS or len(set(self.levels)) != len(self.levels):
            raise UsageError(f"quantiles are asked at 1 to {MAX_LEVELS} levels, each once")
        if not all(0 < level < 1 for level in self.levels):
            raise UsageError("the level of a quantile is above 0 and below 1; the median is 0.5")
        if type(self.top) is not int or self.top < 0:
            raise UsageError("the length of a ranking is a whole number from 1")

    def check(self, terms: Terms, owner: PartyName, quantity: Quantity) -> None:
        """Refuse what cannot be read off this quantity, before anything is spent; raises UsageError."""
        if self.levels != USUAL_LEVELS and quantity.kind != "quantile":
            raise UsageError("levels (--at) belong to a quantile: ask with --quantile COLUMN")
        if not self.top:
            return
        if quantity.kind != "histogram":
            raise UsageError("a ranking (--top) is read off how people spread over a dimension: ask with --of COLUMN")
        ranked = [name for name in quantity_cells(terms, owner, quantity) if name != OTHER]
        if self.top > len(ranked):
            raise UsageError(
                f"a ranking of the top {self.top} is longer than the {len(ranked)} declared values of"
                f" {owner}'s {quantity.column}; ask for at most {len(ranked)}"
            )


USUAL_VIEW = View()


def parse_levels(text: str) -> tuple[Fraction, ...]:
    """The levels written as `0.5,0.9`; the usual ones for empty text; raises UsageError."""
    if not text:
        return USUAL_LEVELS
    levels = []
    for part in text.split(","):
        try:
            number = Decimal(part.strip())
        except InvalidOperation:
            raise UsageError(_not_a_level(part)) from None
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -_MAX_DIGITS or not 0 < number < 1:
            raise UsageError(_not_a_level(part))
        levels.append(Fraction(number))
    return tuple(levels)


def _not_a_level(text: str) -> str:
    return (
        f"--at: {quoted(text.strip())} is no level; write numbers above 0 and below 1 with at most {_MAX_DIGITS} digits"
        " after the point, such as 0.5,0.9"
    )
