"""Runs a whole set-up through the kernel with reproducible randomness, both sides in one process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cleanroom.crypto import _kernel
from tests.reference.ot_extension import bits, split


def stream(seed: int | str, size: int) -> bytes:
    """Reproducible bytes that look random."""
    return hashlib.shake_256(str(seed).encode()).digest(size)


def random_categories(seed: int | str, slots: int, depth: int) -> bytes:
    """One category for each slot."""
    return bytes(byte & (1 << depth) - 1 for byte in stream(f"categories {seed}", slots))


@dataclass(frozen=True, slots=True)
class Setup:
    """What both sides hold after the base OTs, and the asker's categories."""

    setup_id: bytes
    delta: bytes
    pad: bytes
    challenge: bytes
    asker_seeds: bytes
    owner_seeds: bytes
    categories: bytes
    depth: int

    @property
    def slots(self) -> int:
        return len(self.categories)

    def matrix(self) -> bytes:
        return _kernel.extension_matrix(self.setup_id, self.asker_seeds, self.categories, self.depth, self.pad)

    def answer(self) -> bytes:
        return _kernel.extension_answer(
            self.setup_id, self.asker_seeds, self.categories, self.depth, self.pad, self.challenge
        )

    def check(self, matrix: bytes, answer: bytes) -> None:
        _kernel.extension_check(
            self.setup_id,
            self.owner_seeds,
            self.delta,
            matrix,
            self.slots,
            self.depth,
            self.challenge,
            answer,
        )

    def passes(self, matrix: bytes, answer: bytes) -> bool:
        try:
            self.check(matrix, answer)
        except ValueError as refusal:
            if not str(refusal).startswith("consistency check failed"):
                raise
            return False
        return True

    def corrections(self, matrix: bytes) -> tuple[bytes, bytes]:
        return _kernel.tree_corrections(self.setup_id, self.owner_seeds, self.delta, matrix, self.slots, self.depth)

    def siblings(self, corrections: bytes) -> bytes:
        return _kernel.tree_siblings(self.setup_id, self.asker_seeds, self.categories, self.depth, corrections)


def dealt(seed: int | str, categories: bytes, depth: int, delta: bytes | None = None) -> Setup:
    """A set-up whose base-OT seeds are dealt instead of transferred: the extension does not see a difference."""
    delta = stream(f"delta {seed}", 16) if delta is None else delta
    pairs = split(stream(f"seeds {seed}", 4096), 16)
    return Setup(
        setup_id=stream(f"id {seed}", 32),
        delta=delta,
        pad=stream(f"pad {seed}", 16),
        challenge=stream(f"challenge {seed}", 32),
        asker_seeds=b"".join(pairs),
        owner_seeds=b"".join(pairs[2 * index + bit] for index, bit in enumerate(bits(delta))),
        categories=categories,
        depth=depth,
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """A set-up after the trees were delivered."""

    setup: Setup
    nodes: bytes
    siblings: bytes

    def mask(self, question: int, plane: int, words: int, width: int, values: bytes) -> tuple[bytes, bytes]:
        return _kernel.mask_rows(
            self.setup.setup_id, self.nodes, self.setup.depth, question, plane, words, width, values
        )

    def sums(self, question: int, plane: int, words: int, width: int) -> bytes:
        return _kernel.leaf_sums(self.setup.setup_id, self.nodes, self.setup.depth, question, plane, words, width)

    def open(self, question: int, plane: int, words: int, width: int, rows: bytes) -> bytes:
        setup = self.setup
        return _kernel.open_rows(
            setup.setup_id,
            self.siblings,
            setup.categories,
            setup.depth,
            question,
            plane,
            words,
            width,
            rows,
        )


def delivered(setup: Setup) -> Delivered:
    """The honest course of events after the base OTs."""
    matrix = setup.matrix()
    setup.check(matrix, setup.answer())
    nodes, corrections = setup.corrections(matrix)
    return Delivered(setup, nodes, setup.siblings(corrections))


def pack_rows(rows: list[list[int]], width: int) -> bytes:
    """The owner's values as the kernel takes them."""
    return b"".join((word % 2 ** (8 * width)).to_bytes(width, "little") for row in rows for word in row)


def unpack_sums(sums: bytes, words: int) -> list[list[int]]:
    """Sums or openings, one list for each leaf."""
    numbers = [int.from_bytes(each, "little") for each in split(sums, 8)]
    return [numbers[start : start + words] for start in range(0, len(numbers), words)]


def totals(opened: bytes, sums: bytes, words: int, width: int) -> list[list[int]]:
    """What a release without noise would show for each leaf."""
    pairs = zip(unpack_sums(opened, words), unpack_sums(sums, words), strict=True)
    return [[(o - s) % 2 ** (8 * width) for o, s in zip(left, right, strict=True)] for left, right in pairs]
