"""A table for programs and for a notebook: columns with names, rows of exact values, as Arrow, pandas, CSV, text, HTML.

Numbers are exact (`Fraction`) until they leave: a column that is declared whole becomes 64-bit integers, any other one
of numbers the nearest doubles, so that a column's type never depends on the noise. What cannot be told is null, not 0.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any

from cleanroom.errors import UsageError
from cleanroom.report.figure import show
from cleanroom.report.visible import cell_text

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from rich.table import Table

Value = str | bool | Fraction | None
_DECIMALS = 6
_GREY = '<tr style="color: gray">'


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under named columns, of which those in `whole` hold whole numbers.

    `notes` go into the Arrow schema's metadata and pandas' `attrs`.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if len(set(self.columns)) != len(self.columns) or any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a sheet has distinct columns and a value for each in every row")

    def __repr__(self) -> str:
        return printed(self.table())

    def _repr_html_(self) -> str:
        return in_notebook(f"<p>{escape(self.title)}</p>", html_table(self.columns, [_texts(row) for row in self.rows]))

    def to_arrow(self) -> "pyarrow.Table":
        """As an Arrow table."""
        import pyarrow as pa

        columns = {name: [row[place] for row in self.rows] for place, name in enumerate(self.columns)}
        table = pa.table({name: _column(values, whole=name in self.whole) for name, values in columns.items()})
        return table.replace_schema_metadata(dict(self.notes))

    def to_pandas(self) -> "pandas.DataFrame":
        """As a pandas data frame; raises UsageError where pandas is not installed."""
        import pyarrow as pa

        try:
            import pandas as pd
        except ImportError:
            raise UsageError("pandas is not installed: pip install pandas, or take to_arrow()") from None
        kinds = {pa.int64(): pd.Int64Dtype()}  # whole numbers stay whole where one is missing
        frame: pd.DataFrame = self.to_arrow().to_pandas(types_mapper=kinds.get)
        frame.attrs |= dict(self.notes)
        return frame

    def to_csv(self) -> str:
        """As CSV with a header row; what cannot be told is empty, numbers have at most six decimals.

        People open it in a spreadsheet: before a text that would begin a formula there stands a quote. Programs find
        texts as they are in the JSON and in `to_arrow`.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(cell_text, self.columns))
        writer.writerows(["" if value is None else _plain(value) for value in row] for row in self.rows)
        return text.getvalue()

    def table(self) -> "Table":
        """For the terminal."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(self.title), title_justify="left")
        for place, name in enumerate(self.columns):
            numbers = any(isinstance(row[place], Fraction) for row in self.rows)
            table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*map(Text, _texts(row)))
        return table


def printed(*parts: Any, width: int = 120) -> str:
    """What rich prints of these, without colours, as text."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None, force_terminal=False, emoji=False)
    for part in parts:
        console.print(part, markup=False, highlight=False)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, grey: frozenset[int] = frozenset()) -> str:
    """A table for a notebook, with some rows greyed; every text is escaped."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = ""
    for place, row in enumerate(rows):
        cells = "".join(f"<td>{escape(text)}</td>" for text in row)
        body += f"{_GREY if place in grey else '<tr>'}{cells}</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def in_notebook(*parts: str) -> str:
    """HTML for a notebook, which then takes no dollar sign in it for the beginning of a formula."""
    return f'<div class="tex2jax_ignore mathjax_ignore">{"".join(parts)}</div>'


def _texts(row: tuple[Value, ...]) -> tuple[str, ...]:
    return tuple(_text(value) for value in row)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction):
        return show(value)
    return value or ""


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else repr(round(float(value), _DECIMALS))
    return cell_text(value or "")


def _column(values: list[Value], *, whole: bool) -> "pyarrow.Array":
    """All of one kind, or missing."""
    import pyarrow as pa

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, str) for value in known):
        return pa.array(values, pa.string())
    if known and all(isinstance(value, bool) for value in known):
        return pa.array(values, pa.bool_())
    number = int if whole else float
    numbers = [None if value is None else number(Fraction(value)) for value in values]
    return pa.array(numbers, pa.int64() if whole else pa.float64())
