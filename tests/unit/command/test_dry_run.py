"""Looking before asking, through the real command line: from the room file alone, and nothing is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import cleanroom, refused, said
from tests.small_room import room_text, write_room

ASK = ("--asker", "shop", "--owner", "brand")


def room(folder: Path, **terms: str) -> Path:
    """A room file whose tables do not exist; `terms` are added to brand's."""
    path = folder / "room.toml"
    more = "".join(f"{key} = {value}\n" for key, value in terms.items())
    path.write_text(room_text().replace("[parties.brand]\n", f"[parties.brand]\n{more}"), encoding="utf-8")
    return path


def body(*arguments: object) -> dict[str, Any]:
    """The JSON of a dry run."""
    found: dict[str, Any] = json.loads(said(cleanroom("sandbox", *arguments, "--dry-run", "--json", "-")))
    return found


def test_a_sandbox_is_looked_at_from_its_file_alone_and_nothing_is_made(tmp_path: Path) -> None:
    found = body(room(tmp_path), *ASK, "--by", "colour", "--of", "colour", "--epsilon", "1")
    assert found["cost"] == {"party": "brand", "consumer": "shop", "rho": "0.014969937804381", "epsilon": 1.0} | {
        "delta": 1e-9
    }
    assert found["numbers"] == 9
    (noise,) = found["noise"]
    assert (noise["of"], noise["unit"], noise["half_width"], noise["half_width_all"]) == ("people", "people", 11, 16)
    assert found["refusal"] is found["approval"] is found["guess"] is None
    assert found["budget"]["as_of"] is None
    assert found["budget"]["left_before"]["epsilon"] == 20.0
    assert float(found["budget"]["left_after"]["rho"]) == pytest.approx(
        float(found["budget"]["left_before"]["rho"]) - float(found["cost"]["rho"])
    )
    assert [path.name for path in tmp_path.iterdir()] == ["room.toml"]


def test_people_read_it_in_lines(tmp_path: Path) -> None:
    text = said(
        cleanroom(
            "sandbox", room(tmp_path, display_threshold="20"), *ASK, "--of", "colour", "--epsilon", "1", "--dry-run",
            "--guess", "30",
        )
    )  # fmt: skip
    assert [line.split()[0] for line in text.splitlines()] == [
        *("dry", "question", "cost", "noise", "guess", "small", "match", "budget", "approval", "unknown")
    ]
    for words in (
        "nothing was asked, nothing was spent, nobody's data was read",
        "±11 people for one at 95%, ±14 for all 3 at once",
        "30 people spread evenly over 3 cells are 10.0 in each, and noise is ±11 on one: as much as there is to see",
        "all 3 are likely to be shown as under 20 (each",
        "a new one is made first, 1 of the 3 that the coordinator may see of shop's people",
        "shop has epsilon 20 of 20 left at brand",
    ):
        assert words in text


def test_asked_by_accuracy_the_noise_is_what_was_wished_and_the_epsilon_is_said(tmp_path: Path) -> None:
    path = room(tmp_path)
    people = body(path, *ASK, "--accuracy", "50")
    assert (people["noise"][0]["half_width"], people["cost"]["epsilon"]) == (50, 0.212)
    euros = body(path, *ASK, "--sum", "spend", "--accuracy", "500")
    assert (euros["noise"][0]["unit"], euros["noise"][0]["half_width"]) == ("euros", 500)


def test_who_must_approve_and_why_is_said_and_is_no_failure(tmp_path: Path) -> None:
    path = room(tmp_path, approval='{ cells = 2, epsilon_per_question = "0.5" }')
    found = body(path, *ASK, "--of", "colour", "--epsilon", "1")
    assert found["approval"] == {
        "by": "brand",
        "reasons": [
            "3 cells are more than the 2 that pass by themselves",
            "it costs more than one question may without approval",
        ],
    }


def test_what_would_be_refused_fails_with_the_owner_s_own_words_and_its_json_is_whole(tmp_path: Path) -> None:
    done = cleanroom("sandbox", room(tmp_path, cells="2"), *ASK, "--of", "colour", "--epsilon", "1", "--dry-run",
                     "--json", "-")  # fmt: skip
    found = json.loads(done.stdout)
    assert refused(done) == (
        "the answer would have 3 cells and brand allows 2 (rule cells of brand); without brand's `colour` it has 1"
    )
    assert found["refusal"]["rule"] == "cells"
    assert found["cost"]["epsilon"] == 1.0, "what it would have cost is told all the same"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            (),
            "say what the question may cost, --epsilon 1; with --accuracy 50 as well it costs no more than that takes",
        ),
        (
            ("--epsilon", "0.2", "--accuracy", "50"),
            "--accuracy: ±50 costs epsilon 0.212 at brand, more than the 0.2 that --epsilon allows; nothing was asked",
        ),
        (("--epsilon", "1", "--guess", "50"), "--guess belongs to --dry-run: an answer needs no guess"),
        (
            ("--accuracy", "fifty"),
            "--accuracy: accuracy `fifty` is not a number; write how far noise may move a number, such as 50 for ±50"
            " people",
        ),
        (
            ("--accuracy", "50", "--mean", "spend"),
            "--accuracy: accuracy cannot be promised for a mean: its interval depends on how many people there are;"
            " ask with an epsilon, and look first: --dry-run",
        ),
        (
            ("--accuracy", "1"),
            "--accuracy: no question has an accuracy of ±1 people: less noise than ±2 people is never drawn, or costs"
            " more than epsilon 100; ask for 2 or more",
        ),
    ],
)
def test_a_price_is_stated_in_one_way_that_can_be_met(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    assert refused(cleanroom("sandbox", room(tmp_path), *ASK, *arguments)) == line
    assert [path.name for path in tmp_path.iterdir()] == ["room.toml"]


def test_where_the_room_has_been_run_what_is_left_is_what_the_owner_last_said(tmp_path: Path) -> None:
    path = write_room(tmp_path)
    asked = json.loads(said(cleanroom("sandbox", path, *ASK, "--epsilon", "1", "--json", "-")))
    found = body(path, *ASK, "--by", "colour", "--epsilon", "1")
    assert found["budget"]["as_of"] is not None
    spent = float(asked["spent"][0]["rho"])
    cap = float(asked["total"][0]["cap"])
    assert float(found["budget"]["left_before"]["rho"]) == pytest.approx(cap - spent)
    again = json.loads(said(cleanroom("sandbox", path, *ASK, "--epsilon", "1", "--json", "-")))
    assert again["total"] == asked["total"], "looking has cost something"


@pytest.mark.parametrize(
    ("guess", "part"), [("30", "as much as there is to see"), ("300", "11% of it"), ("9000", "next to nothing")]
)
def test_a_guess_is_held_against_the_noise_where_small_numbers_are_shown_as_they_are(
    tmp_path: Path, guess: str, part: str
) -> None:
    """The bug: in a room without a display threshold, which is the default, a guess did nothing."""
    words = (*ASK, "--of", "colour", "--epsilon", "1", "--dry-run", "--guess")
    (line,) = [
        line
        for line in said(cleanroom("sandbox", room(tmp_path), *words, guess)).splitlines()
        if line.startswith("guess")
    ]
    assert part in line
