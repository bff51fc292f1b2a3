"""How fast the kernel is on one core, and how fast the log takes entries that are on disk.

Run as a program of its own with RAYON_NUM_THREADS=1, so that the kernel uses one thread; prints JSON.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cleanroom.crypto import _kernel
from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.points import IdentifierTag
from cleanroom.crypto.transfer_asker import base_ot_reply, extension_answer, extension_matrix, open_rows, tree_siblings
from cleanroom.crypto.transfer_owner import (
    base_ot_finish,
    base_ot_offer,
    extension_check,
    mask_rows,
    tree_corrections,
)
from tests.bench.log_rates import log_rates

_DEPTH, _WORDS, _WIDTH = 4, 11, 3
_BYTES = 26  # person-123456@example.org and the like


def _seconds(work: Callable[[], object]) -> float:
    """Processor seconds, the better of two runs: what else runs on the machine does not count."""
    taken = []
    for _ in range(2):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def matching_rates(points: int) -> dict[str, float]:
    """Identifiers masked, and points masked and tagged, a second."""
    key, peer = MatchKey(os.urandom(32)), MatchKey(os.urandom(32))
    data = os.urandom(_BYTES * points)
    offsets = (np.arange(points + 1, dtype="<i8") * _BYTES).tobytes()
    masked = key.mask_identifiers(IdentifierTag.PERSON, data, offsets)
    return {
        "hash_and_mask": points / _seconds(lambda: key.mask_identifiers(IdentifierTag.PERSON, data, offsets)),
        "mask_and_tag": points / _seconds(lambda: peer.mask_and_tag(b"t" * 32, masked)),
    }


def answering_rates(slots: int) -> dict[str, float]:
    """Oblivious transfers and rows a second, on either side."""
    setup, delta, pad = os.urandom(32), os.urandom(16), os.urandom(16)
    categories = (np.arange(slots) % 11).astype(np.uint8).tobytes()
    offer, secret = base_ot_offer(setup, delta, os.urandom(_kernel.OFFER_RANDOMNESS_BYTES))
    reply, asker_seeds = base_ot_reply(setup, offer, os.urandom(_kernel.REPLY_RANDOMNESS_BYTES))
    seeds = base_ot_finish(setup, delta, offer, secret, reply)
    challenge = os.urandom(32)
    matrix = extension_matrix(setup, asker_seeds, categories, _DEPTH, pad)
    answer = extension_answer(setup, asker_seeds, categories, _DEPTH, pad, challenge)
    nodes, corrections = tree_corrections(setup, seeds, delta, matrix, slots, _DEPTH)
    siblings = tree_siblings(setup, asker_seeds, categories, _DEPTH, corrections)
    values = bytes(slots * _WORDS * _WIDTH)
    rows, _ = mask_rows(setup, nodes, _DEPTH, 1, 0, _WORDS, _WIDTH, values)

    def as_asker() -> None:
        extension_matrix(setup, asker_seeds, categories, _DEPTH, pad)
        extension_answer(setup, asker_seeds, categories, _DEPTH, pad, challenge)
        tree_siblings(setup, asker_seeds, categories, _DEPTH, corrections)

    def as_owner() -> None:
        extension_check(setup, seeds, delta, matrix, slots, _DEPTH, challenge, answer)
        tree_corrections(setup, seeds, delta, matrix, slots, _DEPTH)

    def mask() -> None:
        mask_rows(setup, nodes, _DEPTH, 1, 0, _WORDS, _WIDTH, values)

    def unmask() -> None:
        open_rows(setup, siblings, categories, _DEPTH, 1, 0, _WORDS, _WIDTH, rows)

    transfers = slots * _DEPTH
    return {
        "transfers_asker": transfers / _seconds(as_asker),
        "transfers_owner": transfers / _seconds(as_owner),
        "rows_masked": slots / _seconds(mask),
        "rows_opened": slots / _seconds(unmask),
    }


def main() -> None:
    """Arguments: points and slots."""
    points, slots = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        measured = {**matching_rates(points), **answering_rates(slots), **log_rates(Path(folder))}
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main()
