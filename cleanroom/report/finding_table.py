"""A finding as a table for the terminal and for programs.

What cannot be told apart from what it is compared with is dimmed and says from what beside the number, so that nobody
reads a ranking into the noise; a place that is not certain is a range of places, and says so. Where rows have units of
their own, each number has its own beside it.
"""

from fractions import Fraction
from typing import Any

from rich.table import Table
from rich.text import Text

from cleanroom.answer.number import percent
from cleanroom.catalogue.finding import Finding, Row
from cleanroom.report.figure import show, show_range, show_within


def finding_table(finding: Finding) -> Table:
    """One row for each row of the finding."""
    names = len(finding.rows[0].names)
    table = Table()
    for place, head in enumerate(finding_heads(finding)):
        table.add_column(Text(head), justify="left" if place < names else "right", overflow="fold")
    for row, texts in zip(finding.rows, finding_texts(finding), strict=True):
        table.add_row(*map(Text, texts), style=None if row.differs else "dim")
    return table


def finding_heads(finding: Finding) -> tuple[str, ...]:
    """Heads of the columns of `finding_texts`."""
    labels = tuple(label for label, _ in finding.rows[0].names)
    interval = f"{percent(finding.level)} interval"
    return (
        *labels,
        "estimate" if own_units(finding) else finding.unit,
        interval,
        *(("rank",) if _ranked(finding) else ()),
        *(("",) if _remarked(finding) else ()),
    )


def finding_texts(finding: Finding) -> tuple[tuple[str, ...], ...]:
    """The rows as texts, numbers with as many digits as their interval deserves."""
    return tuple(
        (
            *(value for _, value in row.names),
            *_numbers(finding, row),
            *((_rank(row),) if _ranked(finding) else ()),
            *((_remark(finding, row),) if _remarked(finding) else ()),
        )
        for row in finding.rows
    )


def caption(finding: Finding) -> str:
    """How sure the intervals are, and over what."""
    how = "all at once" if finding.at_once else "each for itself"
    return f"Intervals hold {how} with probability {percent(finding.level)} or more over {finding.covers}."


def apart(finding: Finding, which: str = "") -> tuple[str, ...]:
    """From what rows cannot be told apart, in full, and which are not compared; nothing where all can be told.

    `which` rows that are; those with the remark, if it is left out.
    """
    known = [row for row in finding.rows if row.low is not None]
    said = []
    if finding.compared is not None and any(row.differs is False for row in known):
        rows = which or f'What is marked "{finding.compared.remark}"'
        said.append(f"{rows} cannot be told apart from {finding.compared.alike}: a difference may be noise alone.")
    if any(row.differs is None for row in known):
        said.append("What is not compared is other, or has nothing that is shown to compare it with.")
    return tuple(said)


def own_units(finding: Finding) -> bool:
    """Whether rows have units that are not the finding's."""
    return any(finding.unit_of(row) != finding.unit for row in finding.rows)


def with_unit(text: str, unit: str) -> str:
    """A number with its unit: the sign of percent at once, percentage points as points, anything else as it is called.

    An interval gets a sign of percent at each of its ends.
    """
    if unit == "%":
        return "% to ".join(text.split(" to ")) + "%"
    return f"{text} {'points' if unit == 'percentage points' else unit}"


def finding_body(finding: Finding) -> dict[str, Any]:
    """The finding as JSON for programs; numbers are the nearest doubles, or whole."""
    return {
        "entry": finding.entry,
        "version": finding.version,
        "asker": finding.asker,
        "owner": finding.owner,
        "unit": finding.unit,
        "base": finding.base,
        "interval": float(finding.level),
        "at_once": finding.at_once,
        "covers": finding.covers,
        "rows": [
            {
                "names": [{"column": label, "value": value} for label, value in row.names],
                **{name: _json(getattr(row, name)) for name in ("value", "low", "high")},
                "unit": finding.unit_of(row),
                "differs": row.differs,
                "best_rank": row.rank[0] if row.rank else None,
                "worst_rank": row.rank[1] if row.rank else None,
            }
            for row in finding.rows
        ],
        "reference": _json(finding.chart.reference),
        "reference_low": _json(finding.chart.around[0] if finding.chart.around else None),
        "reference_high": _json(finding.chart.around[1] if finding.chart.around else None),
        "compared": finding.compared.what if finding.compared is not None else None,
        "sentences": list(finding.sentences),
        "not_covered": list(finding.not_covered),
        "files": dict(finding.files),
    }


def _ranked(finding: Finding) -> bool:
    return any(row.rank is not None for row in finding.rows)


def _remarked(finding: Finding) -> bool:
    return any(_remark(finding, row) for row in finding.rows) or not all(row.differs for row in finding.rows)


def _numbers(finding: Finding, row: Row) -> tuple[str, str]:
    unit = finding.unit_of(row) if own_units(finding) else ""
    if row.low is None or row.high is None:
        return ("cannot be told", "") if row.value is None else (show(row.value), "unknown")
    value, interval = "cannot be told", " to ".join(show_range(row.low, row.high))
    if row.value is not None:
        value = show_within(row.value, row.low, row.high)
        value = with_unit(value, unit) if unit else value
    return value, with_unit(interval, unit) if unit else interval


def _rank(row: Row) -> str:
    if row.rank is None:
        return ""
    best, worst = row.rank
    return str(best) if best == worst else f"{best} to {worst}"


def _remark(finding: Finding, row: Row) -> str:
    if row.low is None:
        return ""
    if row.differs is None:
        return "not compared"
    if not row.differs and finding.compared is not None:
        return finding.compared.remark
    return "place not certain" if row.rank is not None and row.rank[0] != row.rank[1] else ""


def _json(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
