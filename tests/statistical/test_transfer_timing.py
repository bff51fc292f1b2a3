"""The time of the transfer's work says nothing about categories or values.

Found here once: the compiler had turned the masks that choose a slot's nodes into branches, and scattered categories
took a fifth longer to deliver than equal ones, because a processor guesses branches.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# One thread, inputs by turns in changing order, the least of many runs: other processes only add to a run, so the
# least times come together on a busy machine too, only later; a difference in the work itself stays.
MEASUREMENT = """
import hashlib, json, time
from cleanroom.crypto import _kernel as k

def stream(name, size):
    return hashlib.shake_256(name.encode()).digest(size)

slots, depth, identifier = 1 << 13, 4, bytes(32)
seeds, pad = stream("seeds", 4096), stream("pad", 16)
corrections, siblings, rows = stream("e", slots * 96), stream("s", slots * 64), stream("c", slots * 33)
nodes = stream("n", slots * 32)
categories = {
    "all the first": bytes(slots),
    "all the last": b"\\x0f" * slots,
    "scattered": bytes(byte & 15 for byte in stream("categories", slots)),
}
values = {"zeros": bytes(slots * 33), "ones": b"\\xff" * slots * 33, "scattered": stream("y", slots * 33)}
work = {
    "matrix": (categories, lambda c: k.extension_matrix(identifier, seeds, c, depth, pad)),
    "siblings": (categories, lambda c: k.tree_siblings(identifier, seeds, c, depth, corrections)),
    "open": (categories, lambda c: k.open_rows(identifier, siblings, c, depth, 1, 0, 11, 3, rows)),
    "mask": (values, lambda y: k.mask_rows(identifier, nodes, depth, 1, 0, 11, 3, y)),
}
least = {name: dict.fromkeys(inputs, 1e9) for name, (inputs, _) in work.items()}
def spread():
    return {name: max(times.values()) / min(times.values()) for name, times in least.items()}

for turn in range(1500):
    if turn >= 60 and max(spread().values()) < 1.05:
        break
    for name, (inputs, call) in work.items():
        order = list(inputs.items())
        for kind, secret in order[turn % 3 :] + order[: turn % 3]:
            start = time.process_time()
            call(secret)
            least[name][kind] = min(least[name][kind], time.process_time() - start)
print(json.dumps(spread()))
"""


@pytest.mark.slow
def test_equal_and_scattered_secrets_take_the_same_time() -> None:
    """Within 8 %; the branch made 20 %, however often it was measured."""
    measured = subprocess.run(
        [sys.executable, "-c", MEASUREMENT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAYON_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    spread: dict[str, float] = json.loads(measured.stdout)
    assert max(spread.values()) < 1.08, spread
