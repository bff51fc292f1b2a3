"""The log under attack with the product's own programs: set back, shown in two histories, mirrored twice. Rows 36-40.

The fast tests move the same nodes by hand: `test_a_log_that_was_set_back`, `test_two_histories_of_one_log`,
`test_a_cosigner_that_forgot`. What is checked here is what an operator sees and types.
"""

import itertools
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName
from tests.audit_command import audit
from tests.command_line import cleanroom, said
from tests.live_room import read_database, room_file
from tests.mortal_room import Mortal, MortalRoom
from tests.reference.one_draw_a_plan import check_ledger
from tests.simulation.stepped_room import small_parties

ASKER, OWNER, HUB = "shop", "brand", "coordinator"
PATIENCE_S = 60.0
LOOK_S = 0.1
LEDGER = "SELECT kind, subject, units FROM ledger ORDER BY sequence"
PAUSERS = "SELECT DISTINCT party FROM room_stop"


@contextmanager
def running(folder: Path, **more: object) -> Iterator[MortalRoom]:
    """A room with one answer, at rest."""
    terms = room_file(folder, small_parties(ASKER, OWNER), capacity=120)
    with MortalRoom(folder, terms, peer_timeout_s=2, **more) as room:  # type: ignore[arg-type] # puppets alone
        ask(room, "0.5")
        room.at_rest()
        yield room


def ask(room: MortalRoom, epsilon: str, *, asker: str = ASKER, owner: str = OWNER) -> None:
    """A count; raises when it is not answered."""
    question = {"owner": owner, "by": "", "quantity": "count", "column": "", "epsilon": epsilon}
    room.ask(asker, question, tries=3)


