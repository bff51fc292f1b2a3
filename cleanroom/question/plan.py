"""A plan: one question written so exactly that asker, owner and auditor compute the same cost from it.

It names the people (match and dataset versions), the partition (the asker's column and which of its leaves are asked),
the quantity (the owner's column), the arithmetic (words, bits), a noise scale for each part of the quantity and the
cost. Its hash identifies the question for ever: the same plan is answered once and its stored answer is given again
free of charge.

Leaves and words are contract words: leaf 0 is "none" and can never be asked, leaf 1… are the declared values of the
column `by` in the contract's order, then `other`. No column (`by` empty) means one leaf: everyone. Over the match `by`
is a column of the asker; over the owner's whole table it is one of the owner's, and no match, set-up or version is
named: the owner answers from its table of the moment, once.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import AnalystName, PartyName, analyst_name, column_name, hex32, party_name
from cleanroom.privacy.budget import SCALE_DENOMINATOR
from cleanroom.question.quantity import BASES, Quantity
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

MAX_PARTS = 2
_HASHES_OF_A_MATCH = ("match", "match_transcript", "asker_version", "owner_version", "setup", "setup_transcript")


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module. Hashes and ids are 64 hex digits; scales in 1/1024 of a whole step; cost in the room's units."""

    asker: PartyName
    owner: PartyName
    analyst: AnalystName
    contract: str
    base: str
    match: str
    match_transcript: str
    asker_version: str
    owner_version: str
    setup: str
    setup_transcript: str
    leaves: int
    by: str
    groups: tuple[tuple[int, ...], ...]
    quantity: Quantity
    words: int
    bits: int
    scales_1024: tuple[int, ...]
    cost_units: int
    repeat: int

    def __post_init__(self) -> None:
        party_name(self.asker)
        party_name(self.owner)
        analyst_name(self.analyst)
        hex32(self.contract, "a plan's contract")
        if self.base not in BASES:
            raise UsageError(f"a plan's base is one of {', '.join(BASES)}")
        for name in _HASHES_OF_A_MATCH:
            if self.base == "match":
                hex32(getattr(self, name), f"a plan's {name}")
            elif getattr(self, name) != "":
                raise UsageError(f"a plan over a whole table names no {name}")
        if self.by != "":
            column_name(self.by)
        for name in ("leaves", "words", "bits", "cost_units", "repeat"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value < 2**53:
                raise UsageError(f"a plan's {name} is a whole number")
        if not 1 <= len(self.scales_1024) <= MAX_PARTS or any(
            type(scale) is not int or not 0 <= scale < 2**53 for scale in self.scales_1024
        ):
            raise UsageError(f"a plan has 1 to {MAX_PARTS} noise scales, whole numbers of 1/1024")
        if not 1 <= len(self.groups) <= 255 or any(not group or len(group) > 255 for group in self.groups):
            raise UsageError("a plan has 1 to 255 groups of 1 to 255 leaves")
        if any(type(leaf) is not int or not 0 <= leaf <= 255 for group in self.groups for leaf in group):
            raise UsageError("a plan's leaves are whole numbers from 0 to 255")

    @property
    def scales(self) -> tuple[Fraction, ...]:
        """The noise scale of each part, in whole steps."""
        return tuple(Fraction(scale, SCALE_DENOMINATOR) for scale in self.scales_1024)

    def body(self) -> dict[str, Any]:
        """The JSON value whose canonical bytes are the plan."""
        return {
            "analyst": self.analyst,
            "asker": self.asker,
            "asker_version": self.asker_version,
            "base": self.base,
            "bits": self.bits,
            "by": self.by,
            "contract": self.contract,
            "cost_units": str(self.cost_units),
            "groups": [list(group) for group in self.groups],
            "leaves": self.leaves,
            "match": self.match,
            "match_transcript": self.match_transcript,
            "owner": self.owner,
            "owner_version": self.owner_version,
            "quantity": {"column": self.quantity.column, "kind": self.quantity.kind},
            "repeat": self.repeat,
            "scales_1024": [str(scale) for scale in self.scales_1024],
            "setup": self.setup,
            "setup_transcript": self.setup_transcript,
            "words": self.words,
        }

    def hash(self) -> str:
        """64 hex digits that identify the question for ever."""
        return labelled_hash("cleanroom/v1/plan", canonical_bytes(self.body())).hex()

    @staticmethod
    def from_body(value: object) -> "Plan":
        """The plan written as this JSON value; raises PeerError or UsageError."""
        if not isinstance(value, dict) or not isinstance(value.get("quantity"), dict):
            raise PeerError("this is not a plan")
        body = dict(value)
        try:
            quantity = Quantity(**body.pop("quantity"))
            groups = tuple(tuple(group) for group in body.pop("groups"))
            scales = tuple(int(scale) for scale in body.pop("scales_1024"))
            cost_units = int(body.pop("cost_units"))
            plan = Plan(quantity=quantity, groups=groups, scales_1024=scales, cost_units=cost_units, **body)
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise PeerError("a plan lacks a field, or has one too many") from error
        if plan.body() != value:
            raise PeerError("a plan's field is of the wrong type or spelling")
        return plan
