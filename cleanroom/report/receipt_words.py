"""A receipt in words: where its entry stands in which log, when its actor said it was made, and who cosigned the log.

The receipt was verified before (`cleanroom.querylog.receipt`); here it is only read. Times are each party's own word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.receipt import Receipt
from cleanroom.transparency.head import read_head
from cleanroom.transparency.policy_file import parse_policy
from cleanroom.transparency.proof_file import parse_proof


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a receipt; `cosigned` is who cosigned and when, `proof` and `policy` the files as text."""

    room: str
    plan: str
    released_at: str
    origin: str
    index: int
    size: int
    cosigned: tuple[tuple[str, str], ...]
    proof: str
    policy: str

    def line(self) -> str:
        """One line for people; entries are counted from 0, as in the log."""
        by = ", ".join(f"{name} ({at})" for name, at in self.cosigned) or "nobody"
        return (
            f"entry {self.index:,} of the {self.size:,} in log {self.origin}; room {self.room}, released"
            f" {self.released_at}; the log up to there is cosigned by {by}; question {self.plan}"
        )


def shown(receipt: Receipt, policy: str) -> Shown:
    """The words for a verified receipt, of which `policy` says whose cosignatures count."""
    statement = peek_statement(receipt.entry)
    head = read_head(parse_proof(receipt.proof).checkpoint, parse_policy(policy.encode("utf-8")), "receipt")
    return Shown(
        room=str(statement.get("room", "")),
        plan=str(statement.get("subject", "")),
        released_at=str(statement.get("at", "")),
        origin=head.checkpoint.origin,
        index=receipt.index,
        size=receipt.size,
        cosigned=tuple((name, _time(at)) for name, at in sorted(head.cosigned_at.items())),
        proof=receipt.file().decode("utf-8"),
        policy=policy,
    )


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(receipts: Sequence[Shown]) -> str:
    """The day of the last answer, such as 2 March 2026; nothing where a statement has no time of the log's form."""
    try:
        last = max(datetime.strptime(shown.released_at, "%Y-%m-%dT%H:%M:%SZ") for shown in receipts)
    except ValueError:
        return ""
    return f"{last.day} {_MONTHS[last.month - 1]} {last.year}"


def _time(seconds: int) -> str:
    """As the log writes times; a number that is no time as the number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(seconds)
