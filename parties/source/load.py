"""A company's table to one row per person: the only door from raw data into the product.

Rules, in the order they are kept:

1. Contract and files are checked before any row is read; what is wrong is said in one line and nothing is left
   behind.
2. The opt-out list comes first. If a single row of it cannot be read, nothing is loaded: the person on that row
   would be matched against their will.
3. Rows that are malformed are counted by number and reason; too many refuse the table. Rows whose match key
   cannot be read are left out.
4. One match key is one person. Every column is reduced as the contract says; what is not declared is `other`,
   what is missing adds nothing, every number is clamped to the contract's bounds.

The result stays inside the company's node. The report is for its operator alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cleanroom.errors import SourceError, UsageError
from cleanroom.question.columns import Asked, Column, Dimension, Hidden, Measure, stored_name
from parties.source.date_format import checked_date_format
from parties.source.grid import require_exact_grid, whole_steps
from parties.source.key_rule import KeyRule
from parties.source.person_rows import KeyedRows
from parties.source.reduce import Unreadable, absent_texts, column_rows, reduced_amounts, reduced_texts
from parties.source.rejections import RowCount
from parties.source.report import ColumnReport, SourceReport
from parties.source.scratch import scratch_database
from parties.source.source_file import SourceFile
from parties.source.table_file import text_batches


def load_people(
    source: SourceFile, key_rule: KeyRule, columns: Sequence[Column], *, work_directory: Path
) -> tuple[pa.Table, SourceReport]:
    """One row per person, sorted by key, and what was found on the way.

    The table has `key` (large_binary, unique), then each column under its stored name: a dimension as uint8 leaf number
    (1… as declared, then `other`), a measure as int64 whole steps (null where there is no value). Scratch files live
    in a directory of their own below `work_directory` and are gone afterwards. Raises SourceError, UsageError.
    """
    _check_columns(columns)
    key_readers = dict.fromkeys(key_rule.columns, "the match key")
    column_readers = _column_readers(columns)
    with scratch_database(work_directory) as connection:
        rows = KeyedRows(connection, key_rule, tuple(column_readers))
        opt_out_unparsable = _read_opt_out(source, rows, key_readers)
        count = RowCount()
        unparsable = rows.add(text_batches(source.path, column_readers | key_readers, count))
        _require_people(source, count, unparsable)
        people = rows.number_people()
        keys = people.keys()
        crowded_keys, crowded_above = people.crowded()
        positions = {name: number for number, name in enumerate(column_readers)}
        arrays: dict[str, pa.Array | pa.ChunkedArray] = {"key": keys}
        column_reports = []
        for column in columns:
            if isinstance(column, Hidden):
                continue
            name = stored_name(column, columns)
            arrays[name], column_report = _reduced(connection, column, positions, len(keys))
            column_reports.append(column_report)
    report = SourceReport(
        rows_read=count.read,
        rows_rejected=count.rejected,
        rejections=tuple(count.shown),
        unparsable_keys=unparsable,
        people=len(keys),
        opted_out_people=people.opted_out_people,
        opt_out_unparsable=opt_out_unparsable,
        crowded_keys=crowded_keys,
        crowded_above=crowded_above,
        columns=tuple(column_reports),
    )
    return pa.table(arrays), report


def _check_columns(columns: Sequence[Column]) -> None:
    names = [stored_name(column, columns) for column in columns if not isinstance(column, Hidden)]
    if len(set(names)) != len(names) or "key" in names:
        raise UsageError("person-level columns have different names, and none is called key")
    for column in columns:
        if isinstance(column, Hidden):
            continue
        if column.reduction.date_format:
            checked_date_format(column.reduction.date_format)
        if isinstance(column, Measure):
            require_exact_grid(column)


def _column_readers(columns: Sequence[Column]) -> dict[str, str]:
    """Every source column that some person-level column reads, with the first one that does."""
    readers: dict[str, str] = {}
    for column in columns:
        if isinstance(column, Hidden):
            continue  # not even read
        rule = column.reduction
        for source in (rule.source, rule.order_by, *rule.where):
            if source:
                readers.setdefault(source, f"column {column.name}")
    return readers


def _read_opt_out(source: SourceFile, rows: KeyedRows, key_readers: Mapping[str, str]) -> int:
    if source.opt_out is None:
        return 0
    count = RowCount()
    unparsable = rows.opt_out(text_batches(source.opt_out, key_readers, count))
    name = source.opt_out.name
    if count.rejected:
        first = count.shown[0]
        raise SourceError(
            f"{name}: row {first.row} of the opt-out list cannot be read ({first.reason}), so nothing is loaded"
        )
    if count.read and unparsable == count.read:
        raise SourceError(f"{name}: no row of the opt-out list has a usable match key, so nothing is loaded")
    return unparsable


def _require_people(source: SourceFile, count: RowCount, unparsable: int) -> None:
    name = source.path.name
    if not count.read:
        raise SourceError(f"{name} has a header and no rows")
    count.require_few_rejections(name)
    if unparsable == count.read - count.rejected:
        raise SourceError(f"{name}: no row has a usable match key; is it the right column and profile?")


def _reduced(
    connection: duckdb.DuckDBPyConnection, column: Asked, positions: Mapping[str, int], people: int
) -> tuple[pa.Array, ColumnReport]:
    unreadable = column_rows(connection, column, positions)
    absent = absent_texts(connection, column.reduction, positions)
    if isinstance(column, Dimension):
        texts = reduced_texts(connection, column.reduction.kind)
        leaves, report = _leaves(column, texts, people, unreadable)
        return leaves, replace(report, absent=absent)
    amounts = reduced_amounts(connection, column.reduction.kind)
    steps = whole_steps(connection, amounts, column)
    units, missing = np.zeros(people, np.int64), np.ones(people, np.bool_)
    with_value = steps.column("person").to_numpy()
    units[with_value], missing[with_value] = steps.column("units").to_numpy(), False
    report = ColumnReport(
        name=column.name,
        missing=people - len(steps),
        clamped=pc.sum(steps.column("clamped"), min_count=0).as_py(),
        bad_numbers=unreadable.numbers,
        bad_dates=unreadable.dates,
        absent=absent,
    )
    return pa.array(units, mask=missing), report


def _leaves(column: Dimension, texts: pa.Table, people: int, unreadable: Unreadable) -> tuple[pa.Array, ColumnReport]:
    """Leaf numbers from the reduced texts; whoever has none is `other`, or `no` to an `any`."""
    asks_any = column.reduction.kind == "any"
    found = pc.index_in(texts.column("text"), value_set=pa.array(column.values, pa.string()))
    other = len(column.cells)
    leaves = np.full(people, 2 if asks_any else other, np.uint8)
    leaves[texts.column("person").to_numpy()] = pc.fill_null(pc.add(found, 1), other).to_numpy()
    report = ColumnReport(
        name=column.name,
        missing=0 if asks_any else people - len(texts),
        outside=found.null_count,
        bad_dates=unreadable.dates,
        unused=_unused(column, found) if found.null_count else (),
    )
    return pa.array(leaves), report


def _unused(column: Dimension, found: pa.ChunkedArray) -> tuple[str, ...]:
    """Declared values that nobody has."""
    used = set(pc.unique(found).to_pylist())
    return tuple(value for place, value in enumerate(column.values) if place not in used)
