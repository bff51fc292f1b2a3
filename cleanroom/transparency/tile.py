"""Which files a log of a given size consists of, and what their names mean (C2SP tlog-tiles).

    tile/<level>/<N>[.p/<width>]      up to 256 hashes; at level l each stands for 256**l entries
    tile/entries/<N>[.p/<width>]      up to 256 entries
    <N>   groups of three digits, all but the last with an x before it: 1234067 is x001/x234/067

A full tile has no width in its name. The partial tile of level l at size s has floor(s / 256**l) mod 256 hashes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import HASH_BYTES
from cleanroom.transparency.spelling import MAX_NUMBER

TILE_WIDTH = 256
TILE_HEIGHT = 8
TOP_LEVEL = 7  # 256**8 entries are more than a size can count
_PATH = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """One file: `level` None for a bundle of entries, `width` 1 to 256 hashes or entries."""

    level: int | None
    index: int
    width: int

    def __post_init__(self) -> None:
        if not 1 <= self.width <= TILE_WIDTH or self.index < 0:
            raise PeerError("a tile's width is 1 to 256")

    @property
    def first(self) -> int:
        """The first entry that stands under it."""
        return self.index * TILE_WIDTH << (TILE_HEIGHT * (self.level or 0))

    @property
    def path(self) -> str:
        """The file's name below the log's folder."""
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
        folder = "entries" if self.level is None else str(self.level)
        return f"tile/{folder}/{number}" + (f".p/{self.width}" if self.width < TILE_WIDTH else "")

    def is_within(self, size: int) -> bool:
        """Whether a log of this size has everything that belongs into the file."""
        return self.index * TILE_WIDTH + self.width <= size >> (TILE_HEIGHT * (self.level or 0))


def parse_place(path: str) -> Place:
    """The place that a file's name says, in its one spelling; raises PeerError."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise PeerError("a file is not named like a tile")
    level, number, width = found.groups()
    index = int(number.replace("x", "").replace("/", ""))
    place = Place(None if level == "entries" else int(level), index, TILE_WIDTH if width is None else int(width))
    if place.path != path:
        raise PeerError("a tile's name is not in its one spelling")
    return place


def new_places(old_size: int, size: int) -> Iterator[Place]:
    """What a log that grew from one size to another has to write: bundles first, then tiles from the leaves upwards.

    One after another, so that a signed size beyond all reason costs a reader no memory.
    """
    if not 0 <= old_size <= size <= MAX_NUMBER:
        raise PeerError("a log's size is out of range")
    for level in (None, *range(TOP_LEVEL + 1)):
        shift = TILE_HEIGHT * (level or 0)
        count = size >> shift
        for index in range((old_size >> shift) // TILE_WIDTH, count // TILE_WIDTH):
            yield Place(level, index, TILE_WIDTH)
        if count % TILE_WIDTH and count != old_size >> shift:
            yield Place(level, count // TILE_WIDTH, count % TILE_WIDTH)


def partial_places(size: int) -> Iterator[Place]:
    """The files of a log of this size that are not full; at most one of each level."""
    for level in (None, *range(TOP_LEVEL + 1)):
        index, width = divmod(size >> (TILE_HEIGHT * (level or 0)), TILE_WIDTH)
        if width:
            yield Place(level, index, width)


def places(size: int) -> Iterator[Place]:
    """Every file of a log of this size beside its checkpoint."""
    return new_places(0, size)


def decode_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile of this width; raises PeerError."""
    if len(data) != width * HASH_BYTES:
        raise PeerError(f"a tile of {width} hashes has {width * HASH_BYTES} bytes, this one has {len(data)}")
    return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))
