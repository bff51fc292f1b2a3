"""The log as files: what its folder holds at one size, made from the tree and the entries.

The writer stores every file of `exported` durably, and the checkpoint last: who finds a checkpoint finds all it needs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from cleanroom.transparency.bundle import encode_bundle
from cleanroom.transparency.tile import TILE_HEIGHT, TILE_WIDTH, Place
from cleanroom.transparency.tree import Nodes

CHECKPOINT_PATH = "checkpoint"


def tile_bytes(nodes: Nodes, place: Place) -> bytes:
    """A tile of hashes."""
    if place.level is None:
        raise ValueError("a bundle is made of entries, not of hashes")
    start = place.index * TILE_WIDTH
    return b"".join(nodes.node(TILE_HEIGHT * place.level, start + at) for at in range(place.width))


def exported(
    nodes: Nodes, entries: Callable[[int, int], Sequence[bytes]], places: Iterable[Place]
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each of these files; `entries(start, end)` reads entries start to end - 1."""
    for place in places:
        if place.level is None:
            yield place.path, encode_bundle(entries(place.first, place.first + place.width))
        else:
            yield place.path, tile_bytes(nodes, place)
