"""The file an operator names as the company's table, and whether it is what its name says.

Three kinds are read: `.csv`, gzipped CSV (`.csv.gz` or `.gz`) and `.parquet`. The kind follows from the file's
first bytes and must agree with its name: a spreadsheet renamed to .csv, a zip, a UTF-16 export or an HTML error
page saved as a table is refused in one line before any of it is read as people.
"""

import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cleanroom.errors import SourceError

_PROBE_BYTES = 4096


class FileKind(Enum):
    """What a table file is, by its content."""

    CSV = "CSV text"
    GZIP = "gzip"
    PARQUET = "Parquet"


_KIND_BY_SUFFIX = {".csv": FileKind.CSV, ".gz": FileKind.GZIP, ".parquet": FileKind.PARQUET}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF",
    b"ARROW1": "an Arrow file",
    b"\xff\xfe": "UTF-16 text (save it as UTF-8)",
    b"\xfe\xff": "UTF-16 text (save it as UTF-8)",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A company's table and, beside it, the list of people who opted out of every match.

    `opt_out` is a table of any of the three kinds with the same key columns; None says there is no such list.
    """

    path: Path
    opt_out: Path | None = None


def kind_of(path: Path) -> FileKind:
    """The kind of a regular file whose content agrees with its name; raises SourceError in one line."""
    named = _KIND_BY_SUFFIX.get(path.suffix.lower())
    if named is None:
        raise SourceError(f"{path.name}: a table is named .csv, .csv.gz or .parquet")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError(f"{path.name} is not a regular file")
        with path.open("rb") as file:
            start = file.read(_PROBE_BYTES)
    except OSError as error:
        raise SourceError(f"{path.name} cannot be opened: {error.strerror}") from None
    if not start:
        raise SourceError(f"{path.name} is empty")
    found = _kind_by_content(start)
    if found is not named:
        shown = found.value if isinstance(found, FileKind) else found
        raise SourceError(f"{path.name} is not what its name says: it holds {shown}, not {named.value}")
    return named


def _kind_by_content(start: bytes) -> FileKind | str:
    if start.startswith(b"PAR1"):
        return FileKind.PARQUET
    if start.startswith(b"\x1f\x8b"):
        return FileKind.GZIP
    for magic, name in _FOREIGN.items():
        if start.startswith(magic):
            return name
    header = start.partition(b"\n")[0]
    return "binary data" if b"\0" in header else FileKind.CSV
