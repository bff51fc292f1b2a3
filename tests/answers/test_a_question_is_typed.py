"""`cleanroom ask NAME` and what stands beside it, typed at a real node's door."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest

from cleanroom.errors import UsageError
from parties.command.ask import told_what_was_charged
from parties.command.main import notes_of
from tests.answers.test_an_analyst_asks import SHARED, booked, two_shops
from tests.command_line import cleanroom, refused, said
from tests.live_room import LiveRoom
from tests.open_door import open_door

INDEX = ("ask", "index", "--owner", "brand", "--of", "colour")


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveRoom, Path]]:
    """A room that serves, and the folder of the asker's node."""
    with two_shops(tmp_path_factory.mktemp("room")) as room, open_door(room.parties["shop"], "asker") as node:
        yield room, node


def test_a_question_of_the_catalogue_is_looked_at_asked_and_written(
    typing: tuple[LiveRoom, Path], tmp_path: Path
) -> None:
    room, node = typing
    look = said(cleanroom(*INDEX, "--home", node, "--epsilon", "2", "--dry-run"))
    assert "together  epsilon 2 at delta 1e-09" in look
    assert booked(room) == []
    files = {name: tmp_path / f"out.{name}" for name in ("json", "csv", "receipt")}
    written = [text for name, file in files.items() for text in (f"--{name}", file)]
    shown = cleanroom(*INDEX, "--socket", node / "node.sock", "--epsilon", "2", *written)
    assert "This cost shop epsilon 2 (delta 1e-09, rho 0." in said(shown)
    assert shown.stderr == "", "progress is for terminals"
    assert len(booked(room)) == 2
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert [row["colour (brand)"] for row in rows] == ["red", "NA", "007", "other"]
    assert len(json.loads(files["json"].read_text())["answers"]) == 2
    page = tmp_path / "page.html"
    said(cleanroom(*INDEX, "--home", node, "--epsilon", "2", "--report", page))
    assert "shop asked brand: index, of colour" in page.read_text(encoding="utf-8")
    assert len(booked(room)) == 2, "the stored answer is drawn"
    assert files["receipt"].read_bytes() != (tmp_path / "out.receipt.2").read_bytes()


def test_what_a_question_exports_is_written_for_other_programs(typing: tuple[LiveRoom, Path], tmp_path: Path) -> None:
    _, node = typing
    prior = ("ask", "prior", "--home", node, "--owner", "brand", "--by", "tier", "--of", "colour", "--epsilon", "2")
    said(cleanroom(*prior, "--files", tmp_path / "made"))
    rows = json.loads((tmp_path / "made" / "prior.json").read_text())
    assert rows == pq.read_table(tmp_path / "made" / "prior.parquet").to_pylist()
    overlap = cleanroom("ask", "overlap", "--home", node, "--owner", "brand", "--epsilon", "1", "--files", tmp_path)
    assert refused(overlap).startswith("this question exports nothing")
    assert str(SHARED) in overlap.stdout, "what was paid for is shown all the same"


def test_without_a_price_the_cost_is_said_and_nothing_is_asked(typing: tuple[LiveRoom, Path]) -> None:
    room, node = typing
    before = booked(room)
    line = refused(cleanroom(*INDEX, "--home", node))
    assert line.startswith(
        'say what the question may cost (--epsilon E; in Python epsilon="E"): with epsilon 1 it would cost epsilon 1 of'
    )
    assert refused(cleanroom("ask", "indx")).startswith("the catalogue has no question `indx`; did you mean `index`?")
    assert booked(room) == before


def test_a_name_behind_the_options_is_told_where_it_belongs() -> None:
    line = refused(cleanroom("ask", "--owner", "brand", "overlap"))
    assert line.startswith(
        "Got unexpected extra argument (overlap): the name of a question comes first, as in cleanroom "
    )


def test_ctrl_c_says_what_goes_on_at_the_node() -> None:
    """The library that reads the command line makes an error of its own of it, and so it was once lost."""

    @click.command()
    def ended() -> None:
        error = KeyboardInterrupt()
        error.add_note("the plan goes on")
        raise error

    with pytest.raises(click.Abort) as aborted:
        ended.main([], standalone_mode=False)
    assert notes_of(aborted.value) == ("the plan goes on",)
    assert notes_of(UsageError("wrong")) == ()
    with pytest.raises(KeyboardInterrupt) as stopped, told_what_was_charged():
        raise KeyboardInterrupt
    assert notes_of(stopped.value) == (
        "it may have been charged; ask the same without --again: what was answered costs nothing",
    )


def test_a_plain_question_needs_no_name_and_has_csv_as_well(typing: tuple[LiveRoom, Path]) -> None:
    _, node = typing
    text = said(cleanroom("ask", "--home", node, "--owner", "brand", "--epsilon", "1", "--csv", "-"))
    assert [int(row["value"]) for row in csv.DictReader(io.StringIO(text))] == [SHARED]


def test_rules_and_budgets_are_shown_to_an_asker(typing: tuple[LiveRoom, Path]) -> None:
    _, node = typing
    rules = json.loads(said(cleanroom("settings", "--home", node, "--json")))
    assert [owner["owner"] for owner in rules["owners"]] == ["brand"]
    assert "brand" in said(cleanroom("budget", "--home", node))


def test_the_catalogue_needs_no_node() -> None:
    entries = json.loads(said(cleanroom("catalogue", "--json")))
    assert {entry["name"] for entry in entries} >= {"overlap", "profile", "index", "reach", "flow"}
    assert "--of" in said(cleanroom("ask", "index", "--help"))


@pytest.mark.parametrize("command", ["ask", "sandbox"])
def test_a_plain_question_that_is_to_have_a_report_is_told_which_questions_do(command: str) -> None:
    """The bug: the library that reads the command line proposed --receipt."""
    line = refused(cleanroom(command, "--owner", "brand", "--epsilon", "1", "--report", "page.html"))
    assert line.startswith("--report belongs to a question that has a name, such as cleanroom ask profile")


def test_what_is_left_goes_to_a_program_or_into_a_file(typing: tuple[LiveRoom, Path], tmp_path: Path) -> None:
    _, node = typing
    printed = said(cleanroom("budget", "--json", "--home", node))
    said(cleanroom("budget", "--home", node, "--json", tmp_path / "budget.json"))
    assert json.loads(printed) == json.loads((tmp_path / "budget.json").read_text(encoding="utf-8"))
