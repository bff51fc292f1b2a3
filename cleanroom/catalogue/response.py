"""Response: how much was bought at the owner in the weeks after a campaign, and what that returned on its costs.

The asker's dimension says which campaign (or channel, or creative) a person saw in which week; the owner has one
clamped measure a purchase week. Exposure week × purchase week is summed over the allowed lags, as `exposure` says.

Plans: a sum by the asker's dimension for each purchase week that some exposure reaches, with equal shares of the units.
With W weeks asked, clamp c and noise scale s for one sum at all units, each cell has noise of scale s sqrt(W) (Laplace:
s W), and a campaign's total, of m cells with independent noises, s sqrt(W m): 9 cells of 5 weeks make 6.7 s. What was
compared with it:

- Shares by how many cells a week is part of: the best is proportional to the root; for 4 exposure weeks and 3 lags
  sqrt(72) becomes sqrt(68.7), 2% less. Not worth an answer whose weeks differ in noise.
- One sum over a measure of all weeks together: s sqrt(m) with a clamp for all of them, but purchases before the
  exposure are in it, and no lag is left to choose. It answers another question.
- An owner that declares *windows*, one measure for each exposure week ("spend in w02 to w04"): E sums, of which a
  campaign needs E cells, so s' E with the window's own clamp in s'. Less noise as long as that clamp is less than
  sqrt((1 + L / E) (1 + L)) times a week's, for L + 1 lags. This entry asks it too: list the windows as weeks, lags 0.
- A person's exposure multiplied in by the asker would need one sum for all, but the protocol's products are of
  measures, and this is a choice of measure by group.

Noise of a total is bounded by `cleanroom.privacy.combination.reach`, and all campaigns' totals hold at once
(Bonferroni). A total is within what the agreed bounds allow. Campaigns change places only if their printed intervals do
not touch.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cleanroom.answer.number import percent
from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.exposure import Windows, windows
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.rounding import outward, said
from cleanroom.catalogue.words import label, not_covered, on_a_grid, shared
from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.privacy.combination import reach
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms
from cleanroom.report.answer import Answer, Cell
from cleanroom.report.figure import enumerated, show

_COST = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


class Response:
    """See the module."""

    name = "response"
    version = 1
    says = (
        "What customers bought at the owner in the weeks after a campaign, channel or creative of the asker, and what"
        " each returned on its costs. Campaigns that noise could swap are shown as ties. Plans: a sum over the shared"
        " customers for each week of purchases, split by campaign and week, with equal parts of the budget."
    )
    sentence = (
        "spring was followed by 12,159 to 15,341 dollars at bags, more than any other; the others: summer 7,959 to"
        " 11,141."
    )
    parameters = (
        Parameter("by", "the asker's column of campaign and week of exposure, in values like spring@w02 (a dimension)"),
        Parameter("weeks", "the owner's columns, one for each week of purchases, in order (measures)", repeated=True),
        Parameter("lags", "weeks after the exposure that count: 2 is its own week to the second after it", False, "2"),
        Parameter("exposure", "what a value means, as value=campaign@week", required=False, repeated=True),
        Parameter("costs", "what a campaign cost, as campaign=cost, in the unit of the weeks", False, repeated=True),
    )

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """A sum for each week that an exposure reaches, with equal shares."""
        found = windows(terms, request)
        _costs(request, found.campaigns)
        share = Fraction(1, len(found.asked))
        return tuple(Ask(found.by, Quantity("sum", week), share=share) for week in found.asked)

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """A total for each campaign, or its return where the costs were given."""
        found, first = windows(terms, request), answers[0]
        totals = _totals(found, answers, first.level)
        costs = _costs(request, found.campaigns)
        divisors = [costs.get(total.campaign, Fraction(1)) for total in totals]
        intervals = [
            outward(float(total.low / cost), float(total.high / cost))
            for total, cost in zip(totals, divisors, strict=True)
        ]
        zero = Fraction(1 if costs else 0)
        rows = tuple(
            Row(
                names=(("campaign", total.campaign),),
                value=min(max(total.value / cost, low), high),
                low=low,
                high=high,
                differs=not low <= zero <= high,
                rank=_rank((low, high), intervals),
            )
            for total, cost, (low, high) in zip(totals, divisors, intervals, strict=True)
        )
        return Finding(
            entry=self.name,
            version=self.version,
            asker=request.asker,
            owner=request.owner,
            unit="times the cost" if costs else first.unit,
            base=shared(first),
            level=first.level,
            at_once=True,
            covers="noise",
            rows=rows,
            sentences=(*_sentences(first, rows, costs=bool(costs)), _accuracy(first, found, totals)),
            not_covered=_not_covered(terms, request, found, answers),
            chart=Chart("bars", zero),
            compared=Compared("1, what the campaign cost", "may be the cost")
            if costs
            else Compared("0, nothing bought", "may be nothing"),
            files=(("response", _file(found, answers)),),
        )


@dataclass(frozen=True, slots=True)
class _Total:
    """All that followed a campaign; `far` is how far noise may move it, at once with the others."""

    campaign: str
    value: Fraction
    far: float
    low: Fraction
    high: Fraction


def _totals(found: Windows, answers: Sequence[Answer], level: Fraction) -> tuple[_Total, ...]:
    alpha = float(1 - level) / len(found.campaigns)
    scales = {answer.column: float(answer.scale) for answer in answers}
    possible = {answer.column: answer.possible for answer in answers}
    values = {(cell.by, answer.column): cell.value for answer in answers for cell in answer.cells}
    totals = []
    for campaign in found.campaigns:
        cells = found.cells(campaign)
        value = sum((values[cell] for cell in cells), Fraction(0))
        noises = [scales[week] for _, week in cells]
        equal = len(cells) if len(set(noises)) == 1 else None
        far = reach(answers[0].law, alpha, equal_weights=equal) * math.sqrt(math.fsum(noise**2 for noise in noises))
        low, high = value - Fraction(far), value + Fraction(far)
        ends = [possible[week] for _, week in cells]
        known = [end for end in ends if end is not None]
        if len(known) == len(ends):
            least, most = sum(end[0] for end in known), sum(end[1] for end in known)
            low, high = min(max(low, Fraction(least)), Fraction(most)), max(min(high, Fraction(most)), Fraction(least))
        totals.append(_Total(campaign, value, far, low, high))
    return tuple(totals)


Interval = tuple[Fraction, Fraction]


def _rank(mine: Interval, all_of_them: Sequence[Interval]) -> tuple[int, int]:
    """One more than are certainly above; all less those that are certainly below."""
    return (
        1 + sum(other[0] > mine[1] for other in all_of_them),
        len(all_of_them) - sum(mine[0] > other[1] for other in all_of_them),
    )


def _sentences(answer: Answer, rows: Sequence[Row], *, costs: bool) -> tuple[str, ...]:
    """Who is first, or who cannot be told apart, and the others; with costs, who is above or below them."""
    names = [row.names[0][1] for row in rows]
    texts = [said(row.low, row.high) for row in rows if row.low is not None and row.high is not None]
    unit = f"times its cost at {answer.owner}" if costs else f"{answer.unit} at {answer.owner}"
    first = [at for at, row in enumerate(rows) if row.rank is not None and row.rank[0] == 1]
    rest = [f"{names[at]} {texts[at]}" for at in range(len(rows)) if at not in first]
    if len(first) == 1:
        more = ", more than any other" if len(rows) > 1 else ""
        line = f"{names[first[0]]} was followed by {texts[first[0]]} {unit}{more}"
    else:
        tied = enumerated([f"{names[at]} ({texts[at]})" for at in first])
        most = f"most {unit}" if not costs else f"the most {unit}"
        line = f"Which campaign was followed by {most} is not known: {tied} cannot be told apart"
    headline = f"{line}; {'the others' if len(first) == 1 else 'further'}: {', '.join(rest)}." if rest else f"{line}."
    reference = Fraction(1 if costs else 0)
    same = [names[at] for at, row in enumerate(rows) if not row.differs]
    if not costs:
        return (headline, f"{enumerated(same)} cannot be told apart from nothing.") if same else (headline,)
    above = [name for name, row in zip(names, rows, strict=True) if row.low is not None and row.low > reference]
    below = [name for name, row in zip(names, rows, strict=True) if row.high is not None and row.high < reference]
    parts = [
        f"{enumerated(found)} {what}"
        for found, what in (
            (above, "was followed by more than it cost" if len(above) == 1 else "were followed by more than they cost"),
            (below, "was followed by less than it cost" if len(below) == 1 else "were followed by less than they cost"),
            (same, "cannot be told apart from the cost"),
        )
        if found
    ]
    return (headline, f"{'; '.join(parts)}.")


def _accuracy(answer: Answer, found: Windows, totals: Sequence[_Total]) -> str:
    """How far noise reaches, and why."""
    parts = [
        f"{total.campaign} ±{show(Fraction(math.ceil(total.far)))} ({len(found.cells(total.campaign))} sums)"
        for total in totals
    ]
    lags = f"{found.lags[0]} to {found.lags[1]}" if found.lags[0] != found.lags[1] else str(found.lags[0])
    return (
        f"A total adds up exposure week by purchase week, {lags} weeks apart; noise moves it by at most"
        f" {enumerated(parts)} {answer.unit}, at once with probability {percent(answer.level)} or more."
    )


def _not_covered(terms: Terms, request: Request, found: Windows, answers: Sequence[Answer]) -> tuple[str, ...]:
    lines = [
        "What these customers would have bought without the campaign: ask lift with a group that was held back.",
        f"Amounts of one person beyond the agreed bounds of a week, and customers who are not at {request.owner}.",
        "A person counts for one campaign and week, the one that the agreed column says.",
    ]
    cut = found.cut_short()
    if cut:
        lines.append(f"The last weeks after {enumerated(cut)}: they are beyond {found.weeks[-1]}.")
    values = {value for value, _, _ in found.exposures}
    left = [str(group[0].by) for group in answers[0].groups() if group[0].by not in values]
    if left:
        lines.append(f"{label(found.by, request.asker)} {enumerated(left)}: no campaign and week.")
    measures = (terms.datasets[request.owner].measure(week) for week in found.asked)
    return (*lines, *on_a_grid(each for each in measures if each is not None), *not_covered(answers[0]))


def _file(found: Windows, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """One row for each exposure and purchase week that was asked, with the interval of that number alone."""
    of_value = {value: (campaign, place) for value, campaign, place in found.exposures}
    return [
        _file_row(found, cell, of_value[cell.by], str(answer.column))
        for answer in answers
        for cell in answer.cells
        if cell.by in of_value
    ]


def _file_row(found: Windows, cell: Cell, exposure: tuple[str, int], week: str) -> dict[str, Any]:
    campaign, place = exposure
    lag = found.weeks.index(week) - place
    return {
        "campaign": campaign,
        "exposure_week": found.weeks[place],
        "purchase_week": week,
        "lag": lag,
        "counted": found.lags[0] <= lag <= found.lags[1],
        "value": float(cell.value),
        "low": float(cell.low),
        "high": float(cell.high),
    }


def _costs(request: Request, campaigns: Sequence[str]) -> Mapping[str, Fraction]:
    """The cost of each campaign, or nothing where none was given; raises UsageError."""
    found: dict[str, Fraction] = {}
    for text in request.texts("costs"):
        name, _, amount = text.rpartition("=")
        if name not in campaigns:
            raise UsageError(
                f"response: costs are written as campaign=number, and {quoted(text)} names none;"
                f" {meant(name, campaigns)}campaigns: {listed(campaigns)}"
            )
        if name in found:
            raise UsageError(f"response: the costs of {quoted(name)} are given twice; give them once")
        cost = _amount(amount)
        if cost is None:
            raise UsageError(f"response: costs are written as campaign=number above 0; {quoted(text)} is not")
        found[name] = cost
    missing = [campaign for campaign in campaigns if campaign not in found]
    if found and missing:
        raise UsageError(f"response: costs are given for every campaign or for none; missing: {listed(missing)}")
    return found


def _amount(text: str) -> Fraction | None:
    """A plain decimal number above 0; None for anything else."""
    if _COST.fullmatch(text.strip()) is None:
        return None
    return Fraction(Decimal(text.strip())) or None
