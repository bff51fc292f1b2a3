"""What the owner sends and what the asker opens: exact sums over the asker's partition, of any values.

A row of the owner enters exactly one leaf with weight one: changing it by some amount moves the opened cells of
one leaf by that amount and nothing else, for every matrix of the asker that passes the check.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import slot_trees as oracle
from tests.reference.labels import xor
from tests.reference.ot_extension import bits, split
from tests.unit.crypto.transfer_harness import (
    Delivered,
    dealt,
    delivered,
    pack_rows,
    random_categories,
    stream,
    totals,
    unpack_sums,
)

WIDTHS = [3, 4, 6, 8]
DEPTHS = [1, 4, 6, 8]
QUESTION = 2**63 + 5


def random_values(seed: int | str, slots: int, words: int, width: int) -> list[list[int]]:
    numbers = [int.from_bytes(each, "little") for each in split(stream(f"y {seed}", slots * words * width), width)]
    return [numbers[start : start + words] for start in range(0, len(numbers), words)]


def plain_totals(categories: bytes, values: list[list[int]], leaves: int, width: int) -> list[list[int]]:
    """The sums that the protocol is to give, computed from both sides' inputs."""
    sums = [[0] * len(values[0]) for _ in range(leaves)]
    for category, row in zip(categories, values, strict=True):
        sums[category] = [(s + y) % 2 ** (8 * width) for s, y in zip(sums[category], row, strict=True)]
    return sums


def asked(done: Delivered, values: list[list[int]], width: int, question: int = QUESTION) -> list[list[int]]:
    """A question from the owner's values to the totals that a release without noise would show."""
    words = len(values[0])
    rows, sums = done.mask(question, 0, words, width, pack_rows(values, width))
    return totals(done.open(question, 0, words, width, rows), sums, words, width)


def owners_leaves(done: Delivered, slot: int) -> list[bytes]:
    top = split(done.nodes[32 * slot :][:32], 16)
    return oracle.levels(done.setup.setup_id, top, done.setup.depth)[-1]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("slots", "depth", "words"), [(5, 1, 1), (130, 1, 3), (7, 4, 11), (3, 6, 2), (2, 8, 5)])
def test_rows_sums_and_openings_are_the_oracles(slots: int, depth: int, words: int, width: int) -> None:
    done = delivered(dealt(f"rows {depth}", random_categories("rows", slots, depth), depth))
    values = random_values("rows", slots, words, width)
    rows, sums = done.mask(QUESTION, 9, words, width, pack_rows(values, width))
    opened = done.open(QUESTION, 9, words, width, rows)
    modulus, leaves = 2 ** (8 * width), range(1 << depth)
    expected_sums = [[0] * words for _ in leaves]
    expected_open = [[0] * words for _ in leaves]
    for slot, category in enumerate(done.setup.categories):
        masks = [oracle.mask_words(leaf, QUESTION, slot, 9, words, width) for leaf in owners_leaves(done, slot)]
        total = [sum(column) for column in zip(*masks, strict=True)]
        row = [(y + t) % modulus for y, t in zip(values[slot], total, strict=True)]
        assert rows[slot * words * width :][: words * width] == pack_rows([row], width)
        for leaf in leaves:
            mine = masks[leaf]
            if leaf == category:  # the asker has the row and all other leaves, but not this one
                others = [sum(column) for column in zip(*(m for j, m in enumerate(masks) if j != leaf), strict=True)]
                mine = [c - o for c, o in zip(row, others, strict=True)]
            expected_sums[leaf] = [(a + b) % modulus for a, b in zip(expected_sums[leaf], masks[leaf], strict=True)]
            expected_open[leaf] = [(a + b) % modulus for a, b in zip(expected_open[leaf], mine, strict=True)]
    assert unpack_sums(sums, words) == expected_sums
    assert unpack_sums(opened, words) == expected_open
    assert done.sums(QUESTION, 9, words, width) == sums


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_question_gives_the_plain_sums_over_the_askers_categories(depth: int, width: int) -> None:
    slots, words = 300, 7
    done = delivered(dealt(f"plain {depth}", random_categories("plain", slots, depth), depth))
    values = random_values("plain", slots, words, width)
    assert asked(done, values, width) == plain_totals(done.setup.categories, values, 1 << depth, width)


