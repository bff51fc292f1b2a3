"""An answer as a table for the terminal: each noisy number with its own interval, as it was released.

Numbers are not clamped: a number of people below zero is what noise does to a small cell, and hiding it would bend
every sum made of the table.
"""

from fractions import Fraction

from rich.table import Table
from rich.text import Text

from cleanroom.report.answer import Answer, Cell


def answer_table(answer: Answer) -> Table:
    """One row a cell; columns by, of, value and interval."""
    table = Table(caption=f"noise ±{show(answer.cells[0].high - answer.cells[0].value)} at {float(answer.level):.0%}")
    for header in headers(answer)[:-2]:
        table.add_column(Text(header))
    for header in headers(answer)[-2:]:
        table.add_column(Text(header), justify="right")
    for cell in answer.cells:
        table.add_row(*map(Text, row(cell)))
    return table


def headers(answer: Answer) -> tuple[str, ...]:
    """Column heads, the asker's column and the owner's only where asked."""
    by = (f"{answer.by} ({answer.asker})",) if answer.by is not None else ()
    of = (f"{answer.column} ({answer.owner})",) if answer.quantity == "histogram" else ()
    return (*by, *of, answer.unit, f"{float(answer.level):.0%} interval")


def row(cell: Cell) -> tuple[str, ...]:
    """A cell's texts under `headers`."""
    names = tuple(text for text in (cell.by, cell.of) if text is not None)
    return (*names, show(cell.value), f"{show(cell.low)} to {show(cell.high)}")


def show(value: Fraction) -> str:
    """A number with thousands separators, and at most two digits after the point where it has any."""
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.2f}"
