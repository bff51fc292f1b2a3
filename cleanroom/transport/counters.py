"""Numbers for the operator that only ever grow."""

import threading
from collections import Counter


class Counters:
    """Named totals; safe between threads. Names end in `_total`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """One more."""
        with self._lock:
            self._totals[name] += 1

    def total(self, name: str) -> int:
        """How many so far."""
        with self._lock:
            return self._totals[name]
