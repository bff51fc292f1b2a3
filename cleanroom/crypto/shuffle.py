"""Put a list into a random order before it leaves the node.

Protocol section 2, step 2: fresh for every match and after padding, so that a position says nothing about a
row and dummies do not stand at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanroom.crypto import _kernel

if TYPE_CHECKING:
    from typing_extensions import Buffer


def permutation(count: int, *, seed: Buffer) -> bytes:
    """Return a uniform permutation of 0 .. count - 1 as little-endian 32-bit numbers, 4 * count bytes.

    Place i of the shuffled list holds entry permutation[i] of the list. `seed` is 32 random bytes, used once
    and then forgotten: with it the order can be undone. Fisher and Yates' shuffle with unbiased numbers; the
    seed's expansion is written down in the kernel's `expander.rs`. Raises OverflowError for a count of 2^32
    or more.
    """
    return _kernel.permutation(count, seed)
