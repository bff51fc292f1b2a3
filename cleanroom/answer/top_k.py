"""The top k of a histogram, as far as noise lets anyone say who is in it.

Sorting noisy numbers always yields a first and a second, also where there is none. So each cell gets an interval that
holds the exact number in *all* cells at once with probability `level` or more (`noise_interval` with as many cells,
from the exact discrete law), and one cell is above another only if the intervals do not touch. What follows is true
of all cells at once, with that same probability:

    best rank    one more than the cells that are certainly above it
    worst rank   all ranked cells less those that are certainly below it
    in the top k "certainly" if the worst rank is k or better, "certainly not" if the best is worse than k, else
                 "possibly"

Cells whose ranks overlap are ties as far as anyone may say: that the list has them by noisy value means nothing. Equal
exact numbers may stand in either order, and both orders lie within the ranks given.

`other` is shown and not ranked unless asked for. It is everything that the contract does not name: how large it is
depends on how long the contract's list is, so "other is second" would say something about the list and nothing
about customers. It counts as a cell of the simultaneous intervals either way, since it is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from cleanroom.answer.number import percent
from cleanroom.errors import UsageError
from cleanroom.privacy.interval import LEVEL, noise_interval
from cleanroom.privacy.law import Law
from cleanroom.question.columns import OTHER

InTop = Literal["certainly", "possibly", "certainly not"]


@dataclass(frozen=True, slots=True)
class RankedCell:
    """A cell with its interval, its ranks (1 is the largest) and where it stands; None for a cell without a rank."""

    name: str
    value: int
    low: int
    high: int
    best: int | None
    worst: int | None
    in_top: InTop | None

    def body(self) -> dict[str, Any]:
        """The JSON value of one cell."""
        return {
            "of": self.name,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "best": self.best,
            "worst": self.worst,
            "in_top": self.in_top,
        }


@dataclass(frozen=True, slots=True)
class TopK:
    """Cells by falling noisy value, then those without a rank. `coverage` is for everything said, at once."""

    k: int
    cells: tuple[RankedCell, ...]
    coverage: Fraction
    note: str

    def named(self, in_top: InTop) -> tuple[str, ...]:
        """The cells that are "certainly", "possibly" or "certainly not" in the top k."""
        return tuple(cell.name for cell in self.cells if cell.in_top == in_top)

    def body(self, *, by: str | None) -> dict[str, Any]:
        """The JSON value of one group's top k."""
        return {
            "kind": "top_k",
            "by": by,
            "k": self.k,
            "cells": [cell.body() for cell in self.cells],
            "coverage": float(self.coverage),
            "note": self.note,
        }


def top_k(
    names: Sequence[str],
    values: Sequence[int],
    *,
    k: int,
    scale: Fraction,
    law: Law,
    level: Fraction = LEVEL,
    rank_other: bool = False,
) -> TopK:
    """The top k of the cells `names` with these noisy values, in the contract's order.

    Raises UsageError if k is not between 1 and the number of ranked cells or a value is missing; RefusedError for a
    scale outside the rules.
    """
    if len(names) != len(values):
        raise UsageError("a histogram has one value for each cell")
    ranked = [place for place, name in enumerate(names) if rank_other or name != OTHER]
    if type(k) is not int or not 1 <= k <= len(ranked):
        raise UsageError(f"the top k of {len(ranked)} ranked values: k is a whole number from 1 to {len(ranked)}")
    found = noise_interval(scale, level=level, cells=len(values), law=law)
    apart = 2 * found.half_width

    def cell(place: int) -> RankedCell:
        value = values[place]
        best = worst = in_top = None
        if place in ranked:
            best = 1 + sum(values[another] - value > apart for another in ranked)
            worst = len(ranked) - sum(value - values[another] > apart for another in ranked)
            in_top = _in_top(best, worst, k)
        low, high = value - found.half_width, value + found.half_width
        return RankedCell(names[place], value, low, high, best, worst, in_top)

    by_value = sorted(ranked, key=lambda place: -values[place])
    unranked = [place for place in range(len(names)) if place not in ranked]
    cells = tuple(cell(place) for place in (*by_value, *unranked))
    return TopK(k, cells, level, _note(cells, k, level))


def _in_top(best: int, worst: int, k: int) -> InTop:
    if worst <= k:
        return "certainly"
    return "certainly not" if best > k else "possibly"


def _note(cells: Sequence[RankedCell], k: int, level: Fraction) -> str:
    certain = sum(cell.in_top == "certainly" for cell in cells)
    possible = sum(cell.in_top == "possibly" for cell in cells)
    ends = f"all intervals and ranks hold at once with probability {percent(level)} or more"
    if certain == k:
        return f"the top {k} can be told from the rest; {ends}"
    return f"{certain} of the top {k} can be told; for the rest, {possible} values cannot be told apart; {ends}"
