"""A Parquet file as batches of texts.

Text, whole numbers, decimals, dates (2018-07-01) and time stamps without a zone (2018-07-01 10:00:00.000000,
always six decimals) are read as the text they are written with; a null is empty text. Binary floating point is
refused: it has no decimal scale, so what a price column holds would depend on how it is printed. Rows are
numbered from 1.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleanroom.errors import SourceError
from parties.source.header import checked_header
from parties.source.records import HAS_NUL, MAX_RECORD_BYTES, NOT_UTF8, TOO_LONG
from parties.source.rejections import RowCount

_BATCH_ROWS = 16_384


def parquet_header(path: Path) -> tuple[str, ...]:
    """The names of the top-level columns; raises SourceError."""
    try:
        with pq.ParquetFile(path) as file:
            return checked_header(path.name, file.schema_arrow.names)
    except (pa.ArrowException, OSError):
        raise _damaged(path) from None


def parquet_batches(path: Path, columns: Sequence[str], count: RowCount) -> Iterator[pa.Table]:
    """The named columns as string arrays, some thousand rows at a time; raises SourceError."""
    try:
        with pq.ParquetFile(path) as file:
            for column in columns:
                _require_textual(path, column, file.schema_arrow.field(column).type)
            first_row = 1
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns), use_threads=False):
                texts = {column: _as_text(batch.column(column)) for column in columns}
                yield _without_bad_rows(texts, first_row, count)
                first_row += batch.num_rows
    except (pa.ArrowException, OSError, KeyError):
        raise _damaged(path) from None


def _damaged(path: Path) -> SourceError:
    return SourceError(f"{path.name}: the Parquet file is damaged or cut short")


def _require_textual(path: Path, column: str, kind: pa.DataType) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    zoned = pa.types.is_timestamp(kind) and kind.tz is not None
    if zoned or not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_null(kind)
    ):
        raise SourceError(
            f'{path.name}: column "{column}" is stored as {kind}; store it as text, a whole number, a decimal, '
            "a date or a time stamp without a zone"
        )


def _as_text(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        # Parquet keeps seconds as milliseconds, so the unit found is not the unit meant; one form for all.
        values = values.cast(pa.timestamp("us"), safe=False)
    # Through binary, so that bytes which are not UTF-8 are found row by row below and not by the cast.
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return pc.fill_null(values.cast(pa.binary()), b"")
    return pc.fill_null(values.cast(pa.string()).cast(pa.binary()), b"")


def _without_bad_rows(texts: dict[str, pa.Array], first_row: int, count: RowCount) -> pa.Table:
    """Strings of the rows whose texts are all UTF-8 without NUL, at most 1 MiB each."""
    rows = len(next(iter(texts.values())))
    reasons: dict[int, str] = {}
    for values in texts.values():
        too_long = pc.greater(pc.binary_length(values), MAX_RECORD_BYTES)
        has_nul = pc.match_substring(values, b"\0")
        for mask, reason in ((too_long, TOO_LONG), (has_nul, HAS_NUL), (_not_utf8(values), NOT_UTF8)):
            reasons.update((row, reason) for row in pc.indices_nonzero(mask).to_pylist() if row not in reasons)
    for row in sorted(reasons):
        count.reject(first_row + row, reasons[row])
    count.accept(rows - len(reasons))
    table = pa.table(texts)
    if reasons:
        table = table.filter(pa.array(row not in reasons for row in range(rows)))
    return table.cast(pa.schema([(name, pa.string()) for name in texts]))


def _not_utf8(values: pa.Array) -> pa.Array:
    try:
        values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([not _decodes(value) for value in values.to_pylist()], pa.bool_())
    return pa.repeat(pa.scalar(value=False), len(values))


def _decodes(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
