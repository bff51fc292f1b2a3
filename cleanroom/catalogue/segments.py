"""Shares within the asker's segments, and the average over everybody shared, from histograms of an owner's dimension.

A segment's share is one cell of its k cells, each with noise of scale s. The average's, where nothing was asked for it
alone, is the value's m cells, one of each segment, added up, of all m k cells: k sums with noise of scale s sqrt(m).
`cleanroom.privacy.share` says between which numbers either is (Fieller). Of so many statements each gets its part of
the doubt, so all hold at once.

Everything here is in percent and rounded outward as printed; what is above what is decided from the printed ends.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.catalogue.rounding import outward
from cleanroom.catalogue.words import few
from cleanroom.privacy.combination import reach
from cleanroom.privacy.share import NoisyShare
from cleanroom.question.columns import OTHER
from cleanroom.report.answer import Answer, Cell


@dataclass(frozen=True, slots=True)
class Share:
    """A percentage with the interval of its truth; `value` is the estimate, None where the base is nothing but noise.

    `hidden` says that people it is made of are to be shown as under the owner's display threshold: whatever else is
    known of it, it is not shown, and differs from nothing.
    """

    value: Fraction | None
    low: Fraction
    high: Fraction
    hidden: bool = False

    def above(self, other: "Share") -> bool:
        """Whether this is certainly the larger one: the intervals do not touch."""
        return self.low > other.high

    def differs(self, other: "Share") -> bool:
        """Whether the two can be told apart, and neither is hidden."""
        return not (self.hidden or other.hidden) and (self.above(other) or other.above(self))

    def compared(self, average: "Share") -> bool | None:
        """Whether it is told apart from an average; None where that is not shown, so that there is nothing to compare.

        What is itself not shown is not told apart.
        """
        return None if average.hidden and not self.hidden else self.differs(average)


def segment_shares(answer: Answer, value: str, *, statements: int) -> tuple[Share, ...]:
    """The share of the owner's value within each segment; `statements` in all hold at once."""
    return tuple(_share(answer, value, (group,), statements) for group in answer.groups())


def average_share(answer: Answer, value: str, *, statements: int) -> Share:
    """The share of the owner's value among everybody shared, whatever the segment."""
    return _share(answer, value, answer.groups(), statements)


def ranks(names: Sequence[str], shares: Sequence[Share]) -> tuple[tuple[int, int] | None, ...]:
    """Best and worst place of each segment; `other` has none: what it holds depends on what the contract names."""
    ranked = [share for name, share in zip(names, shares, strict=True) if name != OTHER]
    return tuple(
        None
        if name == OTHER
        else (
            1 + sum(other.above(share) for other in ranked),
            len(ranked) - sum(share.above(other) for other in ranked),
        )
        for name, share in zip(names, shares, strict=True)
    )


def _share(answer: Answer, value: str, groups: Sequence[Sequence[Cell]], statements: int) -> Share:
    parts = [cell for group in groups for cell in group if cell.of == value]
    part = float(sum(cell.value for cell in parts))
    total = float(sum(cell.value for group in groups for cell in group))
    far = reach(answer.law, float(1 - answer.level) / statements)
    found = NoisyShare(part, total, len(groups[0]), float(answer.scale) * math.sqrt(len(groups)))
    least, most = found.least(far), found.most(far)
    if least is None or most is None:  # a rare draw, outside the level: nothing is known
        least, most = 0.0, 1.0
    low, high = outward(100.0 * least, 100.0 * most)
    hidden = any(few(answer, cells) for cells in (parts, [cell for group in groups for cell in group]))
    estimate = min(max(Fraction(100.0 * part / total), low), high) if total > 0.0 else None
    return Share(estimate, low, high, hidden)
