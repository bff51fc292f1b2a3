"""The processes of a room on one machine: a coordinator and one node a party, started, watched and stopped."""

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from cleanroom.end_of_input import OPTION
from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.only_process import only_process
from parties.room_state import COORDINATOR, RoomState

STOP_S = 15.0
_FORMER_S = 45.0  # a node may be in a call that it tries again for half a minute
_LOOK_S = 0.05


class Process:
    """One program whose log goes to a file and which says `ready` on standard output.

    Its standard input is a pipe that nobody writes to and that ends with this process: see `end_of_input`.
    """

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 # our own programs, no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file
            )

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Return when it said `ready`; raises UsageError with its own last error line when it ended instead."""
        stream: IO[bytes] | None = self._process.stdout
        line = stream.readline() if stream is not None else b""
        if line.strip() == b"ready":
            return
        self._process.wait(timeout=STOP_S)
        raise UsageError(f"{self.name}: {self._last_error()}")

    def _last_error(self) -> str:
        with self.log.open("rb") as file:
            file.seek(self._start)
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return errors[-1] if errors else f"stopped at once; its log is {self.log}"

    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Ask it to end and do not wait."""
        if self.running():
            self._process.terminate()

    def stop(self) -> None:
        """Ask it to end, then end it."""
        if self.running():
            self._process.terminate()
            try:
                self._process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class RoomProcesses:
    """Context manager: the room runs inside the block."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> "RoomProcesses":
        try:
            self._begin()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _begin(self) -> None:
        state = self._state
        self._wait_for_former()
        port_file = state.coordinator_home / "port"
        port_file.unlink(missing_ok=True)
        coordinator = Process(
            "coordinator",
            [
                *COORDINATOR, "serve", "--home", str(state.coordinator_home), "--contract", str(state.agreement_file),
                "--listen", "127.0.0.1:0", "--port-file", str(port_file), OPTION,
            ],
            state.coordinator_home / "coordinator.log",
        )  # fmt: skip
        self.processes["coordinator"] = coordinator
        coordinator.wait_ready()
        state.write_settings(f"127.0.0.1:{port_file.read_text().strip()}")
        nodes = [self._node(name) for name in state.room.datasets]
        for node in nodes:
            node.wait_ready()

    def _wait_for_former(self) -> None:
        """Servers whose starter was killed end by themselves, and need a moment; others are named when ours start."""
        until = time.monotonic() + _FORMER_S
        for file in self._state.server_locks:
            while time.monotonic() < until:
                with only_process(file) as holder:
                    if not holder:
                        break
                time.sleep(_LOOK_S)

    def _node(self, name: PartyName) -> Process:
        home = self._state.home(name)
        command = [sys.executable, "-m", "parties.command", "party", "serve", "--home", str(home.path), OPTION]
        self.processes[name] = Process(name, command, home.log_file)
        return self.processes[name]

    def _end(self) -> None:
        """The nodes together, then the coordinator, so that no node misses it."""
        nodes = [process for name, process in self.processes.items() if name != "coordinator"]
        for node in nodes:
            node.ask_to_stop()
        for process in (*nodes, *self.processes.values()):
            process.stop()
