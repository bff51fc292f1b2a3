"""flow: where customers who are at one stage at the asker stand at the owner.

One plan: a histogram over the match of one of the owner's dimensions, split by one of the asker's; for example aware,
interested, bought, loyal at both. Base of a percentage: the shared customers who are at that stage at the asker (a row
of the heat map).

Does the stage at the owner depend on that at the asker? With t_ij people at stage i at the asker and j at the owner,
the share of j in row i equals its share among all shared customers exactly if it equals the share of j in all other
rows together. Those two shares are of different people, so their noises are independent, and their ratio is bounded by
`cleanroom.privacy.share`: a row has n cells with noise of scale s, the m - 1 others added up n cells with scale
s sqrt(m - 1). A cell differs if 1 is not in that interval; all others cannot be told apart from no dependence at all.

All of it holds at once: a share, a number of people and a ratio (3 statements) for each cell, the size of each row and
of all. The numbers of people are together one statement of the exact law with their part of alpha. Ratios are rounded
outward to hundredths and compared as printed. Nothing is ranked.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.profile import cell_names, share_value
from cleanroom.catalogue.rounding import within
from cleanroom.catalogue.words import few, named, not_covered, shared
from cleanroom.errors import UsageError
from cleanroom.nearest import meant, quoted
from cleanroom.privacy.combination import reach
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.share import RATIO_STATEMENTS, NoisyShare, ratio_range
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, find_column
from cleanroom.report.answer import Answer, Cell
from cleanroom.report.certainty import Range, base_range, share_ranges, statements
from cleanroom.report.figure import spanned

SHOWN = ("shares", "people")
MOST_SAID = 6
_MORE_FOR_A_CELL = RATIO_STATEMENTS + 1


@dataclass(frozen=True, slots=True)
class Combination:
    """One cell of the heat map. `times`: how often as in the other rows, in hundredths, `high` None where unbounded.

    `share` and `times` are None where the contract shows so few people as "under" its threshold, or nothing is known.
    """

    cell: Cell
    group: tuple[Cell, ...]
    people: Range
    share: Range | None
    times: tuple[int, int | None] | None

    @property
    def differs(self) -> bool:
        """Whether the share of this row is certainly not that of the others."""
        return self.more or self.less

    @property
    def more(self) -> bool:
        """Certainly more often than in the other rows."""
        return self.times is not None and self.times[0] > 100

    @property
    def less(self) -> bool:
        """Certainly less often."""
        return self.times is not None and self.times[1] is not None and self.times[1] < 100


class Flow:
    """See the module."""

    name = "flow"
    version = 1
    says = (
        "Where the shared customers who are at one stage at the asker stand at the owner, and which combinations of"
        " stages occur more or less often than if one had nothing to do with the other. Plan: one histogram over the"
        " shared customers, split by the asker's stage."
    )
    sentence = (
        "Customers who have stage loyal at sportswear have stage bought at bags more often than the others (41% to 47%"
        " of them; 1.31 to 1.54 times as often)."
    )
    parameters = (
        Parameter("by", "the asker's column with the stages (a dimension)"),
        Parameter("of", "the owner's column with the stages (a dimension)"),
        Parameter("show", "shares of each stage at the asker, or people", required=False, default="shares"),
    )

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """One histogram over the match, split by the asker's stage; what is shown does not change it."""
        by, of, show = request.text("by"), request.text("of"), request.text("show")
        find_column(terms, request.asker, by, "dimension")
        find_column(terms, request.owner, of, "dimension")
        if show not in SHOWN:
            raise UsageError(f"flow shows shares or people, not {quoted(show)}; {meant(show, SHOWN)}".rstrip("; "))
        return (Ask(by, Quantity("histogram", of)),)

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """A row for each combination of stages."""
        (answer,) = answers
        people = request.text("show") == "people"
        found = combinations(answer)
        return Finding(
            entry=self.name,
            version=self.version,
            asker=answer.asker,
            owner=answer.owner,
            unit="people" if people else "%",
            base=shared(answer) if people else f"{shared(answer)} and that have the same {answer.by} at {answer.asker}",
            level=answer.level,
            at_once=True,
            covers="noise",
            rows=tuple(_people(answer, one) if people else _share(answer, one) for one in found),
            sentences=_sentences(answer, found),
            not_covered=(
                *not_covered(answer),
                "Stages that go together need not cause each other, and which came first is not in the numbers.",
            ),
            chart=Chart("heat"),
            compared=Compared(
                f"what it would be if {answer.by} at {answer.asker} and {answer.column} at {answer.owner} had nothing"
                " to do with each other",
                "may be unrelated",
            ),
        )


