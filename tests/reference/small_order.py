"""The points of small order of edwards25519, found from the curve's definition (RFC 8032 section 5.1); slow."""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(left: Point, right: Point) -> Point:
    """The addition law of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2."""
    (x1, y1), (x2, y2) = left, right
    both = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P
    return x, y


def multiply(factor: int, point: Point) -> Point:
    """Double and add."""
    total = IDENTITY
    for bit in bin(factor)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def point_with(y: int) -> Point | None:
    """A point with this y coordinate, if the curve has one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    return (root, y) if root * root % P == square else None


def small_order_points() -> set[Point]:
    """All eight: a point times the prime order leaves what is of order 1, 2, 4 or 8."""
    found: set[Point] = set()
    y = 2
    while len(found) < 8:
        point = point_with(y)
        y += 1
        if point is not None:
            torsion = multiply(ORDER, point)
            walked = IDENTITY
            for _ in range(8):
                walked = add(walked, torsion)
                found.add(walked)
    return found


def encode(point: Point) -> bytes:
    """RFC 8032 section 5.1.2."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")
