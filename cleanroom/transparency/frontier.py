"""All that a log's writer or follower must keep to go on: the roots of its complete subtrees, at most 63 hashes.

A compact range that begins at entry 0. The tree of size 13 = 8 + 4 + 1 is kept as three hashes; one more entry gives
14 = 8 + 4 + 2. The root of the whole tree follows from them (RFC 6962 section 2.1), so whoever stores a frontier in
the transaction that stores an entry never has to read the log again to sign its head.
"""

from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import EMPTY_ROOT, HASH_BYTES, node_hash
from cleanroom.transparency.spelling import MAX_NUMBER


@dataclass(frozen=True, slots=True)
class Frontier:
    """`nodes` are the roots of the complete subtrees of a tree of `size` entries, the largest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_NUMBER:
            raise PeerError("a tree's size is out of range")
        if len(self.nodes) != self.size.bit_count() or any(len(node) != HASH_BYTES for node in self.nodes):
            raise PeerError("a tree's frontier has one hash of 32 bytes for each complete subtree")

    def with_leaf(self, leaf: bytes) -> "Frontier":
        """The frontier after one more entry, given by its leaf hash."""
        nodes = list(self.nodes)
        carried, size = leaf, self.size
        while size & 1:
            carried = node_hash(nodes.pop(), carried)
            size >>= 1
        return Frontier(self.size + 1, (*nodes, carried))

    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """The hashes one after another; the size is stored beside them."""
        return b"".join(self.nodes)

    @staticmethod
    def from_bytes(size: int, data: bytes) -> "Frontier":
        """What `to_bytes` wrote; raises PeerError."""
        if len(data) % HASH_BYTES:
            raise PeerError("a stored frontier is not a row of hashes")
        return Frontier(size, tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)))
