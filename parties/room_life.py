"""Stopping and resuming a room from outside the node's worker: by the operator's command, with or without a node.

Which of the two does it is settled in `beside`. A stop is written over a database connection of its own, at the door
as well, so it never waits for a worker that waits for the coordinator; a resumption is the worker's when a node serves.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cleanroom.client.door import ask_door
from cleanroom.errors import StateError, UsageError
from cleanroom.question.agreement import Agreement
from cleanroom.question.resumption import parse_resumption
from cleanroom.question.stop import checked_reason
from parties.beside import Clock, at_the_node, desk_beside
from parties.desk import Desk
from parties.door import Progress
from parties.home import Home
from parties.node import Node
from parties.own_log import check_restored
from parties.settings import Analyst
from parties.stopping import WORDS, resume_room, stop_room

Command = Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]


def door_commands(home: Home, agreement: Agreement, node: Node) -> dict[str, tuple[str, Command]]:
    """What a running node does about its room, for its operators."""

    def stop(_analyst: Analyst, request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        kind = WORDS.get(str(request.get("how")))
        if kind is None:
            raise UsageError(f"a room is stopped by {' or '.join(WORDS)}")
        reason = checked_reason(request.get("reason"))
        with desk_beside(home, agreement, node.desk.clock) as desk:
            said = stop_room(desk, kind, reason)
        node.stopped_beside()
        return {"digest": said.digest}

    def resume(_analyst: Analyst, request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        resumption = parse_resumption(str(request.get("file")).encode("utf-8"), agreement.contract)
        return {"lifted": node.call(lambda: resume_room(node.desk, resumption))}

    def log(_analyst: Analyst, _request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        with desk_beside(home, agreement, node.desk.clock) as desk:
            return {"line": node.watch.standing(desk)}

    return {"room-stop": ("operator", stop), "room-resume": ("operator", resume), "room-log": ("operator", log)}


def log_at_home(home: Home, *, clock: Clock) -> str:
    """How the serving node sees the room's log, in one line; empty when no node serves and nothing is wrong."""

    def alone(desk: Desk) -> dict[str, Any]:
        try:
            check_restored(desk)
        except StateError as error:
            return {"line": f"NOT SERVING: {error}"}
        return {"line": ""}

    said, _ = at_the_node(home, {"command": "room-log"}, alone, clock)
    return str(said["line"])


def stop_at_door(door: Path, how: str, reason: str) -> str:
    """Pause or close the room at a serving node whose home is not ours to read; the digest of the statement."""
    return str(ask_door(door, _stopping(how, reason))["digest"])


def _stopping(how: str, reason: str) -> dict[str, Any]:
    return {"command": "room-stop", "how": how, "reason": checked_reason(reason)}


def stop_at_home(home: Home, how: str, reason: str, *, clock: Clock) -> str:
    """Pause or close the room; the digest of the statement.

    Raises one of our errors, and then nothing was changed; but UnavailableError when a node went away in the middle.
    """

    def alone(desk: Desk) -> dict[str, Any]:
        return {"digest": stop_room(desk, WORDS[how], reason).digest}

    said, _ = at_the_node(home, _stopping(how, reason), alone, clock)
    return str(said["digest"])


def resume_at_home(home: Home, data: bytes, *, clock: Clock) -> bool:
    """Put a complete resumption into force; whether it lifted anything new."""

    def alone(desk: Desk) -> dict[str, Any]:
        return {"lifted": resume_room(desk, parse_resumption(data, desk.contract))}

    request = {"command": "room-resume", "file": data.decode("utf-8")}
    said, _ = at_the_node(home, request, alone, clock)
    return bool(said["lifted"])
