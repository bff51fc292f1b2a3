"""The analysts' door: a Unix socket, the only thing a node listens on.

Who is on the other side is what the operating system says (peer user id), looked up in the node's settings; nothing
sent over the socket can claim a name or a role. Requests and replies are lines of JSON: any number of progress lines,
then one answer or one error.

Places are few, and nobody can hold one for long without a question that is worked on: strangers are turned away before
they are listened to, a request has a deadline as a whole, and so has each line to somebody who does not read. Whoever
finds all places taken is told that nothing was read, so that a stop of the room is then written beside the node.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cleanroom.client.door import short_name
from cleanroom.client.door_error import error_body
from cleanroom.errors import CleanroomError, UnreachableError, UsageError
from parties.settings import Analyst, NodeSettings

MAX_LINE_BYTES = 1 << 20
MAX_CALLERS = 16
ACCEPT_AGAIN_S = 0.1
PATIENCE_S = 30.0
_CREDENTIALS = struct.Struct("3i")

Progress = Callable[[str], None]
Command = Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]


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
        with short_name(path) as name:
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
            try:
                self._settings.require_named(_user(connection))
                if not self._places.acquire(blocking=False):
                    raise UnreachableError(
                        f"{MAX_CALLERS} callers are at the node's door already and yours was not listened to; try again"
                    )
            except CleanroomError as error:
                _turn_away(connection, error)
                continue
            threading.Thread(target=self._serve, args=(connection,), name="analyst", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("wb") as stream:
                line = _request(connection)
                connection.settimeout(PATIENCE_S)

                def say(body: dict[str, Any]) -> None:
                    stream.write(json.dumps(body).encode("utf-8") + b"\n")
                    stream.flush()

                try:
                    answer = self._answer(connection, line, lambda text: say({"progress": text}))
                except CleanroomError as error:
                    say({"error": error_body(error)})
                else:
                    say({"answer": answer})
        except OSError:
            return  # the analyst went away; what was started goes on
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket, line: bytes, progress: Progress) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError("a request is one line of JSON") from error
        name = request.get("command") if isinstance(request, dict) else None
        if not isinstance(name, str) or name not in self._commands:
            raise UsageError(f"unknown command; known: {', '.join(sorted(self._commands))}")
        role, command = self._commands[name]
        return command(self._settings.require(_user(connection), role), request, progress)


def _user(connection: socket.socket) -> int:
    """The user id on the other side, as the operating system says."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return int(uid)


def _request(connection: socket.socket) -> bytes:
    """One line, or what came of it within its bound; raises OSError when it takes too long altogether."""
    line, end = bytearray(), time.monotonic() + PATIENCE_S
    while b"\n" not in line and len(line) < MAX_LINE_BYTES:
        connection.settimeout(max(end - time.monotonic(), 0.001))
        piece = connection.recv(MAX_LINE_BYTES - len(line))
        if not piece:
            break
        line += piece
    return bytes(line.partition(b"\n")[0])


def _turn_away(connection: socket.socket, error: CleanroomError) -> None:
    """Say so without reading anything and without waiting for anybody."""
    with connection, suppress(OSError):
        connection.setblocking(False)
        connection.send(json.dumps({"error": error_body(error)}).encode("utf-8") + b"\n")
