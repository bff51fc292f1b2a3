"""profile: what the shared customers prefer at the owner.

One plan: a histogram over the match of one of the owner's dimensions, split by one of the asker's where wished. Base of
a percentage: the customers that the asker shares with the owner, and within a group those of the group. The shares are
Fieller's (`cleanroom.privacy.share`), all at once with the groups' sizes (`cleanroom.report.certainty`), and so are the
places: a value is placed above another only if their printed intervals do not touch. `other` has no place, since how
large it is depends on what the contract names.

A row differs if it stands apart from every other value that the contract names in its group; `other` is compared with
nothing, nor is a value that is the only one named. What is shown as under the threshold has no place.
"""

from collections.abc import Sequence
from fractions import Fraction

from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.places import places
from cleanroom.catalogue.words import few, label, named, not_covered, shared
from cleanroom.question.columns import OTHER
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, find_column
from cleanroom.report.answer import Answer, Cell
from cleanroom.report.certainty import EVERYTHING, Range, share_ranges
from cleanroom.report.sentence import sentences


class Profile:
    """See the module."""

    name = "profile"
    version = 1
    says = (
        "What the shared customers prefer at the owner: which part of them has which value of one of its columns. Plan:"
        " one histogram over the shared customers, split by one of the asker's columns where wished."
    )
    sentence = (
        "Between 19% and 21% of the 1,179 to 1,227 customers that sportswear shares with bags have colour blue at bags,"
        " more than any other value that is named; the others: black 14% to 17%, white 13% to 16%, other 49% to 52%."
    )
    parameters = (
        Parameter("of", "the owner's column whose values are counted (a dimension)"),
        Parameter("by", "the asker's column that splits the customers into groups (a dimension)", required=False),
    )

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """One histogram over the match."""
        of, by = request.text("of"), request.text("by")
        find_column(terms, request.owner, of, "dimension")
        if by:
            find_column(terms, request.asker, by, "dimension")
        return (Ask(by, Quantity("histogram", of)),)

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """A percentage for each value in each group."""
        (answer,) = answers
        split = f" and that have the same {answer.by} at {answer.asker}" if answer.by else ""
        within = f" within one {answer.by}" if answer.by else ""
        return Finding(
            entry=self.name,
            version=self.version,
            asker=answer.asker,
            owner=answer.owner,
            unit="%",
            base=shared(answer) + split,
            level=answer.level,
            at_once=True,
            covers="noise",
            rows=tuple(row for group in answer.groups() for row in _rows(answer, group)),
            sentences=sentences(answer),
            not_covered=not_covered(answer),
            chart=Chart("heat" if answer.by else "bars"),
            compared=Compared(f"every other value that is named{within}", "may equal another", f"each other{within}"),
        )


def _rows(answer: Answer, group: tuple[Cell, ...]) -> tuple[Row, ...]:
    ranges = share_ranges(answer, group)
    ranked = [at for at, cell in enumerate(group) if cell.of != OTHER]
    ranks = dict(zip(ranked, places([ranges[at] for at in ranked]), strict=True))
    hidden = few(answer, group)
    rows = []
    for at, (cell, range_) in enumerate(zip(group, ranges, strict=True)):
        rivals = [] if cell.of == OTHER else [ranges[each] for each in ranked if each != at]
        apart = all(_apart(range_, rival) for rival in rivals) if rivals else None
        names = cell_names(answer, cell)
        if hidden or cell.below:
            rows.append(Row(names, None, None, None, differs=False))
        else:
            low, high = Fraction(range_.low), Fraction(range_.high)
            rows.append(Row(names, share_value(cell, group, range_), low, high, apart, ranks.get(at)))
    return tuple(rows)


def cell_names(answer: Answer, cell: Cell) -> tuple[tuple[str, str], ...]:
    """How a histogram's cell is named in a result table."""
    by = ((label(answer.by, answer.splitter), named(cell.by)),) if answer.by else ()
    return (*by, (label(answer.column, answer.owner), named(cell.of)))


def share_value(cell: Cell, group: Sequence[Cell], range_: Range) -> Fraction | None:
    """The percentage of the noisy numbers, moved to the nearest that is possible; None where nothing is known."""
    total = sum(each.value for each in group)
    if range_ == EVERYTHING or total <= 0:
        return None
    return min(max(100 * cell.value / total, Fraction(range_.low)), Fraction(range_.high))


def _apart(one: Range, other: Range) -> bool:
    return one.above(other) or other.above(one)
