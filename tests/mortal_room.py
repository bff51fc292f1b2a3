"""A room of real processes that are killed at labelled points and come again by themselves; see `tests.mortal`.

    with MortalRoom(tmp_path, room_file(...)) as room:
        room["brand"].die_at("noise drawn", times=3)
        answer = room.ask("shop", {"command": "ask", "owner": "brand", ...})

What must hold at every moment is checked each time when a process is dead and before it comes again.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from cleanroom.client.door import ask_door
from cleanroom.errors import CleanroomError, UnavailableError
from cleanroom.ids import PartyName
from cleanroom.question.agreement import parse_agreement
from cleanroom.question.contract import Contract
from parties.room_file import RoomFile
from parties.room_state import RoomState
from parties.settings import read_settings, write_settings
from tests.live_room import prepared, read_database, read_log
from tests.mortal import read_wish, write_wish
from tests.puppet import Puppet

START_S = 60.0
LOOK_S = 0.005


class Mortal:
    """One program of the room: started, killed at a label, started again at once."""

    def __init__(self, name: str, words: list[str], folder: Path, log: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder, self.words = name, folder, words
        self.at_death: Callable[[], None] = lambda: None
        self.failure: BaseException | None = None
        self.pid = 0
        self._kills = self._deaths = 0
        self._changed = threading.Condition()
        self._state = "loading"
        self._ending = False
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.mortal", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        threading.Thread(target=self._watch, name=f"watch {name}", daemon=True).start()

    def start(self) -> None:
        """Run the command; `wait_ready` says when it serves."""
        assert self._process.stdin is not None
        self._set("starting")
        self._process.stdin.write(json.dumps(self.words) + "\n")
        self._process.stdin.flush()

    def _set(self, state: str) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _watch(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, number = line.strip().partition(" ")
            if word == "pid":
                self.pid = int(number)
            elif word == "ready":
                self._set("ready")
            elif word == "ended":
                self._after_the_end(int(number))

    def _after_the_end(self, status: int) -> None:
        if self._ending:
            self._set("ended")
            return
        try:
            assert status == -signal.SIGKILL, f"{self.name} ended with status {status}"
            self.at_death()
            self.start()
            self._deaths += 1
        except BaseException as error:
            self.failure = error
            self._set("failed")

    def wait_ready(self) -> None:
        """Return when it serves, after every death that it has noted down; raises what failed after a death."""
        end = time.monotonic() + START_S
        with self._changed:
            while self._state not in ("failed", "ended") and (self._state != "ready" or self._is_dying()):
                self._changed.wait(0.1)
                assert time.monotonic() < end, f"{self.name} did not start"
        if self.failure is not None:
            raise self.failure
        assert self._state == "ready", f"{self.name} has ended"

    def _is_dying(self) -> bool:
        """Whether it has died and this was not seen yet."""
        return self._deaths < self._kills + len(self.facts("kills"))

    def die_at(self, label: str, times: int) -> None:
        """From now on it ends itself at this label, so many times."""
        write_wish(self.folder, label, times)

    @property
    def lives_left(self) -> int:
        """How often it is still to end."""
        return read_wish(self.folder)[1]

    def facts(self, name: str) -> list[dict[str, Any]]:
        """What it noted down: "kills", "draws", "sent" or "tags"."""
        path = self.folder / name
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def passed(self) -> list[str]:
        """Every label that was passed, in order."""
        path = self.folder / "passed"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def kill(self) -> None:
        """kill -9 from outside, at no particular moment."""
        self._kills += 1
        os.kill(self.pid, signal.SIGKILL)

    def start_again(self) -> None:
        """After it has ended in a way that the test expected."""
        self.failure = None
        self.start()
        self.wait_ready()

    def stop(self) -> None:
        """Ask it to end, wait, and end the program that starts it."""
        self._ending = True
        with self._changed:
            if self._state in ("starting", "ready") and self.pid:
                os.kill(self.pid, signal.SIGTERM)
                self._changed.wait_for(lambda: self._state == "ended", START_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(START_S)
        assert self._process.stdout is not None
        self._process.stdout.close()


class MortalRoom:
    """A coordinator and a node for every party."""

    def __init__(
        self, folder: Path, terms: RoomFile, *, peer_timeout_s: int = 30, puppets: Mapping[str, str] | None = None
    ) -> None:
        """`puppets` are modules that run in the place of the named party or coordinator."""
        self.state: RoomState = prepared(folder / "state", terms)
        self.folder = folder
        self._peer_timeout_s = peer_timeout_s
        self._modules = dict(puppets or {})
        self.processes: dict[str, Mortal] = {}
        self.puppets: dict[str, Puppet] = {}

    def __enter__(self) -> "MortalRoom":
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

    def __getitem__(self, name: str) -> Mortal:
        return self.processes[name]

    def _begin(self) -> None:
        home = self.state.coordinator_home
        served = ["serve", "--home", str(home), "--contract", str(self.state.agreement_file)]
        self._add("coordinator", ["coordinator", *served])
        for name in self.state.room.datasets:
            self._add(name, ["party", "serve", "--home", str(self.state.home(name).path)])
        coordinator, port_file = self._one("coordinator"), home / "port"
        begin = list(coordinator.words)
        coordinator.words = [*begin, "--listen", "127.0.0.1:0", "--port-file", str(port_file)]
        coordinator.start()
        coordinator.wait_ready()
        address = f"127.0.0.1:{port_file.read_text('ascii').strip()}"
        coordinator.words = [*begin, "--listen", address]
        self.state.write_settings(address)
        for name in self.state.room.datasets:
            file = self.state.home(name).settings_file
            write_settings(file, replace(read_settings(file), peer_timeout_s=self._peer_timeout_s))
            self._one(name).start()
        self.wait_ready()

    def _add(self, name: str, words: list[str]) -> None:
        log = self.folder / f"{name}.log"
        if name in self._modules:
            self.puppets[name] = Puppet(name, self._modules[name], words, log)
        else:
            self.processes[name] = Mortal(name, words, self.folder / "fate" / name, log)

    def _one(self, name: str) -> Mortal | Puppet:
        return self.puppets[name] if name in self.puppets else self.processes[name]

    def _end(self) -> None:
        for name in reversed(["coordinator", *self.state.room.datasets]):
            if name in self.puppets or name in self.processes:
                self._one(name).stop()

    def wait_ready(self) -> None:
        """Return when every process serves."""
        for name in (*self.processes, *self.puppets):
            self._one(name).wait_ready()

    def at_rest(self) -> None:
        """Return when every process serves, and no node has anything left to read or to send."""
        end = time.monotonic() + START_S
        while True:
            self.wait_ready()
            if not any(map(self._is_busy, (name for name in self.state.room.datasets if name in self.processes))):
                return
            assert time.monotonic() < end, "a node never got rid of what it had to say"
            time.sleep(LOOK_S)

    def wait_until(self, party: str, holds: Callable[[Callable[..., list[tuple[Any, ...]]]], object]) -> None:
        """Return when something holds in a node's database."""
        end = time.monotonic() + START_S
        while not holds(lambda sql, *values: self.look(party, sql, *values)):
            assert time.monotonic() < end, f"{party} never came to what the test waits for"
            time.sleep(LOOK_S)

    def _is_busy(self, party: str) -> bool:
        """Whether a node has something left to read or to send, which what it reads may add to."""
        last = read_database(self.coordinator_database, "SELECT last FROM counter WHERE recipient = ?", party)
        mark = f"acknowledged/{self.state.room.room}"
        read = self.look(party, "SELECT value FROM meta WHERE name = ?", mark)
        waiting = self.look(party, "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM awaiting)")
        return (last[0][0] if last else 0) > (int(read[0][0]) if read else 0) or waiting != [(0,)]

    @property
    def coordinator_database(self) -> Path:
        """The coordinator's store."""
        return self.state.coordinator_home / "rooms" / f"{self.state.room.room}.sqlite"

    def look(self, party: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read a node's database beside the node."""
        return read_database(self.state.home(PartyName(party)).database_file, sql, *values)

    def log(self) -> list[dict[str, Any]]:
        """Every statement of the coordinator's log, in order."""
        return read_log(self.coordinator_database)

    @property
    def contract(self) -> Contract:
        """The agreement."""
        return parse_agreement(self.state.agreement_file.read_bytes()).contract

    def command(self, party: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request at a node's door."""
        return ask_door(self.state.home(PartyName(party)).socket_file, dict(request))

    def ask(self, asker: str, request: Mapping[str, Any], *, tries: int = 1) -> dict[str, Any]:
        """Ask as an analyst does, and again when told so; the processes may die meanwhile."""
        for attempt in range(tries):
            self.wait_ready()
            try:
                return self.command(asker, {"command": "ask", **request})
            except CleanroomError:
                if attempt + 1 == tries:
                    raise
        raise UnavailableError("never asked")
