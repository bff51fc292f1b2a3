"""ristretto255 as RFC 9496 section 4 writes it: the slow oracle of the base OTs.

Plain integers, nothing constant time; for tests only. An element is (x, y, z, t) in extended coordinates on
the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2.
"""

from __future__ import annotations

P = 2**255 - 19
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P

Element = tuple[int, int, int, int]
IDENTITY: Element = (0, 1, 1, 0)


class NotAnElement(ValueError):
    """The bytes are not the canonical encoding of an element."""


def is_negative(x: int) -> bool:
    """Section 2.1."""
    return x % P % 2 == 1


def absolute(x: int) -> int:
    """CT_ABS of section 2.1."""
    return -x % P if is_negative(x) else x % P


def sqrt_ratio_m1(u: int, v: int) -> tuple[bool, int]:
    """Section 4.2: (True, sqrt(u/v)) if that is a square, else (False, sqrt(SQRT_M1 * u/v))."""
    u, v = u % P, v % P
    r = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u, -u % P), absolute(r)


def decode(encoding: bytes) -> Element:
    """Section 4.3.1."""
    s = int.from_bytes(encoding, "little")
    if len(encoding) != 32 or s >= P or is_negative(s):
        raise NotAnElement
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    was_square, inverse = sqrt_ratio_m1(1, v * u2 * u2)
    den_x = inverse * u2 % P
    den_y = inverse * den_x * v % P
    x, y = absolute(2 * s * den_x), u1 * den_y % P
    if not was_square or is_negative(x * y) or y == 0:
        raise NotAnElement
    return x, y, 1, x * y % P


def encode(element: Element) -> bytes:
    """Section 4.3.2."""
    x0, y0, z0, t0 = element
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    _, inverse = sqrt_ratio_m1(1, u1 * u2 * u2)
    den1, den2 = inverse * u1 % P, inverse * u2 % P
    z_inverse = den1 * den2 * t0 % P
    x, y, den = x0, y0, den2
    if is_negative(t0 * z_inverse):
        x, y, den = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    if is_negative(x * z_inverse):
        y = -y
    return absolute(den * (z0 - y)).to_bytes(32, "little")


def map_to_element(t: int) -> Element:
    """MAP of section 4.3.4."""
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQ % P, (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio_m1(u, v)
    c = -1
    if not was_square:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def from_uniform_bytes(uniform: bytes) -> Element:
    """Section 4.3.4: 64 bytes to an element; the high bit of each half is ignored."""
    halves = (int.from_bytes(uniform[start : start + 32], "little") % 2**255 for start in (0, 32))
    first, second = map(map_to_element, halves)
    return add(first, second)


def add(left: Element, right: Element) -> Element:
    """Addition on the twisted Edwards curve with a = -1 (Hisil and others, ePrint 2008/522, section 3.1)."""
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def negate(element: Element) -> Element:
    """The inverse of an element."""
    x, y, z, t = element
    return -x % P, y, z, -t % P


def multiply(factor: int, element: Element) -> Element:
    """Double and add."""
    total = IDENTITY
    for bit in bin(factor)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, element)
    return total


GENERATOR = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))