def test_a_cross_tab_counts_each_pair_of_the_askers_and_the_owners_categories() -> None:
    slots, theirs = 500, 5
    done = delivered(dealt("cross", random_categories("cross", slots, 4), 4))
    owned = [byte % theirs for byte in stream("owned", slots)]
    one_hot = [[int(category == word) for word in range(theirs)] for category in owned]
    table = asked(done, one_hot, 3)
    for leaf in range(16):
        for word in range(theirs):
            pairs = zip(done.setup.categories, owned, strict=True)
            assert table[leaf][word] == sum(pair == (leaf, word) for pair in pairs)


@pytest.mark.parametrize("groups", [[(1,), (2,), (15,)], [(1, 2, 3), (7,)], [tuple(range(1, 16))]])
def test_releases_for_groups_of_leaves_open_the_groups_sums_with_their_noise(groups: list[tuple[int, ...]]) -> None:
    """D_G = noise - sum of S_j; the asker adds its openings. Steps 3 and 4 of protocol section 3."""
    slots, words, width, modulus = 200, 3, 3, 2**24
    done = delivered(dealt("groups", random_categories("groups", slots, 4), 4))
    values = [[word % 100 for word in row] for row in random_values("groups", slots, words, width)]
    rows, sums = done.mask(QUESTION, 0, words, width, pack_rows(values, width))
    masks = unpack_sums(sums, words)
    opened = unpack_sums(done.open(QUESTION, 0, words, width, rows), words)
    plain = plain_totals(done.setup.categories, values, 16, width)
    for group, noise in zip(groups, (17, -3, 0), strict=False):
        for word in range(words):
            release = noise - sum(masks[leaf][word] for leaf in group)
            shown = (release + sum(opened[leaf][word] for leaf in group)) % modulus
            assert shown == (sum(plain[leaf][word] for leaf in group) + noise) % modulus


def test_bit_planes_give_the_weighted_sum_of_the_owners_values() -> None:
    """A measure of the asker goes bit by bit: a two-leaf tree per bit, D = noise - sum of 2^b S_b[1]."""
    slots, words, width, planes, noise = 150, 2, 6, 5, -77
    weights = [byte % 2**planes for byte in stream("weights", slots)]
    values = [[word % 1000 for word in row] for row in random_values("planes", slots, words, width)]
    release, shown = [noise] * words, [0] * words
    for plane in range(planes):
        set_bits = bytes(weight >> plane & 1 for weight in weights)
        done = delivered(dealt(f"plane {plane}", set_bits, 1))
        rows, sums = done.mask(QUESTION, plane, words, width, pack_rows(values, width))
        opened = done.open(QUESTION, plane, words, width, rows)
        for word in range(words):
            release[word] -= unpack_sums(sums, words)[1][word] << plane
            shown[word] += unpack_sums(opened, words)[1][word] << plane
    for word in range(words):
        expected = sum(weight * row[word] for weight, row in zip(weights, values, strict=True)) + noise
        assert (release[word] + shown[word]) % 2 ** (8 * width) == expected


def test_rows_of_all_zeros_and_of_all_ones_differ_from_each_other_by_exactly_that() -> None:
    done = delivered(dealt("uniform", random_categories("uniform", 64, 4), 4))
    masked = [unpack_words(done.mask(QUESTION, 0, 4, 3, value * (64 * 4 * 3))[0], 3) for value in (b"\x00", b"\xff")]
    assert {(one - zero) % 2**24 for zero, one in zip(*masked, strict=True)} == {2**24 - 1}


def unpack_words(rows: bytes, width: int) -> list[int]:
    return [int.from_bytes(word, "little") for word in split(rows, width)]


def test_another_question_or_plane_masks_with_unrelated_words() -> None:
    done = delivered(dealt("fresh", random_categories("fresh", 40, 4), 4))
    zeros = bytes(40 * 3 * 8)
    masked = [done.mask(q, plane, 3, 8, zeros)[0] for q, plane in [(0, 0), (1, 0), (0, 1), (2**64 - 1, 255)]]
    assert len({word for rows in masked for word in split(rows, 8)}) == 4 * 40 * 3


def test_the_masks_of_a_question_with_fewer_words_start_the_masks_of_a_longer_one() -> None:
    """This is why a question number is used once: words and width are not in the generator's block."""
    done = delivered(dealt("prefix", random_categories("prefix", 1, 4), 4))
    short, long = (done.mask(7, 0, words, 4, bytes(4 * words))[0] for words in (3, 9))
    assert long[:12] == short


