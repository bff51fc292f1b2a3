"""Entries as files: each with its length before it, two bytes, big-endian (C2SP tlog-tiles, Log entries).

Entries are kept as they were received, 1 to 65,535 bytes; nothing is ever serialised again.
"""

from collections.abc import Sequence

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import MAX_ENTRY_BYTES


class BrokenBundle(PeerError):
    """After the entries `before`, the next one of a bundle cannot be read, or there is none."""

    def __init__(self, text: str, before: Sequence[bytes]) -> None:
        super().__init__(text)
        self.before = tuple(before)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bundle of up to 256 entries; raises ValueError for an entry the log could not hold."""
    if any(not 1 <= len(entry) <= MAX_ENTRY_BYTES for entry in entries):
        raise ValueError("an entry has 1 to 65,535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Exactly `width` entries and nothing after them; raises BrokenBundle."""
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if len(data) < at + 2 or len(entry) != length:
            raise BrokenBundle("a bundle ends before its last entry", entries)
        if length == 0:
            raise BrokenBundle("an entry is empty", entries)
        entries.append(entry)
        at += 2 + length
    if at != len(data):
        raise BrokenBundle("a bundle has bytes after its last entry", entries)
    return tuple(entries)
