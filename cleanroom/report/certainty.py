"""How sure a comparison or a percentage can be, given noisy numbers and the public law of their noise.

The interval printed with a number is about that number alone. As soon as numbers are compared, or one is divided by
others, all of them have to be right at once, and intervals get wider. Everything here holds *at once*, for all
cells of an answer, with probability `level` or more over the owner's noise.

Notation: true cells t_i, noisy cells x_i = t_i + e_i; the e_i are independent draws of the discrete law with scale s.

The one fact used: for any fixed weights w, noise moves a weighted sum by at most s |w| z with z = `reach` of
`cleanroom.privacy.combination`,

    P( |sum w_i e_i| > s |w| z ) <= alpha

under either law. With k statements alpha is (1 - level) / k (Bonferroni); whoever says more about the same answer at
once adds how many statements `more` that is. The bound needs no normal approximation and no knowledge of the grid that
a sum is rounded to; the price is intervals about a quarter wider than the exact law's, and about half again under the
Laplace law.

Numbers: w picks one cell, so |t_i - x_i| <= s z. People are counted by the exact law instead
(`cleanroom.privacy.interval`), whose grid is known to be 1. A number of people is not below 0, nor is its interval;
a sum is within what the declared bounds and the capacities allow, and so is its interval.

Bases: w picks n cells, so their true sum T is within s z sqrt(n) of the noisy sum X.

Shares: p_i = t_i / T. For the true p the combination t_i - p T is 0 exactly, so x_i - p X is noise alone, with
weight 1 - p once and -p in the other n - 1 cells. The interval holds every p in [0, 1] that this allows (Fieller, 1954;
`cleanroom.privacy.share`). It does not assume that T is large: if noise drowns the base, the interval is all of [0, 1].

Ranges are rounded outward to what is printed, and compared as printed: a reader who sees two intervals touch and
a program that says which is larger never disagree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.privacy.combination import reach
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.share import NoisyShare
from cleanroom.report.answer import Answer, Cell


@dataclass(frozen=True, slots=True)
class Range:
    """The truth is between `low` and `high`, both included: whole people, whole units of a sum, or whole percent."""

    low: int
    high: int

    def above(self, other: "Range") -> bool:
        """Whether this is certainly the larger one: the intervals do not touch."""
        return self.low > other.high


EVERYTHING = Range(0, 100)


def number_ranges(answer: Answer) -> tuple[Range, ...]:
    """One range for each cell's number, all at once; for comparing cells with each other."""
    if answer.quantity == "sum":
        far = _reach(answer, len(answer.cells), equal_weights=1)
        ranges = (_outward(float(cell.value) - far, float(cell.value) + far) for cell in answer.cells)
        return tuple(_possible(answer, range_) for range_ in ranges)
    half_width = noise_interval(answer.scale, level=answer.level, cells=len(answer.cells), law=answer.law).half_width
    return tuple(_people(float(cell.value), half_width) for cell in answer.cells)


def base_range(answer: Answer, base: Sequence[Cell], *, more: int = 0) -> Range:
    """How many people `base` has together, at once with every `share_ranges` of the answer and `more` statements."""
    far = _reach(answer, statements(answer) + more, equal_weights=len(base)) * math.sqrt(len(base))
    return _people(float(sum(cell.value for cell in base)), far)


def share_ranges(answer: Answer, base: Sequence[Cell], *, more: int = 0) -> tuple[Range, ...]:
    """Each cell's percentage of the people of `base`, all shares and bases of the answer and `more` statements at once.

    `base` is one of the answer's groups, or all its cells: disjoint groups of people that add up to the base.
    """
    far = _reach(answer, statements(answer) + more, equal_weights=None)
    total = float(sum(cell.value for cell in base))
    return tuple(_share(float(cell.value), total, len(base), far) for cell in base)


def leaders(ranges: Sequence[Range]) -> tuple[int, ...]:
    """The places that may be first: nothing is certainly above them. One place means a certain winner."""
    return tuple(place for place, range_ in enumerate(ranges) if not any(other.above(range_) for other in ranges))


def statements(answer: Answer) -> int:
    """A share for every cell, a size for every group and one for everybody."""
    return len(answer.cells) + len(answer.groups()) + 1


def _reach(answer: Answer, statements: int, *, equal_weights: int | None) -> float:
    """s z, when this many statements hold at once."""
    return float(answer.scale) * reach(answer.law, float(1 - answer.level) / statements, equal_weights=equal_weights)


def _outward(low: float, high: float) -> Range:
    return Range(math.floor(low), math.ceil(high))


def _possible(answer: Answer, range_: Range) -> Range:
    """The part of the range between the ends that the contract's bounds and capacities leave to any sum."""
    if answer.possible is None:
        return range_
    least, most = math.floor(answer.possible[0]), math.ceil(answer.possible[1])
    return Range(min(max(range_.low, least), most), max(min(range_.high, most), least))


def _people(value: float, reach: float) -> Range:
    return _outward(max(value - reach, 0.0), max(value + reach, 0.0))


def _share(part: float, total: float, cells: int, reach: float) -> Range:
    """The percentage between the ends that noise of `reach` in each cell allows; everything where it allows nothing."""
    if cells == 1:
        return Range(100, 100)
    share = NoisyShare(part, total, cells, reach)
    low, high = share.least(1.0), share.most(1.0)
    if low is None or high is None or low > high:
        # One of the rare draws outside the level: nothing is known.
        return EVERYTHING
    return _outward(100.0 * low, 100.0 * high)
