"""A peer's list of points is refused for any defect that honest masking cannot produce."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cleanroom.crypto.masking import MatchKey
from cleanroom.crypto.points import check_points
from cleanroom.errors import PeerError
from tests.reference import curve25519 as curve

KEY = MatchKey(bytes(range(32)))
TAG_KEY = bytes(32)
GENERATOR = (9).to_bytes(32, "little")

# The two u of order 8; the whole list, with 0, 1, -1 and what is congruent to them below 2^256, is the one of
# Bernstein's page on Curve25519, "how do I validate Curve25519 public keys?".
ORDER_EIGHT = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)

REFUSED_NUMBERS = {
    "zero, the point of order two and the mark of the identity": 0,
    "one, a point of order four": 1,
    "the first point of order eight": ORDER_EIGHT[0],
    "the second point of order eight": ORDER_EIGHT[1],
    "minus one, of order four on the twist": curve.P - 1,
    "p, which is zero written again": curve.P,
    "p + 1, which is one written again": curve.P + 1,
    "p plus the first of order eight": curve.P + ORDER_EIGHT[0],
    "p plus the second of order eight": curve.P + ORDER_EIGHT[1],
    "2p - 1": 2 * curve.P - 1,
    "2p": 2 * curve.P,
    "2p + 1": 2 * curve.P + 1,
    "two, a point of the twist": 2,
    "the generator written with p added": curve.P + 9,
    "the generator with the high bit set": 9 + 2**255,
    "all ones below the high bit": 2**255 - 1,
    "all ones": 2**256 - 1,
}

REFUSED_LISTS = {
    "a byte is missing": GENERATOR[:-1],
    "a byte is left over": GENERATOR + b"\x00",
    "a point stands twice side by side": GENERATOR * 2,
    "a point stands twice far apart": GENERATOR
    + b"".join(curve.x25519(bytes([n]) * 32, GENERATOR) for n in range(1, 6))
    + GENERATOR,
    "a good point is followed by one of the twist": GENERATOR + (2).to_bytes(32, "little"),
    **{name: number.to_bytes(32, "little") for name, number in REFUSED_NUMBERS.items()},
}


@pytest.mark.parametrize("points", REFUSED_LISTS.values(), ids=REFUSED_LISTS.keys())
def test_a_defective_list_is_refused_by_the_check_and_by_the_mask(points: bytes) -> None:
    with pytest.raises(PeerError) as checked:
        check_points(points)
    with pytest.raises(PeerError) as masked:
        KEY.mask_and_tag(TAG_KEY, points)
    assert str(checked.value) == str(masked.value)


@pytest.mark.parametrize("number", REFUSED_NUMBERS.values(), ids=REFUSED_NUMBERS.keys())
def test_the_oracle_refuses_the_same_numbers(number: int) -> None:
    assert curve.refusal(number.to_bytes(32, "little")) is not None


def test_the_points_of_small_order_are_those_a_clamped_scalar_sends_to_zero() -> None:
    for number in (0, 1, *ORDER_EIGHT):
        assert curve.x25519(bytes(range(32)), number.to_bytes(32, "little")) == bytes(32)


def test_each_reason_is_told_apart_and_holds_no_input() -> None:
    reasons = {}
    for name in (
        "a byte is missing",
        "a point stands twice side by side",
        "two, a point of the twist",
        "one, a point of order four",
        "p, which is zero written again",
    ):
        with pytest.raises(PeerError) as refused:
            check_points(REFUSED_LISTS[name])
        reasons[name] = str(refused.value)
    assert list(reasons.values()) == [
        "a list of points is a multiple of 32 bytes",
        "a point stands twice in the list",
        "a point is not on the curve",
        "a point has small order",
        "a point is not the canonical number below p",
    ]


def test_a_good_list_passes_and_so_does_an_empty_one() -> None:
    check_points(GENERATOR + curve.x25519(bytes(32), GENERATOR))
    check_points(b"")


def test_the_largest_canonical_point_of_the_curve_passes() -> None:
    u = next(u for u in range(curve.P - 1, 0, -1) if curve.refusal(u.to_bytes(32, "little")) is None)
    check_points(u.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
@example(bytes(31) + b"\x80")
def test_any_32_bytes_are_refused_exactly_when_the_oracle_refuses_them(point: bytes) -> None:
    if curve.refusal(point) is None:
        check_points(point)
    else:
        with pytest.raises(PeerError):
            check_points(point)
