"""The demo, run whole as a user runs it, held against its own tables and against what was planted in them."""

import json
from pathlib import Path

import pytest

from cleanroom.demo.questions import QUESTIONS
from tests.command_line import cleanroom, said
from tests.reference.demo_truth import people, truth


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    printed = said(cleanroom("demo", "--folder", folder / "shops-demo", folder=folder))
    assert "report.md" in printed
    return folder / "shops-demo"


def test_the_truth_is_in_nearly_every_interval(demo: Path) -> None:
    """At most 14 of up to 60 intervals of at least 95% may miss: more happens less than once in a million runs."""
    tables = people(demo)
    report = json.loads((demo / "report.json").read_text(encoding="utf-8"))
    missed = cells = 0
    for question, section in zip(QUESTIONS, report["sections"], strict=True):
        for cell, exact in zip(section["answer"]["cells"], truth(tables, question), strict=True):
            cells += 1
            missed += not cell["low"] <= exact <= cell["high"]
    assert 40 < cells <= 60
    assert missed <= 14


def test_the_planted_preference_is_in_the_sentence(demo: Path) -> None:
    """Runners were given a taste for black, hikers for green, footballers three colours alike.

    The noise would have to differ by 6 standard deviations to hide the first two, by more than 4 to rank the third: a
    false alarm about once in 100,000 runs.
    """
    report = (demo / "report.md").read_text(encoding="utf-8").splitlines()
    lines = {
        sport: next(line for line in report if f"buy mostly {sport}" in line and "bags" in line)
        for sport in ("running", "hiking", "football")
    }
    assert "prefer black bags, more than any other" in lines["running"]
    assert "prefer green bags, more than any other" in lines["hiking"]
    assert "cannot be told apart" in lines["football"]


def test_logs_ledgers_and_the_store_stay_to_be_looked_at(demo: Path) -> None:
    state = demo / "room.state"
    for shop in ("sportswear", "casualwear", "bags"):
        assert (state / "parties" / shop / "node.db").stat().st_size > 0
        assert (state / "parties" / shop / "node.log").stat().st_size > 0
    assert list((state / "coordinator" / "rooms").glob("*.sqlite"))
