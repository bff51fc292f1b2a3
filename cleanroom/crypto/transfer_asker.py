"""Add up another company's people by our categories, without either side showing a person: the asker's half.

Protocol section 3. For each slot we learn all leaves of the owner's tree but the one of our category there. The owner
learns nothing about our categories; we learn nothing about its values until it releases a noised sum, and then only
that sum.

    base_ot_reply -> extension_matrix -> extension_answer -> tree_siblings -> open_rows, once per question

Seeds, pad, categories and siblings are secrets of this node: fresh for each set-up, sealed when stored, erased with
it. The work is the same for all categories, and nothing here checks what the owner's trees, rows or sums contain: a
refusal that depended on our categories would tell the owner about them. An owner that sends nonsense spoils the
answer to us and learns nothing.

A peer's bytes of a wrong size or form raise PeerError. This is a secret half: the coordinator must not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanroom.crypto import _kernel
from cleanroom.crypto.refusals import refusing_peer_input

if TYPE_CHECKING:
    from typing_extensions import Buffer

PAD_BYTES = 16
REPLY_RANDOMNESS_BYTES = _kernel.REPLY_RANDOMNESS_BYTES


def base_ot_reply(setup_id: Buffer, offer: Buffer, randomness: Buffer) -> tuple[bytes, bytes]:
    """Return the reply for the owner (4096 bytes) and our seeds to keep (4096 bytes, two for each of 128 transfers).

    `randomness` is REPLY_RANDOMNESS_BYTES fresh random bytes. Masny and Rindal, ePrint 2019/706, on ristretto255.
    Raises PeerError for an offer that is not 256 canonical points other than the identity.
    """
    with refusing_peer_input():
        return _kernel.base_ot_reply(setup_id, offer, randomness)


def extension_matrix(setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, pad: Buffer) -> bytes:
    """Return the matrix for the owner; it commits us to `categories`, one byte per slot, less than 2 ** `depth`.

    `pad` is 16 fresh random bytes that hide our choices in the answer to the challenge. The matrix has 16 bytes per
    slot and level, in blocks of 128 slots, and 2048 more; it is uniform to the owner. SoftSpokenOT, ePrint 2022/192,
    with k = 1. Raises ValueError for a category that is no leaf: all inputs are ours.
    """
    return _kernel.extension_matrix(setup_id, seeds, categories, depth, pad)


def extension_answer(
    setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, pad: Buffer, challenge: Buffer
) -> bytes:
    """Return the 2064 bytes that show the owner that our matrix is honest, once it has sent its challenge.

    Answer one challenge only: two answers under one pad show a linear function of our categories. Raises PeerError
    for a challenge that has not 32 bytes.
    """
    with refusing_peer_input():
        return _kernel.extension_answer(setup_id, seeds, categories, depth, pad, challenge)


def tree_siblings(setup_id: Buffer, seeds: Buffer, categories: Buffer, depth: int, corrections: Buffer) -> bytes:
    """Return what to keep of the owner's trees: the node beside our path at each level, 16 bytes per slot and level.

    Raises PeerError for corrections of another size than 32 bytes per slot and level from the second on, and for
    no other reason: their content has no check on purpose.
    """
    with refusing_peer_input():
        return _kernel.tree_siblings(setup_id, seeds, categories, depth, corrections)


def open_rows(
    setup_id: Buffer,
    siblings: Buffer,
    categories: Buffer,
    depth: int,
    question: int,
    plane: int,
    words: int,
    width: int,
    rows: Buffer,
) -> bytes:
    """Return our side of every leaf's sum: `words` 8-byte little-endian integers for each of the 2 ** `depth` leaves.

    `rows` is what the owner's `mask_rows` made, `words` integers of `width` bytes for each slot. The result is uniform
    until the owner's release is added: release + opened = sum + noise, modulo 2 ** (8 * width). Raises PeerError for
    rows of another size.
    """
    with refusing_peer_input():
        return _kernel.open_rows(setup_id, siblings, categories, depth, question, plane, words, width, rows)
