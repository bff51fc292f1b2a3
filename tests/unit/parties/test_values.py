"""The owner's vector against plain arithmetic: one cell a person, zero wherever nobody is."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import StateError
from cleanroom.question.quantity import Quantity
from parties.values import packed_values
from tests.unit.question.agreements import BRAND, dataset, dimension, measure

COUNT, HISTOGRAM, SUM = Quantity("count"), Quantity("histogram", "colour"), Quantity("sum", "spend")
SLOTS = 40
WIDE = Decimal(2**31)
PEOPLE = dataset(
    BRAND,
    columns=(
        dimension("colour", ("red", "blue", "green")),
        measure(low=-WIDE, high=WIDE, step=Decimal(1)),
    ),
)


def packed(table: pa.Table, slots: list[int], quantity: Quantity, words: int, width: int) -> bytes:
    """The vector of these people."""
    return packed_values(
        table, np.array(slots, dtype=np.uint32), PEOPLE, quantity=quantity, words=words, width=width, slots=SLOTS
    )


def expected(cells: dict[tuple[int, int], int], words: int, width: int) -> bytes:
    """The same, number by number."""
    return b"".join(
        (cells.get((slot, word), 0) % 256**width).to_bytes(width, "little")
        for slot in range(SLOTS)
        for word in range(words)
    )


people = st.integers(0, SLOTS).flatmap(
    lambda count: st.tuples(
        st.permutations(range(SLOTS)).map(lambda order: order[:count]),
        st.lists(st.integers(1, 4), min_size=count, max_size=count),
        st.lists(st.integers(-(2**22), 2**22), min_size=count, max_size=count),
    )
)


@settings(max_examples=60, deadline=None)
@given(people, st.sampled_from([3, 4, 6, 8]))
def test_every_person_is_in_one_cell_of_the_own_slot(case: Any, width: int) -> None:
    slots, colours, spent = case
    table = pa.table({"colour": pa.array(colours, pa.uint8()), "spend": pa.array(spent, pa.int64())})
    one_hot = {(slot, colour - 1): 1 for slot, colour in zip(slots, colours, strict=True)}
    assert packed(table, slots, HISTOGRAM, 4, width) == expected(one_hot, 4, width)
    assert packed(table, slots, COUNT, 1, width) == expected({(slot, 0): 1 for slot in slots}, 1, width)
    sums = {(slot, 0): value for slot, value in zip(slots, spent, strict=True)}
    assert packed(table, slots, SUM, 1, width) == expected(sums, 1, width)


@pytest.mark.parametrize(
    ("width", "value"), [(3, -1), (3, 2**22), (4, -(2**31)), (4, 2**31 - 1), (6, -5), (8, -(2**31))]
)
def test_negative_units_are_modulo_the_width(width: int, value: int) -> None:
    table = pa.table({"spend": pa.array([value], pa.int64())})
    assert packed(table, [7], SUM, 1, width) == expected({(7, 0): value}, 1, width)


def test_a_table_of_several_chunks_is_one_list_of_people() -> None:
    halves = [pa.table({"colour": pa.array([1, 2], pa.uint8())}), pa.table({"colour": pa.array([3], pa.uint8())})]
    cells = {(5, 0): 1, (6, 1): 1, (0, 2): 1}
    assert packed(pa.concat_tables(halves), [5, 6, 0], HISTOGRAM, 3, 3) == expected(cells, 3, 3)
    sliced = pa.concat_tables(halves).slice(1)
    assert packed(sliced, [6, 0], HISTOGRAM, 3, 3) == expected({(6, 1): 1, (0, 2): 1}, 3, 3)


def test_nobody_is_all_zeros() -> None:
    table = pa.table({"colour": pa.array([], pa.uint8()), "spend": pa.array([], pa.int64())})
    for quantity, words in ((COUNT, 1), (HISTOGRAM, 4), (SUM, 1)):
        assert packed(table, [], quantity, words, 3) == bytes(SLOTS * words * 3)


@pytest.mark.parametrize("slots", [[1], [1, 2, 3], [4, 4], []])
def test_each_person_has_a_slot_of_the_own(slots: list[int]) -> None:
    table = pa.table({"colour": pa.array([1, 2], pa.uint8())})
    with pytest.raises(StateError, match="belong together"):
        packed(table, slots, COUNT, 1, 3)


@pytest.mark.parametrize("leaf", [0, 4, 255])
def test_a_leaf_that_was_not_declared_is_refused(leaf: int) -> None:
    table = pa.table({"colour": pa.array([1, leaf], pa.uint8())})
    with pytest.raises(StateError, match="declared"):
        packed(table, [1, 2], HISTOGRAM, 3, 3)
