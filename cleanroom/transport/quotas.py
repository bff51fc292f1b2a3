"""How many calls one caller may have running at once, so that nobody can fill the coordinator for the others.

Ordinary calls, polls of the mailbox and polls of the log are counted apart: a node waits for both at once. A poll that
arrives while another of the same kind and caller waits takes over, and the older one ends: after a broken connection a
node must not wait for its own ghost.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from cleanroom.transport.access import Lane
from cleanroom.transport.reasons import CallRefused, Reason

ORDINARY_CALLS = 3
LEAVING_POLLS = 3
_PLACES: Mapping[Lane, int] = MappingProxyType(
    {"ordinary": ORDINARY_CALLS, "poll": 1 + LEAVING_POLLS, "checkpoint": 1 + LEAVING_POLLS}
)


def workers(parties: int, auditors: int = 0) -> int:
    """Server threads, and the cap on calls of everybody together: three ordinary calls of each, a party's two polls,
    an auditor's one, and 16 to say no with."""
    return (ORDINARY_CALLS + 2) * parties + (ORDINARY_CALLS + 1) * auditors + 16


class Quotas:
    """Counts of running calls by lane and caller; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Counter[tuple[Lane, str]] = Counter()

    @contextmanager
    def place(self, lane: Lane, caller: str) -> Iterator[None]:
        """Hold one of the caller's places in a lane; raises CallRefused(BUSY).

        In the lane of a poll that is one that waits and a few that are on their way out.
        """
        key = (lane, caller)
        with self._lock:
            if self._running[key] >= _PLACES[lane]:
                raise CallRefused(Reason.BUSY, "a caller has too many calls running")
            self._running[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[key] -= 1
                if not self._running[key]:
                    del self._running[key]
