"""Broken, hostile and merely odd CSV: one bad row costs one row, told by number and reason and never by value."""

import gzip
from pathlib import Path

import pytest

from cleanroom.errors import SourceError
from parties.source.records import (
    BAD_QUOTE,
    BLOCK_BYTES,
    HAS_NUL,
    MAX_RECORD_BYTES,
    NOT_UTF8,
    TOO_LONG,
    WRONG_FIELD_COUNT,
)
from parties.source.rejections import Rejection
from tests.unit.source.tables import HEADER, OPAQUE, colour, load, load_table, rows, write

_SECRET = b"canary"


@pytest.mark.parametrize(
    ("bad_row", "reason"),
    [
        (b"canary\0x@example.com,Red,7/1/2018,1.00\n", HAS_NUL),
        (b"canary\xff\xfe@example.com,Red,7/1/2018,1.00\n", NOT_UTF8),
        (b"canary\xed\xa0\x80@example.com,Red,7/1/2018,1.00\n", NOT_UTF8),
        (b"canary@example.com,Red,7/1/2018\n", WRONG_FIELD_COUNT),
        (b"canary@example.com,Red,7/1/2018,1.00,\n", WRONG_FIELD_COUNT),
        (b"canary\n", WRONG_FIELD_COUNT),
        (b'canary@example.com,5" pipe,7/1/2018,1.00\n', BAD_QUOTE),
        (b'canary@example.com,"Red"dish,7/1/2018,1.00\n', BAD_QUOTE),
        (b'canary@example.com,"never closed,7/1/2018,1.00\n', BAD_QUOTE),
        (b"canary@example.com,Red\rBlue,7/1/2018,1.00\n", BAD_QUOTE),
        (b"canary" + b"x" * 10_000_000 + b",Red,7/1/2018,1.00\n", TOO_LONG),
        (b'canary@example.com,"' + b"x\n" * 10 + b"y" * 2_000_000 + b'",7/1/2018,1.00\n', None),
    ],
    ids=[
        "a NUL",
        "bytes that are not UTF-8",
        "a lone surrogate",
        "a field too few",
        "a field too many",
        "a single word",
        "a quote inside a plain field",
        "text behind a closing quote",
        "a quote that is never closed",
        "a carriage return alone",
        "a line of 10 MB",
        "a quoted field of 2 MB over many lines",
    ],
)
def test_a_bad_row_is_refused_by_number_and_the_rest_is_read(
    tmp_path: Path, bad_row: bytes, reason: str | None
) -> None:
    people, report = load(
        write(tmp_path, HEADER + rows(50) + bad_row + b"last@example.com,NA,7/1/2018,1\n"), [colour()]
    )
    assert len(people["key"]) == 51
    assert people["colour"]["last@example.com"] == 3
    if reason is not None:
        assert report.rejections == (Rejection(52, reason),)
        assert (report.rows_read, report.rows_rejected) == (52, 1)
    assert _SECRET.decode() not in "\n".join(report.lines())


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_quoted_fields_hold_commas_quotes_and_line_ends(tmp_path: Path, line_end: bytes) -> None:
    content = HEADER + b'"a@b.co","Re""d,' + line_end + b'x",7/1/2018,1' + line_end + b"c@d.co,NA,7/1/2018,1" + line_end
    people, report = load(write(tmp_path, content), [colour("most_frequent", ("NA",))])
    assert people["colour"] == {"a@b.co": 2, "c@d.co": 1}
    assert (report.rows_read, report.rows_rejected) == (2, 0)


def test_line_ends_may_be_mixed_and_the_last_one_may_be_missing(tmp_path: Path) -> None:
    content = HEADER + b"a@b.co,Red,1/1/2018,1\r\nb@b.co,Red,1/1/2018,1\nc@b.co,Red,1/1/2018,1"
    assert len(load(write(tmp_path, content))[0]["key"]) == 3


def test_blank_lines_are_no_rows_but_keep_their_numbers(tmp_path: Path) -> None:
    content = HEADER + b"\n\r\n" + rows(30) + b"\nbad\n\n"
    report = load(write(tmp_path, content))[1]
    assert report.rows_read == 31
    assert report.rejections == (Rejection(35, WRONG_FIELD_COUNT),)


def test_blank_lines_are_no_rows_in_a_table_of_one_column_either(tmp_path: Path) -> None:
    report = load(write(tmp_path, b"email\na@b.co\n\n\r\nc@d.co\n\n"))[1]
    assert (report.rows_read, report.unparsable_keys, report.people) == (2, 0, 2)


def test_a_byte_order_mark_is_no_part_of_the_first_column_name(tmp_path: Path) -> None:
    assert len(load(write(tmp_path, b"\xef\xbb\xbf" + HEADER + rows(3)))[0]["key"]) == 3


def test_composed_and_decomposed_text_is_one_person_and_one_value(tmp_path: Path) -> None:
    content = HEADER + "zo\u00e9,caf\u00e9,1/1/2018,1\nzoe\u0301,cafe\u0301,1/1/2018,1\n".encode()
    people, report = load(write(tmp_path, content), [colour("most_frequent", ("caf\u00e9",))], OPAQUE)
    assert people["colour"] == {"zo\u00e9": 1}
    assert report.people == 1


