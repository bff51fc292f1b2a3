import io
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cleanroom.errors import UsageError
from cleanroom.report.answer import read_answer
from cleanroom.report.document import Section, markdown, write_report
from cleanroom.report.table import answer_table
from cleanroom.report.wording import Wording

CHARGE = {"party": "bikes", "consumer": "accessories", "rho": "0.0120", "epsilon": 1.0, "delta": 1e-9}


def answer() -> dict[str, Any]:
    return {
        "question": {
            "asker": "accessories",
            "owner": "bikes",
            "by": "country",
            "quantity": "histogram",
            "column": "colour",
            "epsilon": 1.0,
            "delta": 1e-9,
            "sigma": 5.5,
            "unit": "people",
            "analyst": "lena",
        },
        "interval": 0.95,
        "cells": [
            {"by": "DE", "of": "[red]|rouge", "value": 1204, "low": 1193, "high": 1215},
            {"by": "DE", "of": "other", "value": -3, "low": -14, "high": 8},
        ],
        "spent": [CHARGE],
        "total": [CHARGE],
        "sizes": {"accessories": 16000, "bikes": 11000},
        "seconds": {"match": 1.2, "answer": 0.4},
    }


def section() -> Section:
    return Section("Which colours?", answer(), Wording())


def test_the_table_shows_names_and_numbers_as_they_were_released() -> None:
    text = io.StringIO()
    Console(file=text, width=100).print(answer_table(read_answer(answer())))
    shown = text.getvalue()
    for expected in (
        "country (accessories)",
        "[red]|rouge",
        "colour (bikes)",
        "1,204",
        "1,193 to 1,215",
        "-3",
        "-14 to 8",
    ):
        assert expected in shown


def test_the_page_has_sentences_cost_and_table() -> None:
    page = markdown("Shared customers", [section()])
    assert page.startswith("# Shared customers\n")
    assert "## Which colours?" in page
    assert "Cost accessories epsilon 1 of its budget at bikes" in page
    assert "| DE | \\[red]\\|rouge | 1,204 | 1,193 to 1,215 |" in page


def test_a_declared_value_cannot_break_a_table() -> None:
    rows = [line for line in markdown("t", [section()]).splitlines() if line.startswith("| DE")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [5, 5]


def test_the_json_report_holds_the_answer_unchanged(tmp_path: Path) -> None:
    page, data = write_report(tmp_path, "Shared customers", [section()])
    assert page.read_text().startswith("# Shared customers")
    written = json.loads(data.read_text())
    assert written["sections"][0]["answer"] == answer()
    assert written["sections"][0]["sentences"]


@pytest.mark.parametrize("missing", ["question", "cells", "interval", "spent"])
def test_something_that_is_no_answer_is_refused_in_our_own_words(missing: str) -> None:
    broken = answer()
    del broken[missing]
    with pytest.raises(UsageError, match="not an answer"):
        read_answer(broken)


@pytest.mark.parametrize("value", ["12", None, True, float("nan"), float("inf")], ids=str)
def test_a_cell_that_is_no_number_is_refused(value: object) -> None:
    broken = answer()
    broken["cells"][0]["value"] = value
    with pytest.raises(UsageError, match="not an answer"):
        read_answer(broken)


def test_a_number_is_read_by_its_digits() -> None:
    exact = answer()
    exact["cells"][0]["value"] = 0.1
    assert read_answer(exact).cells[0].value == Fraction(1, 10)
