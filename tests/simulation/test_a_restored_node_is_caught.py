"""A node's database is copied, questions are asked, and the copy is put back, with or without its copy of the log.

The log tells the node at its start: it answers nothing until its operator has replayed what it forgot, and then
nothing is forgotten.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from tests.command_line import ROOT
from tests.simulation.test_kill_minus_nine import ASKER, OWNER, Processes, processes


def command(room: Processes, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`cleanroom party ledger …` of the owner's operator."""
    home = str(room.state.home(PartyName(OWNER)).path)
    return subprocess.run(
        [sys.executable, "-m", "parties.command", "party", "ledger", *arguments, "--home", home],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def stop(room: Processes) -> None:
    """The owner's node ends as its operator ends it."""
    room.running.processes[OWNER].stop()


def database(room: Processes) -> Path:
    """The owner's database."""
    return room.state.home(PartyName(OWNER)).database_file


def spent(room: Processes) -> list[int]:
    """What each answered question cost, as the asker knows it, and what the owner's ledger says in all."""
    shown = command(room, "show", "--json")
    assert shown.returncode == 0, shown.stderr
    body = json.loads(shown.stdout)
    return [int(one["spent"]["units"]) for one in body["consumers"] if one["consumer"] == ASKER]


def keep(room: Processes, backup: Path, *, whole: bool) -> None:
    """Copy what its operator backed up: the database, or with it the copy of the log."""
    backup.mkdir()
    shutil.copy(database(room), backup)
    if whole:
        shutil.copytree(database(room).parent / "log", backup / "log")


def put_back(room: Processes, backup: Path, *, whole: bool) -> None:
    """As an operator restores a folder: what was there is gone."""
    home = database(room).parent
    for suffix in ("", "-wal", "-shm"):
        database(room).with_name(database(room).name + suffix).unlink(missing_ok=True)
    shutil.copy(backup / database(room).name, home)
    if whole:
        shutil.rmtree(home / "log")
        shutil.copytree(backup / "log", home / "log")


@pytest.mark.parametrize(
    "whole",
    [pytest.param(False, marks=pytest.mark.slow, id="its database"), pytest.param(True, id="its whole folder")],
)
def test_a_node_restored_from_a_backup_is_caught_and_serves_again_after_a_replay(tmp_path: Path, whole: bool) -> None:
    with processes(tmp_path, peer_timeout_s=5) as room:
        room.ask("0.5")
        stop(room)
        backup = tmp_path / "backup"
        keep(room, backup, whole=whole)
        room.start(OWNER)
        room.ask("0.6")
        known = spent(room)
        stop(room)
        put_back(room, backup, whole=whole)
        assert spent(room) < known, "the backup is older than the ledger"
        with pytest.raises(UsageError, match="backup was restored"):
            room.start(OWNER)
        refuses_to_serve(room)
        replayed(room, known)
        room.ask("0.7")
        assert spent(room) > known
        assert command(room, "verify").returncode == 0


def refuses_to_serve(room: Processes) -> None:
    """However often it is started, and whatever the log says now."""
    for _ in range(2):
        with pytest.raises(UsageError, match="cleanroom party ledger replay"):
            room.start(OWNER)
    assert room.look(OWNER, "SELECT COUNT(*) FROM setup WHERE state != 'dead'") == [(0,)]
    assert "NOT SERVING" in command(room, "show").stdout


def replayed(room: Processes, known: list[int]) -> None:
    """Everything is booked again, once, and the node serves."""
    first = command(room, "replay")
    assert (first.returncode, first.stderr) == (0, "")
    assert "the node may serve" in first.stdout
    assert spent(room) == known
    again: Any = command(room, "replay")
    assert "nothing was missing" in again.stdout
    assert spent(room) == known
    room.start(OWNER)
