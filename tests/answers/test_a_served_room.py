"""`cleanroom serve` keeps a whole room running: who asks is answered, and nothing runs on when it is stopped."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import UsageError
from parties import served_room
from parties.room_state import RoomState
from tests.command_line import ROOT, cleanroom, refused, said, said_until_ready
from tests.live_room import room_file


def room_of_two(folder: Path) -> Path:
    """A room file of two companies that share fifty people."""
    people = [{"email": f"p{person}@example.org"} for person in range(100)]
    return room_file(folder, {"shop": {"people": people}, "brand": {"people": people[50:]}}).path


@pytest.mark.slow
def test_a_served_room_answers_until_it_is_stopped(tmp_path: Path) -> None:
    path = room_of_two(tmp_path)
    command = [sys.executable, "-m", "parties.command", "serve", str(path)]
    served = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        *said_of_nodes, _ = said_until_ready(served)
        folders = [line.split()[-1] for line in said_of_nodes]
        assert [Path(folder).name for folder in folders] == ["shop", "brand"]
        assert "shop shares" in said(
            cleanroom("ask", "overlap", "--home", folders[0], "--owner", "brand", "--epsilon", 1)
        )
        assert "another command is working" in refused(cleanroom("serve", path))
    finally:
        served.send_signal(signal.SIGINT)
        assert served.communicate(timeout=60)[0] == "stopped\n"
    assert served.returncode == 0
    assert "no node" in refused(cleanroom("budget", "--home", folders[0]))


class EndedProcess:
    """A node that ends by itself right after it was ready."""

    name, log = "brand", Path("brand/node.log")

    def running(self) -> bool:
        return False


class EndedRoom:
    """What runs a room, of which one node has ended."""

    def __init__(self, state: RoomState) -> None:
        self.processes = {"brand": EndedProcess()}

    def __enter__(self) -> "EndedRoom":
        return self

    def __exit__(self, *error: Any) -> None:
        pass


def test_a_node_that_ends_by_itself_ends_the_served_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_room, "RoomProcesses", EndedRoom)
    monkeypatch.setattr(served_room, "tables_findings", lambda *_: [])
    monkeypatch.setattr(served_room, "WATCH_S", 0.0)
    monkeypatch.setattr(RoomState, "prepare", lambda _: None)
    heard: list[str] = []
    with pytest.raises(UsageError, match=r"^brand has ended; its log is brand/node\.log$"):
        served_room.serve_room(
            room_of_two(tmp_path), None, say=heard.append, warn=heard.append, stopped=threading.Event()
        )
    assert heard[-1] == "ready"


def test_a_room_whose_table_is_missing_is_not_served(tmp_path: Path) -> None:
    path = room_of_two(tmp_path)
    (tmp_path / "brand.csv").unlink()
    assert "brand" in refused(cleanroom("serve", path))
    assert not path.with_suffix(".state").exists()
