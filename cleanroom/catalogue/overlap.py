"""overlap: how many customers two companies share.

One plan: a count over the match. The interval is the exact law's for one number (`cleanroom.privacy.interval`). How
many customers the asker has itself is the asker's own exact number, so the share of them is the same statement divided
by it: base, the asker's own customers.
"""

from collections.abc import Sequence
from fractions import Fraction

from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Finding, Row
from cleanroom.catalogue.rounding import within
from cleanroom.catalogue.words import not_covered
from cleanroom.errors import UsageError
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms
from cleanroom.report.answer import Answer
from cleanroom.report.certainty import Range, number_ranges
from cleanroom.report.figure import show_range
from cleanroom.report.sentence import sentences


class Overlap:
    """See the module."""

    name = "overlap"
    version = 1
    says = (
        "How many customers the two companies share, and what part of the asker's own customers that is. Plan: one"
        " count over the shared customers."
    )
    sentence = (
        "sportswear shares 1,180 to 1,226 customers with bags. That is 23.6% to 24.52% of the 5,000 customers that"
        " sportswear itself has."
    )
    parameters: tuple[Parameter, ...] = ()

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """One count over the match."""
        return (Ask("", Quantity("count")),)

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """The number of people, and as a second sentence their share of the asker's own."""
        (answer,) = answers
        (cell,), (range_,) = answer.cells, number_ranges(answer)
        low, high, below = Fraction(range_.low), Fraction(range_.high), cell.below
        said = sentences(answer)
        if own.people is not None and not below:
            said = (*said, _of_own(answer.asker, range_, checked_people(own.people)))
        return Finding(
            entry=self.name,
            version=self.version,
            asker=answer.asker,
            owner=answer.owner,
            unit="people",
            base="",
            level=answer.level,
            at_once=True,
            covers="noise",
            rows=(
                Row(
                    (("who", f"shared by {answer.asker} and {answer.owner}"),),
                    None if below else within(cell.value, low, high),
                    None if below else low,
                    None if below else high,
                ),
            ),
            sentences=said,
            not_covered=not_covered(answer),
            chart=Chart("bars"),
        )


def checked_people(people: int) -> int:
    """How many people the asker's own table has: a whole number above 0; raises UsageError."""
    if type(people) is not int or people < 1:
        raise UsageError("how many customers the asker has itself is a whole number from 1")
    return people


def _of_own(asker: str, range_: Range, people: int) -> str:
    low, high = (min(Fraction(100 * end, people), Fraction(100)) for end in (range_.low, range_.high))
    share = "% to ".join(dict.fromkeys(show_range(low, high)))
    return f"That is {share}% of the {people:,} customers that {asker} itself has."