def until(holds: Callable[[], object], what: str) -> None:
    """Return when it holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(LOOK_S)


def status(room: MortalRoom, party: str) -> str:
    """What the operator is shown."""
    return said(cleanroom("room", "status", "--home", room.state.home(PartyName(party)).path))


def evidence(room: MortalRoom, party: str) -> list[Path]:
    """What the party keeps against the log."""
    return sorted((room.state.home(PartyName(party)).mirror_folder / "evidence").glob("*.note"))


def copied(database: Path, to: Path) -> Path:
    """A consistent copy of a database that a process writes."""
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(to)) as other:
        one.backup(other)
    to.chmod(0o600)
    return to


def put_back(backup: Path | None, database: Path) -> None:
    """The backup, or nothing, in the place of a database that nobody has open."""
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    if backup is not None:
        copied(backup, database)


def check_convicted(room: MortalRoom) -> None:
    """Both parties have paused the room in their own names, tell their operators, and keep what convicts the log."""
    for party in (ASKER, OWNER):
        until(
            lambda party=party: {(party,)} <= set(room.look(party, PAUSERS)) and len(evidence(room, party)) >= 2,  # type: ignore[misc]
            f"{party} never paused the room for what it was shown",
        )
        shown = status(room, party)
        assert "log       IN DOUBT: the log room.local/spring/log/1 signed two histories" in shown
        assert f"paused by {party}" in shown
        kept = [word for note in evidence(room, party) for word in ("--kept", note)]
        folder = CoordinatorHome(room.state.coordinator_home).log_folder(room.contract.room)
        found = audit("verify", folder, "--agreement", room.state.agreement_file, *kept)
        assert found.status == 5, found


@pytest.mark.slow
@pytest.mark.parametrize("how", ["restored", "deleted"])
def test_a_coordinator_that_was_set_back_gets_no_answer_out_of_anybody(how: str, tmp_path: Path) -> None:
    with running(tmp_path) as room:
        database, hub = room.coordinator_database, room[HUB]
        backup = copied(database, tmp_path / "yesterday")
        ask(room, "0.6")
        room.at_rest()
        ledgers = {party: room.look(party, LEDGER) for party in (ASKER, OWNER)}

        hub.at_death = lambda: put_back(backup if how == "restored" else None, database)
        hub.kill()
        with pytest.raises(AssertionError, match="ended with status 1"):
            hub.wait_ready()
        assert "but only" in (tmp_path / "coordinator.log").read_text("utf-8")

        put_back(backup if how == "restored" else None, database)
        shutil.rmtree(CoordinatorHome(room.state.coordinator_home).log_folder(room.contract.room))
        hub.at_death = lambda: None
        hub.start_again()
        for party in (ASKER, OWNER):
            until(lambda party=party: "was set back" in status(room, party), f"{party} never noticed")  # type: ignore[misc]
            assert "the query log: the log was set back" in (tmp_path / f"{party}.log").read_text("utf-8")

        with pytest.raises(CleanroomError):
            ask(room, "0.7")
        if how == "restored":
            check_convicted(room)
        assert {party: room.look(party, LEDGER) for party in (ASKER, OWNER)} == ledgers
        assert not [
            fact for fact in room[OWNER].facts("sent") if fact["plan"] not in {row[1] for row in ledgers[OWNER]}
        ]


@pytest.mark.slow
def test_two_histories_for_two_nodes_reach_no_quorum_and_convict_the_log_at_both(tmp_path: Path) -> None:
    """Each asks the other; each question stands in one history."""
    with running(tmp_path, puppets={HUB: "tests.lying_hub"}) as room:
        ask(room, "0.5", asker=OWNER, owner=ASKER)
        room.at_rest()
        ledgers = {party: room.look(party, LEDGER) for party in (ASKER, OWNER)}
        draws = {party: len(room[party].facts("draws")) for party in (ASKER, OWNER)}
        room.puppets[HUB].order("split", parties=[OWNER])

        def gets_nothing(asker: str, owner: str) -> bool:
            with pytest.raises(CleanroomError):
                ask(room, "0.7", asker=asker, owner=owner)
            return True

        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(gets_nothing, (ASKER, OWNER), (OWNER, ASKER)))
        check_convicted(room)
        assert {party: room.look(party, LEDGER) for party in (ASKER, OWNER)} == ledgers
        assert {party: len(room[party].facts("draws")) for party in (ASKER, OWNER)} == draws
        for party in (ASKER, OWNER):
            room[party].kill()
        room.wait_ready()
        check_convicted(room)


@pytest.mark.slow
def test_of_two_nodes_on_copies_of_one_home_at_most_one_goes_on_and_no_plan_is_paid_or_drawn_twice(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as room:
        home, copy = room.state.home(PartyName(OWNER)), tmp_path / "twin"
        shutil.copytree(home.path, copy, ignore=shutil.ignore_patterns("*.sqlite*", "*.db*", "*.sock*"))
        copy.chmod(0o700)
        for database in [home.database_file, *home.mirror_folder.glob("*.sqlite")]:
            copied(database, copy / database.relative_to(home.path))
        twin = Mortal(
            "twin", ["party", "serve", "--home", str(copy)], tmp_path / "fate" / "twin", tmp_path / "twin.log"
        )
        try:
            twin.start()
            numbers = itertools.count(1000)
            while not (ended(twin) or ended(room[OWNER])):
                number = next(numbers)
                assert number < 1020, "neither of them ever ended"
                with suppress(CleanroomError, AssertionError):  # whoever answers it
                    ask(room, f"0.{number}")
            stopped = "twin" if ended(twin) else OWNER
            assert "cleanroom party ledger replay" in (tmp_path / f"{stopped}.log").read_text("utf-8")
            log = room.log()
            for kind in ("budget.debit", "answer.released"):
                plans = [entry["subject"] for entry in log if entry["kind"] == kind]
                assert len(plans) == len(set(plans))
            goes_on = home.database_file if stopped == "twin" else copy / home.database_file.relative_to(home.path)
            if not (ended(twin) and ended(room[OWNER])):
                check_ledger(lambda sql: read_database(goes_on, sql), log, OWNER)
        finally:
            twin.stop()


def ended(process: Mortal) -> bool:
    """By itself, as a node ends that finds out."""
    return process.failure is not None
