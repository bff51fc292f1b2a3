"""A process of the test's own that takes orders: lines of JSON on standard input, one line of answer for each.

What it does with them is written in its module, which is run by name; see `tests.hostile_asker`, `tests.lying_hub`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cleanroom.errors import CleanroomError

STOP_S = 30.0
Order = Callable[..., Any]


class Puppet:
    """The test's end of such a process."""

    def __init__(self, name: str, module: str, words: list[str], log: Path) -> None:
        self.name, self.words = name, words
        self._module, self._log = module, log
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._running.pid

    @property
    def _running(self) -> "subprocess.Popen[str]":
        assert self._process is not None, f"{self.name} was not started"
        return self._process

    def start(self) -> None:
        """Run the module."""
        with self._log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, *self.words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def wait_ready(self) -> None:
        """Return when it says so; nothing to wait for later on."""
        if self._process is not None and not getattr(self, "_ready", False):
            assert self._read() == "ready", f"{self.name} did not start; see {self._log.read_text('utf-8')}"
            self._ready = True

    def _read(self) -> str:
        assert self._running.stdout is not None
        return self._running.stdout.readline().strip()

    def order(self, name: str, **words: Any) -> Any:
        """Give an order and wait for what comes of it; raises CleanroomError with the puppet's own words."""
        with self._lock:
            assert self._running.stdin is not None
            self._running.stdin.write(json.dumps({"order": name, "words": words}) + "\n")
            self._running.stdin.flush()
            line = self._read()
        assert line, f"{self.name} ended; see {self._log.read_text('utf-8')[-2000:]}"
        reply = json.loads(line)
        if "error" in reply:
            raise CleanroomError(reply["error"])
        return reply["answer"]

    def stop(self) -> None:
        """End it, politely at first."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def obey(orders: Mapping[str, Order]) -> None:
    """The puppet's end: take orders until there are no more. Errors of ours are answers, not the end."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"answer": orders[request["order"]](**request["words"])}
        except CleanroomError as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
    os._exit(0)
