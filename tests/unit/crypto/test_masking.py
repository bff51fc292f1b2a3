"""Both masks commute, match the oracle, and say no more than they must."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto import _kernel
from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.points import IdentifierTag, check_points
from cleanroom.errors import PeerError, StateError
from tests.reference import curve25519 as curve
from tests.reference import matching as oracle
from tests.reference.hash_to_curve import hash_to_u
from tests.reference.matching import large_binary, split
from tests.reference.placement import tag

VECTOR_FILE = Path(__file__).parents[2] / "vectors" / "rfc7748_x25519.json"
LADDER: dict[str, Any] = json.loads(VECTOR_FILE.read_text())
SECRET_A, SECRET_B, TAG_KEY = bytes(range(32)), bytes(range(100, 132)), b"k" * 32

secrets = st.binary(min_size=32, max_size=32)


def named(vector: dict[str, str]) -> str:
    return vector["name"]


@pytest.mark.parametrize("vector", LADDER["vectors"], ids=named)
def test_a_second_mask_is_the_published_ladder(vector: dict[str, str]) -> None:
    scalar, u, result = (bytes.fromhex(vector[part]) for part in ("scalar", "u", "result"))
    assert curve.x25519(scalar, u) == result
    assert MatchKey(scalar).mask_and_tag(TAG_KEY, u) == tag(TAG_KEY, result)


@pytest.mark.parametrize("vector", LADDER["on_the_twist"], ids=named)
def test_the_published_vector_on_the_twist_is_a_ladder_but_no_peer_point(vector: dict[str, str]) -> None:
    scalar, u, result = (bytes.fromhex(vector[part]) for part in ("scalar", "u", "result"))
    assert curve.x25519(scalar, u) == result
    without_high_bit = u[:31] + bytes([u[31] & 0x7F])
    assert curve.refusal(without_high_bit) == "twist"
    with pytest.raises(PeerError, match="not on the curve"):
        MatchKey(scalar).mask_and_tag(TAG_KEY, without_high_bit)


@settings(max_examples=25)
@given(secrets, st.sampled_from(IdentifierTag), st.lists(st.binary(max_size=80), max_size=3))
def test_a_first_mask_is_the_oracles(secret: bytes, kind: IdentifierTag, identifiers: list[bytes]) -> None:
    masked = MatchKey(secret).mask_identifiers(kind, *large_binary(identifiers))
    assert split(masked, 32) == [oracle.mask_identifier(secret, kind, each) for each in identifiers]


@settings(max_examples=25)
@given(secrets, secrets, st.sets(st.integers(0, 2**64), min_size=1, max_size=3))
def test_tags_are_the_oracles(secret: bytes, tag_key: bytes, seeds: set[int]) -> None:
    points = [hash_to_u(b"%d" % seed, oracle.DST) for seed in seeds]
    tags = MatchKey(secret).mask_and_tag(tag_key, b"".join(points))
    assert split(tags, 16) == oracle.mask_and_tag(secret, tag_key, points)


@settings(max_examples=25)
@given(secrets, st.integers(1, 2**64))
def test_a_point_with_a_torsion_part_is_masked_as_the_ladder_masks_it(secret: bytes, factor: int) -> None:
    base = curve.multiply(factor, (9, curve.square_root(curve.curve_right_side(9))))
    mixed = curve.add(base, (0, 0))
    assert mixed is not None
    u = mixed[0].to_bytes(32, "little")
    assert MatchKey(secret).mask_and_tag(TAG_KEY, u) == tag(TAG_KEY, curve.x25519(secret, u))


@given(secrets, secrets, secrets)
def test_the_two_masks_commute(secret_a: bytes, secret_b: bytes, tag_key: bytes) -> None:
    key_a, key_b = MatchKey(secret_a), MatchKey(secret_b)
    people = large_binary([b"ada@example.com", b"bo@example.com"])
    from_a = key_a.mask_identifiers(IdentifierTag.PERSON, *people)
    from_b = key_b.mask_identifiers(IdentifierTag.PERSON, *people)
    assert key_b.mask_and_tag(tag_key, from_a) == key_a.mask_and_tag(tag_key, from_b)


def test_the_same_bytes_under_different_identifier_tags_never_meet() -> None:
    key = MatchKey(SECRET_A)
    identifier = large_binary([b"ada@example.com"])
    points = [key.mask_identifiers(kind, *identifier) for kind in IdentifierTag]
    assert len(set(points)) == len(IdentifierTag)


def test_two_points_that_become_one_under_the_mask_are_refused() -> None:
    """A peer could otherwise put one person into its list up to eight times."""
    point = curve.multiply(8, (9, curve.square_root(curve.curve_right_side(9))))
    sibling = curve.add(point, (0, 0))
    assert point is not None
    assert sibling is not None
    pair = point[0].to_bytes(32, "little") + sibling[0].to_bytes(32, "little")
    check_points(pair)
    with pytest.raises(PeerError, match="two points are one point under the mask"):
        MatchKey(SECRET_A).mask_and_tag(TAG_KEY, pair)


def test_a_key_shows_itself_to_nobody() -> None:
    key = MatchKey(SECRET_A)
    assert repr(key) == str(key) == "MatchKey(<secret>)"
    assert "__eq__" not in vars(MatchKey)
    assert key != MatchKey(SECRET_A)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_an_erased_key_masks_nothing_more() -> None:
    key = MatchKey(SECRET_A)
    key.erase()
    with pytest.raises(StateError):
        key.mask_identifiers(IdentifierTag.PERSON, *large_binary([b"ada@example.com"]))
    with pytest.raises(StateError):
        key.mask_and_tag(TAG_KEY, b"")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_the_wrong_size_is_our_own_mistake_and_never_the_peers(length: int) -> None:
    wrong = bytes(length)
    with pytest.raises(ValueError, match="32 random bytes"):
        MatchKey(wrong)
    with pytest.raises(TypeError, match="exactly 32 bytes"):
        _kernel.hash_and_mask(wrong, 0, *large_binary([]))
    with pytest.raises(TypeError, match="exactly 32 bytes"):
        MatchKey(SECRET_A).mask_and_tag(wrong, b"")


def test_any_kind_of_buffer_gives_the_same_points() -> None:
    key, people = MatchKey(SECRET_A), [b"ada@example.com", b"", b"bo@example.com"]
    data, offsets = large_binary(people)
    expected = key.mask_identifiers(IdentifierTag.PERSON, data, offsets)
    array = pa.array(people, pa.large_binary())
    _, arrow_offsets, arrow_data = array.buffers()
    for same_data, same_offsets in (
        (bytearray(data), memoryview(offsets)),
        (np.frombuffer(data, np.uint8).data, np.frombuffer(offsets, np.int64).data),
        (arrow_data, arrow_offsets.slice(0, 8 * (len(people) + 1))),
    ):
        assert key.mask_identifiers(IdentifierTag.PERSON, same_data, same_offsets) == expected


def test_an_empty_list_is_masked_to_an_empty_list() -> None:
    key = MatchKey(SECRET_A)
    assert key.mask_identifiers(IdentifierTag.PERSON, np.empty(0, np.uint8).data, bytes(8)) == b""
    assert key.mask_and_tag(TAG_KEY, b"") == b""


BROKEN_OFFSETS = {
    "there are none": b"",
    "the last is cut short": struct.pack("<2q", 0, 3)[:-1],
    "they fall": struct.pack("<3q", 0, 3, 2),
    "they leave the data": struct.pack("<2q", 0, 4),
    "the first is negative": struct.pack("<2q", -1, 3),
    "the last is negative": struct.pack("<2q", 0, -1),
}


@pytest.mark.parametrize("offsets", BROKEN_OFFSETS.values(), ids=BROKEN_OFFSETS.keys())
def test_broken_offsets_are_refused(offsets: bytes) -> None:
    with pytest.raises(ValueError, match="offsets"):
        MatchKey(SECRET_A).mask_identifiers(IdentifierTag.PERSON, b"abc", offsets)


def test_offsets_may_begin_inside_the_data_and_end_before_its_end() -> None:
    key = MatchKey(SECRET_B)
    sliced = key.mask_identifiers(IdentifierTag.PERSON, b"xada", struct.pack("<2q", 1, 3))
    assert sliced == key.mask_identifiers(IdentifierTag.PERSON, *large_binary([b"ad"]))
