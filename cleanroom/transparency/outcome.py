"""What an audit ends in, as a number that scripts can read and a sentence that says where (audit-log.md section 5).

2 is missing: it is the command line's own usage error.
"""

from enum import IntEnum

from cleanroom.errors import PeerError


class Outcome(IntEnum):
    """Exit codes of `audit verify`."""

    OK = 0
    INVALID = 1
    STALE = 3
    TOO_FEW_COSIGNERS = 4
    DIVERGED = 5


class AuditFailure(PeerError):
    """A log that does not hold: which file, the first wrong entry where one can be named, and the notes that prove it.

    `index` counts from 0. `evidence` holds the two signed notes of a log that showed two histories.
    """

    def __init__(
        self,
        outcome: Outcome,
        text: str,
        *,
        path: str | None = None,
        index: int | None = None,
        evidence: tuple[bytes, ...] = (),
    ) -> None:
        where = f"entry {index}: " if index is not None else ""
        super().__init__(f"{path}: {where}{text}" if path is not None else f"{where}{text}")
        self.outcome = outcome
        self.path = path
        self.index = index
        self.evidence = evidence
