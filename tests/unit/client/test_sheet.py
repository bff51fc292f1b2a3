"""A result as a table: numbers leave exactly or as the nearest doubles, what is missing stays missing."""

import csv
import io
import sys
from fractions import Fraction

import pytest

from cleanroom.client import forecast
from cleanroom.client.sheet import Sheet, html_table, printed
from cleanroom.errors import UsageError

SHEET = Sheet(
    "t",
    ("name", "value", "rank", "sure"),
    (
        ("<b>,\"'", Fraction(1, 3), Fraction(2), True),
        ("NA", None, None, False),
    ),
    {"unit": "people"},
    frozenset({"rank"}),
)


def test_types_follow_the_columns_and_not_the_numbers() -> None:
    table = SHEET.to_arrow()
    assert [str(field.type) for field in table.schema] == ["string", "double", "int64", "bool"]
    assert table.to_pylist()[1] == {"name": "NA", "value": None, "rank": None, "sure": False}
    whole = Sheet("t", ("value",), ((Fraction(3),),))
    assert str(whole.to_arrow().schema.field("value").type) == "double"


def test_whole_numbers_stay_whole_in_pandas_where_one_is_missing() -> None:
    frame = SHEET.to_pandas()
    assert str(frame["rank"].dtype) == "Int64"
    assert frame["rank"].to_list()[0] == 2
    assert frame["name"].to_list()[1] == "NA"
    assert frame.attrs == {"unit": "people"}


def test_without_pandas_that_is_said_and_arrow_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"pandas is not installed: pip install pandas, or take to_arrow\(\)"):
        SHEET.to_pandas()
    assert len(SHEET.to_arrow()) == 2


def test_csv_quotes_what_it_must_and_leaves_out_what_is_missing() -> None:
    assert SHEET.to_csv() == 'name,value,rank,sure\n"<b>,""\'",0.333333,2,true\nNA,,,false\n'


def test_a_notebook_shows_texts_and_runs_nothing() -> None:
    page = SHEET._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;,&quot;&#x27;" in page


def test_columns_of_one_name_or_short_rows_are_no_sheet() -> None:
    for columns, rows in ((("a", "a"), ()), (("a", "b"), (("x",),))):
        with pytest.raises(ValueError, match="distinct columns"):
            Sheet("t", columns, rows)


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", '-2+3+cmd|" /C calc"!A0', " =1"])
def test_a_spreadsheet_takes_no_formula_from_a_text_and_every_number_as_one(text: str) -> None:
    csv_text = Sheet("t", (text, "value"), ((text, Fraction(-1)),)).to_csv()
    (head, first), (name, value) = csv.reader(io.StringIO(csv_text))
    assert (head, first, name, value) == (f"'{text}", "value", f"'{text}", "-1")


@pytest.mark.parametrize("text", ["[red]x", ":thumbs_up:", "size:m:black"])
def test_a_terminal_shows_a_text_as_it_is_written(text: str) -> None:
    """A name between colons was once shown as a picture."""
    assert text in repr(Sheet("[bold]t", ("[i]name",), ((text,),)))
    assert printed(text) == text


def test_a_notebook_takes_no_dollar_for_a_formula() -> None:
    """Price bands are the usual values with two dollar signs."""
    page = Sheet("t", ("price",), (("$0 to $50",),))._repr_html_()
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore">')
    assert page.endswith("</div>")
    assert "<td>$0 to $50</td>" in page


def test_what_cannot_be_told_apart_is_greyed() -> None:
    page = html_table(("a",), [("x",), ("<y>",)], grey=frozenset({1}))
    assert '<tr><td>x</td></tr><tr style="color: gray"><td>&lt;y&gt;</td></tr>' in page


def test_a_dry_run_in_a_notebook_breaks_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """They ran off the right; and what a room is called is no tag."""
    monkeypatch.setattr(forecast, "together_lines", lambda _: ["question  <b>" + "a" * 300])
    page = forecast.Forecast({})._repr_html_()
    assert '<pre style="white-space: pre-wrap">question  &lt;b&gt;' in page
