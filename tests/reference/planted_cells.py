"""Exact cells that a test writes down, as the answers of a question would have them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from cleanroom.catalogue.entry import Ask

Key = tuple[str | None, str | None]
Truth = Callable[[Ask], Mapping[Key, int]]


def split_or_not(cells: Mapping[Key, int]) -> Truth:
    """The cells by segment, and where an ask splits nobody, added up over the segments."""
    whole: Counter[Key] = Counter()
    for (_, of), count in cells.items():
        whole[None, of] += count
    return lambda ask: cells if ask.by else whole


def table_of(bys: Sequence[str | None], ofs: Sequence[str | None], counts: Sequence[Sequence[int]]) -> dict[Key, int]:
    """Cells from a table, groups down, values across."""
    return {(by, of): count for by, row in zip(bys, counts, strict=True) for of, count in zip(ofs, row, strict=True)}
