"""The tree as read from a log's tiles, so that roots and proofs can be made by whoever holds only the files.

A tile holds every eighth level; the levels between are hashed again. What comes out is as good as the tiles: it is
believed only when the root that it leads to is a signed one.
"""

from collections.abc import Mapping

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import node_hash
from cleanroom.transparency.tile import TILE_HEIGHT, TILE_WIDTH, Place, decode_tile
from cleanroom.transparency.tree import root_at


class TileNodes:
    """The `Nodes` of a log of `size` entries whose files are given by name."""

    def __init__(self, size: int, files: Mapping[str, bytes]) -> None:
        self._size = size
        self._files = files
        self._read: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def node(self, level: int, index: int) -> bytes:
        """See `tree.Nodes`; raises PeerError when a tile is missing or has another length."""
        if index < 0 or (index + 1) << level > self._size:
            raise PeerError("the tree is smaller than the subtree that is asked for")
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, start = divmod(index << height, TILE_WIDTH)
        hashes = list(self._tile(tile_level, tile_index)[start : start + (1 << height)])
        while len(hashes) > 1:
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def _tile(self, level: int, index: int) -> tuple[bytes, ...]:
        if (level, index) not in self._read:
            count = (self._size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH
            place = Place(level, index, min(count, TILE_WIDTH))
            data = self._files.get(place.path)
            if data is None:
                raise PeerError(f"{place.path} is missing")
            self._read[level, index] = decode_tile(data, place.width)
        return self._read[level, index]


def root_from_tiles(size: int, files: Mapping[str, bytes]) -> bytes:
    """The root of a log of this size by its tiles alone; raises PeerError."""
    return root_at(TileNodes(size, files), size)
