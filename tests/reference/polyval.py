"""POLYVAL by long division of polynomials over GF(2) (RFC 8452 section 3); the slow oracle of the consistency check."""

from __future__ import annotations

from collections.abc import Iterable

MODULUS = 2**128 + 2**127 + 2**126 + 2**121 + 1


def multiply(a: int, b: int) -> int:
    """The product in the field."""
    product = 0
    for bit in range(128):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(255, 127, -1):
        if product >> bit & 1:
            product ^= MODULUS << bit - 128
    return product


def power(a: int, exponent: int) -> int:
    """Square and multiply."""
    total = 1
    for bit in bin(exponent)[2:]:
        total = multiply(total, total)
        if bit == "1":
            total = multiply(total, a)
    return total


# x^-128: the field has 2^128 elements, so x^(2^128 - 1) is 1.
X_TO_MINUS_128 = power(2, 2**128 - 1 - 128)


def dot(a: int, b: int) -> int:
    """a * b * x^-128."""
    return multiply(multiply(a, b), X_TO_MINUS_128)


def polyval(h: bytes, blocks: Iterable[bytes]) -> bytes:
    """The digest of 16-byte blocks; bytes and bits little-endian."""
    factor, total = int.from_bytes(h, "little"), 0
    for block in blocks:
        total = dot(total ^ int.from_bytes(block, "little"), factor)
    return total.to_bytes(16, "little")
