"""Any of the three kinds of table file, behind one pair of functions."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from parties.source.csv_table import csv_batches, csv_header
from parties.source.header import require_columns
from parties.source.parquet_table import parquet_batches, parquet_header
from parties.source.rejections import RowCount
from parties.source.source_file import FileKind, kind_of


def text_batches(path: Path, readers: Mapping[str, str], count: RowCount) -> Iterator[pa.Table]:
    """The columns named in `readers` as string arrays, batch by batch, in the order of `readers`.

    `readers` says for each column which rule of the contract reads it. The header is checked before the first
    batch is asked for. Bad rows are counted in `count`. Raises SourceError.
    """
    kind = kind_of(path)
    if kind is FileKind.PARQUET:
        require_columns(path.name, parquet_header(path), readers)
        return parquet_batches(path, tuple(readers), count)
    gzipped = kind is FileKind.GZIP
    require_columns(path.name, csv_header(path, gzipped=gzipped), readers)
    return csv_batches(path, tuple(readers), count, gzipped=gzipped)
