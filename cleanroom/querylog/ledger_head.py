"""`ledger.head`: an owner's signed word to one consumer on what its ledger holds about it. The consumer's receipt.

Beside the fields of every statement (`actor` is the owner, `subject` the plan that was answered) it has:

consumer, lineage   whose chain; with `room` they name it
entries             how many entries the chain has
head                the chain's head, hex
spent               what stands spent, in units, as decimal text
matches             how many matches were debited
root                over the heads of all consumers (`salted_tree`), hex
salt, place, proof  that this head stands under the root; `place` as four hex digits, so that no length varies

It goes to the consumer with an answer and is not appended to the log: who reads the log learns no heads.
"""

from dataclasses import dataclass
from typing import Any

from cleanroom.errors import PeerError
from cleanroom.querylog.consumer_chain import parse_units
from cleanroom.querylog.dsse import open_statement
from cleanroom.querylog.salted_tree import Inclusion, check_inclusion
from cleanroom.wire.canonical import canonical_bytes

KIND = "ledger.head"
MAX_ENTRIES = 2**40
_COMMON = {"actor", "at", "contract", "kind", "room", "subject", "v"}
_FIELDS = _COMMON | {
    "consumer", "entries", "head", "lineage", "matches", "place", "proof", "root", "salt", "spent",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """What an owner says of one consumer's chain; `head` and `subject` are 64 hex digits."""

    room: str
    lineage: str
    consumer: str
    subject: str
    entries: int
    head: str
    spent: int
    matches: int

    def content(self) -> bytes:
        """What the leaf of this consumer covers."""
        fields = [self.lineage, self.room, self.consumer, self.entries, self.head, str(self.spent), self.matches]
        return canonical_bytes(fields)

    def fields(self, root: bytes, proof: Inclusion) -> dict[str, Any]:
        """The statement's own fields."""
        return {
            "consumer": self.consumer,
            "entries": self.entries,
            "head": self.head,
            "lineage": self.lineage,
            "matches": self.matches,
            "place": f"{proof.place:04x}",
            "proof": [sibling.hex() for sibling in proof.siblings],
            "root": root.hex(),
            "salt": proof.salt.hex(),
            "spent": str(self.spent),
        }


def _hex32(value: object) -> bytes:
    if not isinstance(value, str) or len(value) != 64 or value != value.lower():
        raise PeerError("a ledger head's hash is not 64 hex digits")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise PeerError("a ledger head's hash is not hex") from error


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_ENTRIES:
        raise PeerError("a ledger head's count is not a whole number")
    return value


def open_head(statement: bytes, identity: bytes) -> LedgerHead:
    """The head that the holder of `identity` signed, under its root; raises PeerError or AuthenticationError."""
    body = open_statement(KIND, statement, identity)
    if set(body) != _FIELDS or body["v"] != 1:
        raise PeerError("a ledger head lacks a field, or has one too many")
    names = [body[name] for name in ("room", "lineage", "consumer")]
    if not all(isinstance(name, str) and 1 <= len(name) <= 200 for name in names):
        raise PeerError("a ledger head does not say whose it is")
    place = body["place"]
    if not isinstance(place, str) or len(place) != 4 or not set(place) <= set("0123456789abcdef"):
        raise PeerError("a ledger head's place is four hex digits")
    if not isinstance(body["proof"], list):
        raise PeerError("a ledger head lacks its proof")
    head = LedgerHead(
        room=names[0],
        lineage=names[1],
        consumer=names[2],
        subject=_hex32(body["subject"]).hex(),
        entries=_count(body["entries"]),
        head=_hex32(body["head"]).hex(),
        spent=parse_units(body["spent"]),
        matches=_count(body["matches"]),
    )
    proof = Inclusion(int(place, 16), _hex32(body["salt"]), tuple(_hex32(sibling) for sibling in body["proof"]))
    check_inclusion(_hex32(body["root"]), head.content(), proof)
    return head
