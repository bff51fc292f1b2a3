"""The OT extension is the oracle's, and a matrix that is not of one list of choices is caught.

A column that carries other choices than the rest is seen by the owner exactly when its bit of delta is one. So
an asker that deviates in g columns passes only by guessing g bits: with probability 2^-g, and once.
"""

from __future__ import annotations

import json
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto import _kernel
from tests.reference import ot_extension as oracle
from tests.reference import polyval
from tests.reference.labels import aes, xor
from tests.reference.ot_extension import bits, pack, split
from tests.unit.crypto.transfer_harness import Setup, dealt, random_categories, stream

VECTORS = Path(__file__).parents[2] / "vectors"
BLOCK = 2048

SHAPES = [(1, 1), (130, 1), (5, 4), (128, 4), (129, 4), (3, 6), (2, 8), (140, 8)]


def vectors(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text())
    return loaded


def deviating(matrix: bytes, errors: dict[int, bytes]) -> bytes:
    """The matrix with errors[j] added to the choices of column j; an error covers all blocks of the column."""
    sent = bytearray(matrix)
    for column, error in errors.items():
        for block, piece in enumerate(split(error, 16)):
            at = block * BLOCK + column * 16
            sent[at : at + 16] = xor(matrix[at : at + 16], piece)
    return bytes(sent)


def one_bit(setup: Setup, bit: int) -> bytes:
    """An error of one bit in a column."""
    blocks = oracle.block_count(setup.slots, setup.depth) + 1
    return (1 << bit).to_bytes(16 * blocks, "little")


def guessing(setup: Setup, answer: bytes, errors: dict[int, bytes], guesses: dict[int, int]) -> bytes:
    """The best answer of an asker that believes delta has these bits in the columns where it deviated."""
    parts = split(answer, 16)
    for column, guess in guesses.items():
        if guess:
            error = oracle.digest(setup.setup_id, setup.challenge, split(errors[column], 16))
            parts[1 + column] = xor(parts[1 + column], error)
    return b"".join(parts)


def test_the_oracles_aes_gives_the_published_block() -> None:
    vector = vectors("fips197_aes128.json")
    assert aes(bytes.fromhex(vector["key"]), bytes.fromhex(vector["plaintext"])).hex() == vector["ciphertext"]


def test_the_oracles_field_gives_the_published_products() -> None:
    vector = vectors("rfc8452_polyval.json")["dot"]
    a, b = (int.from_bytes(bytes.fromhex(vector[name]), "little") for name in ("a", "b"))
    assert (a ^ b).to_bytes(16, "little").hex() == vector["sum"]
    assert polyval.multiply(a, b).to_bytes(16, "little").hex() == vector["product"]
    assert polyval.dot(a, b).to_bytes(16, "little").hex() == vector["dot"]


def test_the_oracles_polyval_gives_the_published_digest() -> None:
    vector = vectors("rfc8452_polyval.json")["polyval"]
    blocks = [bytes.fromhex(block) for block in vector["blocks"]]
    assert polyval.polyval(bytes.fromhex(vector["h"]), blocks).hex() == vector["digest"]


@pytest.mark.parametrize(("slots", "depth"), SHAPES)
def test_matrix_and_answer_are_the_oracles_and_pass_both_checks(slots: int, depth: int) -> None:
    setup = dealt(slots, random_categories(slots, slots, depth), depth)
    chosen = oracle.choices(setup.categories, depth, setup.pad)
    matrix, answer = setup.matrix(), setup.answer()
    assert matrix == oracle.matrix(setup.setup_id, setup.asker_seeds, chosen)
    assert answer == oracle.answer(setup.setup_id, setup.asker_seeds, chosen, setup.challenge)
    columns = oracle.owner_columns(setup.setup_id, setup.owner_seeds, setup.delta, matrix)
    assert oracle.passes(setup.setup_id, columns, setup.delta, setup.challenge, answer)
    setup.check(matrix, answer)


@pytest.mark.slow
def test_answer_and_check_are_the_oracles_over_several_groups_of_blocks() -> None:
    depth, slots = 4, 128 * 40
    setup = dealt("groups", random_categories("groups", slots, depth), depth)
    chosen = oracle.choices(setup.categories, depth, setup.pad)
    assert setup.answer() == oracle.answer(setup.setup_id, setup.asker_seeds, chosen, setup.challenge)
    setup.check(setup.matrix(), setup.answer())


