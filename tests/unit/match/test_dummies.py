"""Where shared dummies went: same index, same slot; another index, another slot; and one sentence for every failure."""

import struct

import numpy as np
import numpy.typing as npt
import pytest

from cleanroom.errors import PeerError
from cleanroom.match.dummies import compare, pack_pairs, parse_pairs


def pairs(*of: tuple[int, int]) -> npt.NDArray[np.uint32]:
    """A list of (index, slot)."""
    return np.array(of, dtype=np.uint32).reshape(-1, 2)


def packed(*of: tuple[int, int]) -> bytes:
    """The same on the wire."""
    return b"".join(struct.pack("<2I", *pair) for pair in of)


def test_pairs_travel_sorted_by_index() -> None:
    indices, slots = np.array([5, 0, 3], dtype=np.uint32), np.array([7, 9, 8], dtype=np.uint32)
    assert pack_pairs(indices, slots) == packed((0, 9), (3, 8), (5, 7))


def test_a_list_of_tau_pairs_is_read() -> None:
    found = parse_pairs(packed((0, 99), (3, 0), (5, 7)), dummies=3, slots=100)
    assert found.tolist() == [[0, 99], [3, 0], [5, 7]]


REFUSED = {
    "one pair too few": packed((0, 1), (1, 2)),
    "one pair too many": packed((0, 1), (1, 2), (2, 3), (3, 4)),
    "cut in a pair": packed((0, 1), (1, 2), (2, 3))[:-1],
    "nothing": b"",
    "an index twice": packed((0, 1), (1, 2), (1, 3)),
    "indices out of order": packed((1, 1), (0, 2), (2, 3)),
    "an index of 2 tau": packed((0, 1), (1, 2), (6, 3)),
    "an index of 2^32 - 1": packed((0, 1), (1, 2), (2**32 - 1, 3)),
    "a slot twice": packed((0, 1), (1, 2), (2, 1)),
    "slot M": packed((0, 1), (1, 2), (2, 100)),
    "slot 2^32 - 1": packed((0, 1), (1, 2), (2, 2**32 - 1)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_malformed_list_is_refused(case: str) -> None:
    with pytest.raises(PeerError):
        parse_pairs(REFUSED[case], dummies=3, slots=100)


def test_the_last_index_and_the_last_slot_are_read() -> None:
    assert parse_pairs(packed((3, 97), (4, 98), (5, 99)), dummies=3, slots=100)[2].tolist() == [5, 99]


CONSISTENT = {
    "the same dummies": (pairs((0, 5), (1, 6)), pairs((0, 5), (1, 6))),
    "other dummies elsewhere": (pairs((0, 5), (1, 6)), pairs((2, 7), (3, 8))),
    "one in common": (pairs((0, 5), (1, 6)), pairs((1, 6), (2, 7))),
}
INCONSISTENT = {
    "a common dummy in two slots": (pairs((0, 5), (1, 6)), pairs((1, 7), (2, 8))),
    "two dummies in one slot": (pairs((0, 5), (1, 6)), pairs((2, 6), (3, 8))),
    "two dummies changed places": (pairs((0, 5), (1, 6)), pairs((0, 6), (1, 5))),
    "the last pair alone": (pairs((0, 5), (3, 6)), pairs((1, 8), (3, 9))),
}


@pytest.mark.parametrize("case", CONSISTENT)
def test_lists_of_one_placement_agree(case: str) -> None:
    own, peer = CONSISTENT[case]
    compare(own, peer)
    compare(peer, own)


def test_every_misplacement_is_refused_in_the_same_words() -> None:
    said = set()
    for own, peer in INCONSISTENT.values():
        for one, other in ((own, peer), (peer, own)):
            with pytest.raises(PeerError) as caught:
                compare(one, other)
            said.add(str(caught.value))
    assert len(said) == 1
    assert not any(character.isdigit() for character in said.pop())
