"""Findings as tables for programs: the same columns whatever the noise was, and never two of one name."""

from dataclasses import replace
from fractions import Fraction

from cleanroom.client.result_sheet import finding_sheet
from tests.unit.report.test_finding_table import FINDING, KNOWN, TIED


def test_each_row_has_its_interval_and_its_places() -> None:
    rows = finding_sheet(FINDING).to_arrow().to_pylist()
    assert rows[1] == {
        "colour (bags)": "[red]",
        "value": 101.5,
        "low": 90.0,
        "high": 110.0,
        "unit": "index",
        "differs": False,
        "best_rank": 2,
        "worst_rank": 3,
    }
    assert rows[2]["value"] is rows[2]["low"] is rows[2]["high"] is None


def test_where_nothing_is_ranked_there_are_no_places() -> None:
    sheet = finding_sheet(replace(FINDING, rows=(replace(KNOWN, rank=None),)))
    assert sheet.columns == ("colour (bags)", "value", "low", "high", "unit", "differs")
    mixed = finding_sheet(replace(FINDING, rows=(replace(KNOWN, rank=None), TIED)))
    assert mixed.rows[0][-2:] == (None, None)


def test_a_name_that_stands_twice_or_is_that_of_a_number_is_told_apart() -> None:
    names = (("value", "a"), ("value", "b"), ("stage", "c"), ("stage", "d"))
    row = replace(KNOWN, names=names, value=Fraction(1), low=Fraction(0), high=Fraction(2), rank=None)
    assert finding_sheet(replace(FINDING, rows=(row,))).columns[:4] == ("value_name", "value 2", "stage", "stage 2")
