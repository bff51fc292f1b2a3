"""The kernel hashes to the curve as RFC 9380 says, and so does the oracle that the other tests trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto import _kernel
from tests.reference import hash_to_curve as oracle
from tests.reference.matching import DST, large_binary, split

VECTOR_FILE = Path(__file__).parents[2] / "vectors" / "rfc9380_curve25519_ro.json"
SUITE: dict[str, Any] = json.loads(VECTOR_FILE.read_text())
VECTORS: list[dict[str, Any]] = SUITE["vectors"]


def number(hexadecimal: str) -> int:
    return int(hexadecimal, 16)


def kernel_hash(dst: bytes, *messages: bytes) -> list[bytes]:
    return split(_kernel.hash_to_curve(dst, *large_binary(messages)), 32)


def test_the_five_published_vectors_are_there() -> None:
    assert [len(vector["msg"]) for vector in VECTORS] == [0, 3, 16, 133, 517]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["msg"][:8] or "empty")
def test_the_kernel_gives_the_published_u_coordinate(vector: dict[str, Any]) -> None:
    (point,) = kernel_hash(SUITE["dst"].encode(), vector["msg"].encode())
    assert point == number(vector["P"][0]).to_bytes(32, "little")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["msg"][:8] or "empty")
def test_the_oracle_gives_every_published_intermediate_value(vector: dict[str, Any]) -> None:
    message, dst = vector["msg"].encode(), SUITE["dst"].encode()
    elements = oracle.hash_to_field(message, dst)
    assert elements == tuple(map(number, vector["u"]))
    for element, image in zip(elements, (vector["Q0"], vector["Q1"]), strict=True):
        assert oracle.map_to_curve_elligator2(element) == tuple(map(number, image))
    assert oracle.hash_to_point(message, dst) == tuple(map(number, vector["P"]))


def test_our_own_tag_of_domain_separation_names_project_version_use_and_suite() -> None:
    assert _kernel.HASH_TO_CURVE_DST == DST


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=200), max_size=4), st.binary(min_size=1, max_size=255))
def test_any_strings_hash_as_the_oracle_hashes_them(strings: list[bytes], dst: bytes) -> None:
    assert kernel_hash(dst, *strings) == [oracle.hash_to_u(string, dst) for string in strings]


def test_a_list_longer_than_a_group_of_shared_inversion_keeps_its_order() -> None:
    strings = [b"person %d" % index for index in range(300)]
    together = kernel_hash(DST, *strings)
    assert together == [kernel_hash(DST, string)[0] for string in strings]
    assert len(set(together)) == 300


@pytest.mark.parametrize("length", [0, 256])
def test_a_tag_of_domain_separation_of_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        kernel_hash(b"d" * length, b"")


def test_the_longest_tag_of_domain_separation_is_taken() -> None:
    assert kernel_hash(b"d" * 255, b"m") == [oracle.hash_to_u(b"m", b"d" * 255)]
