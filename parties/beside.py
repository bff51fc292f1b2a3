"""A command of a person at this company and the node of its home: who does it, the node or the command itself.

    the node serves      → the command goes through its door, to the node's own process, which checks the role
    no node serves       → the command itself writes into the home, under the home's lock
    nobody at its door   → it starts, ends, or its door is full: the command writes into the home beside it; the node
                           looks there

A command that may have reached the node is never done a second time here: when the node goes away in the middle, that
is what is said. What is written here is written over a database connection of its own, so it never waits for a worker
that waits for the coordinator.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from cleanroom.client.door import ask_door
from cleanroom.errors import UnreachableError
from cleanroom.question.agreement import Agreement
from parties.agreeing import agreement_in_force
from parties.database import Database
from parties.desk import Desk
from parties.home import Home
from parties.settings import read_settings
from parties.vault import Vault

Clock = Callable[[], float]
PATIENCE_S = 900.0


class Doer(Enum):
    """Who did what was asked."""

    NODE = "the node"
    ALONE = "the command, and no node ran"
    BESIDE = "the command, beside a node at whose door was nobody"


def make_desk(home: Home, agreement: Agreement, clock: Clock, *, patience_s: float = 30.0) -> Desk:
    """A home's desk over a database connection of the caller's own; the caller closes it."""
    name = home.card().name
    keys = home.keys(agreement.contract.cards[name])
    database = Database(home.database_file, Vault(keys.state), patience_s=patience_s)
    return Desk(name, agreement.contract, keys, database, clock)


@contextmanager
def desk_beside(home: Home, agreement: Agreement, clock: Clock) -> Iterator[Desk]:
    """As `make_desk`, closed at the end. It waits for a worker that masks a long list in one transaction."""
    desk = make_desk(home, agreement, clock, patience_s=PATIENCE_S)
    try:
        yield desk
    finally:
        desk.database.close()


def at_the_node(
    home: Home, request: dict[str, Any], alone: Callable[[Desk], dict[str, Any]], clock: Clock
) -> tuple[dict[str, Any], Doer]:
    """Ask the serving node, or do it here when none serves or nobody is at its door; the answer, and who gave it.

    Raises what the node raised, and UnavailableError when it went away in the middle: it may have done it by then.
    """
    agreement = agreement_in_force(home)
    with home.if_unlocked() as free:
        if not free:
            with suppress(UnreachableError):
                return ask_door(_door(home), request), Doer.NODE
        with desk_beside(home, agreement, clock) as desk:
            return alone(desk), Doer.ALONE if free else Doer.BESIDE


def _door(home: Home) -> Path:
    elsewhere = read_settings(home.settings_file).socket if home.settings_file.exists() else None
    return elsewhere or home.socket_file
