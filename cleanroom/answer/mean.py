"""A mean, from a noisy sum and a noisy count of people.

The owner releases S, the sum over people of (value - middle) in whole steps, and N, how many they are, each with noise
of its own. The raw estimate is middle + S / N. A ratio of noisy numbers has no "plus or minus" that holds for every
count, so the interval is Fieller's (1954), with the exact laws in place of normal ones:

If theta is the true mean less the middle, the true sum less theta times the true count is 0 exactly. So S - theta N is
noise alone, X - theta Y with the sum's noise X and the count's noise Y, and

    { theta : |S - theta N| <= h(theta) }    with    P(|X - theta Y| > h(theta)) <= 1 - level

holds the truth with probability `level` or more, whatever the truth, the count and the sum are: nothing is assumed of
their size, and nothing is normal. h comes from the noise's exact discrete law, for the discrete Gaussian as for the
discrete Laplace (`spread.reach`, which errs on the wide side only).

h is computed at 65 points of |theta|, from 0 to the most that the declared bounds allow, and only grows with
|theta|. Between two points the h of the outer one is used, so every theta of the set lies in the pieces that are put
together here, and the interval is the hull of the pieces. Ends are rounded outward to a thousandth of a step.

`value` is raw: it can lie outside the declared bounds when noise is large. The mean of clamped values cannot, so
the interval, and `shown`, end at the bounds: this uses public numbers only.

A mean is *undefined* when the count's own interval reaches 0: then there may be nobody to take a mean of. The interval
is all that is allowed, which is also said when no theta within the bounds fits (a rare draw, outside the level).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from cleanroom.answer.number import json_number, percent
from cleanroom.answer.spread import checked_alpha, reach, spread
from cleanroom.privacy.interval import LEVEL, noise_interval
from cleanroom.privacy.law import Law
from cleanroom.question.columns import Measure

_PIECES = 64
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Mean:
    """`value` is raw, `shown` within the declared bounds; both are None when undefined. In the column's unit."""

    value: Decimal | None
    shown: Decimal | None
    low: Decimal
    high: Decimal
    coverage: Fraction
    note: str

    def body(self, *, by: str | None) -> dict[str, Any]:
        """The JSON value of one group's mean."""
        return {
            "kind": "mean",
            "by": by,
            "defined": self.value is not None,
            "value": json_number(self.value),
            "shown": json_number(self.shown),
            "low": json_number(self.low),
            "high": json_number(self.high),
            "coverage": float(self.coverage),
            "note": self.note,
        }


def mean(
    *,
    centred_sum: int,
    count: int,
    column: Measure,
    scale_sum: Fraction,
    scale_count: Fraction,
    law: Law,
    level: Fraction = LEVEL,
) -> Mean:
    """The mean of `column` in one group, from the noisy sum of (value - middle) in steps and the noisy count.

    The middle is the column's `middle_units`. Raises RefusedError for a scale outside the rules,
    UsageError for a level outside 0 to 0.999999.
    """
    middle = column.middle_units
    lowest, highest = column.low_units - middle, column.high_units - middle
    widths = _half_widths(law, scale_sum, scale_count, max(-lowest, highest), level)
    if count <= noise_interval(scale_count, level=level, law=law).half_width:
        note = "undefined: as far as the noise allows, there may be nobody in this group"
        return Mean(None, None, column.low, column.high, level, note)
    ratio = Fraction(centred_sum, count)
    found = _allowed(centred_sum, count, lowest=lowest, highest=highest, widths=widths)
    low, high = found or (float(lowest), float(highest))
    value = _written(middle + ratio, column.step, round)
    if found is None:
        note = "sum and count fit no mean within the declared bounds: a rare draw, so nothing is known"
    elif lowest <= ratio <= highest:
        note = f"the exact mean is between low and high with probability {percent(level)} or more"
    else:
        note = f"the raw ratio is outside the declared bounds; the interval holds with {percent(level)} or more"
    return Mean(
        value,
        min(max(value, column.low), column.high),
        max(_written(middle + Fraction(low), column.step, math.floor), column.low),
        min(_written(middle + Fraction(high), column.step, math.ceil), column.high),
        level,
        note,
    )


def _allowed(
    centred_sum: int, count: int, *, lowest: int, highest: int, widths: tuple[float, ...]
) -> tuple[float, float] | None:
    """The hull of every theta within the bounds that the noise allows; None if there is none. `count` is above 0."""
    farthest = max(-lowest, highest)
    ends: list[float] = []
    for (inner, _), (outer, width) in pairwise((farthest * i / _PIECES, each) for i, each in enumerate(widths)):
        least, most = (centred_sum - width) / count, (centred_sum + width) / count
        for left, right in ((inner, outer), (-outer, -inner)):
            start, end = max(left, least, lowest), min(right, most, highest)
            if start <= end:
                ends += [start, end]
    return (min(ends), max(ends)) if ends else None


@lru_cache(maxsize=64)
def _half_widths(
    law: Law, scale_sum: Fraction, scale_count: Fraction, farthest: int, level: Fraction
) -> tuple[float, ...]:
    """h at each of the points of |theta| from 0 to `farthest`."""
    alpha = checked_alpha(level)
    first, second = spread(law, scale_sum), spread(law, scale_count)
    return tuple(reach(first, second, farthest * i / _PIECES, alpha) for i in range(_PIECES + 1))


def _written(steps: Fraction, step: Decimal, rounded: Callable[[Fraction], int]) -> Decimal:
    """Steps as a number of the column's unit, rounded to a thousandth of a step."""
    return step * Decimal(rounded(steps * 10**_DIGITS)).scaleb(-_DIGITS)
