"""reach: how many people two companies reach together, each counted once.

Two plans: a count over the match and a count over the owner's whole table, with half of the budget each. With the
asker's own number of customers O, exact and known to nobody else, the true U at the owner and the true T that both
share,

    together = O + (U - T).

The noisy difference is off by f - e, two independent noises, and that is all the noise there is. How far it goes with
probability 1 - level at most follows from the exact law of the two (`cleanroom.answer.spread`), with no normal
approximation. "Together" and "added by the owner", U - T, are one statement: O has no error. Without O, only what the
owner adds can be said.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from cleanroom.answer.spread import checked_alpha, reach, spread
from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Finding, Row
from cleanroom.catalogue.overlap import checked_people
from cleanroom.catalogue.rounding import within
from cleanroom.catalogue.words import not_covered
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms
from cleanroom.report.answer import Answer
from cleanroom.report.figure import spanned

_HALF = Fraction(1, 2)


class Reach:
    """See the module."""

    name = "reach"
    version = 1
    says = (
        "How many people the two companies reach together, each person counted once. Plans: a count of the shared"
        " customers and one of all customers of the owner, each for half of the budget."
    )
    sentence = (
        "sportswear and bags together reach 9,612 to 9,678 people, each counted once: 5,000 of sportswear and 4,612 to"
        " 4,678 more that bags has."
    )
    parameters: tuple[Parameter, ...] = ()

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """A count over the match, and over the owner's whole table."""
        count = Quantity("count")
        return (Ask("", count, share=_HALF), Ask("", count, base="table", share=_HALF))

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """What the owner adds, and, where the asker's own number is known, both together."""
        match, table = answers
        people = None if own.people is None else checked_people(own.people)
        added = _added(match, table, people)
        return Finding(
            entry=self.name,
            version=self.version,
            asker=match.asker,
            owner=match.owner,
            unit="people",
            base="",
            level=match.level,
            at_once=True,
            covers="noise",
            rows=(added,) if people is None else (_together(added, match, people), added),
            sentences=(_sentence(match, added, people),),
            not_covered=(
                *not_covered(match),
                f"The number of customers that {match.asker} has itself is its own, and is taken as given.",
                f"Both counts are about one table of {match.owner}; a table imported between them would show as people"
                " added or lost.",
            ),
            chart=Chart("bars"),
            declared_rows=False,
        )


def _added(match: Answer, table: Answer, people: int | None) -> Row:
    """The owner's people whom the asker does not have; never fewer than none."""
    far = reach(spread(match.law, match.scale), spread(table.law, table.scale), 1.0, checked_alpha(match.level))
    value = table.cells[0].value - match.cells[0].value
    names = (("who", f"added by {match.owner}"),)
    if match.threshold and value < match.threshold:
        return Row(names, None, None, None, differs=False)
    low, high = (max(Fraction(end), Fraction(0)) for end in (math.floor(value - far), math.ceil(value + far)))
    return Row(names, within(value, low, high), low, high)


def _together(added: Row, match: Answer, people: int) -> Row:
    names = (("who", f"of {match.asker} and {match.owner}, each counted once"),)
    if added.value is None or added.low is None or added.high is None:
        return Row(names, None, None, None, differs=False)
    return Row(names, people + added.value, people + added.low, people + added.high)


def _sentence(match: Answer, added: Row, people: int | None) -> str:
    if added.low is None or added.high is None:
        return f"{match.owner} adds under {match.threshold} people to those of {match.asker}."
    low, high = int(added.low), int(added.high)
    more = spanned(low, high)
    if people is None:
        return f"{match.owner} has {more} customers that {match.asker} does not have."
    return (
        f"{match.asker} and {match.owner} together reach {spanned(people + low, people + high)} people, each counted"
        f" once: {people:,} of {match.asker} and {more} more that {match.owner} has."
    )
