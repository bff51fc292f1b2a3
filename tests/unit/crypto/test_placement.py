"""Equal tags share a slot, different tags never do, and the slots say nothing else."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.crypto.placement import check_slots, place
from cleanroom.errors import PeerError
from tests.reference import placement as oracle

SEED = bytes(range(32))

seeds = st.binary(min_size=32, max_size=32)
tag_lists = st.lists(st.integers(0, 60), max_size=40, unique=True)


def tags(*numbers: int) -> list[bytes]:
    return [hashlib.sha256(number.to_bytes(4, "big")).digest()[:16] for number in numbers]


def numbers(packed: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(packed) // 4}I", packed))


def placed(tags_a: list[bytes], tags_b: list[bytes], seed: bytes) -> tuple[list[int], list[int]]:
    slots_a, slots_b = place(b"".join(tags_a), b"".join(tags_b), seed=seed)
    return numbers(slots_a), numbers(slots_b)


@given(tag_lists, tag_lists, seeds)
def test_placement_is_the_oracles(people_a: list[int], people_b: list[int], seed: bytes) -> None:
    tags_a, tags_b = tags(*people_a), tags(*people_b)
    assert placed(tags_a, tags_b, seed) == oracle.place(tags_a, tags_b, seed)


@given(tag_lists, tag_lists, seeds)
def test_two_rows_share_a_slot_exactly_when_they_share_a_tag(
    people_a: list[int], people_b: list[int], seed: bytes
) -> None:
    slots_a, slots_b = placed(tags(*people_a), tags(*people_b), seed)
    assert len(slots_a) == len(people_a)
    assert len(slots_b) == len(people_b)
    pairs = {*zip(people_a, slots_a, strict=True), *zip(people_b, slots_b, strict=True)}
    people = {*people_a, *people_b}
    assert len(pairs) == len(people) == len({slot for _, slot in pairs})
    assert all(slot < len(people_a) + len(people_b) for _, slot in pairs)


@given(tag_lists, tag_lists, seeds)
def test_what_the_coordinator_places_the_parties_accept(people_a: list[int], people_b: list[int], seed: bytes) -> None:
    for slots in place(b"".join(tags(*people_a)), b"".join(tags(*people_b)), seed=seed):
        check_slots(slots, limit=len(people_a) + len(people_b))


def test_every_injection_is_as_likely_as_any_other() -> None:
    """Chi-square over the 24 injections of 3 groups into 4 slots.

    The bound is the 1 - 1e-6 quantile with 23 degrees of freedom. Seeds are fixed: it never alarms by chance.
    """
    rounds, counts = 4800, Counter[tuple[int, ...]]()
    for index in range(rounds):
        seed = hashlib.sha256(index.to_bytes(4, "big")).digest()
        slots_a, slots_b = placed(tags(0, 1), tags(1, 2), seed)
        assert slots_a[1] == slots_b[0]
        counts[(*slots_a, slots_b[1])] += 1
    injections = list(permutations(range(4), 3))
    expected = rounds / len(injections)
    assert sum((counts[each] - expected) ** 2 / expected for each in injections) < 70.6


def test_a_tag_that_stands_twice_in_one_list_is_refused() -> None:
    for tags_a, tags_b in ((tags(1, 2, 1), tags(3)), (tags(3), tags(1, 2, 1)), (tags(1), tags(1, 1))):
        with pytest.raises(PeerError, match="a tag stands twice in one list"):
            place(b"".join(tags_a), b"".join(tags_b), seed=SEED)


def test_tags_that_differ_in_their_last_bit_only_are_different_people() -> None:
    first = bytes(16)
    second = bytes(15) + b"\x01"
    slots_a, slots_b = placed([first], [second], SEED)
    assert sorted(slots_a + slots_b) == [0, 1]


@pytest.mark.parametrize("length", [1, 15, 17])
def test_a_list_of_broken_tags_is_refused(length: int) -> None:
    for broken in ((bytes(length), b""), (b"", bytes(length))):
        with pytest.raises(PeerError, match="multiple of 16 bytes"):
            place(*broken, seed=SEED)


def test_a_seed_of_the_wrong_size_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="exactly 32 bytes"):
        place(b"", b"", seed=bytes(31))


def slots(*given_slots: int) -> bytes:
    return struct.pack(f"<{len(given_slots)}I", *given_slots)


def test_distinct_slots_below_the_limit_are_accepted_up_to_the_last() -> None:
    check_slots(slots(4, 0, 2), limit=5)
    check_slots(slots(*range(5)), limit=5)
    check_slots(b"", limit=0)


REFUSED_SLOTS = {
    "the limit itself": (slots(0, 5), "outside the match"),
    "the largest number": (slots(2**32 - 1), "outside the match"),
    "a slot given twice": (slots(4, 1, 4), "given twice"),
    "a slot cut short": (slots(1, 2)[:-1], "multiple of 4 bytes"),
}


@pytest.mark.parametrize(("given_slots", "reason"), REFUSED_SLOTS.values(), ids=REFUSED_SLOTS.keys())
def test_slots_the_coordinator_may_not_give_are_refused(given_slots: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        check_slots(given_slots, limit=5)
