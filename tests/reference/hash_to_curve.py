"""curve25519_XMD:SHA-512_ELL2_RO_ from RFC 9380's general definitions: the slow oracle of the kernel's hash.

Section 6.7.1's map is used in its readable form, not the optimised one of appendix G that the kernel's
library follows.
"""

from __future__ import annotations

import hashlib

from tests.reference.curve25519 import A, P, Point, add, curve_right_side, is_square, multiply, square_root

NON_SQUARE = 2  # Z of section 8.5.
ELEMENT_BYTES = 48  # L of section 8.5.


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """Section 5.3.1 with SHA-512."""
    dst_prime = dst + bytes([len(dst)])
    blocks = -(-length // 64)
    assert blocks <= 255
    assert 1 <= len(dst) <= 255
    first = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\x00" + dst_prime).digest()
    block = hashlib.sha512(first + b"\x01" + dst_prime).digest()
    output = block
    for index in range(2, blocks + 1):
        mixed = bytes(x ^ y for x, y in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + dst_prime).digest()
        output += block
    return output[:length]


def hash_to_field(message: bytes, dst: bytes) -> tuple[int, int]:
    """Section 5.2 with count = 2."""
    uniform = expand_message_xmd(message, dst, 2 * ELEMENT_BYTES)
    first, second = uniform[:ELEMENT_BYTES], uniform[ELEMENT_BYTES:]
    return int.from_bytes(first, "big") % P, int.from_bytes(second, "big") % P


def map_to_curve_elligator2(element: int) -> tuple[int, int]:
    """Section 6.7.1 with K = 1 and J = A; sgn0 is the lowest bit."""
    x1 = -A * pow(1 + NON_SQUARE * element * element, -1, P) % P
    if x1 == 0:
        x1 = -A % P
    x2 = (-x1 - A) % P
    if is_square(curve_right_side(x1)):
        x, wanted_sign = x1, 1
    else:
        x, wanted_sign = x2, 0
    y = square_root(curve_right_side(x))
    if y % 2 != wanted_sign:
        y = -y % P
    return x, y


def hash_to_point(message: bytes, dst: bytes) -> Point:
    """Section 3, hash_to_curve: two field elements, two maps, their sum, the cofactor 8 cleared."""
    first, second = hash_to_field(message, dst)
    return multiply(8, add(map_to_curve_elligator2(first), map_to_curve_elligator2(second)))


def hash_to_u(message: bytes, dst: bytes) -> bytes:
    """The u-coordinate of the hash as 32 little-endian bytes."""
    point = hash_to_point(message, dst)
    assert point is not None
    return point[0].to_bytes(32, "little")
