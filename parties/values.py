"""What each of our people contributes to a question, and the owner's vector y: one row of words a slot.

One-hot of a dimension or of the bins of a measure, a clamped measure, a measure centred at the middle of its bounds,
or one for a count. Work is the same for every slot whatever stands in it. Dummies and empty slots are zero by
construction: only the slots of our people are ever written.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cleanroom.errors import StateError
from cleanroom.question.columns import Measure, stored_name
from cleanroom.question.dataset import Dataset
from cleanroom.question.quantity import Quantity

Integers = npt.NDArray[np.int64]


def leaf_numbers(people: pa.Table, dataset: Dataset, name: str) -> Integers:
    """The leaf of each person in a dimension; raises StateError when one is not declared."""
    column = dataset.dimension(name)
    if column is None:
        raise StateError(f"the table of people has no dimension {name}")
    leaves = people.column(stored_name(column, dataset.columns)).to_numpy().astype(np.int64)
    return _checked(leaves, 1, len(column.cells))


def contributions(people: pa.Table, dataset: Dataset, quantity: Quantity, *, words: int) -> list[tuple[int, Integers]]:
    """For each person and word that is not zero: (number of a word, its values), or one-hot words as -1 and numbers.

    A list of at most two: `(word, values)` fills one word of every person; `(-1, chosen)` puts 1 into the chosen word
    of each person, nowhere where `chosen` is -1.
    """
    if quantity.kind == "count":
        return [(0, np.ones(people.num_rows, np.int64))]
    if quantity.kind == "histogram":
        return [(-1, _checked(leaf_numbers(people, dataset, quantity.column) - 1, 0, words - 1))]
    column = dataset.measure(quantity.column)
    if column is None:
        raise StateError(f"the table of people has no measure {quantity.column}")
    stored = people.column(stored_name(column, dataset.columns))
    units = _checked(pc.fill_null(stored, 0).to_numpy().astype(np.int64), *_bounds(column))
    if quantity.kind == "sum":
        return [(0, units)]
    present = pc.is_valid(stored).to_numpy().astype(np.int64)
    _checked(units[present == 1], column.low_units, column.high_units)
    if quantity.kind == "mean":
        return [(0, present), (1, (units - column.middle_units) * present)]
    edges = np.array([int(edge / column.step) for edge in column.edges], dtype=np.int64)
    bins = np.searchsorted(edges, units, side="right").astype(np.int64)
    return [(-1, _checked(np.where(present == 1, bins, -1), -1, words - 1))]


def _bounds(column: Measure) -> tuple[int, int]:
    """Where a person's steps lie; 0 also stands for no value."""
    return min(column.low_units, 0), max(column.high_units, 0)


def _checked(values: Integers, low: int, high: int) -> Integers:
    if values.size and not (int(values.min()) >= low and int(values.max()) <= high):
        raise StateError("a person's value is not one of the declared ones")
    return values


def packed_values(
    people: pa.Table,
    people_slots: npt.NDArray[np.uint32],
    dataset: Dataset,
    *,
    quantity: Quantity,
    words: int,
    width: int,
    slots: int,
) -> bytes:
    """slots × words integers of `width` bytes, little-endian, negative numbers modulo 2^(8 width).

    `people_slots` holds the slot of each row of `people`, all distinct.
    """
    if len(people_slots) != people.num_rows or np.unique(people_slots).size != people.num_rows:
        raise StateError("slots and people do not belong together")
    values = np.zeros((slots, words, width), dtype=np.uint8)
    for word, numbers in contributions(people, dataset, quantity, words=words):
        if word < 0:
            chosen = numbers >= 0
            values[people_slots[chosen], numbers[chosen], 0] = 1
        else:
            packed = np.ascontiguousarray(numbers, dtype="<i8").view(np.uint8).reshape(-1, 8)
            values[people_slots, word, :] = packed[:, :width]
    return values.tobytes()


def table_sums(people: pa.Table, dataset: Dataset, *, by: str, quantity: Quantity, leaves: int, words: int) -> Integers:
    """leaves × words exact sums over all people, split by one of our own dimensions; leaf 1 holds all without one."""
    sums = np.zeros((leaves, words), dtype=np.int64)
    split = leaf_numbers(people, dataset, by) if by else np.ones(people.num_rows, np.int64)
    _checked(split, 1, leaves - 1)
    for word, numbers in contributions(people, dataset, quantity, words=words):
        if word < 0:
            chosen = numbers >= 0
            np.add.at(sums, (split[chosen], numbers[chosen]), 1)
        else:
            np.add.at(sums, (split, np.full(len(split), word)), numbers)
    return sums
