"""CSV bytes cut into records that are well formed, and everything else refused row by row.

The grammar is RFC 4180 with UTF-8 text: fields between commas, quotes only around a whole field and doubled
inside one, a record ends with LF or CRLF. Nothing is guessed. A record is refused, by number and reason, if it
has another number of fields, a quote elsewhere, a NUL or a bare CR, bytes that are not UTF-8, or more than 1 MiB.
After a refused record reading goes on at the next line, so one lost quote costs one row and not the rest of the
file. Blank lines are no rows, but they have a number.

A database's own CSV reader is not used for this: DuckDB 2.0.0 lets NUL through, drops all rows behind a quote
that is never closed, and stops at mixed line ends.

Memory: at most one unfinished record of 1 MiB, one block of half that, and what is made of them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from parties.source.rejections import RowCount

MAX_RECORD_BYTES = 1 << 20
BLOCK_BYTES = MAX_RECORD_BYTES // 2

# Possessive quantifiers (`++`, `*+`) keep every match linear in its length.
_QUOTED = rb'"(?:[^"\0]++|"")*+"'
_FIELD = rb"(?:" + _QUOTED + rb'|[^",\r\n\0]*+)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+\r?\n")
_UNFINISHED = re.compile(rb"(?:" + _FIELD + rb',)*+(?:"(?:[^"\0]++|"")*+(?:"\r?)?|[^",\r\n\0]*+\r?)\Z')
_QUOTED_FIELD = re.compile(_QUOTED)
_BLANK = re.compile(rb"\r?\n")

TOO_LONG = f"longer than {MAX_RECORD_BYTES} bytes"
NOT_UTF8 = "not UTF-8 text"
HAS_NUL = "a NUL byte"
BAD_QUOTE = "a quote or carriage return out of place"
WRONG_FIELD_COUNT = "another number of fields than the header"


def first_record(block: bytes) -> bytes | None:
    """The header record at the start of a file's first block, with its line end; None if it is malformed."""
    match = _RECORD.match(block)
    if match is None and len(block) < BLOCK_BYTES:
        match = _RECORD.match(block + b"\n")
    return None if match is None else match.group()


@dataclass(slots=True)
class RecordReader:
    """Turns blocks of bytes into runs of whole, well-formed records; numbers and counts all records.

    `next_row` is the number of the record that comes next.
    """

    fields: int
    count: RowCount
    next_row: int
    _rest: bytes = field(default=b"", init=False)
    _inside_long_line: bool = field(default=False, init=False)

    def runs(self, first: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Runs of good records of `first` and of all that `read` yields, until it returns no bytes."""
        run = _run_of_records(self.fields)
        block = first
        while block or (block := read(BLOCK_BYTES)):
            yield from self._take(self._rest + block, run, final=False)
            block = b""
        if self._rest:
            ending = b"" if self._rest.endswith(b"\n") else b"\n"
            yield from self._take(self._rest + ending, run, final=True)

    def _take(self, data: bytes, run: re.Pattern[bytes], *, final: bool) -> Iterator[bytes]:
        position = 0
        self._rest = b""
        if self._inside_long_line:
            position = data.find(b"\n") + 1
            self._inside_long_line = position == 0
        while position < len(data) and not self._inside_long_line:
            match = run.match(data, position)
            end = position if match is None else match.end()
            if end > position:
                yield self._checked(data[position:end])
            if end == len(data):
                return
            position = self._after_odd_record(data, end, final=final)
            if position == end:
                self._rest = data[end:]
                return

    def _checked(self, run: bytes) -> bytes:
        """The run without the records that are too long or not UTF-8."""
        if len(run) <= MAX_RECORD_BYTES and _is_utf8(run):
            self._accept(_QUOTED_FIELD.sub(b"", run).count(b"\n") if b'"' in run else run.count(b"\n"))
            return run
        good: list[bytes] = []
        for match in _RECORD.finditer(run):
            record = match.group()
            if len(record) > MAX_RECORD_BYTES:
                self._reject(TOO_LONG)
            elif not _is_utf8(record):
                self._reject(NOT_UTF8)
            else:
                self._accept(1)
                good.append(record)
        return b"".join(good)

    def _after_odd_record(self, data: bytes, start: int, *, final: bool) -> int:
        """Refuse what stands at `start` and return where reading goes on; `start` itself if bytes are missing."""
        if blank := _BLANK.match(data, start):
            self.next_row += 1
            return blank.end()
        if other := _RECORD.match(data, start):
            self._reject(TOO_LONG if other.end() - start > MAX_RECORD_BYTES else WRONG_FIELD_COUNT)
            return other.end()
        line_end = data.find(b"\n", start) + 1
        unfinished = not final and (not line_end or _UNFINISHED.match(data, start))
        if unfinished and len(data) - start <= MAX_RECORD_BYTES:
            return start
        line = data[start : line_end or len(data)]
        self._inside_long_line = not line_end
        if unfinished or len(line) > MAX_RECORD_BYTES:
            self._reject(TOO_LONG)
        else:
            self._reject(HAS_NUL if b"\0" in line else BAD_QUOTE)
        return start + len(line)

    def _accept(self, rows: int) -> None:
        self.next_row += rows
        self.count.accept(rows)

    def _reject(self, reason: str) -> None:
        self.count.reject(self.next_row, reason)
        self.next_row += 1


def _run_of_records(fields: int) -> re.Pattern[bytes]:
    """As many records of exactly this many fields as follow each other."""
    # A blank line would pass for the one empty field of a one-column table; it is no row there either.
    return re.compile(rb"(?:(?!\r?\n)" + _FIELD + rb"(?:," + _FIELD + rb"){%d}\r?\n)*+" % (fields - 1))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
