"""What the operator is told after a load: counts, row numbers, reasons; no identifier and no value."""

from dataclasses import replace
from pathlib import Path

from cleanroom.question.columns import Column
from parties.source.report import worth_a_look
from tests.unit.source.tables import HEADER, OPAQUE, colour, load, price, rows, write


def test_every_finding_has_a_line(tmp_path: Path) -> None:
    content = (
        HEADER
        + rows(10)
        + b"canary1,Red,7/1/2018,1\n"
        + b"canary2@example.com\n"
        + b"canary3@example.com,canary4,canary5,canary6\n"
        + b"canary7@example.com,Red,7/1/2018,1000.01\n"
    )
    report = load(write(tmp_path, content), [colour("last"), price()])[1]
    assert report.lines() == (
        "12 people from 14 rows",
        "1 rows rejected",
        "  row 13: another number of fields than the header",
        "1 rows left out because their match key cannot be read",
        "0 people left out because they opted out",
        "0 rows of the opt-out list whose match key cannot be read",
        "0 match keys with more than 100 rows: may be shared by many",
        "column colour: 1 people without a value; 1 rows whose date cannot be read",
        "column price: 1 people without a value; 1 people clamped to the declared bounds; "
        "1 rows whose number cannot be read",
    )
    assert "canary" not in repr(report)


def test_a_value_outside_the_declared_ones_is_other_and_counted(tmp_path: Path) -> None:
    content = HEADER + b"a,Red,1/1/2018,1\nb,red,1/1/2018,1\nc,other,1/1/2018,1\n"
    people, report = load(write(tmp_path, content), [colour()], OPAQUE)
    assert people["colour"] == {"a": 1, "b": 4, "c": 4}
    assert report.columns[0].outside == 2


def test_a_key_is_crowded_above_a_hundred_rows(tmp_path: Path) -> None:
    crowd = b"placeholder@example.com,Red,7/1/2018,1\n"
    assert load(write(tmp_path, HEADER + rows(30) + crowd * 100))[1].crowded_keys == 0
    assert load(write(tmp_path, HEADER + rows(30) + crowd * 101))[1].crowded_keys == 1


def test_in_a_table_of_long_histories_a_crowd_is_twenty_times_the_usual(tmp_path: Path) -> None:
    crowd = b"placeholder@example.com,Red,7/1/2018,1\n"
    table = HEADER + rows(5) * 10
    report = load(write(tmp_path, table + crowd * 200))[1]
    assert (report.crowded_keys, report.crowded_above) == (0, 200)
    assert load(write(tmp_path, table + crowd * 201))[1].crowded_keys == 1


def test_what_may_mean_wrong_terms_is_picked_out_and_the_usual_is_not(tmp_path: Path) -> None:
    """A wrong date format gives a plausible answer in which everybody is `other`; wrong decimals leave rows out."""
    known = b"".join(b"%d@example.com,Red,7/1/2018,9.99\n" % number for number in range(9))
    usual = HEADER + known + b"d@example.com,Pink,7/1/2018,1000.01\n" + b"e@example.com,,7/1/2018,1\n"
    last = colour("last", ("Red",))
    assert told(tmp_path, usual, last, price()) == []
    year_first = replace(last, reduction=replace(last.reduction, date_format="%Y-%m-%d"))
    assert told(tmp_path, usual, year_first, price(decimals=0)) == ["column colour", "column price"]
    dear = HEADER + b"d@example.com,Pink,7/1/2018,1000.01\n" * 3
    assert told(tmp_path, dear, colour(), price()) == ["column colour", "column price"]
    assert told(tmp_path, HEADER + rows(200) + b"x,y\n") == ["1 rows rejected"]


def told(folder: Path, content: bytes, *columns: Column) -> list[str]:
    """What is worth a look in a load, without what it is about."""
    return [line.split(":")[0] for line in worth_a_look(load(write(folder, content), columns)[1].lines())]
