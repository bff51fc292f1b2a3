"""Every reduction with its tie rules, against pandas on made-up tables and by hand at the edges."""

import csv
import io
import tempfile
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import UsageError
from cleanroom.ids import column_name
from cleanroom.question.columns import Asked, Column, Dimension, Measure, Reduction
from parties.source.date_format import checked_date_format
from tests.reference.people_by_pandas import reduced_people
from tests.unit.source.tables import HEADER, OPAQUE, colour, load, price, write

_FORMAT = "%m/%d/%Y"
_DECLARED = ("Red", "NA", "0", "00")


def _every_column() -> list[Asked]:
    red = {"colour": ("Red", "")}
    both = {"colour": ("Red", "NA"), "day": ("7/1/2018", "07/01/2018")}
    low, high = Decimal("-3.5"), Decimal(7)

    def dimension(name: str, reduction: Reduction) -> Dimension:
        return Dimension(column_name(name), reduction, ("yes", "no") if reduction.kind == "any" else _DECLARED)

    def measure(name: str, reduction: Reduction, decimals: int, step: str) -> Measure:
        return Measure(column_name(name), reduction, "EUR", decimals, low, high, Decimal(step))

    return [
        dimension("last", Reduction("last", "colour", "day", _FORMAT)),
        dimension("last_red", Reduction("last", "colour", "day", _FORMAT, where=red)),
        dimension("most", Reduction("most_frequent", "colour")),
        dimension("any_red", Reduction("any", where=red)),
        dimension("any_both", Reduction("any", where=both)),
        measure("sum", Reduction("sum", "price"), 2, "0.5"),
        measure("sum_red", Reduction("sum", "price", where=red), 0, "0.5"),
        measure("max", Reduction("max", "price"), 2, "0.5"),
        measure("count", Reduction("count"), 0, "0.5"),
        measure("count_both", Reduction("count", where=both), 0, "3.5"),
        measure("last_price", Reduction("last", "price", "day", _FORMAT), 1, "0.5"),
    ]


_ROW = st.tuples(
    st.sampled_from(["a", "b", "c", "Z", "\u00e9"]),
    st.sampled_from(["Red", "NA", "0", "00", "", "red", "\U0001f600", "\uffff", "Z"]),
    st.sampled_from(["7/1/2018", "07/01/2018", "12/31/2017", "2/29/2020", "2/29/2019", "", "x", "13/1/2018", "7/1/18"]),
    st.one_of(
        st.decimals(min_value=-9, max_value=9, places=2).map(str),
        st.sampled_from(
            ["", "NaN", "inf", "1e3", "0.25", "-0.25", "0.75", "1.255", "+1", "00.5", ".5", "5.", "1,5", "10", "9"]
        ),
    ),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(_ROW, min_size=1, max_size=40))
def test_duckdb_agrees_with_pandas_on_every_reduction(made: list[tuple[str, str, str, str]]) -> None:
    names = ["email", "colour", "day", "price"]
    text = io.StringIO()
    csv.writer(text).writerows([names, *made])
    frame = pd.DataFrame(made, columns=names, dtype=str).rename(columns={"email": "key"})
    with tempfile.TemporaryDirectory() as directory:
        people, _ = load(write(Path(directory), text.getvalue().encode()), _every_column(), OPAQUE)
    for column in _every_column():
        assert people[column.name] == reduced_people(frame, column), column.name


def _colour_of(tmp_path: Path, kind: str, *found: tuple[str, str]) -> int | None:
    content = HEADER + "".join(f"p,{text},{day},1\n" for text, day in found).encode()
    return load(write(tmp_path, content), [colour(kind, ("a", "b", "é"))], OPAQUE)[0]["colour"]["p"]


def test_last_takes_the_greatest_date_and_not_the_greatest_text(tmp_path: Path) -> None:
    assert _colour_of(tmp_path, "last", ("a", "9/1/2018"), ("b", "10/1/2018")) == 2


