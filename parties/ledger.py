"""The owner's ledger: what has been spent on these people, by whom, in units of 2^-40 rho. It only grows.

Entries are chained by hash. `reserve` counts as spent from the moment it is written, before any data is read;
`share_sent` says that the release was stored; `voided` frees a reservation that never released anything; a
`match_debit` marks one showing of the overlap to the coordinator; its units are the dummies that hid it, not rho.
Sums are over the lineage, over all partners and contracts of this node's folder: a new version of the same customers
does not refill anything. A second folder for the same people is a second ledger, which nothing here can see.
"""

from dataclasses import dataclass

from cleanroom.errors import StateError
from cleanroom.ids import PartyName
from cleanroom.question.gate import LedgerView
from cleanroom.wire.canonical import canonical_bytes, labelled_hash
from parties.database import Database

GENESIS = "0" * 64

_SPENT = """SELECT COALESCE(SUM(units), 0) FROM ledger AS entry WHERE kind = 'reserve' AND lineage = ? {who}
 AND NOT EXISTS (SELECT 1 FROM ledger WHERE kind = 'voided' AND subject = entry.subject)"""

_OPEN = """SELECT COUNT(*) FROM ledger AS entry WHERE kind = 'reserve' AND lineage = ? AND consumer = ? AND NOT EXISTS
 (SELECT 1 FROM ledger WHERE kind IN ('voided', 'share_sent') AND subject = entry.subject)"""


@dataclass(frozen=True, slots=True)
class ConsumerTotal:
    """What one consumer has spent on a lineage."""

    consumer: PartyName
    units: int


class Ledger:
    """Reads and appends; every call runs inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _append(self, kind: str, at: str, lineage: str, room: str, consumer: str, subject: str, units: int) -> None:
        last = self._database.one("SELECT sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1")
        sequence, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        entry = [sequence, at, kind, lineage, room, consumer, subject, str(units), previous]
        digest = labelled_hash("cleanroom/v1/ledger-entry", canonical_bytes(entry)).hex()
        self._database.run(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            sequence, at, kind, lineage, room, consumer, subject, units, previous, digest,
        )  # fmt: skip

    def _has(self, kind: str, subject: str) -> bool:
        return self._database.one("SELECT 1 FROM ledger WHERE kind = ? AND subject = ?", kind, subject) is not None

    def reserve(self, *, at: str, lineage: str, room: str, consumer: str, plan_hash: str, units: int) -> None:
        """Spend before anything is read."""
        self._append("reserve", at, lineage, room, consumer, plan_hash, units)

    def share_sent(self, *, at: str, lineage: str, room: str, consumer: str, plan_hash: str) -> None:
        """The sealed release of this plan is stored; from here on the cost can never be voided.

        Raises StateError when nothing is reserved for it, or no longer.
        """
        if not self._has("reserve", plan_hash) or self._has("voided", plan_hash):
            raise StateError("an answer without a standing reservation cannot be released")
        self._append("share_sent", at, lineage, room, consumer, plan_hash, 0)

    def void(self, *, at: str, lineage: str, room: str, consumer: str, plan_hash: str) -> None:
        """Free a reservation that released nothing; raises StateError when it did, or when there is none."""
        if self._has("share_sent", plan_hash):
            raise StateError("a released answer cannot be voided")
        if not self._has("reserve", plan_hash):
            raise StateError("there is no reservation to void")
        self._append("voided", at, lineage, room, consumer, plan_hash, 0)

    def match_debit(self, *, at: str, lineage: str, room: str, peer: str, match_id: str, dummies: int) -> None:
        """One more showing of this lineage's overlap to the coordinator, hidden by so many shared dummies."""
        self._append("match_debit", at, lineage, room, peer, match_id, dummies)

    def matches(self, lineage: str) -> int:
        """How many matches have been debited, finished or not."""
        return self._database.number("SELECT COUNT(*) FROM ledger WHERE kind = 'match_debit' AND lineage = ?", lineage)

    def fewest_dummies(self, lineage: str) -> int | None:
        """The weakest hiding of any match of the lineage so far; None before the first."""
        row = self._database.one("SELECT MIN(units) FROM ledger WHERE kind = 'match_debit' AND lineage = ?", lineage)
        return None if row is None or row[0] is None else int(row[0])

    def view(self, lineage: str, consumer: str) -> LedgerView:
        """What the gate needs to know."""
        return LedgerView(
            lineage_units=self._database.number(_SPENT.format(who=""), lineage),
            consumer_units=self._database.number(_SPENT.format(who="AND consumer = ?"), lineage, consumer),
            open_reservations=self._database.number(_OPEN, lineage, consumer),
        )

    def totals(self, lineage: str, consumers: list[PartyName]) -> list[ConsumerTotal]:
        """What each consumer has spent on the lineage."""
        return [ConsumerTotal(name, self.view(lineage, name).consumer_units) for name in consumers]

    def verify(self) -> None:
        """Walk the hash chain; raises StateError naming the first entry that does not fit."""
        previous = GENESIS
        for row in self._database.all("SELECT * FROM ledger ORDER BY sequence"):
            *entry, units, claimed_previous, claimed = row
            body = [*entry, str(units), previous]
            digest = labelled_hash("cleanroom/v1/ledger-entry", canonical_bytes(body)).hex()
            if claimed_previous != previous or claimed != digest:
                raise StateError(f"the ledger's entry {row[0]} does not fit its chain")
            previous = digest
