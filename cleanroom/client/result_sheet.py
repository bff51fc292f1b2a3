"""Answers and findings as sheets: the columns that name a row, then its number and the interval around it.

    names…, value, low, high                    every result; the interval is of the level that the notes say
    below_threshold                             a plain answer: too few people for the contract's display
    level                                       a quantile: the part of the people
    best_rank, worst_rank, in_top               a ranking
    unit, differs, best_rank, worst_rank        a finding of the catalogue

`differs` says whether a row can be told apart from what it is compared with; it is missing where that is nothing, as
for what a contract does not name.

A column of names is called as the contract calls it, with the company behind it: two may have one of the same name.
"""

from collections.abc import Sequence
from fractions import Fraction

from cleanroom.answer.number import percent
from cleanroom.catalogue.finding import Finding
from cleanroom.catalogue.words import label
from cleanroom.client.sheet import Sheet, Value
from cleanroom.report.answer import Answer, Cell, Estimate, Rank

_TAKEN = frozenset(
    {"value", "low", "high", "below_threshold", "level", "best_rank", "worst_rank", "in_top", "unit", "differs"}
)

_RANKS = frozenset({"best_rank", "worst_rank"})


def answer_sheet(answer: Answer) -> Sheet:
    """A row for each cell of a plain answer, or for each mean or quantile."""
    notes = {
        "unit": answer.column_unit if answer.quantity == "quantile" else answer.unit,
        "asker": answer.asker,
        "owner": answer.owner,
        "base": answer.base,
        "interval": percent(answer.level),
        "covers": "noise",
    }
    names, columns = _names(answer), ("value", "low", "high", "below_threshold")
    title = f"{answer.quantity}, {notes['unit']}"
    if answer.estimates:
        level = ("level",) if answer.quantity == "quantile" else ()
        rows = tuple(_estimate(answer, one) for one in answer.estimates)
        return Sheet(title, (*names, *level, *columns), rows, notes)
    ranks = {(rank.by, rank.of): rank for rank in answer.ranking}
    ranked = ("best_rank", "worst_rank", "in_top") if answer.top else ()
    rows = tuple(
        (*_cell(cell), *(_rank(ranks.get((cell.by, cell.of or ""))) if answer.top else ())) for cell in answer.cells
    )
    whole = _RANKS if answer.quantity == "sum" else _RANKS | {"value", "low", "high"}
    return Sheet(title, (*names, *columns, *ranked), rows, notes, whole)


def finding_sheet(finding: Finding) -> Sheet:
    """A row for each row of the finding."""
    labels = tuple(name for name, _ in finding.rows[0].names)
    labels = tuple(f"{name}_name" if name in _TAKEN else name for name in _apart(labels))
    ranked = any(row.rank is not None for row in finding.rows)
    rows = tuple(
        (
            *(value for _, value in row.names),
            row.value,
            row.low,
            row.high,
            finding.unit_of(row),
            row.differs,
            *(_both(row.rank) if ranked else ()),
        )
        for row in finding.rows
    )
    columns = (*labels, "value", "low", "high", "unit", "differs", *(("best_rank", "worst_rank") if ranked else ()))
    notes = {
        "entry": f"{finding.entry} {finding.version}",
        "unit": finding.unit,
        "asker": finding.asker,
        "owner": finding.owner,
        "base": finding.base,
        "interval": percent(finding.level),
        "at_once": "true" if finding.at_once else "false",
        "covers": finding.covers,
    }
    return Sheet(f"{finding.entry}, {finding.unit}", columns, rows, notes, _RANKS)


def _names(answer: Answer) -> tuple[str, ...]:
    by = (label(answer.by, answer.splitter),) if answer.by is not None else ()
    return (*by, label(answer.column, answer.owner)) if answer.quantity == "histogram" else by


def _apart(labels: Sequence[str]) -> tuple[str, ...]:
    """The same labels, each with its number behind it where it came before."""
    before = [labels[:place].count(name) for place, name in enumerate(labels)]
    return tuple(f"{name} {count + 1}" if count else name for name, count in zip(labels, before, strict=True))


def _cell(cell: Cell) -> tuple[Value, ...]:
    names = tuple(text for text in (cell.by, cell.of) if text is not None)
    return (*names, cell.value, cell.low, cell.high, cell.below)


def _estimate(answer: Answer, one: Estimate) -> tuple[Value, ...]:
    names: tuple[Value, ...] = (one.by,) if one.by is not None else ()
    level: tuple[Value, ...] = (one.level,) if answer.quantity == "quantile" else ()
    return (*names, *level, one.value, one.low, one.high, one.below)


def _rank(rank: Rank | None) -> tuple[Value, ...]:
    return (None, None, None) if rank is None else (Fraction(rank.lowest), Fraction(rank.highest), rank.in_top)


def _both(rank: tuple[int, int] | None) -> tuple[Value, ...]:
    return (None, None) if rank is None else (Fraction(rank[0]), Fraction(rank[1]))
