"""What a ledger says about one consumer: a hash chain of its entries, which shows nothing of anybody else's.

An entry is numbered within its chain, so neither number nor hash tells how many entries others have. A chain belongs
to one lineage, one room and one consumer: the same name in two rooms may be two companies.

Spent counts what was reserved and not voided; a `replayed` entry stands for spending that a restored node had
forgotten and that nobody could itemise any more, and names the head that the consumer held.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cleanroom.errors import PeerError
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

KINDS = frozenset({"reserve", "share_sent", "voided", "match_debit", "replayed"})
MAX_UNITS = 2**63 - 1
_MAX_TEXT = 200
_SUBJECT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ConsumerEntry:
    """One entry: `subject` is a plan, a match or a head (64 hex digits), `quantity` what kind of numbers were asked."""

    at: str
    kind: str
    quantity: str
    subject: str
    units: int

    def body(self) -> list[str]:
        """The entry as it is hashed and as it travels."""
        return [self.at, self.kind, self.quantity, self.subject, str(self.units)]

    @staticmethod
    def from_body(value: object) -> "ConsumerEntry":
        """Raises PeerError."""
        if not isinstance(value, list) or len(value) != 5:
            raise PeerError("a ledger entry lacks a field, or has one too many")
        if not all(isinstance(text, str) and len(text) <= _MAX_TEXT and text.isprintable() for text in value):
            raise PeerError("a ledger entry is malformed")
        if value[1] not in KINDS:
            raise PeerError("a ledger entry is of an unknown kind")
        at, kind, quantity, subject, units = value
        if _SUBJECT.fullmatch(subject) is None:
            raise PeerError("a ledger entry is about something that has no hash")
        return ConsumerEntry(at, kind, quantity, subject, parse_units(units))


def parse_units(value: Any) -> int:
    """Units as decimal text, in their one spelling; raises PeerError."""
    if not isinstance(value, str) or not (1 <= len(value) <= 19 and value.isascii() and value.isdigit()):
        raise PeerError("units are not a whole number")
    units = int(value)
    if str(units) != value or units > MAX_UNITS:
        raise PeerError("units are not a whole number in their one spelling")
    return units


def consumer_genesis(*, lineage: str, room: str, consumer: str) -> str:
    """The head of a chain without entries, as hex."""
    names = (name.encode("utf-8") for name in (lineage, room, consumer))
    return labelled_hash("cleanroom/v1/consumer-genesis", *names).hex()


def next_consumer_head(previous: str, place: int, entry: ConsumerEntry) -> str:
    """The head after the entry at `place` (from 1)."""
    content = canonical_bytes([place, *entry.body()])
    return labelled_hash("cleanroom/v1/consumer-chain", bytes.fromhex(previous), content).hex()


def consumer_heads(previous: str, first: int, entries: Iterable[ConsumerEntry]) -> list[str]:
    """The head after each of these entries, the first of which has the number `first`."""
    heads = []
    for place, entry in enumerate(entries, start=first):
        previous = next_consumer_head(previous, place, entry)
        heads.append(previous)
    return heads


def spent_units(entries: Sequence[ConsumerEntry]) -> int:
    """What a whole chain has spent."""
    voided = {entry.subject for entry in entries if entry.kind == "voided"}
    return sum(
        entry.units
        for entry in entries
        if entry.kind == "replayed" or (entry.kind == "reserve" and entry.subject not in voided)
    )


def spent_after_each(entries: Iterable[ConsumerEntry]) -> list[int]:
    """What a whole chain had spent after each of its entries: `spent_units` of every beginning, in one walk."""
    spent, totals = 0, []
    reserved: dict[str, int] = {}
    voided: set[str] = set()
    for entry in entries:
        if entry.kind == "replayed":
            spent += entry.units
        elif entry.kind == "reserve" and entry.subject not in voided:
            spent += entry.units
            reserved[entry.subject] = reserved.get(entry.subject, 0) + entry.units
        elif entry.kind == "voided":
            spent -= reserved.pop(entry.subject, 0)
            voided.add(entry.subject)
        totals.append(spent)
    return totals


def matches_debited(entries: Sequence[ConsumerEntry]) -> int:
    """How many matches a whole chain has debited."""
    return sum(entry.kind == "match_debit" for entry in entries)
