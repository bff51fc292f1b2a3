"""For every category the asker learns every leaf of a slot's tree but that category's own."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import ot_extension as extension
from tests.reference import slot_trees as oracle
from tests.reference.labels import xor
from tests.reference.ot_extension import split
from tests.unit.crypto.transfer_harness import Setup, dealt, delivered, random_categories


def outputs_of_the_owner(setup: Setup, matrix: bytes) -> list[list[tuple[bytes, bytes]]]:
    """v^0 and v^1 of each slot and level."""
    q = extension.owner_columns(setup.setup_id, setup.owner_seeds, setup.delta, matrix)

    def pair(slot: int, level: int) -> tuple[bytes, bytes]:
        row = extension.row(q, setup.depth, slot, level)
        zero = extension.output(setup.setup_id, level, slot, row)
        return zero, extension.output(setup.setup_id, level, slot, xor(row, setup.delta))

    return [[pair(slot, level) for level in range(1, setup.depth + 1)] for slot in range(setup.slots)]


def outputs_of_the_asker(setup: Setup) -> list[list[bytes]]:
    """The chosen output of each slot and level."""
    keys = split(setup.asker_seeds, 16)
    blocks = extension.block_count(setup.slots, setup.depth)
    t = [extension.column(setup.setup_id, index, keys[2 * index], blocks) for index in range(128)]

    def chosen(slot: int, level: int) -> bytes:
        row = extension.row(t, setup.depth, slot, level)
        return extension.output(setup.setup_id, level, slot, row)

    return [[chosen(slot, level) for level in range(1, setup.depth + 1)] for slot in range(setup.slots)]


def leaves_of(setup: Setup, nodes: bytes, slot: int) -> list[bytes]:
    """The owner's leaves of one slot."""
    return oracle.levels(setup.setup_id, split(nodes[32 * slot :][:32], 16), setup.depth)[-1]


def learnt(setup: Setup, siblings: bytes, slot: int) -> list[bytes | None]:
    """What the asker can compute of one slot's leaves."""
    kept = split(siblings[16 * setup.depth * slot :][: 16 * setup.depth], 16)
    return oracle.regrow(setup.setup_id, kept, setup.categories[slot])


@pytest.mark.parametrize(("slots", "depth"), [(1, 1), (131, 1), (3, 4), (129, 4), (5, 6), (3, 8)])
def test_nodes_corrections_and_siblings_are_the_oracles(slots: int, depth: int) -> None:
    setup = dealt(f"trees {slots}", random_categories(slots, slots, depth), depth)
    matrix = setup.matrix()
    nodes, corrections = setup.corrections(matrix)
    owner, asker = outputs_of_the_owner(setup, matrix), outputs_of_the_asker(setup)
    assert nodes == b"".join(zero + one for ((zero, one), *_) in owner)
    sent = [oracle.corrections(setup.setup_id, outputs, depth) for outputs in owner]
    assert corrections == b"".join(sent)
    kept = [
        oracle.siblings(setup.setup_id, chosen, part, category)
        for chosen, part, category in zip(asker, sent, setup.categories, strict=True)
    ]
    assert setup.siblings(corrections) == b"".join(node for nodes in kept for node in nodes)


@pytest.mark.parametrize("depth", [1, 4])
def test_for_every_category_and_leaf_the_asker_knows_the_leaf_unless_it_is_the_category(depth: int) -> None:
    leaves = 1 << depth
    setup = dealt("every", bytes(range(leaves)), depth)
    done = delivered(setup)
    for category, leaf in product(range(leaves), repeat=2):
        known = learnt(setup, done.siblings, category)[leaf]
        assert known == (None if leaf == category else leaves_of(setup, done.nodes, category)[leaf])


@pytest.mark.parametrize("depth", [6, 8])
def test_in_deep_trees_the_asker_knows_all_leaves_but_the_one_of_its_category(depth: int) -> None:
    leaves = 1 << depth
    categories = bytes([0, 1, leaves // 2 - 1, leaves // 2, leaves - 2, leaves - 1])
    setup = dealt("deep", categories, depth)
    done = delivered(setup)
    for slot, category in enumerate(categories):
        expected: list[bytes | None] = [*leaves_of(setup, done.nodes, slot)]
        expected[category] = None
        assert learnt(setup, done.siblings, slot) == expected


@pytest.mark.slow
@pytest.mark.parametrize("depth", [6, 8])
def test_for_every_category_of_a_deep_tree_the_asker_knows_all_leaves_but_its_own(depth: int) -> None:
    setup = dealt("every deep", bytes(range(1 << depth)), depth)
    done = delivered(setup)
    for category in range(1 << depth):
        expected: list[bytes | None] = [*leaves_of(setup, done.nodes, category)]
        expected[category] = None
        assert learnt(setup, done.siblings, category) == expected


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_no_node_on_the_path_to_its_category_is_in_anything_the_asker_receives_or_keeps(depth: int) -> None:
    setup = dealt("path", random_categories("path", 20, depth), depth)
    nodes, corrections = setup.corrections(setup.matrix())
    seen = {*split(corrections, 16), *split(setup.siblings(corrections), 16)}
    for slot, category in enumerate(setup.categories):
        grown = oracle.levels(setup.setup_id, split(nodes[32 * slot :][:32], 16), depth)
        path = {level[category >> depth - number] for number, level in enumerate(grown, start=1)}
        assert not path & seen


def test_every_leaf_of_every_slot_is_different() -> None:
    setup = dealt("same category", bytes(40), 4)
    done = delivered(setup)
    leaves = [leaf for slot in range(40) for leaf in leaves_of(setup, done.nodes, slot)]
    assert len(set(leaves)) == 40 * 16


@pytest.mark.parametrize("slots", [127, 128, 129, 16 * 128 - 1, 16 * 128 + 1])
def test_a_slots_tree_does_not_depend_on_how_many_slots_follow(slots: int) -> None:
    """Blocks, batches and threads cut the slots at different places; no slot sees where."""
    depth = 4
    categories = random_categories("cut", 16 * 128 + 1, depth)
    whole, part = dealt("cut", categories, depth), dealt("cut", categories[:slots], depth)
    assert delivered(whole).nodes[: 32 * slots] == delivered(part).nodes
    assert delivered(whole).siblings[: 64 * slots] == delivered(part).siblings


@settings(max_examples=40)
@given(st.data())
def test_a_flipped_bit_of_the_corrections_changes_what_the_asker_keeps_of_that_slot_only(data: st.DataObject) -> None:
    """There is no check on the trees: a refusal that depended on the category would tell the owner about it."""
    depth = 4
    setup = dealt("spoilt", random_categories("spoilt", 30, depth), depth)
    _, corrections = setup.corrections(setup.matrix())
    honest = setup.siblings(corrections)
    place = data.draw(st.integers(0, 8 * len(corrections) - 1))
    spoilt = bytearray(corrections)
    spoilt[place // 8] ^= 1 << place % 8
    kept = setup.siblings(bytes(spoilt))
    assert len(kept) == len(honest)
    slot = place // 8 // 96
    assert kept[: 64 * slot] == honest[: 64 * slot]
    assert kept[64 * (slot + 1) :] == honest[64 * (slot + 1) :]
