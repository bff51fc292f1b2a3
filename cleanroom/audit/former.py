"""A log that follows another, whose key was stolen: does it, and does the folder of that other one fit?

What every party signed in the agreement is the head of the log before. Its first entries must lead to that head; who
signed the folder's own checkpoint does not matter, since the thief could have. What stands after that head is no part
of the room's history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cleanroom.audit.checked import unverified_entries
from cleanroom.errors import StateError, UsageError
from cleanroom.transparency.outcome import AuditFailure, Outcome

if TYPE_CHECKING:
    from cleanroom.audit.given import Terms


@dataclass(frozen=True, slots=True)
class Former:
    """The entries of the logs before, oldest first, `counts` of each log by number; and what is to be said."""

    entries: tuple[bytes, ...]
    counts: tuple[tuple[int, int], ...]
    lines: tuple[str, ...]

    def place(self, index: int) -> str:
        """Where an entry of all logs together stands."""
        for number, count in self.counts:
            if index < count:
                return f"entry {index} of log {number}"
            index -= count
        return f"entry {index}"


def tied(entries: Sequence[bytes], terms: "Terms", folders: Sequence[Path]) -> Former:
    """`folders` are those of the logs before, the newest last; raises AuditFailure where a tie does not hold."""
    from cleanroom.querylog.former_logs import former_entries
    from cleanroom.querylog.log_policy import former_head

    contract = terms.in_force
    head, before = former_head(contract), contract.log_number - 1
    if head is None:
        if folders:
            raise UsageError("--former: the agreement says that this is the room's first log")
        return Former((), (), ())
    _check_beginning(entries, terms)
    if not folders:
        return Former((), (), (f"follows   log {before} from its head of {head.size} entries; its folder: --former",))
    given = {before - at: folder for at, folder in enumerate(reversed(folders))}
    counts: dict[int, int] = {}
    later: list[str] = []

    def read(number: int, size: int) -> tuple[bytes, ...]:
        if number not in given:
            raise UsageError(f"--former: the folder of log {number} is needed as well")
        found = unverified_entries(given[number])
        counts[number] = size
        if len(found) > size:
            later.append(f"no part of it: {len(found) - size} entries after that head in {given[number]}")
        return found

    try:
        together = former_entries(contract, read)
    except StateError as error:
        raise AuditFailure(Outcome.INVALID, f"the former log does not fit: {error}") from error
    line = f"follows   log {before} from its head of {head.size} entries, on which all parties agreed; its folder fits"
    return Former(tuple(together), tuple(sorted(counts.items())), (line, *later))


def _check_beginning(entries: Sequence[bytes], terms: "Terms") -> None:
    from cleanroom.errors import PeerError
    from cleanroom.querylog.event import read_event
    from cleanroom.querylog.rotation import check_beginning
    from cleanroom.querylog.statement import Statement

    first = read_event(0, entries[0], terms.contracts) if entries else None
    believed = first if first is not None and first.believed else None
    statement = Statement(believed.kind, believed.actor, believed.subject, dict(believed.body)) if believed else None
    try:
        check_beginning(statement, terms.in_force)
    except PeerError as error:
        raise AuditFailure(Outcome.INVALID, str(error), path="entry 0") from error
