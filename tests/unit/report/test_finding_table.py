"""A finding's table never ranks what cannot be told apart, and its JSON holds what the table shows."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.client.sheet import printed
from cleanroom.report.finding_table import apart, caption, finding_body, finding_heads, finding_table, finding_texts
from tests.unit.charts.made_up import findings

KNOWN = Row((("colour (bags)", "blue"),), Fraction(144), Fraction(131), Fraction(158), rank=(1, 1))
TIED = Row((("colour (bags)", "[red]"),), Fraction(203, 2), Fraction(90), Fraction(110), differs=False, rank=(2, 3))
UNKNOWN = Row((("colour (bags)", "black"),), None, None, None, differs=False, rank=(2, 3))
FINDING = Finding(
    entry="index",
    version=1,
    asker="sportswear",
    owner="bags",
    unit="index",
    base="100 is everybody",
    level=Fraction(19, 20),
    at_once=True,
    covers="noise",
    rows=(KNOWN, TIED, UNKNOWN),
    sentences=("Blue.",),
    not_covered=("Reasons.",),
    chart=Chart("index", Fraction(100)),
    compared=Compared("100, as frequent as among all", "may be 100"),
    files=(("index", [{"a": 1}]),),
)


def test_what_is_tied_says_so_and_has_a_range_of_places() -> None:
    assert finding_heads(FINDING) == ("colour (bags)", "index", "95% interval", "rank", "")
    assert finding_texts(FINDING) == (
        ("blue", "144", "131 to 158", "1", ""),
        ("[red]", "102", "90 to 110", "2 to 3", "may be 100"),
        ("black", "cannot be told", "", "2 to 3", ""),
    )
    shares = replace(FINDING, chart=Chart("bars"), rows=(replace(TIED, rank=None),))
    assert finding_heads(shares) == ("colour (bags)", "index", "95% interval", "")
    assert finding_texts(shares)[0][-1] == "may be 100"


def test_a_place_that_is_not_certain_and_a_row_that_is_compared_with_nothing_say_so() -> None:
    shared = replace(FINDING, rows=(replace(KNOWN, rank=(1, 2)), replace(TIED, differs=None, rank=None)))
    assert [texts[-1] for texts in finding_texts(shared)] == ["place not certain", "not compared"]
    assert [row["differs"] for row in finding_body(shared)["rows"]] == [True, None]


def test_the_notes_say_in_full_what_a_remark_means() -> None:
    (line,) = apart(FINDING)
    assert line == (
        'What is marked "may be 100" cannot be told apart from 100, as frequent as among all: a difference may be noise'
        " alone."
    )
    assert apart(replace(FINDING, rows=(KNOWN, UNKNOWN))) == ()
    with pytest.raises(ValueError, match="compared with something"):
        replace(FINDING, compared=None)


@pytest.mark.parametrize("entry", list(findings()))
def test_no_two_columns_of_a_table_have_one_head(entry: str) -> None:
    heads = finding_heads(findings()[entry])
    assert len(set(heads)) == len(heads)


def test_where_everything_differs_and_nothing_is_ranked_there_are_no_such_columns() -> None:
    plain = replace(FINDING, rows=(replace(KNOWN, rank=None),))
    assert finding_heads(plain) == ("colour (bags)", "index", "95% interval")
    assert finding_texts(plain) == (("blue", "144", "131 to 158"),)


def test_tied_rows_are_dimmed_and_texts_are_shown_as_they_are() -> None:
    table = finding_table(FINDING)
    assert [row.style for row in table.rows] == [None, "dim", "dim"]
    assert "[red]" in printed(table)


def test_the_caption_says_how_the_intervals_hold_and_over_what() -> None:
    assert caption(FINDING) == "Intervals hold all at once with probability 95% or more over noise."
    alone = replace(FINDING, at_once=False, covers="noise and sampling")
    assert caption(alone) == "Intervals hold each for itself with probability 95% or more over noise and sampling."


def test_programs_get_the_same_and_null_where_nothing_is_known() -> None:
    body = json.loads(json.dumps(finding_body(FINDING)))
    assert [row["value"] for row in body["rows"]] == [144, 101.5, None]
    assert [(row["differs"], row["best_rank"], row["worst_rank"]) for row in body["rows"]] == [
        (True, 1, 1),
        (False, 2, 3),
        (False, 2, 3),
    ]
    assert body["rows"][0]["names"] == [{"column": "colour (bags)", "value": "blue"}]
    assert (body["interval"], body["reference"], body["files"]) == (0.95, 100, {"index": [{"a": 1}]})
