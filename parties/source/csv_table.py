"""A CSV file, plain or gzipped, as batches of texts.

The header is row 1. Every value stays the text between its commas: no type is inferred, no text means null, and
a formula such as `=cmd()` is only text. Which records count as rows is decided in `records`.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from cleanroom.errors import SourceError
from parties.source.header import checked_header
from parties.source.records import BLOCK_BYTES, RecordReader, first_record
from parties.source.rejections import RowCount

_BOM = b"\xef\xbb\xbf"


def csv_header(path: Path, *, gzipped: bool) -> tuple[str, ...]:
    """The names in the first record; raises SourceError."""
    with _opened(path, gzipped=gzipped) as read:
        return _header(path, read(BLOCK_BYTES))[0]


def csv_batches(path: Path, columns: Sequence[str], count: RowCount, *, gzipped: bool) -> Iterator[pa.Table]:
    """The named columns as string arrays, some thousand rows at a time; raises SourceError.

    Rows that are refused are counted in `count`. The header must hold every one of `columns`.
    """
    with _opened(path, gzipped=gzipped) as read:
        header, rest = _header(path, read(BLOCK_BYTES))
        for run in RecordReader(fields=len(header), count=count, next_row=2).runs(rest, read):
            if not run:
                continue
            try:
                yield _texts(run, header, columns)
            except pa.ArrowInvalid:
                # The parser and the record grammar disagree; the parser's own message would repeat the row.
                raise SourceError(f"{path.name}: rows that should be well formed cannot be parsed") from None


def _header(path: Path, block: bytes) -> tuple[tuple[str, ...], bytes]:
    text = block.removeprefix(_BOM)
    record = first_record(text)
    if record is None:
        raise SourceError(f"{path.name}: the first line is not a line of column names")
    try:
        names = next(csv.reader([record.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise SourceError(f"{path.name}: the first line is not a line of column names in UTF-8") from None
    if not any(names):
        raise SourceError(f"{path.name}: the first line is not a line of column names")
    return checked_header(path.name, names), text[len(record) :]


def _texts(run: bytes, header: Sequence[str], columns: Sequence[str]) -> pa.Table:
    # Columns are numbered here, so that no name of the file reaches the parser.
    numbers = [str(header.index(column)) for column in columns]
    table = pa.csv.read_csv(
        pa.py_buffer(run),
        read_options=pa.csv.ReadOptions(
            column_names=[str(number) for number in range(len(header))],
            block_size=len(run) + 1,
            use_threads=False,
        ),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(numbers, pa.string()),
            include_columns=numbers,
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    return table.rename_columns(list(columns))


@contextmanager
def _opened(path: Path, *, gzipped: bool) -> Iterator[Callable[[int], bytes]]:
    """A function that reads up to so many bytes of the table; every failure is one line."""
    try:
        with gzip.open(path, "rb") if gzipped else path.open("rb") as file:
            yield file.read
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise SourceError(f"{path.name}: the gzip file is damaged or cut short") from None
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}") from None
