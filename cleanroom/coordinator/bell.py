"""Waking the polls that wait: at once when something arrives, and when a newer poll or the end of the process comes."""

import threading
from collections import Counter

from cleanroom.ids import PartyName


class Bell:
    """A count of rings per party that polls wait on; safe between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings: Counter[PartyName] = Counter()
        self._newest: Counter[PartyName] = Counter()
        self._stopped = False

    def ring(self, party: PartyName) -> None:
        """Something new is in the party's mailbox; called after the commit."""
        with self._changed:
            self._rings[party] += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Nothing is waited for any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether the process is ending."""
        return self._stopped

    def take_over(self, party: PartyName) -> int:
        """A ticket for a new poll; every older ticket of the party is void from now on."""
        with self._changed:
            self._newest[party] += 1
            self._changed.notify_all()
            return self._newest[party]

    def is_newest(self, party: PartyName, ticket: int) -> bool:
        """Whether no newer poll of the party has come."""
        with self._changed:
            return self._newest[party] == ticket

    def rings(self, party: PartyName) -> int:
        """How often the bell rang; read before looking into the mailbox, so that no ring is missed."""
        with self._changed:
            return self._rings[party]

    def wait(self, party: PartyName, ticket: int, heard: int, timeout_s: float) -> None:
        """Until the bell rings again after `heard`, the ticket is void, the process ends, or time is up."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._rings[party] != heard or self._newest[party] != ticket or self._stopped,
                timeout=timeout_s,
            )
