"""Which place a row may have among others: a range, since noise seldom leaves a single one.

A row is above another only if their printed ranges do not touch. With ranges that hold the truth at once, so do all
places: the best is one more than the rows that are certainly above, the worst is all rows less those that are
certainly below. Rows that are equal in truth have ranges of places that overlap.
"""

from collections.abc import Sequence

from cleanroom.report.certainty import Range


def places(ranges: Sequence[Range | None]) -> tuple[tuple[int, int], ...]:
    """Best and worst place of each, 1 being the largest; None is a range of which nothing is known."""
    return tuple(
        (
            1 + sum(_above(other, range_) for other in ranges),
            len(ranges) - sum(_above(range_, other) for other in ranges),
        )
        for range_ in ranges
    )


def contenders(ranges: Sequence[Range | None]) -> tuple[int, ...]:
    """Who may be first, in the order given, which says nothing; one alone is first for certain."""
    return tuple(at for at, (best, _) in enumerate(places(ranges)) if best == 1)


def _above(one: Range | None, other: Range | None) -> bool:
    return one is not None and other is not None and one.above(other)