def test_the_owners_rows_differ_from_the_askers_by_delta_where_the_choice_is_one() -> None:
    setup = dealt("rows", random_categories("rows", 130, 4), 4)
    chosen = oracle.choices(setup.categories, 4, setup.pad)
    q = oracle.owner_columns(setup.setup_id, setup.owner_seeds, setup.delta, setup.matrix())
    keys = split(setup.asker_seeds, 16)
    t = [oracle.column(setup.setup_id, index, keys[2 * index], len(chosen)) for index in range(128)]
    for slot, level in product((0, 1, 127, 128, 129), range(1, 5)):
        expected = oracle.row(t, 4, slot, level)
        if setup.categories[slot] >> 4 - level & 1 == 0:  # the choice is not the bit
            expected = xor(expected, setup.delta)
        assert oracle.row(q, 4, slot, level) == expected


def test_two_set_ups_with_the_same_seeds_have_unrelated_matrices_and_answers() -> None:
    seeds, categories = stream("seeds", 4096), random_categories("same", 64, 4)
    sent = [_kernel.extension_matrix(setup_id, seeds, categories, 4, bytes(16)) for setup_id in (bytes(32), b"1" * 32)]
    assert not set(split(sent[0], 16)) & set(split(sent[1], 16))


def test_the_sacrificed_pad_changes_every_digest_that_names_choices() -> None:
    setup = dealt("pad", random_categories("pad", 50, 4), 4)
    other = _kernel.extension_answer(setup.setup_id, setup.asker_seeds, setup.categories, 4, bytes(16), setup.challenge)
    assert xor(setup.answer()[:16], other[:16]) == setup.pad
    assert setup.answer()[16:] == other[16:]


