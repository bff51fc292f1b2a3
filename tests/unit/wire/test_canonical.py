"""One value has one spelling, and every other spelling is refused."""

import hashlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import PeerError
from cleanroom.wire.canonical import MAX_BYTES, MAX_DEPTH, canonical_bytes, labelled_hash, parse_canonical

LARGEST = 2**53 - 1
LEAVES = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(max_size=12)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner))


def depth(value: Any) -> int:
    """How many brackets deep a value is."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES.filter(lambda value: depth(value) <= MAX_DEPTH))
def test_whatever_is_written_is_read_back(value: Any) -> None:
    assert parse_canonical(canonical_bytes(value)) == value


@given(VALUES.filter(lambda value: isinstance(value, dict | list) and len(value) > 0), st.sampled_from(" \n\t\r"))
def test_a_blank_outside_text_is_refused(value: Any, blank: str) -> None:
    data = canonical_bytes(value)
    for spelled in (data + blank.encode(), blank.encode() + data, data[:1] + blank.encode() + data[1:]):
        with pytest.raises(PeerError):
            parse_canonical(spelled)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:0123456789.eE-+ntfaul\\', max_size=40).map(str.encode))
def test_arbitrary_bytes_parse_to_their_own_spelling_or_are_our_error(data: bytes) -> None:
    try:
        value = parse_canonical(data)
    except PeerError:
        return
    assert canonical_bytes(value) == data


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ("\u20ac$\u000f\nA'B\"\\\"/", '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"'.encode()),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
         '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'.encode()),
        (LARGEST, b"9007199254740991"),
        (-LARGEST, b"-9007199254740991"),
    ],
)  # fmt: skip
def test_values_are_spelled_as_rfc_8785_spells_them(value: Any, data: bytes) -> None:
    """Text and order of names: the examples of RFC 8785 sections 3.2.2 and 3.2.3."""
    assert canonical_bytes(value) == data
    assert parse_canonical(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"b":1,"a":2}',
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"[1e400]",
        b"1e2",
        b"1.0",
        b"-0",
        b"01",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5000,
        b"-" + b"1" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"a\nb"',
        b"\xef\xbb\xbf1",
        b"1\x00",
        b"",
        b"[1,]",
        b"{'a':1}",
        b"[1]]",
        b"]",
        "\u0661".encode(),
    ],
    ids=lambda data: repr(data[:24]),
)
def test_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        parse_canonical(data)


def test_nesting_is_bounded_on_both_sides() -> None:
    assert parse_canonical(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None
    with pytest.raises(PeerError, match="deep"):
        parse_canonical(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("opened", [b"[", b'{"a":'])
def test_ten_thousand_levels_are_refused_before_they_are_followed(opened: bytes) -> None:
    with pytest.raises(PeerError, match="deep"):
        parse_canonical(opened * 10_000)


def test_brackets_inside_text_are_not_levels() -> None:
    text = '[{"\\' * 40
    assert parse_canonical(canonical_bytes([text])) == [text]


def test_length_is_bounded_on_both_sides() -> None:
    longest = json.dumps("x" * (MAX_BYTES - 2)).encode()
    assert len(parse_canonical(longest)) == MAX_BYTES - 2
    with pytest.raises(PeerError, match="long"):
        parse_canonical(longest[:-1] + b'x"')


def test_five_megabytes_are_refused_at_once() -> None:
    started = time.perf_counter()
    with pytest.raises(PeerError, match="long"):
        parse_canonical(b"[" * 5_000_000)
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), {1: 2}, "\ud800", object(), b"x"])
def test_what_has_no_canonical_form_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="canonical form"):
        canonical_bytes([value])


def test_a_hash_covers_its_label_and_the_length_of_every_part() -> None:
    joined = b"".join(len(part).to_bytes(8, "big") + part for part in (b"cleanroom/v1/x", b"ab", b""))
    assert labelled_hash("cleanroom/v1/x", b"ab", b"") == hashlib.sha256(joined).digest()
    assert labelled_hash("cleanroom/v1/x", b"a", b"b") != labelled_hash("cleanroom/v1/x", b"ab", b"")


def test_a_hash_without_our_label_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="label"):
        labelled_hash("other/v1/x", b"")
