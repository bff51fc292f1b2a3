"""What a cosigner asks of a log, whatever carries it, and how entries are fetched without believing the log's word.

A log that withholds entries, or hands over more than anybody should have to hold before a signed head covers it, is
refused; nothing was stored by then.
"""

from collections.abc import Iterator
from typing import Protocol

from cleanroom.errors import PeerError
from cleanroom.transparency.witness_message import WitnessAnswer
from cleanroom.wire.messages import MAX_LOG_PAGE, LogPage, Published

MAX_FETCH_BYTES = 1 << 30


class Log(Protocol):
    """A client of the log; raises PeerError and UnavailableError."""

    def read_log(self, first: int, limit: int = MAX_LOG_PAGE) -> LogPage:
        """Up to `limit` entries from `first` on."""

    def poll_checkpoint(self, held_size: int, seen: int, wait_ms: int) -> Published:
        """What is new since `seen` for one who holds so many entries, after at most `wait_ms`."""

    def submit_cosignature(self, size: int, answer: WitnessAnswer) -> None:
        """The answer to the request for the head of this size."""


def pages(log: Log, first: int, end: int) -> Iterator[list[bytes]]:
    """Entries `first` to `end` - 1 in the log's own pieces; raises PeerError when it withholds or misnumbers them."""
    while first < end:
        page = log.read_log(first, min(MAX_LOG_PAGE, end - first)).entries
        if not page:
            raise PeerError(f"the log withholds entry {first} of the {end} that its head covers")
        if len(page) > end - first or any(entry.index != first + at for at, entry in enumerate(page)):
            raise PeerError(f"the log hands over other entries than those from {first} on")
        yield [entry.statement for entry in page]
        first += len(page)


def fetch(log: Log, first: int, end: int) -> list[bytes]:
    """All of them at once; raises PeerError for more than 1 GiB."""
    entries: list[bytes] = []
    size = 0
    for page in pages(log, first, end):
        size += sum(map(len, page))
        if size > MAX_FETCH_BYTES:
            raise PeerError("the log hands over more than 1 GiB before the next head that it signed")
        entries += page
    return entries
