"""From the owner's masked sums to noisy cells: the arithmetic of release and opening, modulo 2^bits.

Per leaf and word the owner knows S = sum of the leaf's pseudo-random words and the asker knows O, which is S plus the
true sum of its people in that leaf. The owner releases D = noise - S over each asked group; the asker adds O. Leaves
that were not asked stay masked for ever. Section 3 of protocol.md, steps 3 and 4.
"""

from collections.abc import Sequence

import numpy as np

from cleanroom.errors import PeerError

Table = list[list[int]]


def table(data: bytes, *, leaves: int, words: int) -> Table:
    """leaves × words integers from packed little-endian uint64; raises PeerError on another length."""
    if len(data) != 8 * leaves * words:
        raise PeerError("a table of sums has another length than agreed")
    cells: Table = np.frombuffer(data, dtype="<u8").reshape(leaves, words).tolist()
    return cells


def release(noise: Sequence[int], sums: Table, groups: Sequence[Sequence[int]], *, bits: int) -> list[int]:
    """D: one number modulo 2^bits per (group, word), groups outermost; `noise` in the same order."""
    words = len(sums[0])
    modulus = 1 << bits
    return [
        (noise[position * words + word] - sum(sums[leaf][word] for leaf in group)) % modulus
        for position, group in enumerate(groups)
        for word in range(words)
    ]


def open_release(released: Sequence[int], opened: Table, groups: Sequence[Sequence[int]], *, bits: int) -> list[int]:
    """The noisy cells as signed integers, groups outermost; raises PeerError when sizes do not fit."""
    words = len(opened[0])
    if len(released) != len(groups) * words:
        raise PeerError("a release has another number of cells than asked")
    half, modulus = 1 << (bits - 1), 1 << bits
    cells = (
        (released[position * words + word] + sum(opened[leaf][word] for leaf in group)) % modulus
        for position, group in enumerate(groups)
        for word in range(words)
    )
    return [cell - modulus if cell >= half else cell for cell in cells]


def pack_release(released: Sequence[int]) -> bytes:
    """Little-endian uint64 words."""
    return np.array(released, dtype="<u8").tobytes()


def parse_release(data: bytes, *, cells: int, bits: int) -> list[int]:
    """`cells` numbers below 2^bits; raises PeerError."""
    if len(data) != 8 * cells:
        raise PeerError("a release has another length than asked")
    numbers: list[int] = np.frombuffer(data, dtype="<u8").tolist()
    if any(number >> bits for number in numbers):
        raise PeerError("a released number is out of range")
    return numbers
