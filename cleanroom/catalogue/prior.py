"""Prior: what to show a new user of whom nothing is known but the segment.

P(value of the owner's dimension | segment of the asker), from two histograms: one by segment, for two thirds of the
units, and one over everybody shared. The sum over many segments has the noise of all of them, so a third spent on the
average alone is worth more than it costs the segments. Shares are pulled towards the average by as much as the noise
asks for (`shrinking`). Each row has the shrunk probability as its value and beside it the interval in which the share
of these customers lies, all at once over the noise (`segments`). Shrinking makes a better guess, not a truer share: now
and then it lies outside the interval. A row differs if its interval does not touch that of the average.

The file `prior` is for a recommender: one row for each segment and value, probabilities of a segment adding up to 1 and
all above 0; the segment null is for users whose segment is not known, with the average.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.rounding import said
from cleanroom.catalogue.segments import Share, average_share, ranks, segment_shares
from cleanroom.catalogue.shrinking import Shrunk, shrink
from cleanroom.catalogue.words import label, not_covered, shared
from cleanroom.question.columns import OTHER
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, find_column
from cleanroom.report.answer import Answer
from cleanroom.report.figure import enumerated

Table = Sequence[Sequence[Share]]

_BY_SEGMENT = Fraction(2, 3)


class Prior:
    """See the module."""

    name = "prior"
    version = 1
    says = (
        "What to show a new user of whom only the segment is known: for each of the asker's segments, how likely each"
        " value of the owner's column is, as a small file for a recommender. Where noise is large it stays near the"
        " average. Plans: a histogram over the shared customers, split by segment, for two thirds of the budget, and"
        " one that is not split."
    )
    sentence = (
        "Of all customers that sportswear shares with bags, 23.11% to 23.92% have colour black at bags, more than any"
        " other value that is named. With category running, colour is unlike that of all: blue 10.7% to 13.7% (less)."
    )
    parameters = (
        Parameter("by", "the asker's column whose values are the segments (a dimension)"),
        Parameter("of", "the owner's column whose values are to be guessed (a dimension)"),
    )

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """The histogram by segment, and the one over everybody shared."""
        by, of = request.text("by"), request.text("of")
        find_column(terms, request.asker, by, "dimension")
        find_column(terms, request.owner, of, "dimension")
        quantity = Quantity("histogram", of)
        return (Ask(by, quantity, share=_BY_SEGMENT), Ask("", quantity, share=1 - _BY_SEGMENT))

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """A probability for each value in each segment."""
        answer, everybody = answers
        groups = answer.groups()
        values = [str(cell.of) for cell in groups[0]]
        statements = (len(groups) + 1) * len(values)
        columns = [segment_shares(answer, value, statements=statements) for value in values]
        table = tuple(zip(*columns, strict=True))
        average = tuple(average_share(everybody, value, statements=statements) for value in values)
        cells = [[float(cell.value) for cell in group] for group in groups]
        totals = [float(cell.value) for cell in everybody.cells]
        found = shrink(
            cells,
            totals,
            named=[value != OTHER for value in values],
            scale=float(answer.scale),
            total_scale=float(everybody.scale),
            law=answer.law,
        )
        names = [str(group[0].by) for group in groups]
        return Finding(
            entry=self.name,
            version=self.version,
            asker=request.asker,
            owner=request.owner,
            unit="%",
            base=f"{shared(answer)} and that have the same {answer.by} at {answer.asker}",
            level=answer.level,
            at_once=True,
            covers="noise",
            rows=tuple(
                Row(
                    names=((label(answer.by, answer.asker), name), (label(answer.column, answer.owner), value)),
                    value=None if share.hidden else Fraction(100 * probability),
                    low=None if share.hidden else share.low,
                    high=None if share.hidden else share.high,
                    differs=share.compared(usual),
                )
                for name, shares, probabilities in zip(names, table, found.shares, strict=True)
                for value, share, probability, usual in zip(values, shares, probabilities, average, strict=True)
            ),
            sentences=_sentences(answer, names, values, table, average),
            not_covered=(
                "The tastes of one person: everybody of a segment gets the same guess.",
                "Users who would never become customers of both; the guess is learned from customers that are.",
                "The probabilities are estimates for ranking and mixing; only the intervals beside them are certain.",
                *not_covered(answer),
            ),
            chart=Chart("heat"),
            compared=Compared("the average of all shared customers", "may be the average"),
            files=(("prior", _file(answer, names, values, found)),),
        )


def _sentences(
    answer: Answer, names: Sequence[str], values: Sequence[str], table: Table, average: Sequence[Share]
) -> tuple[str, ...]:
    """What every new user likes most, as far as it can be told, and which segments are unlike the average."""
    everybody = f"Of all {shared(answer)}, {_leaders(answer, values, average)}."
    unlike = []
    for name, shares in zip(names, table, strict=True):
        parts = [
            f"{value} {said(share.low, share.high, '%')} ({'more' if share.above(usual) else 'less'})"
            for value, share, usual in zip(values, shares, average, strict=True)
            if share.differs(usual)
        ]
        if parts:
            unlike.append(f"With {answer.by} {name}, {answer.column} is unlike that of all: {enumerated(parts)}.")
    if not unlike:
        none = f"No {answer.by} can be told apart from all of them: what sets their guesses apart may be noise."
        return (none, everybody)
    same = [
        name
        for name, shares in zip(names, table, strict=True)
        if not any(share.differs(usual) for share, usual in zip(shares, average, strict=True))
    ]
    rest = (f"{answer.by} {enumerated(same)} cannot be told apart from the average.",) if same else ()
    return (everybody, *unlike, *rest)


def _leaders(answer: Answer, values: Sequence[str], shares: Sequence[Share]) -> str:
    """The value that most have, or those that may be it."""
    led = [
        (value, share)
        for value, share, rank in zip(values, shares, ranks(values, shares), strict=True)
        if rank is not None and rank[0] == 1
    ]
    first = [
        (value, f"under {answer.threshold}" if share.hidden else said(share.low, share.high, "%"))
        for value, share in led
    ]
    if len(first) == 1 and not led[0][1].hidden:
        ((value, part),) = first
        more = ", more than any other value that is named" if sum(each != OTHER for each in values) > 1 else ""
        return f"{part} have {answer.column} {value} at {answer.owner}{more}"
    tied = enumerated([f"{value} ({part})" for value, part in first])
    are = "cannot be told apart" if len(first) > 1 else "has too few people to be shown"
    return f"which {answer.column} the largest part has is not known: {tied} {are}"


def _file(answer: Answer, names: Sequence[str], values: Sequence[str], found: Shrunk) -> list[dict[str, Any]]:
    """Rows that any recommender can read; the last ones, of segment null, are for an unknown segment."""
    segments: list[tuple[str | None, Sequence[float]]] = [*zip(names, found.shares, strict=True), (None, found.average)]
    return [
        {"by": answer.by, "segment": segment, "of": answer.column, "value": value, "probability": probability}
        for segment, probabilities in segments
        for value, probability in zip(values, probabilities, strict=True)
    ]
