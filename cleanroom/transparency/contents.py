"""Whether a folder's files are what a checkpoint says: everything is computed again from the entries.

Entries that lead to the signed root are the signed ones. Then every tile must be what these entries make it, those of
smaller sizes too. Otherwise the tiles' own hashes tell which entry was changed: the first that differs from its hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.bundle import BrokenBundle, decode_bundle
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.export import CHECKPOINT_PATH, exported
from cleanroom.transparency.hashes import HASH_BYTES, leaf_hash
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.tile import TILE_HEIGHT, Place, parse_place, places
from cleanroom.transparency.tree import Tree


@dataclass(frozen=True, slots=True)
class Contents:
    """Entries under the signed root, their tree, and the names of files that say nothing about this checkpoint."""

    entries: tuple[bytes, ...]
    tree: Tree
    unused: tuple[str, ...]


def check_contents(files: Mapping[str, bytes], checkpoint: Checkpoint) -> Contents:
    """What the files hold; raises AuditFailure naming the first wrong file and entry."""
    entries = _read_entries(files, checkpoint.size)
    tree = Tree(leaf_hash(entry) for entry in entries)
    if tree.root() != checkpoint.root:
        raise _wrong_root(files, checkpoint, tree)
    for place in places(checkpoint.size):
        _needed(files, place)
    within, unused = _sort_names(files, checkpoint.size)
    for path, right in exported(tree, lambda start, end: entries[start:end], within):
        if files[path] != right:
            place = parse_place(path)
            text, index = "the file is not what the log's entries make it", first_wrong(place, files[path], right)
            raise AuditFailure(Outcome.INVALID, text, path=path, index=index)
    return Contents(entries, tree, unused)


def _needed(files: Mapping[str, bytes], place: Place) -> bytes:
    data = files.get(place.path)
    if data is None:
        raise AuditFailure(Outcome.INVALID, "the file is missing", path=place.path, index=place.first)
    return data


def _read_entries(files: Mapping[str, bytes], size: int) -> tuple[bytes, ...]:
    entries: list[bytes] = []
    for place in places(size):
        if place.level is None:
            try:
                entries += decode_bundle(_needed(files, place), place.width)
            except BrokenBundle as error:
                at = place.first + _first_unlike(files, place, error.before)
                raise AuditFailure(Outcome.INVALID, str(error), path=place.path, index=at) from error
    return tuple(entries)


def _first_unlike(files: Mapping[str, bytes], bundle: Place, entries: Sequence[bytes]) -> int:
    """The position of the first entry that is not what the leaf tile holds: a changed length shows only further on."""
    hashes = files.get(Place(0, bundle.index, bundle.width).path, b"")
    for position, entry in enumerate(entries):
        if hashes[position * HASH_BYTES : (position + 1) * HASH_BYTES] not in (b"", leaf_hash(entry)):
            return position
    return min(len(entries), bundle.width - 1)


def _sort_names(files: Mapping[str, bytes], size: int) -> tuple[list[Place], tuple[str, ...]]:
    """Files that belong to a log of up to this size, and the names of all others."""
    within: list[Place] = []
    unused: list[str] = []
    for path in sorted(set(files) - {CHECKPOINT_PATH}):
        try:
            place = parse_place(path)
        except PeerError:
            unused.append(path)
            continue
        if place.is_within(size):
            within.append(place)
        else:
            unused.append(path)
    return within, tuple(unused)


def first_wrong(place: Place, data: bytes, right: bytes) -> int:
    """The first entry, or the first under the first hash, in which a file differs from what it should be."""
    pairs = zip(data, right, strict=False)
    at = next((at for at, (left, wanted) in enumerate(pairs) if left != wanted), min(len(data), len(right)))
    if place.level is not None:
        return place.first + (min(at // HASH_BYTES, place.width - 1) << (TILE_HEIGHT * place.level))
    *ahead, _ = decode_bundle(right, place.width)
    position = 0
    while position < len(ahead) and at >= 2 + len(ahead[position]):
        at -= 2 + len(ahead[position])
        position += 1
    return place.first + position


def _wrong_root(files: Mapping[str, bytes], checkpoint: Checkpoint, tree: Tree) -> AuditFailure:
    """The entries lead elsewhere: to which of them is the log's own leaf tile opposed?"""
    for bundle in places(checkpoint.size):
        if bundle.level is not None:
            break
        tile = Place(0, bundle.index, bundle.width)
        data = _needed(files, tile)
        for position in range(bundle.width):
            index = bundle.first + position
            if data[position * HASH_BYTES : (position + 1) * HASH_BYTES] != tree.node(0, index):
                text = (
                    f"the entry is not the one whose hash {tile.path} holds, nor do the entries lead to the signed root"
                )
                return AuditFailure(Outcome.INVALID, text, path=bundle.path, index=index)
    text = (
        f"the signed root is not the root of these {checkpoint.size} entries, though their leaf tiles agree with them"
    )
    return AuditFailure(Outcome.INVALID, text, path=CHECKPOINT_PATH)