CHEATS = {
    "one bit of one column, first slot": lambda setup: {5: one_bit(setup, 0)},
    "one bit of one column, last slot": lambda setup: {127: one_bit(setup, 128 * 4 + 50)},
    "one bit of the sacrificed block": lambda setup: {77: one_bit(setup, 128 * 8)},
    "one bit of the padding": lambda setup: {0: one_bit(setup, 128 * 8 - 1)},
    "one column wholly flipped": lambda setup: {64: b"\xff" * len(one_bit(setup, 0))},
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_deviating_column_is_caught_exactly_when_its_bit_of_delta_is_one(cheat: str) -> None:
    caught = {0: 0, 1: 0}
    for trial in range(40):
        setup = dealt(f"{cheat} {trial}", random_categories(trial, 200, 4), 4)
        errors = CHEATS[cheat](setup)
        (column,) = errors
        bit = bits(setup.delta)[column]
        assert setup.passes(deviating(setup.matrix(), errors), setup.answer()) is (bit == 0)
        caught[bit] += 1
    assert min(caught.values()) > 0


def test_other_choices_in_half_of_the_columns_are_caught() -> None:
    """64 bits of delta would have to be zero: 2^-64 for each of the 20 trials."""
    for trial in range(20):
        setup = dealt(f"half {trial}", random_categories(trial, 200, 4), 4)
        other = dealt(f"half {trial}", random_categories(trial + 1000, 200, 4), 4)
        mixed = bytearray(setup.matrix())
        second = other.matrix()
        for block in range(len(mixed) // BLOCK):
            mixed[block * BLOCK : block * BLOCK + 1024] = second[block * BLOCK : block * BLOCK + 1024]
        assert not setup.passes(bytes(mixed), setup.answer())


@pytest.mark.parametrize("guessed", [1, 2, 3])
def test_a_guess_of_g_bits_passes_for_exactly_one_of_their_values(guessed: int) -> None:
    columns = (3, 60, 120)[:guessed]
    base = dealt("enumerate", random_categories("enumerate", 20, 4), 4)
    for guess in product((0, 1), repeat=guessed):
        passed = []
        for truth in product((0, 1), repeat=guessed):
            delta = bits(base.delta)
            for column, bit in zip(columns, truth, strict=True):
                delta[column] = bit
            setup = dealt("enumerate", base.categories, 4, delta=pack(delta))
            errors = {column: one_bit(setup, 5 * column) for column in columns}
            forged = guessing(setup, setup.answer(), errors, dict(zip(columns, guess, strict=True)))
            if setup.passes(deviating(setup.matrix(), errors), forged):
                passed.append(truth)
        assert passed == [guess]


def rate_of_lucky_guesses(guessed: int, trials: int) -> float:
    """How often an asker that deviates in g columns and guesses g bits passes, over fresh deltas."""
    passed = 0
    for trial in range(trials):
        setup = dealt(f"guess {guessed} {trial}", bytes([trial % 2]) * 8, 1)
        columns = [(17 * index + trial) % 128 for index in range(guessed)]
        errors = {column: one_bit(setup, index) for index, column in enumerate(columns)}
        guesses = dict(zip(columns, bits(stream(f"luck {guessed} {trial}", 2)), strict=False))
        forged = guessing(setup, setup.answer(), errors, guesses)
        passed += setup.passes(deviating(setup.matrix(), errors), forged)
    return passed / trials


@pytest.mark.parametrize("guessed", [1, 2, 4])
def test_a_selective_guess_of_g_bits_is_caught_with_probability_one_minus_two_to_the_minus_g(guessed: int) -> None:
    """Within five standard deviations: a false alarm once in 10^6; the seeds are fixed, so never by chance."""
    trials, expected = 600, 2.0**-guessed
    assert abs(rate_of_lucky_guesses(guessed, trials) - expected) < 5 * sqrt(expected * (1 - expected) / trials)


@pytest.mark.slow
@pytest.mark.parametrize("guessed", [1, 3, 6, 8])
def test_over_many_deltas_a_selective_guess_passes_at_the_stated_rate(guessed: int) -> None:
    """Within five standard deviations: a false alarm once in 10^6; the seeds are fixed, so never by chance."""
    trials, expected = 20_000, 2.0**-guessed
    assert abs(rate_of_lucky_guesses(guessed, trials) - expected) < 5 * sqrt(expected * (1 - expected) / trials)


@settings(max_examples=60)
@given(st.integers(0, 2064 * 8 - 1))
def test_any_flipped_bit_of_the_answer_is_caught(place: int) -> None:
    setup = dealt("flip", random_categories("flip", 30, 4), 4)
    answer = bytearray(setup.answer())
    answer[place // 8] ^= 1 << place % 8
    assert not setup.passes(setup.matrix(), bytes(answer))


@settings(max_examples=60)
@given(st.integers(0, 5 * BLOCK * 8 - 1))
def test_any_flipped_bit_of_the_matrix_is_caught_or_changes_nothing(place: int) -> None:
    """Where delta is zero the owner does not use the column at all."""
    setup = dealt("flip", random_categories("flip", 30, 4), 4)
    matrix = setup.matrix()
    flipped = bytearray(matrix)
    flipped[place // 8] ^= 1 << place % 8
    if setup.passes(bytes(flipped), setup.answer()):
        assert setup.corrections(bytes(flipped)) == setup.corrections(matrix)
    else:
        assert bits(setup.delta)[place // 8 % BLOCK // 16] == 1


def test_an_answer_to_another_challenge_set_up_or_matrix_fails() -> None:
    setup = dealt("right", random_categories("right", 30, 4), 4)
    matrix = setup.matrix()
    assert not setup.passes(matrix, dealt("wrong", setup.categories, 4).answer())
    other_challenge = _kernel.extension_answer(
        setup.setup_id, setup.asker_seeds, setup.categories, 4, setup.pad, bytes(32)
    )
    assert not setup.passes(matrix, other_challenge)
    other_choices = dealt("right", bytes(30), 4)
    assert not setup.passes(matrix, other_choices.answer())
    assert not setup.passes(dealt("wrong", setup.categories, 4).matrix(), setup.answer())


def test_a_category_outside_the_tree_is_refused_before_anything_is_sent() -> None:
    for depth in (1, 4, 6):
        setup = dealt("outside", bytes([0, 1 << depth]), depth)
        with pytest.raises(ValueError, match="not a leaf"):
            setup.matrix()
