"""index: what the shared customers prefer more, or less, than the owner's customers do in general.

Two plans: a histogram of one of the owner's dimensions over the match, and the same over the owner's whole table. The
index of a value is its share among the shared customers, divided by its share among all customers of the owner, times
100: base, all customers of the owner, who have an index of 100.

The interval is that of a ratio of two shares (`cleanroom.privacy.share`): the two histograms have noise of their own,
independent of each other. It assumes nothing about how large anything is, and holds for all n values and for the number
of shared customers at once: 3 n + 1 statements. Ends are rounded outward to whole points, and compared as printed: a
value differs if 100 is not in its interval, and is placed above another if their intervals do not touch. `other` has no
place.

The larger part of the budget, two thirds, goes to the match: its people are among those of the table, so the same noise
weighs more there. Where the shared customers are half of the owner's, this is the best there is (units u and v of rho
cost a variance of 1 / (u T^2) + 1 / (v U^2), least at u : v = U : T).
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.places import contenders, places
from cleanroom.catalogue.words import few, label, named, not_covered, shared
from cleanroom.privacy.combination import reach
from cleanroom.privacy.share import RATIO_STATEMENTS, NoisyShare, ratio_range
from cleanroom.question.columns import OTHER
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, find_column
from cleanroom.report.answer import Answer
from cleanroom.report.certainty import Range, base_range, statements
from cleanroom.report.figure import enumerated, spanned

USUAL = 100
_MATCH = Fraction(2, 3)


class Index:
    """See the module."""

    name = "index"
    version = 1
    says = (
        "What the shared customers prefer more or less than the owner's customers in general: 100 is as often as among"
        " all of the owner's customers, 150 half as often again. Plans: a histogram over the shared customers, for two"
        " thirds of the budget, and one over all customers of the owner."
    )
    sentence = (
        "Among the 1,181 to 1,225 customers that sportswear shares with bags, colour blue (index 132 to 147) is more"
        " frequent, and other (index 89 to 94) is less frequent than among all customers of bags (index 100); black and"
        " white cannot be told apart from it."
    )
    parameters = (Parameter("of", "the owner's column whose values are compared (a dimension)"),)

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """The histogram over the match, and over the owner's whole table."""
        of = request.text("of")
        find_column(terms, request.owner, of, "dimension")
        quantity = Quantity("histogram", of)
        return (Ask("", quantity, share=_MATCH), Ask("", quantity, base="table", share=1 - _MATCH))

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """An index for each value."""
        match, table = answers
        ranges = index_ranges(match, table)
        rows = _rows(match, table, ranges)
        return Finding(
            entry=self.name,
            version=self.version,
            asker=match.asker,
            owner=match.owner,
            unit="index",
            base=f"100 is the share among all customers of {match.owner}; compared with it are the {shared(match)}",
            level=match.level,
            at_once=True,
            covers="noise",
            rows=rows,
            sentences=_sentences(match, rows, ranges),
            not_covered=(
                *not_covered(match),
                f"An index says that something is more frequent among the shared customers, not why: {match.asker} may"
                " attract such customers, or change them.",
            ),
            chart=Chart("index", reference=Fraction(USUAL)),
            compared=Compared(f"{USUAL}, as among all customers of {match.owner}", f"may be {USUAL}"),
        )


def index_ranges(match: Answer, table: Answer) -> tuple[Range | None, ...]:
    """The index of each value of a match's cells over a table's, in whole points, all at once; None: it cannot be told.

    An index cannot be told where the value may have no customers at the owner, or where any number that it is made of
    is shown as "under" the contract's threshold.
    """
    hidden = any(few(answer, answer.cells) for answer in (match, table))
    far = reach(match.law, float(1 - match.level) / _statements(match))
    whole = tuple(
        (float(sum(cell.value for cell in answer.cells)), len(answer.cells), float(answer.scale))
        for answer in (match, table)
    )
    found: list[Range | None] = []
    for here, everywhere in zip(match.cells, table.cells, strict=True):
        first, second = (NoisyShare(float(cell.value), *of) for cell, of in zip((here, everywhere), whole, strict=True))
        ends = ratio_range(first, second, far)
        known = ends is not None and not math.isinf(ends[1]) and not (hidden or here.below or everywhere.below)
        found.append(Range(math.floor(USUAL * ends[0]), math.ceil(USUAL * ends[1])) if ends and known else None)
    return tuple(found)


