"""An answer as a table for the terminal: each number with its own interval.

Noisy numbers are shown as they were released and not clamped: a number of people below zero is what noise does to a
small cell, and hiding it would bend every sum made of the table. Two exceptions, both for display only and not in the
JSON: a number of people under the contract's threshold is "under 20", and a mean, which is a ratio and no released
number, stays within the declared bounds. A quantile's table has the quantiles; its bins are in the JSON.
"""

from fractions import Fraction

from rich.table import Table
from rich.text import Text

from cleanroom.answer.number import percent
from cleanroom.report.answer import Answer, Cell, Estimate, Rank
from cleanroom.report.figure import show, show_range, show_within


def answer_table(answer: Answer) -> Table:
    """One row a cell, or one a mean or quantile; columns by, of, value and interval, and ranks where asked."""
    caption = None
    if not answer.estimates:
        caption = f"noise ±{show(answer.cells[0].high - answer.cells[0].value)} at {percent(answer.level)}"
    table = Table(caption=caption)
    names = name_columns(answer)
    for place, header in enumerate(headers(answer)):
        table.add_column(Text(header), justify="left" if place < names else "right", overflow="fold")
    for texts in rows(answer):
        table.add_row(*map(Text, texts))
    return table


def name_columns(answer: Answer) -> int:
    """How many columns name a row; the others hold numbers."""
    return (answer.by is not None) + (answer.quantity in ("histogram", "quantile"))


def headers(answer: Answer) -> tuple[str, ...]:
    """Column heads; the column that splits and the owner's only where asked."""
    interval = f"{percent(answer.level)} interval"
    by = (f"{answer.by} ({answer.splitter})",) if answer.by is not None else ()
    if answer.quantity == "mean":
        return (*by, f"mean {answer.column} ({answer.owner}), {answer.unit}", interval)
    if answer.quantity == "quantile":
        return (*by, "share of people", f"{answer.column} ({answer.owner}), {answer.column_unit} at most", interval)
    of = (f"{answer.column} ({answer.owner})",) if answer.quantity == "histogram" else ()
    ranks = ("rank", f"in the top {answer.top}") if answer.top else ()
    return (*by, *of, answer.unit, interval, *ranks)


def rows(answer: Answer) -> tuple[tuple[str, ...], ...]:
    """The texts under `headers`."""
    if answer.estimates:
        return tuple(_estimate_row(answer, estimate) for estimate in answer.estimates)
    ranks = {(rank.by, rank.of): rank for rank in answer.ranking}
    return tuple(
        (*_row(answer, cell), *(_rank(ranks.get((cell.by, cell.of or ""))) if answer.top else ()))
        for cell in answer.cells
    )


def _row(answer: Answer, cell: Cell) -> tuple[str, ...]:
    names = tuple(text for text in (cell.by, cell.of) if text is not None)
    if cell.below:
        return (*names, f"under {answer.threshold}", "")
    return (*names, show(cell.value), f"{show(cell.low)} to {show(cell.high)}")


def _rank(rank: Rank | None) -> tuple[str, str]:
    if rank is None:
        return ("", "")
    return (str(rank.lowest) if rank.lowest == rank.highest else f"{rank.lowest} to {rank.highest}", rank.in_top)


def _estimate_row(answer: Answer, estimate: Estimate) -> tuple[str, ...]:
    names = (estimate.by,) if estimate.by is not None else ()
    if estimate.level is not None:
        names = (*names, f"{float(100 * estimate.level):g}%")
    if estimate.below:
        return (*names, f"under {answer.threshold} people", "")
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return (*names, "cannot be told", "")
    low, high = estimate.low, estimate.high
    return (*names, show_within(_possible(answer, estimate.value), low, high), " to ".join(show_range(low, high)))


def _possible(answer: Answer, value: Fraction) -> Fraction:
    """The number moved to the nearest one that is possible by the contract's bounds."""
    if answer.possible is None:
        return value
    return min(max(value, answer.possible[0]), answer.possible[1])
