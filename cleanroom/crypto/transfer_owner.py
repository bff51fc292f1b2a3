"""Let an asker add up our people by its categories, without either side showing a person: the owner's half.

Protocol section 3. Per slot we grow a tree whose leaves mask our values; by oblivious transfer the asker learns all
leaves but one, and we never learn which. Each of our rows enters exactly one of the asker's sums, with weight one,
whatever the asker sends: how far one person moves an answer is our own fact.

    base_ot_offer -> base_ot_finish -> extension_check -> tree_corrections -> mask_rows, once per question

Order is the protection. `extension_check` has to pass before anything that depends on delta leaves: an asker that
deviates in g columns of its matrix passes with probability 2^-g, and a failed check ends the set-up. Delta, secrets,
seeds and nodes are secrets of this node: fresh for each set-up, sealed when stored, erased with it. Anything computed
twice under one set-up, or two questions under one number, shows the asker differences of people; the caller keeps
that from happening, nothing here can.

A peer's bytes of a wrong size or form raise PeerError. This is a secret half: the coordinator must not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanroom.crypto import _kernel
from cleanroom.crypto.refusals import refusing_peer_input

if TYPE_CHECKING:
    from typing_extensions import Buffer

DELTA_BYTES = 16
OFFER_RANDOMNESS_BYTES = _kernel.OFFER_RANDOMNESS_BYTES


def base_ot_offer(setup_id: Buffer, delta: Buffer, randomness: Buffer) -> tuple[bytes, bytes]:
    """Return the offer for the asker (8192 bytes) and the secret to keep until its reply (4096 bytes).

    128 oblivious transfers in which we choose by the bits of `delta` (16 fresh random bytes); `randomness` is
    OFFER_RANDOMNESS_BYTES more. The asker learns nothing about delta. Masny and Rindal, ePrint 2019/706, on
    ristretto255. Raises ValueError for inputs of another size.
    """
    return _kernel.base_ot_offer(setup_id, delta, randomness)


def base_ot_finish(setup_id: Buffer, delta: Buffer, offer: Buffer, secret: Buffer, reply: Buffer) -> bytes:
    """Return our seeds, 2048 bytes: of each of the asker's 128 pairs the one that our bit of delta names.

    `offer` and `secret` are ours, `reply` the asker's. Raises PeerError for a reply that is not 128 canonical
    points other than the identity.
    """
    with refusing_peer_input():
        return _kernel.base_ot_finish(setup_id, delta, offer, secret, reply)


def extension_check(
    setup_id: Buffer,
    seeds: Buffer,
    delta: Buffer,
    matrix: Buffer,
    slots: int,
    depth: int,
    challenge: Buffer,
    answer: Buffer,
) -> None:
    """Raise PeerError unless the asker's matrix holds one list of choices, the same in all 128 columns.

    `challenge` are 32 random bytes drawn after the whole matrix was stored, `answer` what the asker sent for it.
    An asker whose choices differ in g columns passes with probability 2^-g; that differing columns go unnoticed
    has probability at most 8128 n / 2^128, n = ceil(slots / 128) * depth. SoftSpokenOT, ePrint 2022/192, k = 1.
    One comparison over all columns, in constant time.
    """
    with refusing_peer_input():
        _kernel.extension_check(setup_id, seeds, delta, matrix, slots, depth, challenge, answer)


def tree_corrections(
    setup_id: Buffer, seeds: Buffer, delta: Buffer, matrix: Buffer, slots: int, depth: int
) -> tuple[bytes, bytes]:
    """Return the nodes to keep (32 bytes per slot) and the corrections for the asker (32 per slot and level below).

    Only after `extension_check` has passed on this matrix, and once. Trees have 2 ** `depth` leaves, depth 1, 4, 6
    or 8; with depth 1 there are no corrections.
    """
    with refusing_peer_input():
        return _kernel.tree_corrections(setup_id, seeds, delta, matrix, slots, depth)


def mask_rows(
    setup_id: Buffer,
    nodes: Buffer,
    depth: int,
    question: int,
    plane: int,
    words: int,
    width: int,
    values: Buffer,
) -> tuple[bytes, bytes]:
    """Return our masked rows for the asker and, to keep, the sum of the masks of each leaf.

    `values` holds `words` little-endian integers of `width` bytes (3, 4, 6 or 8) for each slot, zero where we have
    nobody; the rows have the same layout and are uniform to the asker. The sums are `words` 8-byte integers for
    each leaf, for the noised release and nothing else. `question` is a 64-bit number used once in the set-up.
    Arithmetic is modulo 2 ** (8 * width). The work is the same for all values. Raises ValueError: all inputs are ours.
    """
    return _kernel.mask_rows(setup_id, nodes, depth, question, plane, words, width, values)


def leaf_sums(setup_id: Buffer, nodes: Buffer, depth: int, question: int, plane: int, words: int, width: int) -> bytes:
    """Return the sums of `mask_rows` alone, without touching values."""
    return _kernel.leaf_sums(setup_id, nodes, depth, question, plane, words, width)
