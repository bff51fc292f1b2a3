"""The arithmetic of a question, as it follows from the contract alone: leaves, parts, words, bits, sensitivities.

Asker and owner compute it each for itself; what a plan says about it is only compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from cleanroom.errors import UsageError
from cleanroom.ids import PartyName, RoomName
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.columns import Asked, Dimension, Measure
from cleanroom.question.dataset import Dataset
from cleanroom.question.quantity import Part, Quantity

LEAF_COUNTS = (16, 64, 256)
WORD_BITS = (24, 32, 48, 64)
NOISE_TAIL_SCALES = 64


class Terms(Protocol):
    """What a question needs of an agreement: a contract, or a room file that will become one."""

    @property
    def room(self) -> RoomName: ...
    @property
    def datasets(self) -> Mapping[PartyName, Dataset]: ...


class Questioned(Protocol):
    """The words of a question; a plan and an analyst's question both have them."""

    @property
    def asker(self) -> PartyName: ...
    @property
    def owner(self) -> PartyName: ...
    @property
    def base(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def quantity(self) -> Quantity: ...


@dataclass(frozen=True, slots=True)
class Shape:
    """`words` is the sum over the parts; every group has as many."""

    leaves: int
    used_leaves: int
    parts: tuple[Part, ...]
    bits: int

    @property
    def words(self) -> int:
        """Words of one group."""
        return sum(part.words for part in self.parts)


def leaves_for(cells: int) -> int:
    """K: the smallest of 16, 64, 256 that holds the cells and leaf 0; a contract allows no more than 255 cells."""
    for leaves in LEAF_COUNTS:
        if cells + 1 <= leaves:
            return leaves
    raise ValueError("cannot happen: a contract allows 254 declared values and `other`")


def split_party(question: Questioned) -> PartyName:
    """Whose column `by` is: the asker's over a match, the owner's over its table."""
    return question.asker if question.base == "match" else question.owner


def partition_cells(terms: Terms, party: PartyName, by: str) -> tuple[str | None, ...]:
    """That party's cells for `by`, in leaf order from leaf 1; (None,) when there is no column; raises UsageError."""
    if not by:
        return (None,)
    column = find_column(terms, party, by, "dimension")
    return column.cells if isinstance(column, Dimension) else ()


def quantity_cells(terms: Terms, owner: PartyName, quantity: Quantity) -> tuple[str | None, ...]:
    """The owner's cells that a quantity names in each group; (None,) where it is one number; raises UsageError."""
    if quantity.kind == "count":
        return (None,)
    column = find_column(terms, owner, quantity.column, quantity.role)
    if isinstance(column, Dimension):
        return column.cells
    if quantity.kind != "quantile":
        return (None,)
    if not column.edges:
        raise UsageError(
            f"{owner}'s {column.name} has no edges in the contract of room {terms.room}, so no quantile of it can be"
            f" asked; with edges: {listed(terms.datasets[owner].measures(with_edges=True))}"
        )
    return column.bins


def parts_of(terms: Terms, question: Questioned) -> tuple[Part, ...]:
    """The parts of a question's quantity; raises UsageError for columns that the contract does not have."""
    quantity = question.quantity
    if quantity.kind not in ("sum", "mean"):
        return (Part(len(quantity_cells(terms, question.owner, quantity)), 1),)
    column = find_column(terms, question.owner, quantity.column, "measure")
    if not isinstance(column, Measure):
        raise UsageError(f"{column.name} is not a measure")
    if quantity.kind == "sum":
        return (Part(1, column.sensitivity),)
    return (Part(1, 1), Part(1, column.centred_sensitivity))


def shape(terms: Terms, question: Questioned, scales: Sequence[Fraction]) -> Shape:
    """Everything about the arithmetic that both sides must agree on; raises UsageError for unknown columns."""
    used = len(partition_cells(terms, split_party(question), question.by))
    parts = parts_of(terms, question)
    capacity = terms.datasets[question.owner].capacity
    largest = max(part.sensitivity for part in parts) * capacity + int(NOISE_TAIL_SCALES * max(scales)) + 1
    for bits in WORD_BITS:
        if 2**bits > 2 * largest:
            return Shape(leaves_for(used), used, parts, bits)
    raise ValueError("cannot happen: a contract allows 2^23 people, 2^31 steps each and noise of 2^40")


def find_column(terms: Terms, party: PartyName, name: str, role: str) -> Asked:
    """The column of that name in that role; raises UsageError that lists what there is."""
    dataset = terms.datasets[party]
    found = dataset.dimension(name) if role == "dimension" else dataset.measure(name)
    if found is not None:
        return found
    names = dataset.dimensions() if role == "dimension" else dataset.measures()
    others = dataset.measures() if role == "dimension" else dataset.dimensions()
    if name in dataset.hidden():
        reason = (
            f"{party}'s column {quoted(name)} is hidden by the contract of room {terms.room}: nobody may ask for it; "
        )
    elif name in others:
        other = "measure" if role == "dimension" else "dimension"
        reason = f"{party}'s column `{name}` is a {other} in the contract of room {terms.room} and no {role}; "
    else:
        reason = f"{party} has no {role} {quoted(name)} in the contract of room {terms.room}; {meant(name, names)}"
    raise UsageError(f"{reason}its {role}s: {listed(names)}")
