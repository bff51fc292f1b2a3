"""Whoever opted out is in no match, and a list that cannot be read stops the load."""

from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.errors import SourceError
from parties.source.key_rule import KeyRule
from parties.source.source_file import SourceFile
from tests.unit.source.tables import HEADER, colour, load, rows, write


def _source(directory: Path, opt_out: bytes, table: bytes = HEADER + rows(5), name: str = "out.csv") -> SourceFile:
    return replace(write(directory, table), opt_out=write(directory, opt_out, name).path)


def test_people_on_the_list_are_gone_in_every_spelling_of_their_identifier(tmp_path: Path) -> None:
    people, report = load(_source(tmp_path, b"email,since\n P1@Example.COM ,2018\np3@example.com,\n"), [colour()])
    assert list(people["key"]) == ["p0@example.com", "p2@example.com", "p4@example.com"]
    assert set(people["colour"]) == set(people["key"])
    assert (report.people, report.opted_out_people) == (3, 2)


def test_the_report_counts_people_and_not_rows_or_entries(tmp_path: Path) -> None:
    table = HEADER + rows(2) + rows(2)
    report = load(_source(tmp_path, b"email\np1@example.com\nP1@example.com\nstranger@example.com\n", table))[1]
    assert (report.people, report.opted_out_people) == (1, 1)


def test_a_composite_key_opts_out_as_a_whole(tmp_path: Path) -> None:
    source = _source(tmp_path, b"last,first\nLee,Ann\n", b"first,last\nAnn,Lee\nLee,Ann\nAnn,Le\n")
    rule = KeyRule(("first", "last"), "opaque-v1", "")
    people, _ = load(source, key_rule=rule)
    assert list(people["key"]) == ["\0\3Ann\0\2Le", "\0\3Lee\0\3Ann"]


def test_an_empty_list_removes_nobody_and_a_full_one_everybody(tmp_path: Path) -> None:
    assert load(_source(tmp_path, b"email\n"))[1].people == 5
    everybody = b"email\n" + b"".join(b"p%d@example.com\n" % number for number in range(5))
    assert load(_source(tmp_path, everybody))[1].people == 0


@pytest.mark.parametrize(
    ("opt_out", "name", "said"),
    [
        (b"", "out.csv", "is empty"),
        (b"mail\np1@example.com\n", "out.csv", 'no column "email", which the contract reads for the match key'),
        (b"email,since\np1@example.com,2018\np2@example.com\n", "out.csv", "row 3 of the opt-out list cannot be read"),
        (b"email\np1@example.com\np2\xff@example.com\n", "out.csv", "row 3 of the opt-out list cannot be read"),
        (b"email\n" + b"9" * 64 + b"\n", "out.csv", "no row of the opt-out list has a usable match key"),
        (b"email\np1@example.com\n", "out.csv.gz", "not what its name says"),
    ],
    ids=["empty", "another column", "one short row", "one row that is not UTF-8", "hashes for addresses", "not gzip"],
)  # fmt: skip
def test_a_list_that_cannot_be_read_stops_the_load(tmp_path: Path, opt_out: bytes, name: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        load(_source(tmp_path, opt_out, name=name))


def test_a_list_that_is_not_there_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv cannot be opened"):
        load(replace(write(tmp_path, HEADER + rows(5)), opt_out=tmp_path / "none.csv"))


def test_an_unreadable_identifier_on_the_list_is_counted_for_the_operator(tmp_path: Path) -> None:
    report = load(_source(tmp_path, b"email\np1@example.com\nnobody\n"))[1]
    assert (report.opted_out_people, report.opt_out_unparsable) == (1, 1)
