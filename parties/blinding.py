"""The list that a party sends into a match: its people, shared dummies, own dummies, masked and shuffled.

Its length is the contract's capacity whatever the table holds. The peer sees masked points in random order; nothing
tells people from dummies. What stays here is the order, to find the slots of our own rows again.
"""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.match_secret import MatchSecret
from cleanroom.crypto.points import IdentifierTag
from cleanroom.crypto.shuffle import permutation

_IDENTIFIER_BYTES = 32

Numbers = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class BlindedList:
    """`points` is capacity × 32 bytes; place i holds item order[i]; items are people, chosen dummies, own dummies."""

    points: bytes
    order: Numbers
    chosen_dummies: Numbers


def _fixed_offsets(count: int) -> bytes:
    return (np.arange(count + 1, dtype="<i8") * _IDENTIFIER_BYTES).tobytes()


def blind(
    keys: pa.ChunkedArray | pa.Array, *, capacity: int, dummies: int, match_key: MatchKey, secret: MatchSecret
) -> BlindedList:
    """Mask `keys` (large_binary without nulls) and pad them to `capacity` places; tau = `dummies` of 2 tau shared."""
    array = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    people = len(array)
    own = capacity - people - dummies
    if own < 0:
        raise ValueError("the import let through more people than fit")
    offsets, data = _buffers(array)
    chosen = np.sort(np.frombuffer(permutation(2 * dummies, seed=os.urandom(32)), dtype="<u4")[:dummies])
    shared = np.frombuffer(secret.shared_dummies(2 * dummies), dtype=np.uint8).reshape(-1, _IDENTIFIER_BYTES)[chosen]
    points = b"".join(
        (
            match_key.mask_identifiers(IdentifierTag.PERSON, data, offsets),
            match_key.mask_identifiers(IdentifierTag.SHARED_DUMMY, shared.tobytes(), _fixed_offsets(dummies)),
            match_key.mask_identifiers(
                IdentifierTag.OWN_DUMMY, os.urandom(own * _IDENTIFIER_BYTES), _fixed_offsets(own)
            ),
        )
    )
    order = np.frombuffer(permutation(capacity, seed=os.urandom(32)), dtype="<u4")
    shuffled = np.frombuffer(points, dtype=np.uint8).reshape(-1, 32)[order]
    return BlindedList(shuffled.tobytes(), order, chosen)


def _buffers(array: pa.Array) -> tuple[memoryview, memoryview]:
    """Offsets (int64) and data of a large_binary array, without copying a byte."""
    if len(array) == 0:
        return memoryview(bytes(8)), memoryview(b"")
    _, offsets, data = array.buffers()
    start = 8 * array.offset
    return memoryview(offsets)[start : start + 8 * (len(array) + 1)], memoryview(data if data is not None else b"")


def slots_of_items(order: Numbers, slots: Numbers) -> Numbers:
    """From slots in list order to slots in item order."""
    items: Numbers = np.empty_like(slots)
    items[order] = slots
    return items
