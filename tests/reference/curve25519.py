"""Curve25519 from its definition: the slow oracle of the kernel's points.

Plain integers, no tricks, nothing constant time; for tests only. Points are pairs (u, v) or None at infinity,
on v^2 = u^3 + 486662 u^2 + u over the integers modulo p = 2^255 - 19.
"""

from __future__ import annotations

P = 2**255 - 19
A = 486662
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

Point = tuple[int, int] | None


def is_square(x: int) -> bool:
    """Whether x is a square modulo p, zero included (RFC 9380 section 4)."""
    return pow(x, (P - 1) // 2, P) in (0, 1)


def square_root(x: int) -> int:
    """Either root of a square modulo p = 5 mod 8."""
    root = pow(x, (P + 3) // 8, P)
    if root * root % P != x % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == x % P
    return root


def curve_right_side(u: int) -> int:
    """u^3 + A u^2 + u: a square exactly when u belongs to the curve rather than to its twist."""
    return (u * u * u + A * u * u + u) % P


def add(left: Point, right: Point) -> Point:
    """The chord-and-tangent law of a Montgomery curve (RFC 9380 section 6.7.1 uses the same form)."""
    if left is None:
        return right
    if right is None:
        return left
    (u1, v1), (u2, v2) = left, right
    if u1 == u2:
        if (v1 + v2) % P == 0:
            return None
        slope = (3 * u1 * u1 + 2 * A * u1 + 1) * pow(2 * v1, -1, P)
    else:
        slope = (v2 - v1) * pow(u2 - u1, -1, P)
    u3 = (slope * slope - A - u1 - u2) % P
    return u3, (slope * (u1 - u3) - v1) % P


def multiply(factor: int, point: Point) -> Point:
    """Double and add."""
    total: Point = None
    for bit in bin(factor)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def clamp(scalar: bytes) -> int:
    """decodeScalar25519 of RFC 7748 section 5."""
    number = int.from_bytes(scalar, "little")
    return (number & ~7 & ~(1 << 255)) | (1 << 254)


def x25519(scalar: bytes, u_bytes: bytes) -> bytes:
    """The ladder of RFC 7748 section 5, line by line; it takes a curve's and a twist's u alike."""
    k = clamp(scalar)
    x_1 = int.from_bytes(u_bytes, "little") % 2**255 % P
    x_2, z_2, x_3, z_3 = 1, 0, x_1, 1
    swap = 0
    for t in range(254, -1, -1):
        k_t = (k >> t) & 1
        swap ^= k_t
        if swap:
            x_2, x_3, z_2, z_3 = x_3, x_2, z_3, z_2
        swap = k_t
        a, b, c, d = x_2 + z_2, x_2 - z_2, x_3 + z_3, x_3 - z_3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x_3, z_3 = (da + cb) ** 2 % P, x_1 * (da - cb) ** 2 % P
        x_2, z_2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x_2, z_2 = x_3, z_3
    return (x_2 * pow(z_2, P - 2, P) % P).to_bytes(32, "little")


def refusal(u_bytes: bytes) -> str | None:
    """The name of the defect for which one peer point is refused, or None (protocol section 2)."""
    u = int.from_bytes(u_bytes, "little")
    if len(u_bytes) != 32 or u >= P:
        return "not canonical"
    if not is_square(curve_right_side(u)):
        return "twist"
    if multiply(8, (u, square_root(curve_right_side(u)))) is None:
        return "small order"
    return None