def test_last_ends_a_tie_with_the_smallest_text_by_code_point(tmp_path: Path) -> None:
    assert _colour_of(tmp_path, "last", ("é", "7/1/2018"), ("b", "07/01/2018")) == 2
    # The undeclared Z stands before a in code points, so it wins the tie and is `other`.
    assert _colour_of(tmp_path, "last", ("a", "7/1/2018"), ("Z", "7/1/2018")) == 4


def test_last_passes_over_rows_without_a_value_or_a_date(tmp_path: Path) -> None:
    assert _colour_of(tmp_path, "last", ("a", "7/1/2018"), ("", "7/2/2018"), ("b", "2/30/2019")) == 1


def test_most_frequent_counts_rows_and_ends_a_tie_with_the_smallest_text(tmp_path: Path) -> None:
    day = "7/1/2018"
    assert _colour_of(tmp_path, "most_frequent", ("b", day), ("a", day), ("b", day)) == 2
    assert _colour_of(tmp_path, "most_frequent", ("b", day), ("a", day)) == 1
    assert _colour_of(tmp_path, "most_frequent", ("", day), ("", day), ("b", day)) == 2


def test_last_of_a_measure_ends_a_tie_by_text_and_not_by_size(tmp_path: Path) -> None:
    content = HEADER + b"p,x,7/1/2018,9\np,x,7/1/2018,10\n"
    assert load(write(tmp_path, content), [price("last")], OPAQUE)[0]["price"] == {"p": 10}


def test_a_missing_dimension_is_other_and_a_missing_measure_is_no_value(tmp_path: Path) -> None:
    columns: list[Column] = [colour(), price("max", low="5", high="10")]
    people, report = load(write(tmp_path, HEADER + b"p,,,\n"), columns, OPAQUE)
    assert people["colour"] == {"p": 4}
    assert people["price"] == {"p": None}
    assert [column.missing for column in report.columns] == [1, 1]


def test_254_declared_values_and_other_have_a_leaf_each(tmp_path: Path) -> None:
    values = tuple(f"v{at}" for at in range(254))
    content = HEADER + b"".join(b"p%d,v%d,1/1/2018,1\n" % (at, at) for at in range(255))
    people, report = load(write(tmp_path, content), [colour("most_frequent", values)], OPAQUE)
    assert people["colour"] == {f"p{at}": at + 1 for at in range(255)}
    assert report.columns[0].outside == 1


@pytest.mark.parametrize(
    ("text", "decimals", "steps"),
    [
        ("12", 0, 1200),
        ("0012.50", 2, 1250),
        ("+12.5", 1, 1250),
        ("-0.01", 2, -1),
        ("0" * 40 + "7", 0, 700),
        ("9" * 18, 0, 10**9),
        ("-" + "9" * 18 + ".999999999", 9, -(10**9)),
    ],
)
def test_a_number_is_a_sign_digits_and_a_point(tmp_path: Path, text: str, decimals: int, steps: int) -> None:
    column = price("sum", decimals=decimals, low="-10000000", high="10000000", step="0.01")
    people, report = load(write(tmp_path, HEADER + f"p,x,1/1/2018,{text}\n".encode()), [column], OPAQUE)
    assert people["price"] == {"p": steps}
    assert report.columns[0].bad_numbers == 0


@pytest.mark.parametrize(
    "text",
    ["NaN", "nan", "inf", "-Infinity", "1e3", "1E400", "0x10", "1_000", "1.234", "1.", ".5", "1 000", "$5", "5-", "+-5",
     "--5", "1.2.3", "\u0663", "9" * 19, "NA", "1'000", '"1,000"'],
)  # fmt: skip
def test_anything_else_is_a_bad_number_and_adds_nothing(tmp_path: Path, text: str) -> None:
    content = HEADER + f"p,x,1/1/2018,{text}\np,x,1/1/2018,2.00\n".encode()
    people, report = load(write(tmp_path, content), [price("sum")], OPAQUE)
    assert people["price"] == {"p": 2}
    assert report.columns[0].bad_numbers == 1


def test_a_point_is_bad_where_no_decimals_are_declared(tmp_path: Path) -> None:
    report = load(write(tmp_path, HEADER + b"p,x,1/1/2018,2.0\n"), [price("sum", decimals=0)], OPAQUE)[1]
    assert report.columns[0].bad_numbers == 1


