"""Whoever ran a room is killed: its coordinator and nodes end with it, and the room can be served again at once."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from parties.processes import STOP_S
from parties.room_state import RoomState
from tests.command_line import ROOT, said_until_ready
from tests.live_room import room_file

PARTIES = {
    name: {"people": [{"email": f"p{person}@example.org"} for person in range(20)]} for name in ("shop", "brand")
}


def served(path: Path) -> subprocess.Popen[str]:
    """`cleanroom serve`, ready."""
    command = [sys.executable, "-m", "parties.command", "serve", str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert len(said_until_ready(process)) == len(PARTIES) + 1
    return process


@pytest.mark.slow
def test_a_coordinator_and_nodes_end_when_whoever_started_them_is_killed(tmp_path: Path) -> None:
    room = room_file(tmp_path, PARTIES)
    state = RoomState(room.path.with_suffix(".state"), room)
    process = served(room.path)
    numbers = [int(file.read_text("ascii")) for file in state.server_locks]
    assert len(set(numbers)) == 1 + len(PARTIES)
    servers = [os.pidfd_open(number) for number in numbers]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=STOP_S)
    again = served(room.path)  # waits for those that are still on their way out
    try:
        assert select.select(servers, [], [], 0)[0] == servers, "all have ended"
        assert not set(numbers) & {int(file.read_text("ascii")) for file in state.server_locks}
    finally:
        for server in servers:
            os.close(server)
        again.send_signal(signal.SIGTERM)
        assert again.communicate(timeout=60)[0] == "stopped\n"
