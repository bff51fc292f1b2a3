"""The log's Merkle tree in memory: every complete subtree's root, so that any older root or proof can be made.

`Nodes` is the seam: proofs are made from a tree in memory or from tiles, and neither knows which.
"""

from collections.abc import Iterable
from typing import Protocol

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import EMPTY_ROOT, HASH_BYTES, node_hash


class Nodes(Protocol):
    """The roots of complete subtrees."""

    def node(self, level: int, index: int) -> bytes:
        """The root over the `index`-th group of 2**level entries; raises PeerError when that group is not complete."""


class Tree:
    """A growing tree; 64 bytes of memory an entry."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """One more entry, by its leaf hash."""
        if len(leaf) != HASH_BYTES:
            raise ValueError("a leaf hash has 32 bytes")
        index, level, carried = self.size, 0, leaf
        self._levels[0] += carried
        while index & 1:
            carried = node_hash(self.node(level, index - 1), carried)
            index, level = index >> 1, level + 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += carried

    def node(self, level: int, index: int) -> bytes:
        """See `Nodes`."""
        row = self._levels[level] if level < len(self._levels) else b""
        if not 0 <= index < len(row) // HASH_BYTES:
            raise PeerError("the tree is smaller than the subtree that is asked for")
        return bytes(row[index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def root(self, size: int | None = None) -> bytes:
        """The root at a size up to the present one; raises PeerError beyond it."""
        return root_at(self, self.size if size is None else size)


def split(count: int) -> int:
    """The largest power of two smaller than `count`, which is at least 2 (RFC 6962 section 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def range_hash(nodes: Nodes, start: int, end: int) -> bytes:
    """MTH(D[start:end]) of RFC 6962 section 2.1, for a range that the tree's definition splits off."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes.node(level, start >> level)
    middle = start + split(count)
    return node_hash(range_hash(nodes, start, middle), range_hash(nodes, middle, end))


def root_at(nodes: Nodes, size: int) -> bytes:
    """The root of the first `size` entries."""
    return EMPTY_ROOT if size == 0 else range_hash(nodes, 0, size)
