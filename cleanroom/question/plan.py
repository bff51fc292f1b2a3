"""A plan: one question written so exactly that asker, owner and auditor compute the same cost from it.

It names the people (match and dataset versions), the partition (the asker's column and which of its leaves are asked),
the quantity (the owner's column), the arithmetic (words, bits), the noise scale and the cost. Its hash identifies the
question for ever: the same plan is answered once and its stored answer is given again free of charge.

Leaves and words are contract words: leaf 0 is "none" and can never be asked, leaf 1… are the declared values of the
asker's column in the contract's order, then `other`. No column of the asker (`by` empty) means one leaf: everyone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import AnalystName, PartyName, RoomName, analyst_name, column_name, hex32, party_name
from cleanroom.privacy.budget import SCALE_DENOMINATOR
from cleanroom.question.columns import Dimension, Measure
from cleanroom.question.dataset import Dataset
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

LEAF_COUNTS = (16, 64, 256)
WORD_BITS = (24, 32, 48, 64)
NOISE_TAIL_SCALES = 64
QUANTITIES = ("count", "histogram", "sum")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is added up per cell: people (`count`), people by the owner's dimension, or the owner's clamped measure."""

    kind: str
    column: str = ""

    def __post_init__(self) -> None:
        if self.kind not in QUANTITIES:
            raise UsageError(f"a quantity is one of {', '.join(QUANTITIES)}")
        if (self.kind == "count") != (self.column == ""):
            raise UsageError("a count has no column; a histogram and a sum have one of the owner's")
        if self.column != "":
            column_name(self.column)


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module. Hashes and ids are 64 hex digits; `scale` is in 1/1024 of a whole unit; cost in 2^-40 rho."""

    asker: PartyName
    owner: PartyName
    analyst: AnalystName
    contract: str
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
    scale_1024: int
    cost_units: int
    repeat: int

    def __post_init__(self) -> None:
        party_name(self.asker)
        party_name(self.owner)
        analyst_name(self.analyst)
        for name in (
            "contract",
            "match",
            "match_transcript",
            "asker_version",
            "owner_version",
            "setup",
            "setup_transcript",
        ):
            hex32(getattr(self, name), f"a plan's {name}")
        if self.by != "":
            column_name(self.by)
        for name in ("leaves", "words", "bits", "scale_1024", "cost_units", "repeat"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value < 2**53:
                raise UsageError(f"a plan's {name} is a whole number")
        if not 1 <= len(self.groups) <= 255 or any(not group or len(group) > 255 for group in self.groups):
            raise UsageError("a plan has 1 to 255 groups of 1 to 255 leaves")
        if any(type(leaf) is not int or not 0 <= leaf <= 255 for group in self.groups for leaf in group):
            raise UsageError("a plan's leaves are whole numbers from 0 to 255")

    @property
    def scale(self) -> Fraction:
        """The noise scale (sigma) in whole units."""
        return Fraction(self.scale_1024, SCALE_DENOMINATOR)

    def body(self) -> dict[str, Any]:
        """The JSON value whose canonical bytes are the plan."""
        return {
            "analyst": self.analyst,
            "asker": self.asker,
            "asker_version": self.asker_version,
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
            "scale_1024": str(self.scale_1024),
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
            scale_1024, cost_units = int(body.pop("scale_1024")), int(body.pop("cost_units"))
            plan = Plan(quantity=quantity, groups=groups, scale_1024=scale_1024, cost_units=cost_units, **body)
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise PeerError("a plan lacks a field, or has one too many") from error
        if plan.body() != value:
            raise PeerError("a plan's field is of the wrong type or spelling")
        return plan


@dataclass(frozen=True, slots=True)
class Shape:
    """The arithmetic that follows from the contract alone: leaves, words, bits, one person's greatest effect (L2)."""

    leaves: int
    used_leaves: int
    words: int
    bits: int
    sensitivity: int


def leaves_for(cells: int) -> int:
    """K: the smallest of 16, 64, 256 that holds the cells and leaf 0; raises UsageError."""
    for leaves in LEAF_COUNTS:
        if cells + 1 <= leaves:
            return leaves
    raise UsageError("a dimension has at most 254 declared values")


class Terms(Protocol):
    """What a question needs of an agreement: a contract, or a room file that will become one."""

    @property
    def room(self) -> RoomName: ...
    @property
    def datasets(self) -> Mapping[PartyName, Dataset]: ...


def partition_cells(contract: Terms, asker: PartyName, by: str) -> tuple[str | None, ...]:
    """The asker's cells for `by`, in leaf order from leaf 1; (None,) when there is no column; raises UsageError."""
    if not by:
        return (None,)
    column = contract.datasets[asker].column(by)
    if not isinstance(column, Dimension):
        raise UsageError(_unknown(contract, asker, by, "dimension"))
    return column.cells


def quantity_cells(contract: Terms, owner: PartyName, quantity: Quantity) -> tuple[str | None, ...]:
    """The owner's cells (words) of a quantity; (None,) for a count or a sum; raises UsageError."""
    if quantity.kind == "count":
        return (None,)
    column = contract.datasets[owner].column(quantity.column)
    if quantity.kind == "histogram" and isinstance(column, Dimension):
        return column.cells
    if quantity.kind == "sum" and isinstance(column, Measure):
        return (None,)
    raise UsageError(
        _unknown(contract, owner, quantity.column, "dimension" if quantity.kind == "histogram" else "measure")
    )


def shape(contract: Terms, asker: PartyName, by: str, owner: PartyName, quantity: Quantity, scale: Fraction) -> Shape:
    """Everything about the arithmetic that both sides must agree on; raises UsageError for unknown columns."""
    used = len(partition_cells(contract, asker, by))
    words = len(quantity_cells(contract, owner, quantity))
    column = contract.datasets[owner].column(quantity.column)
    sensitivity = column.sensitivity if isinstance(column, Measure) else 1
    largest = contract.datasets[owner].capacity * sensitivity + int(NOISE_TAIL_SCALES * scale) + 1
    for bits in WORD_BITS:
        if 2**bits > 2 * largest:
            return Shape(leaves_for(used), used, words, bits, sensitivity)
    raise UsageError("capacity times bound does not fit into 63 bits; lower the bounds or widen the step")


def _unknown(contract: Terms, party: PartyName, name: str, role: str) -> str:
    dataset = contract.datasets[party]
    names = dataset.dimensions() if role == "dimension" else dataset.measures()
    offered = ", ".join(names) if names else "none"
    return f"{party} has no {role} `{name}` in the contract of room {contract.room}; its {role}s: {offered}"
