"""The same question ends in one stored answer, whoever crashed in between, and it is never drawn twice.

A crash is simulated where it hurts: at every transaction of a node, lost or just made durable, and after every call to
the coordinator whose answer is lost. The node's memory is gone, its thread ends, a new node begins over the same
folder. `test_kill_minus_nine` does the same to real processes, at fewer moments.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import UnavailableError
from tests.answers.shops import TIER, shop_rows
from tests.live_room import (
    Crash,
    LiveParty,
    LiveRoom,
    RecordingNoise,
    live_room,
    room_file,
    values,
    wait_until,
    write_csv,
)
from tests.reference.one_draw_a_plan import assert_one_draw_a_plan

QUESTION: dict[str, Any] = {"by": "tier", "of": "tier", "epsilon": "4"}
ASKER, OWNER = "shop", "brand"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # crashed pollers


class CountingNoise:
    """The n-th draw is n times a thousand in every cell, so that an answer says which draw it holds."""

    def __init__(self) -> None:
        self.draws = 0

    def draw(self, count: int, scale: object, law: object) -> list[int]:
        """`count` times the number of this draw, times a thousand."""
        self.draws += 1
        return [1000 * self.draws] * count


class CrashAt:
    """Ends a node at one of its events and begins a new one over the same folder."""

    def __init__(self, party: LiveParty, moment: int) -> None:
        self.events: list[str] = []
        self.happened = threading.Event()
        self.over = threading.Event()
        self._party, self._moment = party, moment
        self._disarmed = False
        self._failure: BaseException | None = None
        self._again = threading.Thread(target=self._restart, daemon=True)
        party.hooks.event = self

    def __call__(self, event: str) -> None:
        if not self._disarmed:
            self.events.append(event)
            self._crash_if_due()
        if self.happened.is_set():
            raise Crash

    def _crash_if_due(self) -> None:
        if len(self.events) == self._moment:
            self.happened.set()
            self._party.node.stop()
            self._again.start()

    def disarm(self) -> None:
        """No crash from now on; returns when a node that had crashed works again."""
        self._disarmed = True
        self.wait()

    def _restart(self) -> None:
        try:
            self._party.stop()
            self._party.hooks.event = lambda _: None
            self._party.start()
        except BaseException as error:
            self._failure = error
        self.over.set()

    def wait(self) -> None:
        """Return when the new node works, at once if there was no crash."""
        if self.happened.is_set():
            assert self.over.wait(30), "the node did not come back"
            if self._failure is not None:
                raise self._failure


def small_room(folder: Path, noise: CountingNoise | RecordingNoise) -> LiveRoom:
    """Two shops of a dozen people, few dummies."""
    columns = {"tier": TIER}
    parties: dict[str, dict[str, Any]] = {
        ASKER: {"people": shop_rows(range(12), seed=7), "columns": columns},
        OWNER: {"people": shop_rows(range(5, 17), seed=8), "columns": columns},
    }
    return live_room(folder, room_file(folder, parties, capacity=100), noise={OWNER: noise})


def ask_until_answered(room: LiveRoom, crash: CrashAt) -> dict[str, Any]:
    """What an analyst does: ask, and ask again when told so."""
    for _ in range(6):
        try:
            return room.ask(ASKER, OWNER, timeout_s=20.0, **QUESTION)
        except (Crash, UnavailableError):
            crash.wait()
    raise AssertionError("the question was never answered")


def survive(folder: Path, victim: str, moment: int) -> list[str]:
    """Crash the victim at its `moment`-th event, ask until answered, and hold everything to the rules; its events."""
    noise = CountingNoise()
    with small_room(folder, noise) as room:
        crash = CrashAt(room.parties[victim], moment)
        answer = ask_until_answered(room, crash)
        crash.disarm()
        drawn = noise.draws
        for _ in range(2):
            again = room.ask(ASKER, OWNER, **QUESTION)
            assert again["stored"]
            assert (again["cells"], again["question"]) == (answer["cells"], answer["question"])
        assert noise.draws == drawn, "an answer that is stored was drawn again"
        offsets = {round(value, -3) for value in values(answer).values()}
        assert len(offsets) == 1, "one answer holds one draw"
        assert offsets <= {1000 * draw for draw in range(1, drawn + 1)}
        assert_one_draw_a_plan(room, ASKER, OWNER)
        answered = room.parties[ASKER].look("SELECT plan_hash FROM question WHERE owner = 0 AND state = 'answered'")
        assert answered == [(answer["question"]["plan"],)]
    return crash.events


def moments(folder: Path, victim: str) -> list[int]:
    """The numbers of all events after which something was lost or stuck, counted in a run without a crash."""
    events = survive(folder, victim, moment=0)
    return [number for number, event in enumerate(events, start=1) if not event.startswith("call:")]


@pytest.mark.parametrize("victim", [ASKER, OWNER])
def test_a_crash_at_some_moments_of_a_question_leaves_one_answer(tmp_path: Path, victim: str) -> None:
    for number in moments(tmp_path / "whole", victim)[4::26]:
        survive(tmp_path / str(number), victim, number)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [ASKER, OWNER])
def test_a_crash_at_any_moment_of_a_question_leaves_one_answer(tmp_path: Path, victim: str) -> None:
    for number in moments(tmp_path / "whole", victim):
        survive(tmp_path / str(number), victim, number)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveRoom, RecordingNoise]]:
    noise = RecordingNoise()
    with small_room(tmp_path_factory.mktemp("quiet"), noise) as room:
        yield room, noise


def test_the_same_question_gets_the_stored_answer_after_any_restart(quiet: tuple[LiveRoom, RecordingNoise]) -> None:
    room, noise = quiet
    asker, owner = room.parties[ASKER], room.parties[OWNER]
    first = room.ask(ASKER, OWNER, **QUESTION)

    def everything() -> None:
        asker.stop()
        owner.stop()
        room.stop_coordinator()
        room.start_coordinator()
        owner.start()
        asker.start()

    restarts: list[Callable[[], None]] = [lambda: None, asker.restart, owner.restart, everything]
    for restart in restarts:
        restart()
        again = room.ask(ASKER, OWNER, **QUESTION)
        assert again["stored"]
        assert (again["cells"], again["question"]) == (first["cells"], first["question"])
    assert len(noise.draws) == 1
    assert Counter(entry["kind"] for entry in room.log())["answer.released"] == 1
    assert owner.look("SELECT COUNT(*) FROM ledger WHERE kind = 'reserve'") == [(1,)]
    assert_one_draw_a_plan(room, ASKER, OWNER)


def test_another_analyst_of_the_same_company_gets_the_stored_answer(quiet: tuple[LiveRoom, RecordingNoise]) -> None:
    room, noise = quiet
    first = room.ask(ASKER, OWNER, **QUESTION)
    drawn = len(noise.draws)
    again = room.ask(ASKER, OWNER, analyst="bob", **QUESTION)
    assert again["stored"]
    assert again["cells"] == first["cells"]
    assert len(noise.draws) == drawn


def test_another_question_is_drawn_and_charged_anew(quiet: tuple[LiveRoom, RecordingNoise]) -> None:
    room, noise = quiet
    room.ask(ASKER, OWNER, **QUESTION)
    drawn, spent = len(noise.draws), spent_units(room)
    answer = room.ask(ASKER, OWNER, **{**QUESTION, "repeat": 1})
    assert not answer["stored"]
    assert len(noise.draws) == drawn + 1
    assert spent_units(room) > spent
    assert_one_draw_a_plan(room, ASKER, OWNER)


def test_question_numbers_are_drawn_not_counted(quiet: tuple[LiveRoom, RecordingNoise]) -> None:
    """A node restored from a backup would count again from where the backup was, and mask other values with the same
    words. False alarms: one in 2^29."""
    room, _ = quiet
    room.ask(ASKER, OWNER, **{**QUESTION, "repeat": 2})
    numbers = [row[0] for row in room.parties[OWNER].look("SELECT question FROM question WHERE owner = 1")]
    assert len(set(numbers)) == len(numbers) >= 2
    assert min(numbers) >= 2**32


def spent_units(room: LiveRoom) -> int:
    """What the owner's ledger holds."""
    return int(room.parties[OWNER].look("SELECT SUM(units) FROM ledger WHERE kind = 'reserve'")[0][0])


