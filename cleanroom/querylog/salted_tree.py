"""The heads of all consumers under one root, so that what an owner signs for one commits it to what it says of all.

Nobody learns from a root or a proof whether another consumer asked, or how many there are: every leaf has a salt that
is fresh for each root, so nothing repeats from one root to the next; the tree has at least 256 leaves, those that
stand for nobody look like the others, and a leaf's place is where its salt sorts.

leaf = labelled hash of (salt, content);  node = labelled hash of (left, right);  the left one has an even place
Salts come from the owner's secret and the root's nonce, so the owner, and nobody else, can compute a root again.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cleanroom.errors import PeerError
from cleanroom.wire.canonical import labelled_hash

LEAST_LEAVES = 256
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a leaf stands and its siblings from the bottom up, 32 bytes each."""

    place: int
    salt: bytes
    siblings: tuple[bytes, ...]


def _salt(secret: bytes, nonce: bytes, name: bytes) -> bytes:
    return hmac.digest(secret, labelled_hash("cleanroom/v1/head-salt", nonce, name), sha256)


def _leaf(salt: bytes, content: bytes) -> bytes:
    return labelled_hash("cleanroom/v1/head-leaf", salt, content)


def _node(left: bytes, right: bytes) -> bytes:
    return labelled_hash("cleanroom/v1/head-node", left, right)


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_node(below[at], below[at + 1]) for at in range(0, len(below), 2)])
    return levels


def include(contents: Mapping[bytes, bytes], wanted: bytes, *, secret: bytes, nonce: bytes) -> tuple[bytes, Inclusion]:
    """The root over these contents by name, and the proof for one name. `secret` and `nonce` have 32 bytes."""
    size = LEAST_LEAVES
    while size < len(contents):
        size *= 2
    named = {b"real" + name: content for name, content in contents.items()}
    nobody = {b"none%d" % number: b"" for number in range(size - len(contents))}
    salted = sorted((_salt(secret, nonce, name), name, content) for name, content in {**named, **nobody}.items())
    place = next(at for at, (_, name, _) in enumerate(salted) if name == b"real" + wanted)
    levels = _levels([_leaf(salt, content) for salt, _, content in salted])
    siblings = tuple(level[(place >> depth) ^ 1] for depth, level in enumerate(levels[:-1]))
    return levels[-1][0], Inclusion(place, salted[place][0], siblings)


def check_inclusion(root: bytes, content: bytes, proof: Inclusion) -> None:
    """The content stands under the root; raises PeerError."""
    if len(proof.siblings) > MAX_DEPTH or proof.place >> len(proof.siblings):
        raise PeerError("a proof of a ledger head has another shape than its tree")
    node = _leaf(proof.salt, content)
    for depth, sibling in enumerate(proof.siblings):
        node = _node(sibling, node) if (proof.place >> depth) & 1 else _node(node, sibling)
    if node != root:
        raise PeerError("a ledger head does not stand under the root that its owner signed")