def test_a_question_over_many_slots_is_the_same_in_any_number_of_pieces() -> None:
    slots = 4000
    done = delivered(dealt("pieces", random_categories("pieces", slots, 4), 4))
    values = random_values("pieces", slots, 2, 4)
    assert asked(done, values, 4) == plain_totals(done.setup.categories, values, 16, 4)


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_question_over_a_hundred_thousand_slots_gives_the_plain_sums(depth: int) -> None:
    slots, words = 100_003, 3
    done = delivered(dealt("large", random_categories("large", slots, depth), depth))
    values = random_values("large", slots, words, 4)
    assert asked(done, values, 4) == plain_totals(done.setup.categories, values, 1 << depth, 4)


def passing_deviation(slots: int, depth: int, seed: int) -> Delivered:
    """An asker that put other choices into columns of which it guessed that delta is zero there, and passed."""
    setup = dealt(f"deviates {seed}", random_categories(seed, slots, depth), depth)
    matrix = setup.matrix()
    noise = split(stream(f"errors {seed}", len(matrix)), 16)
    ignored = [bit == 0 for bit in bits(setup.delta)]
    sent = b"".join(
        xor(block, noise[place]) if ignored[place % 128] else block for place, block in enumerate(split(matrix, 16))
    )
    assert sent != matrix
    setup.check(sent, setup.answer())
    nodes, corrections = setup.corrections(sent)
    return Delivered(setup, nodes, setup.siblings(corrections))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_row_of_the_owner_moves_the_cells_of_one_leaf_by_its_change(data: st.DataObject) -> None:
    """Whatever matrix the asker sends that passes: the owner's sensitivity is the owner's own fact."""
    depth = data.draw(st.sampled_from(DEPTHS))
    width = data.draw(st.sampled_from(WIDTHS))
    words = data.draw(st.integers(1, 4))
    slots = data.draw(st.integers(1, 12))
    seed = data.draw(st.integers(0, 2**32))
    done = (
        passing_deviation(slots, depth, seed)
        if data.draw(st.booleans())
        else delivered(dealt(seed, random_categories(seed, slots, depth), depth))
    )
    before = random_values(seed, slots, words, width)
    slot = data.draw(st.integers(0, slots - 1))
    change = data.draw(st.lists(st.integers(0, 2 ** (8 * width) - 1), min_size=words, max_size=words))
    after = [list(row) for row in before]
    after[slot] = [(y + d) % 2 ** (8 * width) for y, d in zip(before[slot], change, strict=True)]
    moved = [
        [(a - b) % 2 ** (8 * width) for a, b in zip(new, old, strict=True)]
        for new, old in zip(asked(done, after, width), asked(done, before, width), strict=True)
    ]
    expected = [[0] * words for _ in range(1 << depth)]
    expected[done.setup.categories[slot]] = change
    assert moved == expected


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(1, 6), st.integers(0, 2**32), st.integers(0, 7))
def test_one_person_moves_a_measure_in_bit_planes_by_at_most_clamp_times_the_largest_weight(
    clamp: int, planes: int, seed: int, slot: int
) -> None:
    """With every bit of the weight set the bound is reached: sensitivity is clamp * (2^w - 1), not one plane's."""
    width, moved = 4, 0
    for plane in range(planes):
        done = delivered(dealt(f"{seed} {plane}", b"\x01" * 8, 1))
        values = [[0]] * 8
        with_person = [*values[:slot], [clamp], *values[slot + 1 :]]
        without, present = (asked(done, rows, width)[1][0] for rows in (values, with_person))
        moved += (present - without) << plane
    assert moved == clamp * (2**planes - 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20 * 3 * 4 * 8 - 1))
def test_a_flipped_bit_of_the_rows_moves_the_cells_of_its_slots_leaf_only(place: int) -> None:
    """The owner spoils its own answer and nothing else; the asker's node shows no difference."""
    depth, words, width = 4, 3, 4
    done = delivered(dealt("rows flip", random_categories("rows flip", 20, depth), depth))
    rows, _ = done.mask(QUESTION, 0, words, width, bytes(20 * words * width))
    flipped = bytearray(rows)
    flipped[place // 8] ^= 1 << place % 8
    opened = [unpack_sums(done.open(QUESTION, 0, words, width, each), words) for each in (rows, bytes(flipped))]
    leaf = done.setup.categories[place // (8 * words * width)]
    changed = [j for j, (old, new) in enumerate(zip(*opened, strict=True)) if old != new]
    assert changed == [leaf]


def test_neighbouring_slots_never_share_a_mask() -> None:
    done = delivered(dealt("neighbours", bytes(200), 4))
    rows, _ = done.mask(QUESTION, 0, 1, 8, bytes(200 * 8))
    assert all(left != right for left, right in pairwise(split(rows, 8)))
    assert len(set(split(rows, 8))) == 200
