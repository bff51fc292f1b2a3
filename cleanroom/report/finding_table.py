"""A finding as a table for the terminal and for programs.

What cannot be told apart from what it is compared with is dimmed and says so beside the number, so that nobody reads a
ranking into the noise; a place that is not certain is a range of places.
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
        finding.unit,
        interval,
        *(("rank",) if _ranked(finding) else ()),
        *(("",) if _tied(finding) else ()),
    )


def finding_texts(finding: Finding) -> tuple[tuple[str, ...], ...]:
    """The rows as texts, numbers with as many digits as their interval deserves."""
    return tuple(
        (
            *(value for _, value in row.names),
            *_numbers(row),
            *((_rank(row),) if _ranked(finding) else ()),
            *((_remark(finding, row),) if _tied(finding) else ()),
        )
        for row in finding.rows
    )


def caption(finding: Finding) -> str:
    """How sure the intervals are, and over what."""
    how = "all at once" if finding.at_once else "each for itself"
    return f"Intervals hold {how} with probability {percent(finding.level)} or more over {finding.covers}."


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
                "differs": row.differs,
                "best_rank": row.rank[0] if row.rank else None,
                "worst_rank": row.rank[1] if row.rank else None,
            }
            for row in finding.rows
        ],
        "reference": _json(finding.chart.reference),
        "sentences": list(finding.sentences),
        "not_covered": list(finding.not_covered),
        "files": dict(finding.files),
    }


def _ranked(finding: Finding) -> bool:
    return any(row.rank is not None for row in finding.rows)


def _tied(finding: Finding) -> bool:
    return not all(row.differs for row in finding.rows)


def _numbers(row: Row) -> tuple[str, str]:
    if row.low is None or row.high is None:
        return ("cannot be told", "") if row.value is None else (show(row.value), "unknown")
    value = "cannot be told" if row.value is None else show_within(row.value, row.low, row.high)
    return value, " to ".join(show_range(row.low, row.high))


def _rank(row: Row) -> str:
    if row.rank is None:
        return ""
    best, worst = row.rank
    return str(best) if best == worst else f"{best} to {worst}"


def _remark(finding: Finding, row: Row) -> str:
    if row.differs or row.low is None:
        return ""
    reference = finding.chart.reference
    return "cannot be told apart" if reference is None else f"cannot be told from {show(reference)}"


def _json(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
