"""Both doors of the transfer together: from a fresh delta to sums; damage on the way is an error or spoils them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto import transfer_asker as asker
from cleanroom.crypto import transfer_owner as owner
from cleanroom.errors import PeerError
from tests.unit.crypto.transfer_harness import pack_rows, random_categories, stream, totals

ROOT = Path(__file__).parents[3]
SLOTS, DEPTH, WORDS, WIDTH = 150, 4, 2, 3
SETUP_ID, DELTA, PAD, CHALLENGE = (stream(name, size) for name, size in (("i", 32), ("d", 16), ("p", 16), ("c", 32)))
CATEGORIES = random_categories("doors", SLOTS, DEPTH)
VALUES = [[slot % 7, slot % 11] for slot in range(SLOTS)]

Damage = Callable[[bytes], bytes]
Stages = dict[str, Damage]


def untouched(message: bytes) -> bytes:
    return message


def run(damage: Stages, slots: int = SLOTS) -> list[list[int]]:
    """The whole course of a set-up and one question; `damage` is done to a message on its way."""

    def sent(kind: str, message: bytes) -> bytes:
        return damage.get(kind, untouched)(message)

    categories, values = CATEGORIES[:slots], pack_rows(VALUES[:slots], WIDTH)
    offer, secret = owner.base_ot_offer(SETUP_ID, DELTA, stream("offer", owner.OFFER_RANDOMNESS_BYTES))
    reply, seeds = asker.base_ot_reply(SETUP_ID, sent("offer", offer), stream("reply", asker.REPLY_RANDOMNESS_BYTES))
    matrix = sent("matrix", asker.extension_matrix(SETUP_ID, seeds, categories, DEPTH, PAD))
    kept = owner.base_ot_finish(SETUP_ID, DELTA, offer, secret, sent("reply", reply))
    challenge = sent("challenge", CHALLENGE)
    answer = asker.extension_answer(SETUP_ID, seeds, categories, DEPTH, PAD, challenge)
    owner.extension_check(SETUP_ID, kept, DELTA, matrix, slots, DEPTH, CHALLENGE, sent("answer", answer))
    nodes, corrections = owner.tree_corrections(SETUP_ID, kept, DELTA, matrix, slots, DEPTH)
    siblings = asker.tree_siblings(SETUP_ID, seeds, categories, DEPTH, sent("corrections", corrections))
    rows, sums = owner.mask_rows(SETUP_ID, nodes, DEPTH, 0, 0, WORDS, WIDTH, values)
    assert owner.leaf_sums(SETUP_ID, nodes, DEPTH, 0, 0, WORDS, WIDTH) == sums
    opened = asker.open_rows(SETUP_ID, siblings, categories, DEPTH, 0, 0, WORDS, WIDTH, sent("rows", rows))
    return totals(opened, sums, WORDS, WIDTH)


@cache
def plain() -> list[list[int]]:
    sums = [[0] * WORDS for _ in range(1 << DEPTH)]
    for category, row in zip(CATEGORIES, VALUES, strict=True):
        sums[category] = [total + value for total, value in zip(sums[category], row, strict=True)]
    return sums


def flip(place: int) -> Damage:
    """Flips one bit, counted from the front and around."""

    def damage(message: bytes) -> bytes:
        at = place % (8 * len(message))
        changed = bytearray(message)
        changed[at // 8] ^= 1 << at % 8
        return bytes(changed)

    return damage


def test_from_a_fresh_delta_to_the_plain_sums() -> None:
    assert run({}) == plain()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["offer", "reply", "answer", "challenge"]), st.integers(0, 2**20))
def test_a_flipped_bit_of_offer_reply_answer_or_challenge_ends_the_set_up(kind: str, place: int) -> None:
    """An asker that saw another offer has other seeds, and its matrix then fails the check."""
    with pytest.raises(PeerError):
        run({kind: flip(place)})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**20))
def test_a_flipped_bit_of_the_matrix_ends_the_set_up_or_changes_nothing(place: int) -> None:
    try:
        sums = run({"matrix": flip(place)})
    except PeerError:
        return
    assert sums == plain()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8 * SLOTS * WORDS * WIDTH - 1))
def test_a_flipped_bit_of_the_rows_spoils_the_answer_and_is_never_refused(place: int) -> None:
    assert run({"rows": flip(place)}) != plain()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, SLOTS - 1), st.integers(2, DEPTH), st.integers(0, 1), st.integers(0, 127))
def test_a_flipped_correction_spoils_the_answer_where_the_asker_chose_it_and_is_never_refused(
    slot: int, level: int, side: int, bit: int
) -> None:
    """So an owner that saw whether its answer was wrong would learn a bit of a category: nobody may show it."""
    place = 8 * (slot * 32 * (DEPTH - 1) + (level - 2) * 32 + side * 16) + bit
    chosen = 1 - (CATEGORIES[slot] >> DEPTH - level & 1)
    assert (run({"corrections": flip(place)}) != plain()) is (side == chosen)


MESSAGES = ["offer", "reply", "matrix", "challenge", "answer", "corrections", "rows"]
RESIZED: dict[str, Damage] = {
    "empty": lambda message: b"",
    "truncated by a byte": lambda message: message[:-1],
    "half": lambda message: message[: len(message) // 2],
    "a byte too long": lambda message: message + b"\x00",
    "ten times too long": lambda message: message * 10,
}


@pytest.mark.parametrize("damage", RESIZED)
@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_of_another_size_is_the_peers_error(kind: str, damage: str) -> None:
    with pytest.raises(PeerError):
        run({kind: RESIZED[damage]})


@pytest.mark.parametrize("kind", ["offer", "reply"])
@pytest.mark.parametrize("filler", [b"\x00", b"\xff"], ids=["zeros", "ones"])
def test_points_of_all_zeros_or_ones_are_the_peers_error(kind: str, filler: bytes) -> None:
    with pytest.raises(PeerError):
        run({kind: lambda message: filler * len(message)})


@pytest.mark.parametrize("kind", ["matrix", "answer"])
def test_a_matrix_or_answer_of_zeros_fails_the_check(kind: str) -> None:
    with pytest.raises(PeerError, match="consistency check failed"):
        run({kind: lambda message: bytes(len(message))})


@pytest.mark.parametrize("kind", ["corrections", "rows"])
def test_corrections_or_rows_of_zeros_open_to_something_without_a_complaint(kind: str) -> None:
    assert len(run({kind: lambda message: bytes(len(message))})) == 16


def test_a_mistake_of_our_own_is_not_blamed_on_the_peer() -> None:
    with pytest.raises(ValueError, match="not a leaf"):
        asker.extension_matrix(SETUP_ID, bytes(4096), b"\x10", DEPTH, PAD)
    with pytest.raises(ValueError, match="16 bytes"):
        owner.base_ot_offer(SETUP_ID, DELTA[:-1], bytes(owner.OFFER_RANDOMNESS_BYTES))
    with pytest.raises(ValueError, match="not of the same slots"):
        owner.mask_rows(SETUP_ID, bytes(64), DEPTH, 0, 0, 1, 3, bytes(3))


def test_any_buffer_is_taken_where_bytes_are() -> None:
    categories = memoryview(bytearray(CATEGORIES))
    seeds = stream("seeds", 4096)
    assert asker.extension_matrix(SETUP_ID, bytearray(seeds), categories, DEPTH, PAD) == asker.extension_matrix(
        SETUP_ID, seeds, CATEGORIES, DEPTH, PAD
    )


DIGEST_OF_A_RUN = """
from tests.unit.crypto import test_transfer as t
import hashlib
seen = hashlib.sha256()
def note(message):
    seen.update(message)
    return message
t.CATEGORIES = t.random_categories("threads", 3000, t.DEPTH)
t.VALUES = [[slot % 5, slot] for slot in range(3000)]
t.run({kind: note for kind in t.MESSAGES}, slots=3000)
print(seen.hexdigest())
"""


def test_one_thread_and_five_make_the_same_bytes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_OF_A_RUN],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "RAYON_NUM_THREADS": threads},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for threads in ("1", "5")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 2 * hashlib.sha256().digest_size
