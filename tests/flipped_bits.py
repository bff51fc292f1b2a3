"""One bit of a log's folder changed, and where a verifier must say that it is wrong."""

from collections.abc import Iterator, Mapping

from cleanroom.transparency.tile import parse_place


def flipped(files: Mapping[str, bytes], path: str, bit: int) -> dict[str, bytes]:
    """The same files, but for this bit."""
    data = bytearray(files[path])
    data[bit // 8] ^= 1 << bit % 8
    return {**files, path: bytes(data)}


def pieces(path: str, data: bytes) -> Iterator[tuple[int, int, int]]:
    """Of each hash of a tile or entry of a bundle: the first entry that it is about, where it starts and ends."""
    place, at = parse_place(path), 0
    for position in range(place.width):
        length = 32 if place.level is not None else 2 + int.from_bytes(data[at : at + 2], "big")
        yield place.first + (position << 8 * (place.level or 0)), at, at + length
        at += length


def entry_at(path: str, data: bytes, byte: int) -> int:
    """The index of the first entry that this byte of a tile or bundle is about, the lengths of entries included."""
    return next(index for index, _, end in pieces(path, data) if byte < end)
