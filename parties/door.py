"""The analysts' door: a Unix socket, the only thing a node listens on.

Who is on the other side is what the operating system says (peer user id), looked up in the node's settings; nothing
sent over the socket can claim a name or a role. Requests and replies are lines of JSON: any number of progress lines,
then one answer or one error.
"""

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cleanroom.errors import (
    CleanroomError,
    PeerError,
    PendingError,
    RefusedError,
    StateError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from parties.settings import Analyst, NodeSettings

MAX_LINE_BYTES = 1 << 20
MAX_CALLERS = 16
ACCEPT_AGAIN_S = 0.1
_CREDENTIALS = struct.Struct("3i")
_KINDS: dict[str, type[CleanroomError]] = {
    "usage": UsageError,
    "unavailable": UnavailableError,
    "state": StateError,
    "peer": PeerError,
}

Progress = Callable[[str], None]
Command = Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]


@contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """A name for the socket that fits the system's 108 bytes, however deep the folder is."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Door:
    """Serves commands, each allowed to one role."""

    def __init__(self, path: Path, settings: NodeSettings, commands: dict[str, tuple[str, Command]]) -> None:
        self._path = path
        self._settings = settings
        self._commands = commands
        self._closed = threading.Event()
        self._places = threading.BoundedSemaphore(MAX_CALLERS)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        with _short_name(path) as name:
            self._socket.bind(name)
        path.chmod(0o666)  # the folder decides who reaches it, the settings who may do what
        self._socket.listen(MAX_CALLERS)

    def start(self) -> None:
        """Serve in threads of their own."""
        threading.Thread(target=self._accept, name="door", daemon=True).start()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._closed.set()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed.wait(ACCEPT_AGAIN_S):
                    return
                continue  # the system was out of files for a moment, not the door closed
            if not self._places.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="analyst", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rwb") as stream:
                connection.settimeout(30)
                line = stream.readline(MAX_LINE_BYTES)
                connection.settimeout(None)

                def say(body: dict[str, Any]) -> None:
                    stream.write(json.dumps(body).encode("utf-8") + b"\n")
                    stream.flush()

                try:
                    answer = self._answer(connection, line, lambda text: say({"progress": text}))
                except CleanroomError as error:
                    say({"error": _error_body(error)})
                else:
                    say({"answer": answer})
        except OSError:
            return  # the analyst went away; what was started goes on
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket, line: bytes, progress: Progress) -> dict[str, Any]:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(credentials)
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError("a request is one line of JSON") from error
        name = request.get("command") if isinstance(request, dict) else None
        if not isinstance(name, str) or name not in self._commands:
            raise UsageError(f"unknown command; known: {', '.join(sorted(self._commands))}")
        role, command = self._commands[name]
        return command(self._settings.require(uid, role), request, progress)


def _error_body(error: CleanroomError) -> dict[str, Any]:
    if isinstance(error, RefusedError):
        fields = ("rule", "owner", "explanation", "advice")
        return {"kind": "refused", **{name: str(getattr(error, name)) for name in fields}}
    if isinstance(error, PendingError):
        return {"kind": "pending", "owner": error.owner, "plan": error.plan, "reasons": list(error.reasons)}
    kind = next((name for name, cls in _KINDS.items() if isinstance(error, cls)), "usage")
    return {"kind": kind, "text": str(error)}


def ask_door(path: Path, request: dict[str, Any], *, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Send one request to a node's door; raises what the node raised.

    Raises UnreachableError when no node is there, UnavailableError when it went away before it had answered: then it
    may have done what was asked.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with _short_name(path) as name:
                connection.connect(name)
        except OSError as error:
            raise UnreachableError(f"no node answers at {path}: {error.strerror or error}") from None
        try:
            with connection.makefile("rwb") as stream:
                stream.write(json.dumps(request).encode("utf-8") + b"\n")
                stream.flush()
                for line in stream:
                    body = json.loads(line)
                    if "progress" in body:
                        progress(body["progress"])
                        continue
                    if "error" in body:
                        raise _error(body["error"])
                    answer: dict[str, Any] = body["answer"]
                    return answer
        except (OSError, ValueError):  # ValueError: half a line
            pass
    raise UnavailableError(
        f"the node at {path} stopped in the middle and may have done what you asked: see its log before you ask again"
    )


def _error(body: dict[str, Any]) -> CleanroomError:
    if body["kind"] == "refused":
        return RefusedError(body["rule"], body["owner"], body["explanation"], body["advice"])
    if body["kind"] == "pending":
        return PendingError(body["owner"], body["plan"], tuple(body["reasons"]))
    return _KINDS[body["kind"]](body["text"])
