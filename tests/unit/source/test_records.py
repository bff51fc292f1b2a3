"""The record grammar against Python's own CSV reader, and its independence of how bytes arrive."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from parties.source.records import RecordReader
from parties.source.rejections import RowCount

_FIELDS = st.lists(st.lists(st.text(alphabet='a",\r\n é='), min_size=3, max_size=3), max_size=20)
_NOISE = st.lists(st.sampled_from([b"a", b'"', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3\xa9"]), max_size=60)


def _read(content: bytes, piece: int) -> tuple[bytes, RowCount]:
    stream = io.BytesIO(content)
    count = RowCount()
    runs = RecordReader(fields=3, count=count, next_row=2).runs(b"", lambda _size: stream.read(piece))
    return b"".join(runs), count


@given(_FIELDS)
def test_what_a_csv_writer_writes_is_read_whole(fields: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(fields)
    good, count = _read(text.getvalue().encode(), 1 << 16)
    assert list(csv.reader(io.StringIO(good.decode(), newline=""), strict=True)) == fields
    assert (count.read, count.rejected) == (len(fields), 0)


@given(_NOISE, st.integers(1, 9))
@example([b'a,"x', b"\n", b"b,c,d", b"\n"], 1)
@example([b"a,b,c", b"\r", b"\n", b"d,e,f"], 6)
@example([b'"', b"\n", b'"', b"\r\n"], 1)
def test_rows_do_not_depend_on_how_the_bytes_arrive(noise: list[bytes], piece: int) -> None:
    content = b"".join(noise)
    assert _read(content, piece) == _read(content, 1 << 16)


@given(_NOISE)
def test_whatever_is_kept_has_three_fields_of_text(noise: list[bytes]) -> None:
    good, count = _read(b"".join(noise), 1 << 16)
    records = list(csv.reader(io.StringIO(good.decode(), newline=""), strict=True))
    assert all(len(record) == 3 for record in records)
    assert "\0" not in good.decode()
    assert count.read - count.rejected == len(records)


def test_one_lost_quote_costs_one_row() -> None:
    good, count = _read(b'a,"b,c\nd,"e",f\ng,h,i\n', 1 << 16)
    assert good == b'd,"e",f\ng,h,i\n'
    assert [rejection.row for rejection in count.shown] == [2]
