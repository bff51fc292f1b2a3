"""What a room's processes are to each other: none outlives the one that started it."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.command_line import ROOT

SERVER = """
import time
from cleanroom.end_of_input import stop_at_end_of_input
stop_at_end_of_input()
print("ready", flush=True)
time.sleep(60)
"""
STARTER = """
import sys, time
from pathlib import Path
from parties.processes import Process
servers = [Process("server", [sys.executable, "-c", sys.argv[1]], Path(sys.argv[2])) for _ in range(2)]
for server in servers:
    server.wait_ready()
    print(server.pid, flush=True)
time.sleep(60)
"""


def test_whoever_starts_servers_and_is_killed_leaves_none_behind(tmp_path: Path) -> None:
    """The bug: coordinator and nodes of a killed `serve` lived on, and the next one could not start beside them."""
    command = [sys.executable, "-c", STARTER, SERVER, str(tmp_path / "log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        servers = [os.pidfd_open(int(starter.stdout.readline())) for _ in range(2)]
        starter.send_signal(signal.SIGKILL)
        starter.wait(10)
    until = time.monotonic() + 10
    for server in servers:
        assert select.select([server], [], [], max(0.0, until - time.monotonic()))[0] == [server]
        os.close(server)
