"""One match in plain Python, from identifiers to tags, and the list layout the kernel reads."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.reference.curve25519 import x25519
from tests.reference.hash_to_curve import hash_to_u
from tests.reference.placement import tag

DST = b"cleanroom/v1/hash-to-curve curve25519_XMD:SHA-512_ELL2_RO_"


def large_binary(strings: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The data and offsets buffers of an Arrow large_binary array."""
    offsets = [0]
    for string in strings:
        offsets.append(offsets[-1] + len(string))
    return b"".join(strings), struct.pack(f"<{len(offsets)}q", *offsets)


def split(joined: bytes, width: int) -> list[bytes]:
    """A buffer as its rows."""
    return [joined[start : start + width] for start in range(0, len(joined), width)]


def mask_identifier(scalar: bytes, tag_byte: int, identifier: bytes) -> bytes:
    """u(a * H(tag || identifier))."""
    return x25519(scalar, hash_to_u(bytes([tag_byte]) + identifier, DST))


def mask_and_tag(scalar: bytes, tag_key: bytes, points: Sequence[bytes]) -> list[bytes]:
    """Second masks and their tags, for points that need no check."""
    return [tag(tag_key, x25519(scalar, point)) for point in points]
