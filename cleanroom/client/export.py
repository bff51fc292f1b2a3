"""A finding's exports as files, for another program such as a recommender: JSON, and rows as Parquet as well."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cleanroom.errors import UsageError
from cleanroom.whole_file import write_output


def write_exports(exports: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write each export into the folder, which is made where it is missing; the files written. Raises UsageError."""
    if not exports:
        raise UsageError("this question exports nothing for other programs; take the table (to_arrow) or the JSON")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UsageError(f"{folder} cannot be made: {getattr(error, 'strerror', None) or error}") from None
    written = []
    for name, value in exports.items():
        text = folder / f"{name}.json"
        write_output(text, (json.dumps(value, indent=2) + "\n").encode("utf-8"))
        written.append(text)
        if value and isinstance(value, list) and all(isinstance(row, dict) for row in value):
            written.append(_parquet(value, folder / f"{name}.parquet"))
    return tuple(written)


def _parquet(rows: list[dict[str, Any]], file: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    write_output(file, stream.getvalue().to_pybytes())
    return file