def test_a_formula_is_only_text(tmp_path: Path) -> None:
    content = HEADER + b"=cmd()|' /C calc'!A0,=1+1,1/1/2018,1\n"
    people, _ = load(write(tmp_path, content), [colour("most_frequent", ("=1+1",))], OPAQUE)
    assert people["colour"] == {"=cmd()|' /C calc'!A0": 1}


def test_words_that_others_read_as_null_are_values_and_leading_zeros_stay(tmp_path: Path) -> None:
    texts = ("NA", "NULL", "null", "NaN", "None", "007", "7", "1e3", "true")
    content = HEADER + b"".join(b"%d,%s,1/1/2018,1\n" % (at, text.encode()) for at, text in enumerate(texts))
    people, report = load(write(tmp_path, content), [colour("most_frequent", texts)], OPAQUE)
    assert people["colour"] == {str(at): at + 1 for at in range(len(texts))}
    assert report.columns[0].missing == report.columns[0].outside == 0


def test_rows_are_the_same_wherever_a_block_of_the_file_ends(tmp_path: Path) -> None:
    # A quoted record with a line end inside crosses the first block's end at every third offset.
    record = b'"x@example.com","Re\r\nd, ""so""",1/1/2018,1\r\n'
    for offset in range(0, len(record) + 2, 3):
        filling = BLOCK_BYTES - len(HEADER) - offset
        padding = b"p@example.com,Red," + b"x" * (filling - 22) + b",1\r\n"
        assert len(padding) == filling
        report = load(write(tmp_path, HEADER + padding + record * 3))[1]
        assert (report.rows_read, report.rows_rejected, report.people) == (4, 0, 2)


def test_a_record_may_have_a_mebibyte_and_not_one_byte_more(tmp_path: Path) -> None:
    frame = b"long@example.com,,1/1/2018,1\n"
    longest = frame.replace(b",,", b"," + b"x" * (MAX_RECORD_BYTES - len(frame)) + b",")
    assert len(longest) == MAX_RECORD_BYTES
    assert load(write(tmp_path, HEADER + longest + rows(5)))[1].rows_rejected == 0
    report = load(write(tmp_path, HEADER + b"x" + longest + rows(5)))[1]
    assert report.rejections == (Rejection(2, TOO_LONG),)


def test_only_the_first_twenty_refused_rows_are_numbered_and_all_are_counted(tmp_path: Path) -> None:
    report = load(write(tmp_path, HEADER + rows(400) + b"bad\n" * 25))[1]
    assert report.rows_rejected == 25
    assert [rejection.row for rejection in report.rejections] == list(range(402, 422))
    assert "  and 5 more" in report.lines()


@pytest.mark.parametrize(("good", "bad"), [(0, 1), (0, 30), (188, 21)])
def test_a_table_with_too_many_bad_rows_is_refused(tmp_path: Path, good: int, bad: int) -> None:
    with pytest.raises(
        SourceError, match=r"shop\.csv: too many rows cannot be read .* the first is row \d+: a field|another"
    ):
        load(write(tmp_path, HEADER + rows(good) + b"bad\n" * bad))


@pytest.mark.parametrize(("good", "bad"), [(1, 20), (189, 21)])
def test_a_table_with_just_few_enough_bad_rows_is_read(tmp_path: Path, good: int, bad: int) -> None:
    assert load(write(tmp_path, HEADER + rows(good) + b"bad\n" * bad))[1].rows_rejected == bad


def test_a_latin_1_table_loses_the_rows_that_are_not_utf8(tmp_path: Path) -> None:
    report = load(write(tmp_path, HEADER + rows(300) + "josé@example.com,Red,1/1/2018,1\n".encode("latin-1") * 25))[1]
    assert (report.people, report.rows_rejected) == (300, 25)


def test_a_gzipped_table_is_read_like_a_plain_one(tmp_path: Path) -> None:
    plain = load_table(write(tmp_path, HEADER + rows(100)), [colour()])
    zipped = load_table(write(tmp_path, gzip.compress(HEADER + rows(100)), "shop.csv.gz"), [colour()])
    assert plain[0].equals(zipped[0])
    assert plain[1] == zipped[1]


def test_gzip_parts_one_after_the_other_are_one_table(tmp_path: Path) -> None:
    content = gzip.compress(HEADER + rows(2)) + gzip.compress(b"z@example.com,Red,1/1/2018,1\n")
    assert load(write(tmp_path, content, "shop.csv.gz"))[1].people == 3


@pytest.mark.parametrize("damage", ["cut short", "checksum", "garbage behind", "garbage inside"])
def test_a_damaged_gzip_file_is_refused_in_one_line(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(HEADER + rows(1000))
    damaged = {
        "cut short": whole[:-20],
        "checksum": whole[:-8] + bytes(8),
        "garbage behind": whole + b"garbage",
        "garbage inside": whole[:100] + b"\xff" * 50 + whole[150:],
    }[damage]
    with pytest.raises(SourceError, match=r"^shop\.csv\.gz: the gzip file is damaged or cut short$"):
        load(write(tmp_path, damaged, "shop.csv.gz"))
