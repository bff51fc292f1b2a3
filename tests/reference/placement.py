"""Tags, placement and shuffles, the slow way: the oracle of the kernel's other half of matching."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator, Sequence

SHUFFLE_LABEL = b"cleanroom/v1/list-shuffle"
PLACEMENT_LABEL = b"cleanroom/v1/placement"


def tag(tag_key: bytes, double_mask: bytes) -> bytes:
    """Protocol section 2, step 4."""
    return hmac.new(tag_key, double_mask, hashlib.sha256).digest()[:16]


def words(label: bytes, seed: bytes) -> Iterator[int]:
    """Little-endian 32-bit words of SHA-512(label || 0x00 || seed || counter), counter 0, 1, ..."""
    counter = 0
    while True:
        block = hashlib.sha512(label + b"\x00" + seed + counter.to_bytes(8, "little")).digest()
        yield from struct.unpack("<16I", block)
        counter += 1


def below(bound: int, stream: Iterator[int]) -> int:
    """A uniform number below `bound`: words at or above the largest multiple of it are thrown away."""
    whole = 2**32 // bound * bound
    return next(word for word in stream if word < whole) % bound


def permutation(count: int, seed: bytes, label: bytes = SHUFFLE_LABEL) -> list[int]:
    """Fisher and Yates, from the last place down."""
    order = list(range(count))
    stream = words(label, seed)
    for last in range(count - 1, 0, -1):
        chosen = below(last + 1, stream)
        order[last], order[chosen] = order[chosen], order[last]
    return order


def place(tags_a: Sequence[bytes], tags_b: Sequence[bytes], seed: bytes) -> tuple[list[int], list[int]]:
    """Groups by first appearance, A's rows first, onto the first places of a permutation of all slots."""
    slots = permutation(len(tags_a) + len(tags_b), seed, PLACEMENT_LABEL)
    groups = list(dict.fromkeys([*tags_a, *tags_b]))
    slot_of = dict(zip(groups, slots, strict=False))
    return [slot_of[t] for t in tags_a], [slot_of[t] for t in tags_b]
