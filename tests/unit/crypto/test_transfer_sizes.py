"""Every list of the answering half with another size than the set-up says is refused before it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cleanroom.crypto import _kernel
from tests.unit.crypto.transfer_harness import dealt, delivered, random_categories, stream

DEPTH, WORDS, WIDTH, SLOTS = 4, 3, 4, 130
SETUP = dealt("sizes", random_categories("sizes", SLOTS, DEPTH), DEPTH)
MATRIX, ANSWER = SETUP.matrix(), SETUP.answer()
NODES, CORRECTIONS = SETUP.corrections(MATRIX)
DONE = delivered(SETUP)
VALUES = bytes(SLOTS * WORDS * WIDTH)
ROWS, _ = DONE.mask(1, 0, WORDS, WIDTH, VALUES)
OFFER, SECRET = _kernel.base_ot_offer(SETUP.setup_id, SETUP.delta, stream(1, _kernel.OFFER_RANDOMNESS_BYTES))
REPLY, _ = _kernel.base_ot_reply(SETUP.setup_id, OFFER, stream(2, _kernel.REPLY_RANDOMNESS_BYTES))

SHAPE: dict[str, Any] = {"setup_id": SETUP.setup_id, "depth": DEPTH}
ASKER: dict[str, Any] = {**SHAPE, "seeds": SETUP.asker_seeds, "categories": SETUP.categories}
OWNER: dict[str, Any] = {
    **SHAPE,
    "seeds": SETUP.owner_seeds,
    "delta": SETUP.delta,
    "matrix": MATRIX,
    "slots": SLOTS,
}
QUESTION: dict[str, Any] = {**SHAPE, "question": 1, "plane": 0, "words": WORDS, "width": WIDTH}

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "base_ot_offer": (
        _kernel.base_ot_offer,
        {
            "setup_id": SETUP.setup_id,
            "delta": SETUP.delta,
            "randomness": bytes(_kernel.OFFER_RANDOMNESS_BYTES),
        },
    ),
    "base_ot_reply": (
        _kernel.base_ot_reply,
        {"setup_id": SETUP.setup_id, "offer": OFFER, "randomness": bytes(_kernel.REPLY_RANDOMNESS_BYTES)},
    ),
    "base_ot_finish": (
        _kernel.base_ot_finish,
        {"setup_id": SETUP.setup_id, "delta": SETUP.delta, "offer": OFFER, "secret": SECRET, "reply": REPLY},
    ),
    "extension_matrix": (_kernel.extension_matrix, {**ASKER, "pad": SETUP.pad}),
    "extension_answer": (
        _kernel.extension_answer,
        {**ASKER, "pad": SETUP.pad, "challenge": SETUP.challenge},
    ),
    "extension_check": (
        _kernel.extension_check,
        {**OWNER, "challenge": SETUP.challenge, "answer": ANSWER},
    ),
    "tree_corrections": (_kernel.tree_corrections, OWNER),
    "tree_siblings": (_kernel.tree_siblings, {**ASKER, "corrections": CORRECTIONS}),
    "mask_rows": (_kernel.mask_rows, {**QUESTION, "nodes": NODES, "values": VALUES}),
    "leaf_sums": (_kernel.leaf_sums, {**QUESTION, "nodes": NODES}),
    "open_rows": (
        _kernel.open_rows,
        {**QUESTION, "siblings": DONE.siblings, "categories": SETUP.categories, "rows": ROWS},
    ),
}

# Fewer categories or nodes are another, smaller set-up of their own; all else has one right size.
FREE_SIZES = {
    ("extension_matrix", "categories"),
    ("extension_answer", "categories"),
    ("leaf_sums", "nodes"),
}
LISTS = [
    (name, argument)
    for name, (_, arguments) in CALLS.items()
    for argument, value in arguments.items()
    if isinstance(value, bytes) and (name, argument) not in FREE_SIZES
]


def test_every_call_of_this_file_is_accepted_as_it_stands() -> None:
    for call, arguments in CALLS.values():
        call(**arguments)


@pytest.mark.parametrize(("name", "argument"), LISTS)
def test_a_list_that_is_empty_short_long_or_ten_times_too_long_is_refused(name: str, argument: str) -> None:
    call, arguments = CALLS[name]
    right = arguments[argument]
    for wrong in (b"", right[:1], right[:-1], right[: len(right) // 2], right + b"\x00", right * 2, right * 10):
        with pytest.raises(ValueError, match=r"^[a-zA-Z0-9 ,;:^'-]+$"):
            call(**{**arguments, argument: wrong})


@pytest.mark.parametrize("depth", [0, 2, 3, 5, 7, 9, 64, 2**40])
@pytest.mark.parametrize("name", [name for name, (_, arguments) in CALLS.items() if "depth" in arguments])
def test_a_depth_that_no_tree_has_is_refused(name: str, depth: int) -> None:
    call, arguments = CALLS[name]
    with pytest.raises(ValueError, match="depth 1, 4, 6 or 8"):
        call(**{**arguments, "depth": depth})


@pytest.mark.parametrize("slots", [0, 1, SLOTS - 3, 2**24 + 1, 2**62])
def test_a_number_of_slots_other_than_the_matrix_has_is_refused(slots: int) -> None:
    """129 to 256 slots fill the same two blocks; within them the owner's own number counts."""
    for name in ("extension_check", "tree_corrections"):
        call, arguments = CALLS[name]
        with pytest.raises(ValueError, match=r"slots|size"):
            call(**{**arguments, "slots": slots})


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("width", 0, "3, 4, 6 or 8 bytes"),
        ("width", 5, "3, 4, 6 or 8 bytes"),
        ("width", 2**60, "3, 4, 6 or 8 bytes"),
        ("words", 0, "between 1 and 4096"),
        ("words", 4097, "between 1 and 4096"),
        ("words", 2**60, "between 1 and 4096"),
    ],
)
@pytest.mark.parametrize("name", ["mask_rows", "leaf_sums", "open_rows"])
def test_a_row_shape_out_of_bounds_is_refused(name: str, field: str, value: int, sentence: str) -> None:
    call, arguments = CALLS[name]
    with pytest.raises(ValueError, match=sentence):
        call(**{**arguments, field: value})


def test_no_refusal_repeats_its_input() -> None:
    marked = b"a person's row: 4711"
    for name, argument in LISTS:
        call, arguments = CALLS[name]
        with pytest.raises(ValueError, match=r".") as refusal:
            call(**{**arguments, argument: marked})
        assert "4711" not in str(refusal.value)


def test_a_category_outside_the_tree_is_refused_when_rows_are_opened() -> None:
    call, arguments = CALLS["open_rows"]
    with pytest.raises(ValueError, match="not a leaf"):
        call(**{**arguments, "categories": b"\x10" + SETUP.categories[1:]})