def test_a_changed_table_is_a_new_match_and_never_an_old_answer(tmp_path: Path) -> None:
    """The owner's table changes: what was answered stays with the old table, the ledger goes on."""
    noise = RecordingNoise()
    with small_room(tmp_path, noise) as room:
        first = room.ask(ASKER, OWNER, **QUESTION)
        source = room.state.room.sources[room.parties[OWNER].name].path
        write_csv(source, shop_rows(range(6, 18), seed=9))
        room.parties[OWNER].restart()
        wait_until(room.parties[ASKER], lambda look: look("SELECT 1 FROM match WHERE state = 'aborted'"))
        second = room.ask(ASKER, OWNER, **QUESTION)
        assert second["question"]["plan"] != first["question"]["plan"]
        assert len(noise.draws) == 2
        assert_one_draw_a_plan(room, ASKER, OWNER)


def test_a_question_that_crosses_the_end_of_its_match_accuses_nobody_and_costs_nothing(tmp_path: Path) -> None:
    """The owner's new table ends the match while the asker, who has not heard of it, asks over it."""
    noise = RecordingNoise()
    with small_room(tmp_path, noise) as room:
        room.ask(ASKER, OWNER, **QUESTION)
        asker, owner = room.parties[ASKER], room.parties[OWNER]
        write_csv(room.state.room.sources[owner.name].path, shop_rows(range(6, 18), seed=9))
        owner.stop()
        asked = threading.Event()

        def asking(progress: str) -> None:
            if progress.startswith("asking brand (asked)"):
                asked.set()

        with pytest.raises(UnavailableError, match="did not answer"):
            room.ask(ASKER, OWNER, timeout_s=0.5, progress=asking, **{**QUESTION, "repeat": 1})
        assert asked.is_set()
        owner.start()
        wait_until(asker, lambda look: look("SELECT 1 FROM question WHERE state = 'failed'"))
        room.ask(ASKER, OWNER, **{**QUESTION, "repeat": 1})
        assert len(noise.draws) == 2
        assert owner.look("SELECT COUNT(*) FROM ledger WHERE kind = 'reserve'") == [(2,)]
        assert_one_draw_a_plan(room, ASKER, OWNER)