def combinations(answer: Answer) -> tuple[Combination, ...]:
    """Every cell with what can be said about it, all at once."""
    more = _MORE_FOR_A_CELL * len(answer.cells)
    at_once = statements(answer) + more
    far = reach(answer.law, float(1 - answer.level) / at_once)
    level = 1 - (1 - answer.level) * len(answer.cells) / at_once
    half_width = noise_interval(answer.scale, level=level, cells=len(answer.cells), law=answer.law).half_width
    groups, noise = answer.groups(), float(answer.scale)
    columns: defaultdict[str | None, Fraction] = defaultdict(Fraction)
    for cell in answer.cells:
        columns[cell.of] += cell.value
    everybody = float(sum(columns.values()))
    found = []
    for group in groups:
        hidden, row = few(answer, group), float(sum(cell.value for cell in group))
        for cell, share in zip(group, share_ranges(answer, group, more=more), strict=True):
            low, high = (
                max(end, 0) for end in (math.floor(cell.value) - half_width, math.ceil(cell.value) + half_width)
            )
            dark = hidden or cell.below
            here = NoisyShare(float(cell.value), row, len(group), noise)
            alike = float(columns[cell.of] - cell.value)
            elsewhere = NoisyShare(alike, everybody - row, len(group), noise * math.sqrt(len(groups) - 1))
            times = None if dark else _times(here, elsewhere, far)
            found.append(Combination(cell, group, Range(low, high), None if dark else share, times))
    return tuple(found)


def _times(here: NoisyShare, elsewhere: NoisyShare, far: float) -> tuple[int, int | None] | None:
    """The share of a cell in its row over that in all other rows, in hundredths, rounded outward."""
    ends = ratio_range(here, elsewhere, far)
    if ends is None or math.isinf(ends[0]):
        return None
    return math.floor(100 * ends[0]), None if math.isinf(ends[1]) else math.ceil(100 * ends[1])


def _share(answer: Answer, one: Combination) -> Row:
    names = cell_names(answer, one.cell)
    if one.share is None:
        return Row(names, None, None, None, differs=False)
    low, high = Fraction(one.share.low), Fraction(one.share.high)
    return Row(names, share_value(one.cell, one.group, one.share), low, high, one.differs)


def _people(answer: Answer, one: Combination) -> Row:
    names = cell_names(answer, one.cell)
    if one.cell.below:
        return Row(names, None, None, None, differs=False)
    low, high = Fraction(one.people.low), Fraction(one.people.high)
    return Row(names, within(one.cell.value, low, high), low, high, one.differs)


def _sentences(answer: Answer, found: Sequence[Combination]) -> tuple[str, ...]:
    """How many combinations differ, the first of them in the contract's order, and that all others do not."""
    size = base_range(answer, answer.cells, more=_MORE_FOR_A_CELL * len(answer.cells))
    people = f"under {answer.threshold}" if few(answer, answer.cells) else spanned(size.low, size.high)
    differing = [one for one in found if one.differs]
    base = f"Among the {people} {shared(answer)}"
    if not differing:
        return (
            f"{base}, {answer.column} at {answer.owner} cannot be told to go with {answer.by} at {answer.asker}:"
            f" each of the {len(found)} combinations could be as frequent as if the two had nothing to do with each"
            " other.",
        )
    said = [
        f"{base}, {answer.by} at {answer.asker} and {answer.column} at {answer.owner} go together: {len(differing)} of"
        f" {len(found)} combinations are more or less frequent than if the two had nothing to do with each other.",
        *(_one(answer, one) for one in differing[:MOST_SAID]),
    ]
    if len(differing) > MOST_SAID:
        more = len(differing) - MOST_SAID
        rest = "One further combination of which this holds is" if more == 1 else f"{more} more of which this holds are"
        said.append(f"{rest} in the table.")
    if len(differing) < len(found):
        said.append(f"The other combinations ({len(found) - len(differing)}) cannot be told apart from that.")
    return tuple(said)


def _one(answer: Answer, one: Combination) -> str:
    often = "more" if one.more else "less"
    share = f"{spanned(one.share.low, one.share.high, '%')} of them" if one.share is not None else ""
    low, high = one.times if one.times is not None else (0, None)
    times = f"at least {low / 100:.12g}" if high is None else f"{low / 100:.12g} to {high / 100:.12g}"
    return (
        f"Customers who have {answer.by} {named(one.cell.by)} at {answer.asker} have {answer.column}"
        f" {named(one.cell.of)} at {answer.owner} {often} often than the others ({share}; {times} times as often)."
    )
