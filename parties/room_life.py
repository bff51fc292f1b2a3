"""Stopping and resuming a room from outside the node's worker: by the operator's command, with or without a node.

    the node serves      → the command goes through its door, to the node's own process, which checks the role
    no node serves       → the command itself writes into the home, under the home's lock
    its door is silent   → the command writes into the home beside it; the node reads it there before its next step

Either way the stop is written over a connection of its own, so it never waits for a worker that waits for the
coordinator.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cleanroom.errors import UnavailableError, UsageError
from cleanroom.question.agreement import Agreement
from cleanroom.question.resumption import parse_resumption
from cleanroom.question.stop import checked_reason
from parties.agreeing import agreement_in_force
from parties.database import Database
from parties.desk import Desk
from parties.door import Progress, ask_door
from parties.home import Home
from parties.node import Node
from parties.settings import Analyst, read_settings
from parties.stopping import WORDS, resume_room, stop_room
from parties.vault import Vault

Command = Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]
Clock = Callable[[], float]
PATIENCE_S = 900.0


def make_desk(home: Home, agreement: Agreement, clock: Clock, *, patience_s: float = 30.0) -> Desk:
    """A home's desk over a database connection of the caller's own; the caller closes it."""
    keys = home.keys()
    database = Database(home.database_file, Vault(keys.state), patience_s=patience_s)
    return Desk(home.card().name, agreement.contract, keys, database, clock)


@contextmanager
def desk_beside(home: Home, agreement: Agreement, clock: Clock) -> Iterator[Desk]:
    """As `make_desk`, closed at the end. It waits for a worker that masks a long list in one transaction."""
    desk = make_desk(home, agreement, clock, patience_s=PATIENCE_S)
    try:
        yield desk
    finally:
        desk.database.close()


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

    return {"room-stop": ("operator", stop), "room-resume": ("operator", resume)}


def at_the_node(home: Home, request: dict[str, Any], alone: Callable[[Desk], dict[str, Any]], clock: Clock) -> Any:
    """Ask the serving node, or do it alone when none serves, under the home's lock, or when it does not answer."""
    agreement = agreement_in_force(home)
    with home.if_unlocked() as free:
        if not free:
            with suppress(UnavailableError):  # it is starting, or hangs: what is written into the home counts as well
                return ask_door(_door(home), request)
        with desk_beside(home, agreement, clock) as desk:
            return alone(desk)


def _door(home: Home) -> Path:
    elsewhere = read_settings(home.settings_file).socket if home.settings_file.exists() else None
    return elsewhere or home.socket_file


def stop_at_door(door: Path, how: str, reason: str) -> str:
    """Pause or close the room at a serving node whose home is not ours to read; the digest of the statement."""
    return str(ask_door(door, _stopping(how, reason))["digest"])


def _stopping(how: str, reason: str) -> dict[str, Any]:
    return {"command": "room-stop", "how": how, "reason": checked_reason(reason)}


def stop_at_home(home: Home, how: str, reason: str, *, clock: Clock) -> str:
    """Pause or close the room; the digest of the statement. Raises one of our errors, and then nothing was changed."""

    def alone(desk: Desk) -> dict[str, Any]:
        return {"digest": stop_room(desk, WORDS[how], reason).digest}

    return str(at_the_node(home, _stopping(how, reason), alone, clock)["digest"])


def resume_at_home(home: Home, data: bytes, *, clock: Clock) -> bool:
    """Put a complete resumption into force; whether it lifted anything new."""

    def alone(desk: Desk) -> dict[str, Any]:
        return {"lifted": resume_room(desk, parse_resumption(data, desk.contract))}

    request = {"command": "room-resume", "file": data.decode("utf-8")}
    return bool(at_the_node(home, request, alone, clock)["lifted"])
