"""How many calls one party may have running at once, so that no party can fill the coordinator for the others.

Ordinary calls and long polls are counted apart. A poll that arrives while another of the same party waits takes over,
and the older one ends: after a broken connection a node must not wait for its own ghost.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cleanroom.transport.reasons import CallRefused, Reason

ORDINARY_CALLS = 3
LEAVING_POLLS = 3


def workers(parties: int) -> int:
    """Server threads, and the cap on calls of everybody together: each party's own four, and 16 to say no with."""
    return 4 * parties + 16


class Quotas:
    """Counts of running calls per party; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordinary: Counter[str] = Counter()
        self._polls: Counter[str] = Counter()

    @contextmanager
    def ordinary(self, party: str) -> Iterator[None]:
        """Hold one of the party's ordinary places; raises CallRefused(BUSY)."""
        with self._held(self._ordinary, party, ORDINARY_CALLS):
            yield

    @contextmanager
    def poll(self, party: str) -> Iterator[None]:
        """Hold one of the party's poll places: one that waits and a few that are on their way out."""
        with self._held(self._polls, party, 1 + LEAVING_POLLS):
            yield

    @contextmanager
    def _held(self, counts: Counter[str], party: str, limit: int) -> Iterator[None]:
        with self._lock:
            if counts[party] >= limit:
                raise CallRefused(Reason.BUSY, "a party has too many calls running")
            counts[party] += 1
        try:
            yield
        finally:
            with self._lock:
                counts[party] -= 1
                if not counts[party]:
                    del counts[party]
