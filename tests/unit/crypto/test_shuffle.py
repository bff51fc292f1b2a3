"""The shuffle is a permutation, the oracle's, and favours no order."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from itertools import islice, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.crypto.shuffle import permutation
from tests.reference import placement as oracle


def shuffled(count: int, seed: bytes) -> list[int]:
    return list(struct.unpack(f"<{count}I", permutation(count, seed=seed)))


@given(st.integers(0, 300), st.binary(min_size=32, max_size=32))
def test_the_shuffle_is_the_oracles_and_holds_every_place_once(count: int, seed: bytes) -> None:
    order = shuffled(count, seed)
    assert order == oracle.permutation(count, seed)
    assert sorted(order) == list(range(count))


def test_every_order_of_four_is_as_likely_as_any_other() -> None:
    """Chi-square with 23 degrees of freedom at 1e-6; the seeds are fixed, so this never alarms by chance."""
    rounds = 4800
    seeds = (hashlib.sha256(b"%d" % index).digest() for index in range(rounds))
    counts = Counter(tuple(shuffled(4, seed)) for seed in seeds)
    expected = rounds / 24
    assert sum((counts[each] - expected) ** 2 / expected for each in permutations(range(4))) < 70.6


def test_a_seed_used_for_two_purposes_gives_unrelated_numbers() -> None:
    seed = bytes(32)
    words = [set(islice(oracle.words(label, seed), 64)) for label in (oracle.SHUFFLE_LABEL, oracle.PLACEMENT_LABEL)]
    assert words[0].isdisjoint(words[1])


def test_the_oracle_throws_away_the_words_that_would_favour_small_numbers() -> None:
    """4294967295 begins an incomplete stretch of three; a thrown word leaves no trace in the result."""
    assert oracle.below(3, iter([2**32 - 1, 2**32 - 2])) == (2**32 - 2) % 3


def test_a_count_beyond_32_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        permutation(2**32, seed=bytes(32))
