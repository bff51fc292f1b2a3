"""The same question is answered from the store, free, until a new answer is asked for; that one is charged again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleanroom.answer.view import View, parse_levels
from cleanroom.errors import RefusedError, UsageError
from tests.answers.shops import shop, shop_rows
from tests.live_room import LiveRoom, RecordingNoise, live_room, room_file, write_csv

TABLE: dict[str, Any] = {"base": "table", "of": "tier", "epsilon": "0.5"}
MATCH: dict[str, Any] = {"by": "tier", "quantile": "spend", "epsilon": "0.5"}


@pytest.fixture
def known(tmp_path: Path) -> Iterator[tuple[LiveRoom, RecordingNoise]]:
    noise = RecordingNoise()
    rows = {"shop": shop_rows(range(20), seed=1), "brand": shop_rows(range(5, 30), seed=2)}
    terms = room_file(tmp_path, {name: shop(table) for name, table in rows.items()})
    with live_room(tmp_path, terms, noise={"brand": noise}) as room:
        yield room, noise


def entries(room: LiveRoom) -> list[tuple[str, int]]:
    """What the owner's ledger holds about questions."""
    return room.parties["brand"].look("SELECT kind, units FROM ledger WHERE kind = 'reserve' ORDER BY sequence")


@pytest.mark.parametrize("question", [TABLE, MATCH], ids=["over the whole table", "over the match"])
def test_a_question_is_charged_again_only_when_it_is_asked_again(
    known: tuple[LiveRoom, RecordingNoise], question: dict[str, Any]
) -> None:
    room, noise = known
    first = room.ask("shop", "brand", **question)
    assert room.ask("shop", "brand", **question)["stored"]
    assert (len(noise.draws), len(entries(room))) == (1, 1)
    new = room.ask("shop", "brand", again=True, **question)
    assert (first["stored"], new["stored"]) == (False, False)
    assert (first["question"]["repeat"], new["question"]["repeat"]) == (0, 1)
    assert len(noise.draws) == 2
    assert entries(room) == [entries(room)[0]] * 2
    stored = room.ask("shop", "brand", **question)
    assert stored["stored"]
    assert (stored["cells"], stored["question"]) == (new["cells"], new["question"]), "the newest answer stands"


def test_over_a_whole_table_nothing_is_matched_and_a_new_table_is_read_when_asked_again(
    known: tuple[LiveRoom, RecordingNoise],
) -> None:
    room, noise = known
    room.ask("shop", "brand", **TABLE)
    assert room.parties["brand"].look("SELECT count(*) FROM match") == [(0,)]
    brand = room.parties["brand"]
    write_csv(room.state.room.sources[brand.name].path, shop_rows(range(5, 95), seed=2))
    brand.restart()
    assert room.ask("shop", "brand", **TABLE)["stored"]
    new = room.ask("shop", "brand", again=True, **TABLE)
    assert sum(cell["value"] for cell in new["cells"]) - sum(noise.draws[-1][2]) == 90


def test_other_levels_and_rankings_are_read_off_the_stored_answer(known: tuple[LiveRoom, RecordingNoise]) -> None:
    room, noise = known
    first = room.ask("shop", "brand", **MATCH)
    other = room.ask("shop", "brand", view=View(levels=parse_levels("0.9")), **MATCH)
    assert other["stored"]
    assert other["cells"] == first["cells"]
    assert {line["level"] for line in other["quantiles"]} == {0.9}
    room.ask("shop", "brand", **TABLE)
    ranked = room.ask("shop", "brand", view=View(top=2), **TABLE)
    assert ranked["stored"]
    assert len(ranked["ranking"]) == 3
    assert len(noise.draws) == 2


def test_what_cannot_be_read_off_is_refused_before_anything_is_spent(known: tuple[LiveRoom, RecordingNoise]) -> None:
    room, noise = known
    with pytest.raises(UsageError, match="at most 3"):
        room.ask("shop", "brand", view=View(top=4), **TABLE)
    assert not noise.draws
    assert not entries(room)


def test_asking_again_without_budget_is_refused_and_the_stored_answer_stays(tmp_path: Path) -> None:
    people = {"shop": shop_rows(range(20), seed=1), "brand": shop_rows(range(5, 30), seed=2)}
    terms = room_file(tmp_path, {name: shop(table) for name, table in people.items()}, budget="0.6")
    with live_room(tmp_path, terms) as room:
        first = room.ask("shop", "brand", **TABLE)
        with pytest.raises(RefusedError, match="budget"):
            room.ask("shop", "brand", again=True, **TABLE)
        stored = room.ask("shop", "brand", **TABLE)
        assert stored["stored"]
        assert stored["cells"] == first["cells"]
