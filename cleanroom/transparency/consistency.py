"""Proofs that a log only grew: the older tree is how the newer one begins (RFC 6962 section 2.1.2).

Verification follows RFC 9162 section 2.1.4.2. From the empty tree and between equal sizes the proof is empty.
"""

from collections.abc import Sequence

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import EMPTY_ROOT, HASH_BYTES, node_hash
from cleanroom.transparency.tree import Nodes, range_hash, split


def prove_consistency(nodes: Nodes, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """The proof from one size to another; raises PeerError when the first is larger."""
    if not 0 <= old_size <= new_size:
        raise PeerError("a log does not shrink")
    if old_size in (0, new_size):
        return ()
    start, end, proof = 0, new_size, []
    while end != old_size:
        middle = start + split(end - start)
        if old_size <= middle:
            proof.append(range_hash(nodes, middle, end))
            end = middle
        else:
            proof.append(range_hash(nodes, start, middle))
            start = middle
    if start != 0:  # the verifier knows the old root itself, so it is left out
        proof.append(range_hash(nodes, start, end))
    return tuple(reversed(proof))


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, new_size: int, new_root: bytes
) -> None:
    """The tree under `new_root` begins with the one under `old_root`; raises PeerError."""
    if not 0 <= old_size <= new_size:
        raise PeerError("a log does not shrink")
    if any(len(part) != HASH_BYTES for part in (old_root, new_root, *proof)):
        raise PeerError("a consistency proof has a hash that is not 32 bytes")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise PeerError("the empty log has another root")
    if old_size == new_size and old_root != new_root:
        raise PeerError("a log shows two roots for one size")
    if old_size in (0, new_size):
        if proof:
            raise PeerError("a consistency proof is too long")
        return
    _verify_growth(proof, old_size, old_root, new_size, new_root)


def _verify_growth(proof: Sequence[bytes], old_size: int, old_root: bytes, new_size: int, new_root: bytes) -> None:
    parts = list(proof)
    if old_size & (old_size - 1) == 0:
        parts.insert(0, old_root)
    if not parts:
        raise PeerError("a consistency proof is too short")
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = parts[0]
    for part in parts[1:]:
        if last == 0:
            raise PeerError("a consistency proof is too long")
        if place & 1 or place == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, part)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise PeerError("a consistency proof is too short")
    if old != old_root or new != new_root:
        raise PeerError("the larger log does not begin with the smaller one")