def _statements(match: Answer) -> int:
    """A ratio for each cell, and how many people are shared."""
    return RATIO_STATEMENTS * len(match.cells) + 1


def _rows(match: Answer, table: Answer, ranges: Sequence[Range | None]) -> tuple[Row, ...]:
    ranked = [at for at, cell in enumerate(match.cells) if cell.of != OTHER]
    ranks = dict(zip(ranked, places([ranges[at] for at in ranked]), strict=True))
    total, whole = (sum(cell.value for cell in answer.cells) for answer in (match, table))
    rows = []
    for at, (here, everywhere, range_) in enumerate(zip(match.cells, table.cells, ranges, strict=True)):
        names = ((label(match.column, match.owner), named(here.of)),)
        if range_ is None:
            rows.append(Row(names, None, None, None, differs=False, rank=ranks.get(at)))
            continue
        divisor = total * everywhere.value
        value = USUAL * here.value * whole / divisor if divisor else None
        low, high = Fraction(range_.low), Fraction(range_.high)
        value = None if value is None else min(max(value, low), high)
        rows.append(Row(names, value, low, high, _above(range_) or _below(range_), ranks.get(at)))
    return tuple(rows)


def _sentences(match: Answer, rows: Sequence[Row], ranges: Sequence[Range | None]) -> tuple[str, ...]:
    if few(match, match.cells):
        people = f"under {match.threshold}"
    else:
        size = base_range(match, match.cells, more=_statements(match) - statements(match))
        people = spanned(size.low, size.high)
    base = f"Among the {people} {shared(match)}"
    everybody = f"all customers of {match.owner}"
    texts = [named(cell.of) for cell in match.cells]
    said = []
    for how, holds in (("more", _above), ("less", _below)):
        found = [
            f"{text} (index {spanned(range_.low, range_.high)})"
            for text, range_ in zip(texts, ranges, strict=True)
            if range_ is not None and holds(range_)
        ]
        if found:
            said.append(f"{enumerated(found)} {'are' if len(found) > 1 else 'is'} {how} frequent")
    if not said:
        return (f"{base}, no value of {match.column} can be told apart from {everybody} (index 100).",)
    line = f"{base}, {match.column} {', and '.join(said)} than among {everybody} (index 100)"
    unknown = [text for text, range_ in zip(texts, ranges, strict=True) if range_ is None]
    same = [text for text, row in zip(texts, rows, strict=True) if not row.differs and text not in unknown]
    line += f"; {enumerated(same)} cannot be told apart from it" if same else ""
    line += f"; too few have {enumerated(unknown)} to tell" if unknown else ""
    return (f"{line}.", *_first(match, texts, ranges))


def _above(range_: Range) -> bool:
    return range_.low > USUAL


def _below(range_: Range) -> bool:
    return range_.high < USUAL


def _first(match: Answer, texts: Sequence[str], ranges: Sequence[Range | None]) -> tuple[str, ...]:
    ranked = [at for at, cell in enumerate(match.cells) if cell.of != OTHER]
    if len(ranked) < 2:
        return ()
    first = [texts[ranked[at]] for at in contenders([ranges[at] for at in ranked])]
    if len(first) == 1:
        return (f"Of the values that are named, {first[0]} has the highest index.",)
    return (f"Which value has the highest index is not known: {enumerated(first)} cannot be told apart.",)
