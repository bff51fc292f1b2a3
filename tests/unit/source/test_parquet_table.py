"""Parquet tables are read as the same texts a CSV file would hold."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanroom.errors import SourceError
from parties.source.records import HAS_NUL, NOT_UTF8
from parties.source.rejections import Rejection
from parties.source.source_file import SourceFile
from tests.unit.source.tables import HEADER, OPAQUE, colour, load, load_table, price, rows, write

_EMAILS = ["a@b.co", "c@d.co"]


def _write(directory: Path, columns: dict[str, object]) -> SourceFile:
    path = directory / "shop.parquet"
    pq.write_table(pa.table(columns), path)
    return SourceFile(path)


def test_a_parquet_table_gives_the_people_of_the_same_csv_table(tmp_path: Path) -> None:
    plain = load_table(write(tmp_path, HEADER + rows(100)), [colour(), price()])
    texts = [line.split(",") for line in rows(100).decode().splitlines()]
    names = HEADER.decode().strip().split(",")
    columns: dict[str, object] = {name: [line[at] for line in texts] for at, name in enumerate(names)}
    stored = load_table(_write(tmp_path, columns), [colour(), price()])
    assert plain[0].equals(stored[0])
    assert plain[1] == stored[1]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([7, None], pa.int32()), ("7", "")),
        (pa.array([Decimal("1.50"), Decimal("-2.00")]), ("1.50", "-2.00")),
        (pa.array([date(2018, 7, 1), None]), ("2018-07-01", "")),
        (pa.array([datetime(2018, 7, 1, 10), None], pa.timestamp("s")), ("2018-07-01 10:00:00.000000", "")),
        (pa.array(["007", "NA"], pa.large_string()), ("007", "NA")),
        (pa.array(["x", None]).dictionary_encode(), ("x", "")),
        (pa.array([None, None]), ("", "")),
    ],
    ids=["whole numbers", "decimals", "dates", "time stamps", "large text", "dictionary", "nothing"],
)
def test_stored_kinds_become_the_text_they_are_written_with(
    tmp_path: Path, values: pa.Array, texts: tuple[str, str]
) -> None:
    declared = tuple(dict.fromkeys(text for text in texts if text))
    source = _write(tmp_path, {"email": _EMAILS, "colour": values})
    people, report = load(source, [colour("most_frequent", declared or ("x",))])
    expected = [declared.index(text) + 1 if text else len(declared or ("x",)) + 1 for text in texts]
    assert list(people["colour"].values()) == expected
    assert report.columns[0].outside == 0


@pytest.mark.parametrize(
    "values",
    [pa.array([1.5, 2.5]), pa.array([True, False]), pa.array([b"a", b"b"]), pa.array([[1], [2]]),
     pa.array([1, 2], pa.timestamp("s", "UTC"))],
    ids=["floating point", "bool", "binary", "list", "time stamp with a zone"],
)  # fmt: skip
def test_a_kind_without_one_obvious_text_is_refused(tmp_path: Path, values: pa.Array) -> None:
    with pytest.raises(SourceError, match=r'^shop\.parquet: column "price" is stored as [^\n]+$'):
        load(_write(tmp_path, {"email": _EMAILS, "price": values}), [price()])


def test_a_kind_that_nobody_reads_does_not_matter(tmp_path: Path) -> None:
    assert load(_write(tmp_path, {"email": _EMAILS, "price": [1.5, 2.5]}))[1].people == 2


def test_bad_texts_cost_their_row(tmp_path: Path) -> None:
    texts = pa.array([b"a", b"b\0", b"c\xff", b"d", None, *(b"%d" % at for at in range(20))])
    broken = pa.Array.from_buffers(pa.string(), len(texts), texts.buffers())
    people, report = load(_write(tmp_path, {"email": broken}), key_rule=OPAQUE)
    assert report.rejections == (Rejection(2, HAS_NUL), Rejection(3, NOT_UTF8))
    assert (report.rows_read, report.unparsable_keys, len(people["key"])) == (25, 1, 22)


@pytest.mark.parametrize("keep", [20, -20])
def test_a_damaged_parquet_file_is_refused_in_one_line(tmp_path: Path, keep: int) -> None:
    source = _write(tmp_path, {"email": _EMAILS})
    content = source.path.read_bytes()
    source.path.write_bytes(content[:keep])
    with pytest.raises(SourceError, match=r"^shop\.parquet: the Parquet file is damaged or cut short$"):
        load(source)


def test_damaged_pages_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "shop.parquet"
    pq.write_table(pa.table({"email": [f"p{at}@example.com" for at in range(5000)]}), path, compression="zstd")
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes(500) + content[700:])
    with pytest.raises(SourceError, match=r"^shop\.parquet: [^\n]+$"):
        load(SourceFile(path))
