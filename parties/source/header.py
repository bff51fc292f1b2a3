"""The columns a table has against the columns the contract reads.

A missing column is named together with the file, the rule of the contract that reads it and the columns the
file has. A file without a header line would put a customer's row where names belong, so only texts shaped like a
column name are repeated in the error.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from cleanroom.errors import SourceError

MAX_COLUMNS = 2_000
_MAX_SHOWN = 30
_LIKE_A_NAME = re.compile(r"[^\W\d][\w .()/#%-]{0,62}")


def checked_header(file: str, names: Sequence[str]) -> tuple[str, ...]:
    """Column names in NFC without surrounding blanks, all distinct; raises SourceError."""
    header = tuple(unicodedata.normalize("NFC", name).strip() for name in names)
    if len(header) > MAX_COLUMNS:
        raise SourceError(f"{file}: a table has at most {MAX_COLUMNS} columns")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise SourceError(f"{file} has two columns of the same name ({_shown(twice)}); names must be distinct")
    return header


def require_columns(file: str, header: Sequence[str], readers: Mapping[str, str]) -> None:
    """Every column of `readers` (column -> which rule of the contract reads it) is there; raises SourceError."""
    for column, reader in readers.items():
        if column not in header:
            raise SourceError(
                f'{file} has no column "{column}", which the contract reads for {reader}; it has: {_shown(header)}'
            )


def _shown(names: Sequence[str]) -> str:
    plain = [name for name in names if _LIKE_A_NAME.fullmatch(name)]
    listed = ", ".join(plain[:_MAX_SHOWN])
    more = len(names) - min(len(plain), _MAX_SHOWN)
    if not more:
        return listed
    return f"{listed} and {more} more" if listed else f"{more} that do not look like column names"
