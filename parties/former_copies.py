"""Our copies of the room's logs that ended, read and never written: what the present log goes on from.

A log ends when its key was stolen. The parties agree on its last good head in the contract of the next one, and each
of them compares that head with its own copy, before it signs that contract and again before it cosigns anything.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cleanroom.errors import StateError, UsageError
from cleanroom.querylog.former_logs import check_former, former_entries
from cleanroom.querylog.log_policy import former_head, origin_of
from cleanroom.question.contract import Contract
from parties.database import Database


def copy_file(folder: Path, contract: Contract, number: int) -> Path:
    """Where our copy of the room's log of this number is."""
    return folder / f"{contract.room}-{number}.sqlite"


def begun_mark(origin: str) -> str:
    """How the node's database remembers that it has a copy of a log; a cosigning key follows."""
    return f"log-begun/{origin}/"


def former_of(contract: Contract, folder: Path, database: Database) -> list[bytes] | None:
    """Every entry of the logs before, up to their last good heads; None for who joined the room later.

    Raises StateError when a copy is gone, or does not begin with the head that the contract names.
    """
    if not contract.follows or copy_file(folder, contract, contract.log_number - 1).exists():
        return former_entries(contract, lambda number, size: _entries(copy_file(folder, contract, number), size))
    mark = begun_mark(origin_of(contract, contract.log_number - 1))
    if database.one("SELECT 1 FROM meta WHERE substr(name, 1, length(?1)) = ?1", mark) is not None:
        raise StateError(
            f"{copy_file(folder, contract, contract.log_number - 1)} is gone, from which the room's log goes on:"
            " restore it; nothing is cosigned without it"
        )
    return None


def check_next_log(new: Contract, old: Contract | None, folder: Path) -> None:
    """Before signing: another log follows the one before by a head of our own copy of it, and has a new key.

    `old` is the contract in force here, None for none of this room. Raises UsageError or StateError.
    """
    changed = (
        []
        if old is None
        else [
            name for name, card in new.cards.items() if name in old.cards and card.identity != old.cards[name].identity
        ]
    )
    if changed:
        raise UsageError(
            f"{changed[0]} has another identity key, and what it signed in this room (receipts, pauses, debits) is"
            " checked with the one before: agree on a room under another name, with the same `lineage`"
        )
    if old is not None and new.log_number != old.log_number:
        if new.log_number != old.log_number + 1:
            raise UsageError(f"the room has log {old.log_number}; the next one is log {old.log_number + 1}")
        if new.coordinator.log_key == old.coordinator.log_key:
            raise UsageError(
                f"log {new.log_number} would have the key of log {old.log_number}: the coordinator's operator makes a"
                " new one: cleanroom coordinator rotate-log-key"
            )
    if old is not None and new.log_number == old.log_number and new.follows != old.follows:
        raise UsageError("the log would go on from another head than the parties agreed on; leave `follows` as it is")
    head, copy = former_head(new), copy_file(folder, new, new.log_number - 1)
    if head is not None and copy.exists():
        check_former(_entries(copy, head.size), head)


def _entries(path: Path, size: int) -> Sequence[bytes]:
    if not path.exists():
        raise StateError(f"{path} is gone, from which the room's log goes on: restore it")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT entry FROM entry ORDER BY position LIMIT ?", (size,))
            return [bytes(entry) for (entry,) in rows]
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be read: {error}") from error
