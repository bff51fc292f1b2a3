"""A node's door from outside: one request over a Unix socket, progress lines, then one answer or one error.

Nothing in a request says who asks: the node looks at the user id that the system tells it. Requests and replies are
lines of JSON.
"""

import json
import os
import socket
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cleanroom.client.door_error import error_of
from cleanroom.errors import UnavailableError, UnreachableError

SOCKET_FILE = "node.sock"
_SETTINGS_FILE = "settings.toml"
_START = (
    "is it running? `cleanroom serve ROOM.toml`, `cleanroom demo --serve` and `cleanroom party serve` start nodes;"
    " --home is a node's folder, as the first two print it"
)


def door_of(node: Path) -> Path:
    """The socket of a node: `node` itself, or of a node's folder the one that its settings name, else `node.sock`.

    Whoever may not read the settings of a folder is shown the door in it; who may ask there, the node decides.
    """
    if not node.is_dir():
        return node
    try:
        named = tomllib.loads((node / _SETTINGS_FILE).read_text(encoding="utf-8")).get("socket")
    except (OSError, ValueError, RecursionError):
        named = None
    return node / (named if isinstance(named, str) and named else SOCKET_FILE)


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name for the socket that fits the system's 108 bytes, however deep the folder is."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def ask_door(
    path: Path, request: dict[str, Any], *, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Send one request to a node's door; raises what the node raised.

    Raises UnreachableError when no node is there or its door is full, UnavailableError when it went away before it had
    answered: then it may have done what was asked.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with short_name(path) as name:
                connection.connect(name)
        except OSError as error:
            raise UnreachableError(f"no node answers at {path}: {error.strerror or error}; {_START}") from None
        try:
            with suppress(OSError):  # a node that reads no further has said why
                connection.sendall(json.dumps(request).encode("utf-8") + b"\n")
            with connection.makefile("rb") as stream:
                for line in stream:
                    body = json.loads(line)
                    if "progress" in body:
                        progress(body["progress"])
                        continue
                    if "error" in body:
                        raise error_of(body["error"])
                    answer: dict[str, Any] = body["answer"]
                    return answer
        except (OSError, ValueError):  # ValueError: half a line
            pass
    raise UnavailableError(
        f"the node at {path} stopped in the middle and may have done what you asked: see its log before you ask again"
    )
