"""The list that leaves: everybody once, padded to capacity, in an order that only we know."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.match_secret import MatchSecret
from parties.blinding import BlindedList, blind, slots_of_items
from tests.reference.matching import mask_identifier

SCALAR = bytes(range(1, 33))
SECRET = MatchSecret(b"k" * 32)
NAMES = [b"ann@example.com", b"", b"bob@example.com", b"cy@example.com"]


def blinded(keys: Any, *, capacity: int = 12, dummies: int = 3) -> BlindedList:
    """The list of these keys."""
    return blind(keys, capacity=capacity, dummies=dummies, match_key=MatchKey(SCALAR), secret=SECRET)


def items(made: BlindedList) -> list[bytes]:
    """Points in the order of items: people, chosen dummies, own dummies."""
    points = [made.points[place : place + 32] for place in range(0, len(made.points), 32)]
    by_item = {int(item): points[place] for place, item in enumerate(made.order)}
    return [by_item[item] for item in range(len(points))]


ARRAY = pa.array(NAMES, pa.large_binary())
FORMS: dict[str, tuple[Any, list[bytes]]] = {
    "a whole array": (ARRAY, NAMES),
    "one chunk": (pa.chunked_array([ARRAY]), NAMES),
    "several chunks": (pa.chunked_array([ARRAY[:1], ARRAY[1:]]), NAMES),
    "an empty chunk among them": (pa.chunked_array([ARRAY[:2], ARRAY[:0], ARRAY[2:]]), NAMES),
    "a slice from the middle": (ARRAY[1:3], NAMES[1:3]),
    "a slice at the end": (ARRAY.slice(3), NAMES[3:]),
    "a slice of a chunked array": (pa.chunked_array([ARRAY[:2], ARRAY[2:]]).slice(1, 2), NAMES[1:3]),
    "an empty array": (pa.array([], pa.large_binary()), []),
    "an empty slice": (ARRAY[2:2], []),
    "no chunk at all": (pa.chunked_array([], pa.large_binary()), []),
    "only the empty key": (ARRAY[1:2], NAMES[1:2]),
}


@pytest.mark.parametrize("form", FORMS)
def test_people_and_shared_dummies_are_masked_as_the_reference_masks_them(form: str) -> None:
    keys, names = FORMS[form]
    made = blinded(keys)
    found = items(made)
    pool = SECRET.shared_dummies(6)
    chosen = [pool[32 * int(index) : 32 * int(index) + 32] for index in made.chosen_dummies]
    assert found[: len(names)] == [mask_identifier(SCALAR, 0, name) for name in names]
    assert found[len(names) : len(names) + 3] == [mask_identifier(SCALAR, 1, one) for one in chosen]


def test_the_list_has_capacity_places_whatever_the_table_holds() -> None:
    for keys, _ in FORMS.values():
        made = blinded(keys)
        assert len(made.points) == 32 * 12
        assert sorted(made.order.tolist()) == list(range(12))
        assert len(set(items(made))) == 12


def test_tau_of_two_tau_dummies_are_chosen_in_ascending_order() -> None:
    chosen = [blinded(ARRAY).chosen_dummies.tolist() for _ in range(30)]
    assert all(one == sorted(set(one)) and len(one) == 3 and one[2] < 6 for one in chosen)
    assert len({tuple(one) for one in chosen}) > 1  # 20 choices: all thirty alike once in 20^29 runs


def test_own_dummies_and_order_are_fresh_each_time() -> None:
    one, other = blinded(ARRAY, capacity=40), blinded(ARRAY, capacity=40)
    assert not set(items(one)[7:]) & set(items(other)[7:])
    assert one.order.tolist() != other.order.tolist()


def test_a_full_table_has_no_own_dummies_and_one_person_more_does_not_fit() -> None:
    assert len(items(blinded(ARRAY, capacity=7))) == 7
    with pytest.raises(ValueError, match="fit"):
        blinded(ARRAY, capacity=6)


def test_slots_come_back_to_their_items() -> None:
    order, slots = np.array([2, 0, 1], dtype=np.uint32), np.array([70, 80, 90], dtype=np.uint32)
    assert slots_of_items(order, slots).tolist() == [80, 90, 70]
