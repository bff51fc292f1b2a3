"""Turn what the kernel refuses about a peer's bytes into our own error.

The kernel raises ValueError with one of a fixed set of sentences, none of which holds input. A key or a seed
of the wrong size is a TypeError there and is not caught here: that mistake is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cleanroom.errors import PeerError


@contextmanager
def refusing_peer_input() -> Iterator[None]:
    """Raise PeerError for the kernel's ValueError, in calls where only a peer's bytes can be malformed."""
    try:
        yield
    except ValueError as refusal:
        raise PeerError(str(refusal)) from refusal
