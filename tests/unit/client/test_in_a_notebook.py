"""What a notebook shows of a result: text stays text, and what cannot be told apart is grey."""

from dataclasses import replace

import pytest

from cleanroom.client import forecast
from cleanroom.client.forecast import Forecast
from cleanroom.client.result import Result
from cleanroom.client.sheet import Sheet
from tests.unit.report.test_finding_table import FINDING

HOSTILE = "<script>alert(1)</script>"


def test_a_result_has_no_tag_that_came_in_a_name() -> None:
    rows = tuple(replace(row, names=((HOSTILE, HOSTILE),)) for row in FINDING.rows)
    finding = replace(FINDING, sentences=(HOSTILE, HOSTILE), not_covered=(HOSTILE,), rows=rows)
    page = Result(({"stored": True},), (), finding)._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2 + 1 + 1 + len(rows)


def test_a_sheet_and_a_dry_run_have_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "together_lines", lambda _: [HOSTILE])
    for page in (Sheet(HOSTILE, (HOSTILE,), ((HOSTILE,),))._repr_html_(), Forecast({})._repr_html_()):
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_rows_that_cannot_be_told_apart_are_grey() -> None:
    page = Result(({"stored": True},), (), FINDING)._repr_html_()
    assert page.count('<tr style="color: gray">') == sum(not row.differs for row in FINDING.rows) > 0
