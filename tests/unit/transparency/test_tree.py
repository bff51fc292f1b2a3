"""Roots and proofs are those of RFC 6962, by its published values and by its definition, and nothing else convinces."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import PeerError
from cleanroom.transparency.consistency import prove_consistency, verify_consistency
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import EMPTY_ROOT, leaf_hash
from cleanroom.transparency.inclusion import prove_inclusion, verify_inclusion
from cleanroom.transparency.tree import Tree
from tests.built_log import some_entries, tree_of
from tests.reference import merkle as oracle

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "rfc6962_tree.json").read_text(encoding="utf-8")
)
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["entries"]]
ROOTS = [bytes.fromhex(root) for root in (VECTORS["empty_root"], *VECTORS["roots"])]
MANY = some_entries(70)
GROWN = tree_of(MANY)
OTHER = bytes(range(32))

sizes = st.integers(0, len(MANY))


def test_the_published_roots_of_every_size() -> None:
    tree, frontier = Tree(), Frontier()
    assert tree.root() == frontier.root() == ROOTS[0] == EMPTY_ROOT
    for size, entry in enumerate(ENTRIES, start=1):
        tree.append(leaf_hash(entry))
        frontier = frontier.with_leaf(leaf_hash(entry))
        assert tree.root() == frontier.root() == ROOTS[size]
    assert [tree.root(size) for size in range(9)] == ROOTS


@pytest.mark.parametrize("vector", VECTORS["inclusion"])
def test_the_published_inclusion_proofs(vector: dict[str, Any]) -> None:
    proof = tuple(bytes.fromhex(part) for part in vector["proof"])
    index, size = vector["index"], vector["size"]
    assert prove_inclusion(tree_of(ENTRIES), index, size) == proof
    verify_inclusion(leaf_hash(ENTRIES[index]), proof, ROOTS[size], index=index, size=size)


@pytest.mark.parametrize("vector", VECTORS["consistency"])
def test_the_published_consistency_proofs(vector: dict[str, Any]) -> None:
    proof = tuple(bytes.fromhex(part) for part in vector["proof"])
    old, new = vector["old"], vector["new"]
    assert prove_consistency(tree_of(ENTRIES), old, new) == proof
    verify_consistency(proof, old_size=old, old_root=ROOTS[old], new_size=new, new_root=ROOTS[new])


@given(sizes)
def test_every_older_root_is_that_of_the_definition(size: int) -> None:
    frontier = Frontier()
    for entry in MANY[:size]:
        frontier = frontier.with_leaf(leaf_hash(entry))
    assert GROWN.root(size) == frontier.root() == oracle.tree_hash(MANY[:size])
    assert Frontier.from_bytes(size, frontier.to_bytes()) == frontier


@given(st.data())
def test_every_inclusion_proof_is_that_of_the_definition_and_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(MANY)))
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(GROWN, index, size)
    assert list(proof) == oracle.audit_path(index, MANY[:size])
    verify_inclusion(leaf_hash(MANY[index]), proof, GROWN.root(size), index=index, size=size)


@given(st.data())
def test_every_consistency_proof_is_that_of_the_definition_and_verifies(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(0, new))
    proof = prove_consistency(GROWN, old, new)
    assert list(proof) == (oracle.growth_path(old, MANY[:new]) if old else [])
    verify_consistency(proof, old_size=old, old_root=GROWN.root(old), new_size=new, new_root=GROWN.root(new))


def spoiled(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """The proof with a bit flipped in each hash, a hash removed at either end, one added at either end."""
    flipped = [(*proof[:at], bytes([part[0] ^ 1]) + part[1:], *proof[at + 1 :]) for at, part in enumerate(proof)]
    removed = [proof[1:], proof[:-1]] if proof else []
    return [*flipped, *removed, (*proof, OTHER), (OTHER, *proof), (*proof, OTHER[:31])]


@given(st.data())
def test_an_inclusion_proof_convinces_of_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(MANY)))
    index = data.draw(st.integers(0, size - 1))
    leaf, proof, root = leaf_hash(MANY[index]), prove_inclusion(GROWN, index, size), GROWN.root(size)
    attempts = [(leaf, wrong, root, index, size) for wrong in spoiled(proof)]
    attempts += [(OTHER, proof, root, index, size), (leaf, proof, OTHER, index, size), (leaf, proof, root, -1, size)]
    attempts += [(leaf, proof, root, other, size) for other in range(size + 2) if other != index]
    attempts += [
        (leaf, proof, root, index, 0),
        (leaf, proof, root, index, index),
        (leaf[:31], proof, root, index, size),
    ]
    for claim in attempts:
        with pytest.raises(PeerError):
            verify_inclusion(claim[0], claim[1], claim[2], index=claim[3], size=claim[4])


@settings(max_examples=60)
@given(st.data())
def test_a_consistency_proof_convinces_of_nothing_else(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(MANY)))
    old = data.draw(st.integers(1, new))
    proof, before, after = prove_consistency(GROWN, old, new), GROWN.root(old), GROWN.root(new)
    attempts = [(wrong, old, before, new, after) for wrong in spoiled(proof)]
    attempts += [(proof, old, OTHER, new, after), (proof, old, before, new, OTHER), (proof, new + 1, after, new, after)]
    if old != new:
        attempts += [(proof, old, after, new, before), (proof, new, before, old, after)]
        attempts += [(proof, 0, before, new, after), (proof, 0, EMPTY_ROOT, new, after)]
    attempts += [(proof, other, before, new, after) for other in range(1, new + 1) if other != old]
    for claim in attempts:
        with pytest.raises(PeerError):
            verify_consistency(claim[0], old_size=claim[1], old_root=claim[2], new_size=claim[3], new_root=claim[4])


def test_the_empty_log_is_how_every_log_begins_and_has_one_root() -> None:
    verify_consistency((), old_size=0, old_root=EMPTY_ROOT, new_size=5, new_root=GROWN.root(5))
    with pytest.raises(PeerError, match="another root"):
        verify_consistency((), old_size=0, old_root=OTHER, new_size=5, new_root=GROWN.root(5))


def test_two_roots_for_one_size_are_never_consistent() -> None:
    with pytest.raises(PeerError, match="two roots"):
        verify_consistency((), old_size=5, old_root=GROWN.root(5), new_size=5, new_root=OTHER)


def test_an_entry_that_looks_like_an_inner_node_is_not_one() -> None:
    """Second preimages: the first byte tells leaves from nodes."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != tree_of([b"a", b"b"]).root()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, len(MANY) + 1)])
def test_what_is_not_in_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(PeerError):
        prove_inclusion(GROWN, index, size)


def test_no_proof_leads_backwards() -> None:
    with pytest.raises(PeerError, match="does not shrink"):
        prove_consistency(GROWN, 3, 2)


@pytest.mark.parametrize(("size", "nodes"), [(3, 1), (0, 1), (-1, 0), (2**63, 1), (4, 2)])
def test_a_frontier_that_fits_no_tree_is_refused(size: int, nodes: int) -> None:
    with pytest.raises(PeerError):
        Frontier(size, (OTHER,) * nodes)
    with pytest.raises(PeerError):
        Frontier.from_bytes(3, bytes(63))


def test_the_largest_frontier_still_fits() -> None:
    assert Frontier(2**63 - 1, (OTHER,) * 63).size == 2**63 - 1
