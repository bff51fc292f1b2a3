"""kill -9 at every labelled point of a question, at either node, on real processes; and of the coordinator.

The labels are those of `tests.mortal`; a quiet question must pass exactly the ones listed here, so that a point that
the product gains or loses is noticed. A node that has died comes again at once and may die again at the same point.
Then the question is asked to its end, and this must hold: spent is at least released at every moment, one plan has one
release and one answer, and the answer is the exact number plus the one draw that was written down for it.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cleanroom.question.quantity import Quantity
from tests.answers.shops import frame, shop, shop_rows
from tests.answers.test_answers_equal_the_truth import released_numbers
from tests.live_room import room_file
from tests.mortal_room import MortalRoom
from tests.reference.one_draw_a_plan import check_asker, check_ledger, check_log
from tests.reference.true_answer import true_parts

ASKER, OWNER, COORDINATOR = "shop", "brand", "coordinator"
PEOPLE = {ASKER: (range(12), 7), OWNER: (range(5, 17), 8)}
QUESTIONS = (("tier", "histogram", "tier"), ("", "count", ""), ("tier", "sum", "orders"), ("", "mean", "spend"))


def both(*labels: str) -> list[str]:
    """Before and after it is durable."""
    return [f"{label}, {when}" for label in labels for when in ("not durable", "durable")]


def calls(done: str, *kinds: str) -> list[str]:
    """Before a call to the coordinator, and after it whose answer is then lost."""
    return [f"{kind} {when}" for kind in kinds for when in ("leaves", done)]


AT_THE_OWNER = [
    "plan taken",
    *both("reserved"),
    *calls("logged", "budget.debit"),
    "rows masked",
    "noise drawn",
    *both("release stored"),
    *calls("taken", "question.rows"),
    *calls("logged", "answer.released"),
    *both("release freed"),
    *calls("taken", "question.release", "question.released"),
]
AT_THE_ASKER = [
    *both("asked"),
    *calls("logged", "question.asked"),
    *both("plan written"),
    *calls("taken", "question.plan"),
    *both("rows kept", "release kept", "answered"),
]
AT_THE_COORDINATOR = both(
    "question.asked appended",
    "question.plan stored",
    "budget.debit appended",
    "question.rows stored",
    "answer.released appended",
    "question.release stored",
    "question.released stored",
)
OPENING = ("match.opened", "match.debit")
OF_A_MATCH = ("match.hello", "match.points", "match.dummies")
OF_A_SETUP = ("setup.open", "setup.base", "setup.matrix", "setup.challenge", "setup.answer", "setup.corrections")
IN_A_MATCH: dict[str, list[str]] = {}
IN_A_MATCH[COORDINATOR] = both(
    *(f"{kind} appended" for kind in OPENING),
    "tags stored",
    "slots placed",
    *(f"{kind} stored" for kind in (*OF_A_MATCH, *OF_A_SETUP)),
)
TAGS = ["tags leave", "tags taken"]
IN_A_MATCH[ASKER] = [*calls("logged", *OPENING), *TAGS, *calls("taken", *OF_A_MATCH, *OF_A_SETUP[::2])]
IN_A_MATCH[OWNER] = [*calls("logged", OPENING[1]), *TAGS, *calls("taken", *OF_A_MATCH, *OF_A_SETUP[1::2])]


@dataclass
class Deaths:
    """A room in which processes die, and what must hold whenever one has."""

    room: MortalRoom
    frames: dict[str, pd.DataFrame]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def question(self, base: str = "match") -> dict[str, str]:
        """One that was never asked: another budget than any before."""
        number = next(self.numbers)
        by, quantity, column = QUESTIONS[number % len(QUESTIONS)]
        words = {"owner": OWNER, "by": by, "quantity": quantity, "column": column, "base": base}
        return {**words, "epsilon": f"0.{number}"}

    def check_matches(self, party: str) -> None:
        """No tags left that are not counted in the ledger and said in the log: R bounds them."""
        counted = {
            subject for (subject,) in self.room.look(party, "SELECT subject FROM ledger WHERE kind='match_debit'")
        }
        said = {
            entry["subject"] for entry in self.room.log() if (entry["kind"], entry["actor"]) == ("match.debit", party)
        }
        assert {fact["match"] for fact in self.room[party].facts("tags")} <= counted & said

    def check_dead_owner(self) -> None:
        """Its ledger as it lies on the disk: nothing left that was not paid for and said in the log."""
        log = self.room.log()
        check_log(log, OWNER)
        check_ledger(lambda sql: self.room.look(OWNER, sql), log, OWNER)
        self.check_matches(OWNER)
        ledger = self.room.look(OWNER, "SELECT kind, subject FROM ledger")
        said = {(entry["kind"], entry["subject"]) for entry in log}
        for piece in self.room[OWNER].facts("sent"):
            assert ("share_sent", piece["plan"]) in ledger
            assert ("budget.debit", piece["plan"]) in said
            assert piece["kind"] == "question.rows" or ("answer.released", piece["plan"]) in said

    def check_dead_asker(self) -> None:
        """Its answers as they lie on the disk: none that the log does not hold."""
        log = self.room.log()
        check_log(log, OWNER)
        check_asker(lambda sql: self.room.look(ASKER, sql), log)
        self.check_matches(ASKER)

    def check_dead_coordinator(self) -> None:
        """The order of what it has."""
        check_log(self.room.log(), OWNER)

    def check(self, question: dict[str, str], answer: dict[str, Any]) -> None:
        """Everything, when all have come to rest."""
        self.room.at_rest()
        self.check_dead_owner()
        self.check_dead_asker()
        self.room.command(OWNER, {"command": "ledger"})  # walks the chain of the ledger first
        sealed: dict[tuple[str, str, int], str] = {}
        for piece in self.room[OWNER].facts("sent"):
            if piece["kind"] != "question.released":  # sealed anew around one stored statement
                place = (piece["kind"], piece["plan"], piece["index"])
                assert sealed.setdefault(place, piece["sealed"]) == piece["sealed"], "two releases of one plan"
        self._check_numbers(question, answer)
        again = self.room.ask(ASKER, question)
        assert again["stored"]
        assert (again["cells"], again["question"]) == (answer["cells"], answer["question"])

    def _check_numbers(self, question: dict[str, str], answer: dict[str, Any]) -> None:
        """Each part of the answer is the exact numbers plus one draw; earlier draws died with their transactions."""
        plan, quantity = answer["question"]["plan"], Quantity(question["quantity"], question["column"])
        drawn = [fact["noise"] for fact in self.room[OWNER].facts("draws") if fact["plan"] == plan]
        by, base = question["by"], question["base"]
        parts = true_parts(self.room.contract, self.frames, ASKER, OWNER, by, quantity, base)
        expected = [
            [exact + noise for exact, noise in zip(truth.values(), draw, strict=True)]
            for truth, draw in zip(parts, drawn[-len(parts) :], strict=True)
        ]
        assert released_numbers(answer) == expected

    def _owner(self) -> Any:
        return next(name for name in self.room.state.room.datasets if name == OWNER)

    def die(self, victim: str, label: str, times: int, *, base: str = "match") -> None:
        """Ask new questions until the victim has died so often at the label; each is answered in the end."""
        killed = len(self.room[victim].facts("kills"))
        in_a_match = label.startswith(("match", "setup", "tags", "slots"))
        self.room[victim].die_at(label, times)
        while left := self.room[victim].lives_left:
            question = self.question(base)
            if in_a_match:
                self.forget_match()
            answer = self.room.ask(ASKER, question, tries=times + 3)
            self.room.at_rest()
            assert self.room[victim].lives_left < left, f"{victim} did not pass `{label}`"
            self.check(question, answer)
        assert [fact["label"] for fact in self.room[victim].facts("kills")[killed:]] == [label] * times

    def forget_match(self) -> None:
        """A new table at the owner, so that the next question begins with a new match."""
        path = self.room.state.room.sources[self._owner()].path
        text = path.read_text(encoding="utf-8")
        path.write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
        self.room[OWNER].kill()
        self.room.at_rest()


@contextmanager
def deaths(folder: Path, *, matches: int = 6) -> Iterator[Deaths]:
    """A room of two shops that has answered its first questions."""
    rows = {name: shop_rows(people, seed) for name, (people, seed) in PEOPLE.items()}
    hidden = {"epsilon": "16", "delta": "1e-9", "matches": matches}
    terms = room_file(folder, {name: shop(table) for name, table in rows.items()}, overlap=hidden, budget="100")
    with MortalRoom(folder, terms) as room:
        opened = Deaths(room, {name: frame(table) for name, table in rows.items()})
        for _ in QUESTIONS:
            room.ask(ASKER, opened.question())
        room[OWNER].at_death = opened.check_dead_owner
        room[ASKER].at_death = opened.check_dead_asker
        room[COORDINATOR].at_death = opened.check_dead_coordinator
        yield opened


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deaths]:
    with deaths(tmp_path_factory.mktemp("room")) as opened:
        yield opened


def test_a_question_passes_every_labelled_point_and_no_other(room: Deaths) -> None:
    for victim, labels in ((OWNER, AT_THE_OWNER), (ASKER, AT_THE_ASKER), (COORDINATOR, AT_THE_COORDINATOR)):
        before = len(room.room[victim].passed())
        room.room.ask(ASKER, room.question())
        room.room.at_rest()
        assert set(room.room[victim].passed()[before:]) == set(labels)


@pytest.mark.parametrize("label", AT_THE_OWNER)
def test_an_owner_killed_at_any_point_releases_one_draw_and_has_paid_for_it(room: Deaths, label: str) -> None:
    room.die(OWNER, label, 3)


@pytest.mark.parametrize("label", AT_THE_ASKER)
def test_an_asker_killed_at_any_point_ends_with_the_one_answer(room: Deaths, label: str) -> None:
    room.die(ASKER, label, 3)


@pytest.mark.parametrize("label", [label for label in AT_THE_OWNER[::2] if "rows" not in label])
def test_an_owner_killed_while_it_answers_over_its_whole_table_releases_one_draw(room: Deaths, label: str) -> None:
    room.die(OWNER, label, 1, base="table")


@pytest.mark.parametrize("label", AT_THE_COORDINATOR[::3])
def test_a_coordinator_killed_in_a_question_loses_nothing_and_repeats_nothing(room: Deaths, label: str) -> None:
    room.die(COORDINATOR, label, 1)


def test_a_coordinator_killed_in_a_match_loses_nothing_and_places_once(tmp_path: Path) -> None:
    with deaths(tmp_path, matches=10) as room:
        for label in IN_A_MATCH[COORDINATOR][::9]:
            room.die(COORDINATOR, label, 1)


@pytest.mark.slow
@pytest.mark.parametrize("label", AT_THE_OWNER)
def test_an_owner_killed_twenty_times_at_any_point_releases_one_draw(room: Deaths, label: str) -> None:
    room.die(OWNER, label, 20)


@pytest.mark.slow
@pytest.mark.parametrize("label", AT_THE_ASKER)
def test_an_asker_killed_twenty_times_at_any_point_ends_with_the_one_answer(room: Deaths, label: str) -> None:
    room.die(ASKER, label, 20)


@pytest.mark.slow
@pytest.mark.parametrize("label", AT_THE_COORDINATOR)
def test_a_coordinator_killed_at_any_point_of_a_question_repeats_nothing(room: Deaths, label: str) -> None:
    room.die(COORDINATOR, label, 3)


@pytest.mark.slow
@pytest.mark.parametrize("victim", IN_A_MATCH)
def test_whoever_is_killed_in_a_match_or_set_up_shows_no_tags_unpaid(tmp_path: Path, victim: str) -> None:
    with deaths(tmp_path, matches=50) as room:
        for label in IN_A_MATCH[victim]:
            room.die(victim, label, 1)
