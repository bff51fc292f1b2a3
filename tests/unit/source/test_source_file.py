"""A file is read only if it is what its name says and has the columns the contract reads."""

import gzip
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleanroom.errors import SourceError, UsageError
from parties.source.key_rule import KeyRule
from parties.source.source_file import FileKind, SourceFile, kind_of
from tests.unit.source.tables import BY_EMAIL, HEADER, colour, load, price, rows, write


def _parquet(directory: Path) -> bytes:
    path = directory / "made.parquet"
    pq.write_table(pa.table({"email": ["a@b.co"]}), path)
    return path.read_bytes()


def _zip(directory: Path) -> bytes:
    path = directory / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shop.csv", HEADER + rows(3))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("shop.csv", FileKind.CSV),
        ("SHOP.CSV", FileKind.CSV),
        ("shop.csv.gz", FileKind.GZIP),
        ("shop.parquet", FileKind.PARQUET),
    ],
)
def test_the_content_agrees_with_the_name(tmp_path: Path, name: str, kind: FileKind) -> None:
    content = {FileKind.CSV: HEADER, FileKind.GZIP: gzip.compress(HEADER), FileKind.PARQUET: _parquet(tmp_path)}
    assert kind_of(write(tmp_path, content[kind], name).path) is kind


@pytest.mark.parametrize("name", ["shop.csv", "shop.csv.gz", "shop.parquet"])
@pytest.mark.parametrize("held", ["csv", "gzip", "parquet", "zip", "utf-16", "pdf", "binary"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, held: str) -> None:
    content = {
        "csv": HEADER + rows(3),
        "gzip": gzip.compress(HEADER),
        "parquet": _parquet(tmp_path),
        "zip": _zip(tmp_path),
        "utf-16": (HEADER + rows(3)).decode().encode("utf-16"),
        "pdf": b"%PDF-1.7\n",
        "binary": bytes(100),
    }[held]
    if {"shop.csv": "csv", "shop.csv.gz": "gzip", "shop.parquet": "parquet"}[name] == held:
        return
    with pytest.raises(SourceError, match=r"^shop\.\S+ is not what its name says: it holds [^\n]+$"):
        load(write(tmp_path, content, name))


@pytest.mark.parametrize("name", ["shop.xlsx", "shop", "shop.tsv", "shop.csv.zip"])
def test_other_names_are_refused_with_the_names_that_are_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"a table is named \.csv, \.csv\.gz or \.parquet"):
        load(write(tmp_path, HEADER + rows(1), name))


def test_a_missing_file_a_directory_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name, said in (
        ("none.csv", "No such file"),
        ("folder.csv", "not a regular file"),
        ("pipe.csv", "not a regular file"),
    ):
        with pytest.raises(SourceError, match=said):
            load(SourceFile(tmp_path / name))


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (HEADER, "has a header and no rows")])
def test_a_table_without_rows_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        load(write(tmp_path, content))


def test_a_name_with_wildcards_quotes_or_a_scheme_is_only_a_name(tmp_path: Path) -> None:
    for name in ("*.csv", "shop[1].csv", "a'; DROP TABLE people; --.csv", "s3:bucket.csv"):
        assert load(write(tmp_path, HEADER + rows(2), name))[1].people == 2


def test_a_missing_column_is_named_with_the_file_its_reader_and_the_columns_there_are(tmp_path: Path) -> None:
    source = write(tmp_path, b"email,color,day\na@b.co,Red,1/1/2018\n")
    with pytest.raises(SourceError) as caught:
        load(source, [colour()])
    assert str(caught.value) == (
        'shop.csv has no column "colour", which the contract reads for column colour; it has: email, color, day'
    )
    with pytest.raises(SourceError, match='no column "phone", which the contract reads for the match key'):
        load(source, key_rule=KeyRule(("phone",), "phone-e164-v1", "US"))


def test_a_file_without_a_header_does_not_show_its_first_row(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        load(write(tmp_path, b"canary@example.com,+1 650 253 0000,1990-01-01\n" + rows(3)))
    assert str(caught.value).endswith("it has: 3 that do not look like column names")


def test_two_columns_of_one_name_are_refused_also_in_another_normal_form(tmp_path: Path) -> None:
    for header in (b"email,day,day\n", "email,caf\u00e9,cafe\u0301\n".encode()):
        with pytest.raises(SourceError, match="two columns of the same name"):
            load(write(tmp_path, header + b"a@b.co,1,2\n"))


@pytest.mark.parametrize("header", [b'email,"day\n', b"email\0,day\n", b"email,d\xffy\n", b"\n", b"email,a\rb\n"])
def test_a_broken_first_line_is_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(SourceError, match=r"first line is not a line of column names|not what its name says"):
        load(write(tmp_path, header + b"a@b.co,1\n"))


def test_column_names_are_never_part_of_a_statement(tmp_path: Path) -> None:
    name = 'x"; DROP TABLE people; --'
    header = f'email,"{name.replace(chr(34), chr(34) * 2)}"\n'.encode()
    rule = KeyRule((name,), "opaque-v1", "")
    assert load(write(tmp_path, header + b"a@b.co,first\nb@b.co,second\n"), key_rule=rule)[0]["key"] == {
        "first": 0,
        "second": 0,
    }


def test_a_table_without_one_usable_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no row has a usable match key"):
        load(write(tmp_path, HEADER + b"not an address,Red,1/1/2018,1\n" * 3))


@pytest.mark.parametrize(
    "columns", [(), ("email", "email"), ("email", ""), tuple("abcdefghi")], ids=["none", "twice", "unnamed", "nine"]
)
def test_a_key_rule_names_one_to_eight_different_columns(columns: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="1 to 8 different source columns"):
        KeyRule(columns, "opaque-v1", "")


def test_two_columns_of_one_name_in_the_contract_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="different names"):
        load(write(tmp_path, HEADER + rows(1)), [colour(), colour()], BY_EMAIL)


def test_a_failure_leaves_no_scratch_files_behind(tmp_path: Path) -> None:
    # `load` looks into the work directory after every load, failed or not.
    with pytest.raises(SourceError):
        load(write(tmp_path, HEADER + b"bad\n" * 100), [price()])
