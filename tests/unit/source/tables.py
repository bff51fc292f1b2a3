"""Small tables for tests: write one, load it, look people up by key."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from cleanroom.ids import column_name
from cleanroom.question.columns import Column, Dimension, Measure, Reduction
from parties.source.key_rule import KeyRule
from parties.source.load import load_people
from parties.source.report import SourceReport
from parties.source.source_file import SourceFile

HEADER = b"email,colour,day,price\n"
BY_EMAIL = KeyRule(("email",), "email-plain-v1", "")
OPAQUE = KeyRule(("email",), "opaque-v1", "")


def colour(kind: str = "most_frequent", values: tuple[str, ...] = ("Red", "Blue", "NA")) -> Dimension:
    """The dimension `colour`; `last` goes by the column `day`."""
    return Dimension(column_name("colour"), _rule(kind, "colour"), values)


def price(kind: str = "sum", *, decimals: int = 2, low: str = "0", high: str = "1000", step: str = "1") -> Measure:
    """The measure `price`; `last` goes by the column `day`."""
    rule = _rule(kind, "" if kind == "count" else "price")
    return Measure(column_name("price"), rule, "EUR", decimals, Decimal(low), Decimal(high), Decimal(step))


def _rule(kind: str, source: str) -> Reduction:
    if kind == "last":
        return Reduction(kind, source, order_by="day", date_format="%m/%d/%Y")
    return Reduction(kind, source)


def write(directory: Path, content: bytes, name: str = "shop.csv") -> SourceFile:
    """A table file of these bytes."""
    path = directory / name
    path.write_bytes(content)
    return SourceFile(path)


def load(
    source: SourceFile, columns: Sequence[Column] = (), key_rule: KeyRule = BY_EMAIL
) -> tuple[dict[str, dict[str, int | None]], SourceReport]:
    """Column name -> key text -> value, and the report."""
    table, report = load_table(source, columns, key_rule)
    keys = [key.decode() for key in table.column("key").to_pylist()]
    values = {name: dict(zip(keys, table.column(name).to_pylist(), strict=True)) for name in table.column_names[1:]}
    return values | {"key": dict.fromkeys(keys, 0)}, report


def load_table(
    source: SourceFile, columns: Sequence[Column] = (), key_rule: KeyRule = BY_EMAIL
) -> tuple[pa.Table, SourceReport]:
    """As the product loads it; the work directory is beside the table and must be empty again afterwards."""
    work_directory = source.path.parent / "work"
    work_directory.mkdir(exist_ok=True)
    try:
        return load_people(source, key_rule, columns, work_directory=work_directory)
    finally:
        assert not list(work_directory.iterdir()), "scratch files were left behind"


def rows(count: int) -> bytes:
    """That many good rows of different people."""
    return b"".join(b"p%d@example.com,Red,7/1/2018,1.00\n" % number for number in range(count))
