"""How long this node's work takes and how much it sends, as lines of its own log: for its operator and nobody else.

    work mask took 5120 ms
    sealed match.points in 7 pieces of 6728512 bytes

Names of steps, times and lengths; never an identifier, a value or a count of people. `scripts/bench` reads these lines.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger("cleanroom.node")


@contextmanager
def timed(work: str) -> Iterator[None]:
    """Log how long the block took, once it has succeeded."""
    started = time.monotonic()
    yield
    _LOG.info("work %s took %.0f ms", work, 1000 * (time.monotonic() - started))


def sealed(kind: str, pieces: int, size: int) -> None:
    """Log what goes into the outbox: all pieces of one message together, `size` in bytes."""
    _LOG.info("sealed %s in %d pieces of %d bytes", kind, pieces, size)
