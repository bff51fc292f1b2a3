"""Proofs that one entry stands at one place of a log of one size (RFC 6962 section 2.1.1).

Verification follows RFC 9162 section 2.1.3.2, which also fixes how many hashes a proof has: one too few or too many
is refused, so a proof has one spelling.
"""

from collections.abc import Sequence

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import HASH_BYTES, node_hash
from cleanroom.transparency.tree import Nodes, range_hash, split


def prove_inclusion(nodes: Nodes, index: int, size: int) -> tuple[bytes, ...]:
    """The hashes beside the way from entry `index` to the root at `size`, from the leaf upwards; raises PeerError."""
    if not 0 <= index < size:
        raise PeerError("an entry that is not in the log cannot be proven")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(range_hash(nodes, middle, end))
            end = middle
        else:
            path.append(range_hash(nodes, start, middle))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, proof: Sequence[bytes], root: bytes, *, index: int, size: int) -> None:
    """The leaf hash is entry `index` of the tree of `size` entries under `root`; raises PeerError."""
    if not 0 <= index < size:
        raise PeerError("an inclusion proof is for an entry beyond the log's end")
    if any(len(part) != HASH_BYTES for part in (leaf, root, *proof)):
        raise PeerError("an inclusion proof has a hash that is not 32 bytes")
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise PeerError("an inclusion proof is too long")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise PeerError("an inclusion proof is too short")
    if node != root:
        raise PeerError("an entry is not where its inclusion proof says")
