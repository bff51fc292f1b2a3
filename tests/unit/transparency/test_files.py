"""Which files a log consists of, what is in them, and that the tree can be read back from them alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import PeerError
from cleanroom.transparency.bundle import BrokenBundle, decode_bundle, encode_bundle
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.export import exported, tile_bytes
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.tile import Place, decode_tile, new_places, parse_place, places
from cleanroom.transparency.tile_nodes import TileNodes, root_from_tiles
from tests.built_log import files_of, some_entries, tree_of
from tests.reference import merkle as oracle

MANY = some_entries(600)
GROWN = tree_of(MANY)


def paths(size: int) -> list[str]:
    return [place.path for place in places(size)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, []),
        (1, ["tile/entries/000.p/1", "tile/0/000.p/1"]),
        (255, ["tile/entries/000.p/255", "tile/0/000.p/255"]),
        (256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (257, ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
    ],
)
def test_the_files_of_a_size(size: int, expected: list[str]) -> None:
    assert paths(size) == expected


def test_the_specification_s_example_of_70_000_entries() -> None:
    """273 full tiles and one of 112 at level 0, one full and one of 17 at level 1, one of 1 at level 2."""
    tiles = [place for place in places(70_000) if place.level is not None]
    assert sum(place.level == 0 and place.width == 256 for place in tiles) == 273
    last = [place.path for place in tiles if place.width < 256 or place.level != 0]
    assert last == ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]


def test_the_specification_s_example_of_a_name() -> None:
    assert Place(0, 1234067, 256).path == "tile/0/x001/x234/067"
    assert parse_place("tile/0/x001/x234/067") == Place(0, 1234067, 256)


@given(st.none() | st.integers(0, 7), st.integers(0, 2**55), st.integers(1, 256))
def test_a_name_is_read_as_it_is_written(level: int | None, index: int, width: int) -> None:
    place = Place(level, index, width)
    assert parse_place(place.path) == place


WRONG_NAMES = [
    "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/001", "tile/0/001/001", "tile/0/x001", "tile/00/000",
    "tile/8/000", "tile/-1/000", "tile/entries/000.p/0", "tile/entries/000.p/256", "tile/entries/000.p/01",
    "tile/0/000.p/300", "tile/0/000.p/", "tile/0/000/", "tile/0/000\n", "tile/0/\uff10\uff100", "tile/x/000", "",
    "checkpoint", "../tile/0/000", "tile/0/../000", "tile/0/x" + "001/x" * 9 + "001/001",
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG_NAMES)
def test_a_name_has_one_spelling(path: str) -> None:
    with pytest.raises(PeerError):
        parse_place(path)


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_growing_writes_what_was_not_there_and_nothing_twice(first: int, second: int) -> None:
    old, new = sorted((first, second))
    assert {place.path for place in new_places(old, new)} == set(paths(new)) - set(paths(old))


def test_a_size_beyond_all_reason_costs_nothing_until_it_is_walked() -> None:
    assert next(places(2**63 - 1)) == Place(None, 0, 256)
    for old, new in ((0, 2**63), (-1, 0), (2, 1)):
        with pytest.raises(PeerError, match="out of range"):
            next(new_places(old, new))


@settings(max_examples=40)
@given(st.integers(0, 600))
def test_the_root_follows_from_the_tiles_alone(size: int) -> None:
    files = dict(exported(GROWN, lambda start, end: MANY[start:end], places(size)))
    tiles = {path: data for path, data in files.items() if "entries" not in path}
    assert root_from_tiles(size, tiles) == GROWN.root(size)


def test_roots_follow_from_tiles_of_three_levels() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(256 * 256 + 300)]
    tree = tree_of([])
    for leaf in leaves:
        tree.append(leaf)
    files = {place.path: tile_bytes(tree, place) for place in places(len(leaves)) if place.level is not None}
    assert "tile/2/000.p/1" in files
    nodes = TileNodes(len(leaves), files)
    assert root_from_tiles(len(leaves), files) == tree.root()
    for index in (0, 255, 256, 65_535, 65_536, len(leaves) - 1):
        assert prove_inclusion(nodes, index, len(leaves)) == prove_inclusion(tree, index, len(leaves))


def test_a_tile_holds_the_roots_of_256_entries_each() -> None:
    assert files_of(MANY[:513])["tile/1/000.p/2"] == oracle.tree_hash(MANY[:256]) + oracle.tree_hash(MANY[256:512])


@settings(max_examples=40)
@given(st.data())
def test_proofs_from_tiles_are_those_of_the_tree(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    old, index = data.draw(st.integers(0, size)), data.draw(st.integers(0, size - 1))
    nodes = TileNodes(size, dict(exported(GROWN, lambda start, end: MANY[start:end], places(size))))
    assert prove_inclusion(nodes, index, size) == prove_inclusion(GROWN, index, size)
    assert prove_consistency(nodes, old, size) == prove_consistency(GROWN, old, size)


def test_a_tile_that_is_missing_or_of_another_length_is_named() -> None:
    with pytest.raises(PeerError, match=r"tile/0/000\.p/3 is missing"):
        root_from_tiles(3, {})
    with pytest.raises(PeerError, match="96 bytes"):
        root_from_tiles(3, {"tile/0/000.p/3": bytes(95)})
    with pytest.raises(PeerError, match="96 bytes"):
        decode_tile(bytes(97), 3)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=20))
def test_a_bundle_is_read_as_it_is_written(entries: list[bytes]) -> None:
    assert list(decode_bundle(encode_bundle(entries), len(entries))) == entries


@pytest.mark.parametrize("length", [1, 65_535])
def test_entries_have_1_to_65_535_bytes(length: int) -> None:
    assert decode_bundle(encode_bundle([b"x" * length]), 1) == (b"x" * length,)


@pytest.mark.parametrize("length", [0, 65_536])
def test_no_entry_is_empty_or_longer_than_its_length_can_say(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 65,535"):
        encode_bundle([b"x" * length])


WRONG_BUNDLES = {
    "nothing": (b"", 0),
    "half a length": (b"\0\1a\0", 1),
    "half an entry": (b"\0\1a\0\2b", 1),
    "an empty entry": (b"\0\1a\0\0", 1),
    "a byte too many": (b"\0\1a\0\1b\0", 2),
    "an entry too many": (b"\0\1a\0\1b\0\1c", 2),
    "an entry too few": (b"\0\1a", 1),
}


@pytest.mark.parametrize(("data", "position"), WRONG_BUNDLES.values(), ids=WRONG_BUNDLES.keys())
def test_a_bundle_holds_exactly_its_entries(data: bytes, position: int) -> None:
    with pytest.raises(BrokenBundle) as refused:
        decode_bundle(data, 2)
    assert len(refused.value.before) == position
