"""The room's rules as a cosigner asks them: the next entries, after exactly those that the mirror holds.

The rules fold entries in order. Entries that were checked and then not stored, because the disk was full or the
process ended, make the fold run ahead of the mirror; it then begins anew from what is held.
"""

from collections.abc import Callable, Sequence

from cleanroom.cosigner.mirror import Mirror
from cleanroom.errors import PeerError
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.wire.messages import MAX_LOG_PAGE


class RoomCheck:
    """`begin` makes rules that have seen nothing yet. For one thread."""

    def __init__(self, mirror: Mirror, begin: Callable[[], RoomRules]) -> None:
        self._mirror = mirror
        self._begin = begin
        self._rules = begin()

    def __call__(self, first: int, entries: Sequence[bytes]) -> None:
        """Raises PeerError naming the first entry that breaks a rule, and the rule."""
        if self._rules.size != first:
            self._rules = self._begin()
            while self._rules.size < first:
                held = self._mirror.entries(self._rules.size, min(MAX_LOG_PAGE, first - self._rules.size))
                self._take(held)
                if not held:
                    raise ValueError("entries are checked that do not follow those that are held")
        self._take(entries)

    def _take(self, entries: Sequence[bytes]) -> None:
        for entry in entries:
            try:
                self._rules.take(entry)
            except PeerError as error:
                raise PeerError(f"entry {self._rules.size}: {error}") from error
