"""A quantile, from a noisy histogram over the declared bins of a measure.

The owner releases how many people are in each bin, each number with noise of its own. Edges e cut the measure's range
[low, high] into bins; every bin has its lower edge and not its upper one, the last one has both. The quantile Q of
order q is the smallest value that at least a share q of the people do not exceed.

**The value.** Cumulate the noisy cells, find the nearest sequence that never falls (`isotonic`), and look up q times
its last number; inside the bin people are taken to be spread evenly. Noisy cells are never set to 0 first: that keeps
only the noise that points up, and was measured to be 2.5 to 12 times worse. The value is an estimate and nothing
more; what is certain is said by the interval.

**The interval.** With C(e) people below e and T in all, Q < e exactly if C(e) >= q T, that is if

    D(e) = (1 - q) * (people below e) - q * (people from e up)

is not negative. The noisy D(e) is off by (1 - q) A - q B, where A and B are the noises of the cells below and above;
T need not be known. By the exact discrete law this is below -h(e) with probability alpha / 2 at most, and above h(e)
with as much, where alpha = 1 - level (`spread`). Now walk from the lowest edge up, as long as the noisy D(e) is
below -h(e): each of these edges is taken to be at or below Q. The walk goes too far only if it passes the *first* edge
above Q, and there D(e) >= 0, so its noise must be below -h(e): probability alpha / 2, however many edges there are. (A
test of all edges in any order would have to widen each h for their number; tests in a fixed order need not: Marcus,
Peritz, Gabriel, 1976.) The same from the highest edge down. So Q is between the edges where the walks end with
probability `level` or more. Noise that stops a walk early makes the interval wider, never wrong.

A quantile is *undefined* when the noisy total is within what noise alone can be: then there may be nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

from cleanroom.answer.isotonic import isotonic
from cleanroom.answer.number import json_number, percent
from cleanroom.answer.spread import chance_beyond, checked_alpha, spread
from cleanroom.errors import UsageError
from cleanroom.privacy.interval import LEVEL
from cleanroom.privacy.law import Law
from cleanroom.question.columns import Measure


@dataclass(frozen=True, slots=True)
class Quantile:
    """`value` is the estimate, in bin number `bin` from 0; both are None when undefined. `low`, `high` are edges."""

    order: Fraction
    value: Decimal | None
    bin: int | None
    low: Decimal
    high: Decimal
    coverage: Fraction
    note: str

    def body(self, *, by: str | None) -> dict[str, Any]:
        """The JSON value of one group's quantile."""
        return {
            "kind": "quantile",
            "by": by,
            "order": float(self.order),
            "defined": self.value is not None,
            "value": json_number(self.value),
            "low": json_number(self.low),
            "high": json_number(self.high),
            "coverage": float(self.coverage),
            "note": self.note,
        }


def quantile(
    cells: Sequence[int],
    *,
    order: Fraction,
    column: Measure,
    edges: Sequence[Decimal],
    scale: Fraction,
    law: Law,
    level: Fraction = LEVEL,
) -> Quantile:
    """The quantile of `order` (1/2 is the median) of `column` in one group, from its noisy cells, lowest bin first.

    Raises UsageError for an order outside 0 to 1, a number of cells that is not one more than that of the edges, or a
    level outside 0 to 0.999999; RefusedError for a scale outside the rules.
    """
    if not 0 < order < 1:
        raise UsageError("the order of a quantile is above 0 and below 1; the median is 0.5")
    if len(cells) != len(edges) + 1:
        raise UsageError("a histogram has one bin more than there are edges")
    bounds = (column.low, *edges, column.high)
    alpha = checked_alpha(level)
    total = sum(cells)
    if total <= 0 or chance_beyond(total, spread(law, scale, len(cells)), None, 0.0) > alpha:
        note = "undefined: as far as the noise allows, there may be nobody in this group"
        return Quantile(order, None, None, column.low, column.high, level, note)
    place, value = _estimate(cells, order=order, bounds=bounds, step=column.step)
    lowest, highest = _certain_bins(cells, order=order, scale=scale, law=law, alpha=alpha)
    return Quantile(
        order,
        value,
        place,
        bounds[min(lowest, place)],
        bounds[max(highest, place) + 1],
        level,
        f"the exact quantile is between low and high with probability {percent(level)} or more; value is an estimate",
    )


def _estimate(
    cells: Sequence[int], *, order: Fraction, bounds: Sequence[Decimal], step: Decimal
) -> tuple[int, Decimal]:
    """The bin of the estimate and the estimate, on the column's grid; the sum of the cells is above 0."""
    below = isotonic(list(accumulate(cells)))
    wanted = order * below[-1]
    place = next(i for i, people in enumerate(below) if people >= wanted)
    before = max(below[place - 1], Fraction(0)) if place else Fraction(0)
    share = (wanted - before) / (below[place] - before)
    first = int(bounds[place] / step)
    # The upper edge belongs to the next bin; the last bin has it.
    last = max(int(bounds[place + 1] / step) - (place + 1 < len(cells)), first)
    return place, step * min(first + round(share * (int(bounds[place + 1] / step) - first)), last)


def _certain_bins(cells: Sequence[int], *, order: Fraction, scale: Fraction, law: Law, alpha: float) -> tuple[int, int]:
    """The lowest and the highest bin that the quantile may be in: where the two walks end."""

    def certain_side(edge: int) -> int:
        """-1: the quantile is at or above this edge, 1: below it, 0: nobody can tell. Edge 0 is above cell 0."""
        noisy = (1 - order) * sum(cells[: edge + 1]) - order * sum(cells[edge + 1 :])
        if _chance_of_noise(abs(noisy), edge, len(cells), order=order, scale=scale, law=law) > alpha:
            return 0
        return 1 if noisy > 0 else -1

    lowest, highest = 0, len(cells) - 1
    while lowest < len(cells) - 1 and certain_side(lowest) < 0:
        lowest += 1
    while highest > lowest and certain_side(highest - 1) > 0:
        highest -= 1
    return lowest, highest


def _chance_of_noise(size: Fraction, edge: int, cells: int, *, order: Fraction, scale: Fraction, law: Law) -> float:
    """How likely the noise of D is as large as `size`, up or down; the heavier part is the one that is smoothed."""
    below, above = spread(law, scale, edge + 1), spread(law, scale, cells - edge - 1)
    if order <= Fraction(1, 2):
        return chance_beyond(float(size / (1 - order)), below, above, float(order / (1 - order)))
    return chance_beyond(float(size / order), above, below, float((1 - order) / order))