def test_bad_values_count_only_where_the_row_filter_looks(tmp_path: Path) -> None:
    rule = Reduction("sum", "price", where={"colour": ("Red",)})
    column = Measure(column_name("red"), rule, "EUR", 0, Decimal(0), Decimal(9), Decimal(1))
    content = HEADER + b"p,Red,1/1/2018,x\np,Blue,1/1/2018,x\np,Red,1/1/2018,1\n"
    assert load(write(tmp_path, content), [column], OPAQUE)[1].columns[0].bad_numbers == 1


@pytest.mark.parametrize(
    ("date_format", "early", "late"),
    [
        ("%m/%d/%Y", "7/1/2018", "07/02/2018"),
        ("%Y-%m-%d", "2018-7-1", "2018-07-02"),
        ("%d.%m.%Y", "2.7.2018", "1.8.2018"),
        ("%Y%m%d", "20180701", "20180702"),
        ("%d %b %Y", "1 Jul 2018", "02 JUL 2018"),
        ("%B %d, %Y", "July 1, 2018", "august 1, 2018"),
        ("%d/%m/%y", "1/7/69", "1/7/68"),
        ("%Y-%j", "2018-182", "2018-183"),
        ("%m/%d/%Y %I:%M %p", "7/1/2018 9:59 PM", "7/1/2018 10:00 PM"),
        ("%Y-%m-%d %H:%M:%S.%f", "2018-07-01 10:00:00.9", "2018-07-01 10:00:01.0"),
    ],
)
def test_dates_of_a_stated_format_are_put_in_order(tmp_path: Path, date_format: str, early: str, late: str) -> None:
    rule = Reduction("last", "colour", order_by="day", date_format=date_format)
    column = Dimension(column_name("colour"), rule, ("early", "late"))
    content = HEADER + f'p,late,"{late}",1\np,early,"{early}",1\n'.encode()
    people, report = load(write(tmp_path, content), [column], OPAQUE)
    assert people["colour"] == {"p": 2}
    assert report.columns[0].bad_dates == 0


@pytest.mark.parametrize(
    "day",
    ["13/1/2018", "2/30/2018", "2/29/2019", "0/1/2018", "7/0/2018", "7/1/18", "7/1/999", "7/1/10000", "7-1-2018",
     "7/1/2018x", "7/1/2018 10:00", "infinity", "-infinity", "epoch", "NaN", "7//2018", "-7/1/2018", "7 /1/2018"],
)  # fmt: skip
def test_a_date_of_another_form_is_bad_and_its_row_is_never_last(tmp_path: Path, day: str) -> None:
    content = HEADER + f"p,Red,{day},1\np,Blue,1/1/1000,1\n".encode()
    people, report = load(write(tmp_path, content), [colour("last")], OPAQUE)
    assert people["colour"] == {"p": 2}
    assert report.columns[0].bad_dates == 1


@pytest.mark.parametrize("day", ["1/1/1000", "12/31/9999", "2/29/2020", "02/29/2000"])
def test_the_first_and_last_year_and_leap_days_are_dates(tmp_path: Path, day: str) -> None:
    report = load(write(tmp_path, HEADER + f"p,Red,{day},1\n".encode()), [colour("last")], OPAQUE)[1]
    assert (report.columns[0].bad_dates, report.columns[0].missing) == (0, 0)


@pytest.mark.parametrize(
    "date_format",
    ["%Y-%m-%dT%H:%M:%S%z", "%s", "%Q", "%c", "%x", "%U %Y", "%Y", "%m/%d", "%Y %m", "%Y %j %m", "%Y-%m-%d %Y",
     "%Y %y %m %d", "%Y-%m-%d%", "%-m/%d/%Y", "today"],
)  # fmt: skip
def test_a_date_format_outside_the_subset_is_refused(date_format: str) -> None:
    with pytest.raises(UsageError, match="date format"):
        checked_date_format(date_format)


def test_a_percent_sign_is_written_twice() -> None:
    assert checked_date_format("%%%Y-%m-%d") == "%%%Y-%m-%d"
