"""The owner's ledger: what has been spent on these people, by whom. It only grows.

Units are 2^-40 of the lineage's one currency: of rho, or of epsilon where the contract is a pure one.

Entries are chained by hash twice: all of them in one chain, and those of one consumer (of a lineage, in a room) in a
chain of that consumer's own, whose head goes out with every answer. `reserve` counts as spent from the moment it is
written, before any data is read; `share_sent` says that the release was stored; `voided` frees a reservation that
never released anything; a `match_debit` marks one showing of the overlap to the coordinator; its units are the dummies
that hid it and no spending; `replayed` books what a restored node had forgotten and could not itemise.

Sums are over the lineage, over all partners and contracts of this node's folder: a new version of the same customers
does not refill anything. A second folder for the same people is a second ledger, which nothing here can see.
"""

from dataclasses import dataclass

from cleanroom.errors import StateError
from cleanroom.querylog.consumer_chain import ConsumerEntry, consumer_genesis, next_consumer_head
from cleanroom.question.gate import LedgerView
from cleanroom.wire.canonical import canonical_bytes, labelled_hash
from parties.database import Database

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Chain:
    """Whose entries: one consumer of one lineage in one room."""

    lineage: str
    room: str
    consumer: str

    def genesis(self) -> str:
        """The head before the first entry."""
        return consumer_genesis(lineage=self.lineage, room=self.room, consumer=self.consumer)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a chain has come to: its newest head, number of entries, units spent and matches debited."""

    head: str
    entries: int
    spent: int
    matches: int


class Ledger:
    """Reads and appends; every call runs inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _append(self, chain: Chain, entry: ConsumerEntry) -> None:
        last = self._database.one("SELECT sequence, hash FROM ledger ORDER BY sequence DESC LIMIT 1")
        sequence, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        newest = self._database.one(
            "SELECT place, head FROM ledger WHERE lineage = ? AND room = ? AND consumer = ?"
            " ORDER BY place DESC LIMIT 1",
            chain.lineage, chain.room, chain.consumer,
        )  # fmt: skip
        place, before = (newest[0] + 1, newest[1]) if newest else (1, chain.genesis())
        head = next_consumer_head(before, place, entry)
        row = (
            sequence, entry.at, entry.kind, entry.quantity, chain.lineage, chain.room, chain.consumer, entry.subject,
            entry.units, place, head, previous,
        )  # fmt: skip
        self._database.run("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row, _digest(*row))

    def has(self, kind: str, subject: str) -> bool:
        """Whether there is an entry of this kind about this subject."""
        return self._database.one("SELECT 1 FROM ledger WHERE kind = ? AND subject = ?", kind, subject) is not None

    def reserve(
        self, *, at: str, lineage: str, room: str, consumer: str, plan_hash: str, quantity: str, units: int
    ) -> None:
        """Spend before anything is read; `quantity` is the kind of numbers that were asked for."""
        self._append(Chain(lineage, room, consumer), ConsumerEntry(at, "reserve", quantity, plan_hash, units))

    def _reserved(self, plan_hash: str) -> tuple[Chain, str] | None:
        row = self._database.one(
            "SELECT lineage, room, consumer, quantity FROM ledger WHERE kind = 'reserve' AND subject = ?", plan_hash
        )
        return None if row is None else (Chain(*row[:3]), row[3])

    def share_sent(self, *, at: str, plan_hash: str) -> None:
        """The sealed release of this plan is stored; from here on the cost can never be voided.

        Raises StateError when nothing is reserved for it, or no longer.
        """
        reserved = self._reserved(plan_hash)
        if reserved is None or self.has("voided", plan_hash):
            raise StateError("an answer without a standing reservation cannot be released")
        self._append(reserved[0], ConsumerEntry(at, "share_sent", reserved[1], plan_hash, 0))

    def void(self, *, at: str, plan_hash: str) -> None:
        """Free a reservation that released nothing; raises StateError when it did, or when there is none."""
        if self.has("share_sent", plan_hash):
            raise StateError("a released answer cannot be voided")
        reserved = self._reserved(plan_hash)
        if reserved is None:
            raise StateError("there is no reservation to void")
        self._append(reserved[0], ConsumerEntry(at, "voided", reserved[1], plan_hash, 0))

    def fix_accountant(self, lineage: str, accountant: str) -> None:
        """What is spent on these people is counted in one currency for ever; raises StateError under the other one."""
        self._database.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", f"accountant {lineage}", accountant)
        row = self._database.one("SELECT value FROM meta WHERE name = ?", f"accountant {lineage}")
        if row is not None and row[0] != accountant:
            raise StateError(
                f"spending on lineage `{lineage}` is counted by the accountant {row[0]}, and this agreement counts by"
                f" {accountant}: the two do not add up; agree on {row[0]}"
            )

    def match_debit(self, *, at: str, lineage: str, room: str, peer: str, match_id: str, dummies: int) -> None:
        """One more showing of this lineage's overlap to the coordinator, hidden by so many shared dummies."""
        self._append(Chain(lineage, room, peer), ConsumerEntry(at, "match_debit", "", match_id, dummies))

    def replayed(self, *, at: str, chain: Chain, head: str, units: int) -> None:
        """A consumer held a receipt over `head`, which this ledger had lost; `units` is what it lacked, spent."""
        self._append(chain, ConsumerEntry(at, "replayed", "", head, units))

    def matches(self, lineage: str, peer: str = "") -> int:
        """How many matches have been debited, finished or not; with one peer, if one is named."""
        count = "SELECT COUNT(*) FROM ledger WHERE kind = 'match_debit' AND lineage = ?1 AND ?2 IN ('', consumer)"
        return self._database.number(count, lineage, peer)

    def fewest_dummies(self, lineage: str) -> int | None:
        """The weakest hiding of any match of the lineage so far; None before the first."""
        row = self._database.one("SELECT MIN(units) FROM ledger WHERE kind = 'match_debit' AND lineage = ?", lineage)
        return None if row is None or row[0] is None else int(row[0])

    def spent(self, lineage: str, consumer: str | None = None) -> int:
        """Units spent on the lineage in all rooms, open reservations included: by one consumer, or by everybody."""
        return self._database.number(
            "SELECT COALESCE(SUM(units), 0) FROM booking WHERE voided_at IS NULL AND lineage = ?1"
            " AND (?2 IS NULL OR consumer = ?2)",
            lineage,
            consumer,
        )

    def spent_by_quantity(self, lineage: str) -> dict[str, dict[str, int]]:
        """What each consumer that has spent anything on the lineage has spent, by kind of question."""
        sums: dict[str, dict[str, int]] = {}
        for consumer, quantity, units in self._database.all(
            "SELECT consumer, quantity, SUM(units) FROM booking WHERE voided_at IS NULL AND lineage = ?"
            " GROUP BY consumer, quantity",
            lineage,
        ):
            sums.setdefault(consumer, {})[quantity] = units
        return sums

    def open_reservations(self, lineage: str, consumer: str) -> int:
        """How many of a consumer's reservations are neither released nor voided."""
        return self._database.number(
            "SELECT COUNT(*) FROM booking WHERE is_open AND lineage = ? AND consumer = ?", lineage, consumer
        )

    def view(self, lineage: str, consumer: str, *, room: str, today: str) -> LedgerView:
        """What the gate needs to know; questions are counted in `room`, units of the day on `today` (YYYY-MM-DD)."""
        return LedgerView(
            questions=self._database.number(
                "SELECT COUNT(*) FROM ledger WHERE kind = 'reserve' AND room = ? AND consumer = ?", room, consumer
            ),
            units_today=self._database.number(
                "SELECT COALESCE(SUM(units), 0) FROM booking WHERE voided_at IS NULL AND lineage = ? AND consumer = ?"
                " AND substr(at, 1, 10) = ?",
                lineage,
                consumer,
                today,
            ),
            lineage_units=self.spent(lineage),
            consumer_units=self.spent(lineage, consumer),
            open_reservations=self.open_reservations(lineage, consumer),
        )

    def open_plans(self) -> list[str]:
        """Plans that are reserved, and neither released nor voided, over all chains."""
        return [plan for (plan,) in self._database.all("SELECT subject FROM booking WHERE is_open ORDER BY sequence")]

    def sequence(self) -> int:
        """The number of the newest entry; 0 without any."""
        return self._database.number("SELECT COALESCE(MAX(sequence), 0) FROM ledger")

    def standings(self, sequence: int) -> dict[Chain, Standing]:
        """What every chain had come to when the ledger had so many entries.

        The head is that of the entry with the highest place: beside one MAX(), SQLite takes bare columns from the row
        that has the maximum (lang_select, "Bare columns in an aggregate query"). A second MAX() would end that.
        """
        rows = self._database.all(
            "SELECT lineage, room, consumer, head, MAX(place), (SELECT COALESCE(SUM(units), 0) FROM booking"
            " WHERE booking.lineage = entry.lineage AND booking.room = entry.room"
            " AND booking.consumer = entry.consumer AND booking.sequence <= ?1"
            " AND (voided_at IS NULL OR voided_at > ?1)), SUM(kind = 'match_debit')"
            " FROM ledger AS entry WHERE sequence <= ?1 GROUP BY lineage, room, consumer",
            sequence,
        )
        return {Chain(*row[:3]): Standing(row[3], row[4], row[5], row[6]) for row in rows}

    def standing(self, chain: Chain, sequence: int | None = None) -> Standing:
        """What one chain has come to, now or when the ledger had `sequence` entries."""
        found = self.standings(self.sequence() if sequence is None else sequence).get(chain)
        return found or Standing(chain.genesis(), 0, 0, 0)

    def head_at(self, chain: Chain, entries: int) -> str | None:
        """The head of a chain when it had so many entries; None when it never had."""
        if entries == 0:
            return chain.genesis()
        row = self._database.one(
            "SELECT head FROM ledger WHERE lineage = ? AND room = ? AND consumer = ? AND place = ?",
            chain.lineage, chain.room, chain.consumer, entries,
        )  # fmt: skip
        return None if row is None else str(row[0])

    def entries(self, chain: Chain, first: int) -> list[ConsumerEntry]:
        """A chain's entries from the one numbered `first` on."""
        rows = self._database.all(
            "SELECT at, kind, quantity, subject, units FROM ledger"
            " WHERE lineage = ? AND room = ? AND consumer = ? AND place >= ? ORDER BY place",
            chain.lineage, chain.room, chain.consumer, first,
        )  # fmt: skip
        return [ConsumerEntry(*row) for row in rows]

    def verify(self) -> None:
        """Walk all hash chains; raises StateError naming the first entry that does not fit."""
        previous = GENESIS
        newest: dict[Chain, tuple[int, str]] = {}
        for row in self._database.all("SELECT * FROM ledger ORDER BY sequence"):
            sequence, at, kind, quantity, lineage, room, consumer, subject, units, place, head, before, digest = row
            chain = Chain(lineage, room, consumer)
            last, last_head = newest.get(chain, (0, chain.genesis()))
            expected = next_consumer_head(last_head, last + 1, ConsumerEntry(at, kind, quantity, subject, units))
            if (place, head) != (last + 1, expected) or before != previous or digest != _digest(*row[:-1]):
                raise StateError(f"the ledger's entry {sequence} does not fit its chain")
            newest[chain], previous = (place, head), digest


def _digest(
    sequence: int, at: str, kind: str, quantity: str, lineage: str, room: str, consumer: str, subject: str, units: int,
    place: int, head: str, previous: str,
) -> str:  # fmt: skip
    body = [
        sequence, at, kind, quantity, lineage, room, consumer, subject, str(units), place, head, previous,
    ]  # fmt: skip
    return labelled_hash("cleanroom/v1/ledger-entry", canonical_bytes(body)).hex()
