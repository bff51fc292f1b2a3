"""Launch: to whom a new product without history is shown first.

Nobody has bought it yet, but an owner's dimension has a value that is like it (its colour, its price band). The asker's
segments are ranked by the share of their shared customers that have this value, beside the share of all of them.

One histogram by segment. Every share and every place holds at once over the noise; two segments change places only if
their printed intervals do not touch, and otherwise are a tie, however far apart their estimates are. `segments` derives
the intervals. `other` is never ranked.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from cleanroom.catalogue.checked import declared
from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.rounding import said
from cleanroom.catalogue.segments import Share, average_share, ranks, segment_shares
from cleanroom.catalogue.words import label, not_covered, shared
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, partition_cells, quantity_cells
from cleanroom.report.answer import Answer
from cleanroom.report.figure import enumerated


class Launch:
    """See the module."""

    name = "launch"
    version = 1
    says = (
        "Whom to show a new product first: the asker's segments, ranked by what part of their shared customers have"
        " what it is like at the owner. Places that noise could swap are shown as ties. Plan: one histogram over the"
        " shared customers, split by segment."
    )
    sentence = (
        "Of the customers with category running, 21.2% to 23.7% have colour black at bags, more than of any other"
        " category that is named; of all that sportswear shares with bags it is 18% to 19.8%."
    )
    parameters = (
        Parameter("by", "the asker's column whose values are the segments (a dimension)"),
        Parameter("of", "the owner's column that says what the new product is like (a dimension)"),
        Parameter("value", "the value of that column that the new product has"),
    )

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """One histogram of the owner's dimension by segment."""
        partition_cells(terms, request.asker, request.text("by"))
        quantity = Quantity("histogram", request.text("of"))
        names = [str(name) for name in quantity_cells(terms, request.owner, quantity)]
        declared(request.text("value"), names, f"value: {request.owner}'s {quantity.column}")
        return (Ask(request.text("by"), quantity),)

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """Segments in the contract's order, each with its share, places and whether it differs from the average."""
        (answer,) = answers
        value = request.text("value")
        names = [str(group[0].by) for group in answer.groups()]
        statements = len(names) + 1
        shares = segment_shares(answer, value, statements=statements)
        average = average_share(answer, value, statements=statements)
        places = ranks(names, shares)
        rows = tuple(
            Row(
                names=((label(answer.by, answer.asker), name),),
                value=None if share.hidden else share.value,
                low=None if share.hidden else share.low,
                high=None if share.hidden else share.high,
                differs=share.compared(average),
                rank=None if share.hidden else place,
            )
            for name, share, place in zip(names, shares, places, strict=True)
        )
        return Finding(
            entry=self.name,
            version=self.version,
            asker=request.asker,
            owner=request.owner,
            unit="%",
            base=f"{shared(answer)}, each segment's own",
            level=answer.level,
            at_once=True,
            covers="noise",
            rows=rows,
            sentences=_sentences(request, names, shares, average, places, answer.threshold),
            not_covered=(
                "Whether those who have it would buy the new product: it is ranked by what it is like.",
                *not_covered(answer),
            ),
            chart=Chart("bars") if average.hidden else Chart("bars", average.value, (average.low, average.high)),
            compared=Compared(f"the average of all shared customers{_average(average)}", "may be the average"),
            files=(("launch", _file(request, names, shares, average, places)),),
        )


Places = Sequence[tuple[int, int] | None]


def _sentences(
    request: Request, names: Sequence[str], shares: Sequence[Share], average: Share, places: Places, threshold: int
) -> tuple[str, ...]:
    by, have = request.text("by"), f"have {request.text('of')} {request.text('value')} at {request.owner}"
    whole = f"under {threshold}" if average.hidden else said(average.low, average.high, "%")
    usual = f"of all that {request.asker} shares with {request.owner} it is {whole}"
    ranked = [place for place, rank in enumerate(places) if rank is not None]
    told = [place for place in ranked if shares[place].low > 0 or shares[place].high < 100]
    texts = {
        place: f"under {threshold}" if shares[place].hidden else said(shares[place].low, shares[place].high, "%")
        for place in ranked
    }
    first = [place for place in ranked if (places[place] or (0, 0))[0] == 1]
    if not told:
        return (f"No {by} can be ranked: the noise is as large as the segments; {usual}.",)
    if len(first) == 1 and not shares[first[0]].hidden:
        more = f", more than of any other {by} that is named" if len(ranked) > 1 else ""
        headline = f"Of the customers with {by} {names[first[0]]}, {texts[first[0]]} {have}{more}; {usual}."
    else:
        tied = enumerated([f"{names[place]} ({texts[place]})" for place in first])
        are = "cannot be told apart" if len(first) > 1 else "has too few people to be shown"
        headline = f"Of which {by} most customers {have} is not known: {tied} {are}; {usual}."
    return (headline, _against_average(by, names, shares, average, ranked, threshold))


def _against_average(
    by: str, names: Sequence[str], shares: Sequence[Share], average: Share, ranked: Sequence[int], threshold: int
) -> str:
    """Who is above and below the average; the rest cannot be told apart from it, or is not shown."""
    apart = [place for place in ranked if shares[place].differs(average)]
    above = [names[place] for place in apart if shares[place].above(average)]
    below = [names[place] for place in apart if average.above(shares[place])]
    hidden = [names[place] for place in ranked if shares[place].hidden or average.hidden]
    same = [names[place] for place in ranked if place not in apart and names[place] not in hidden]
    why = f"the average is under {threshold}" if average.hidden else f"under {threshold}"
    parts = [
        f"{enumerated(found)} {verb} {words}"
        for found, words, verb in (
            (above, "above the average", "is" if len(above) == 1 else "are"),
            (below, "below it" if above else "below the average", "is" if len(below) == 1 else "are"),
            (same, "be told apart from it" if above or below else "be told apart from the average", "cannot"),
            (hidden, f"compared: {why}", "is not" if len(hidden) == 1 else "are not"),
        )
        if found
    ]
    return f"By {by}, {'; '.join(parts)}."


def _file(
    request: Request, names: Sequence[str], shares: Sequence[Share], average: Share, places: Places
) -> list[dict[str, Any]]:
    """One row a segment, with the index: 100 is the average, its interval that of both shares."""
    rows = []
    for name, share, place in zip(names, shares, places, strict=True):
        compared = not share.hidden and not average.hidden
        known = compared and share.value is not None and average.value is not None and average.value > 0
        rows.append(
            {
                "segment": name,
                "share": None if share.hidden else _number(share.value),
                "low": None if share.hidden else float(share.low),
                "high": None if share.hidden else float(share.high),
                "index": _number(100 * share.value / average.value)
                if known and share.value and average.value
                else None,
                "index_low": float(100 * share.low / average.high) if compared and average.high else None,
                "index_high": float(100 * share.high / average.low) if compared and average.low else None,
                "differs": share.compared(average),
                "best_rank": place[0] if place and not share.hidden else None,
                "worst_rank": place[1] if place and not share.hidden else None,
            }
        )
    return rows


def _average(average: Share) -> str:
    """What rows are compared with, as an interval for people."""
    return "" if average.hidden else f", {said(average.low, average.high, '%')}"


def _number(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 3)
