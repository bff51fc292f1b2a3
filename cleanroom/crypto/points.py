"""Check a peer's masked identifiers before a key touches them.

A masked identifier is a point of curve25519, sent as its u-coordinate: 32 bytes, little-endian (RFC 7748
section 5). Step 4 of protocol section 2. Nothing here needs a secret, and nothing here can tell which
identifier a point hides.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from cleanroom.crypto import _kernel
from cleanroom.crypto.refusals import refusing_peer_input

if TYPE_CHECKING:
    from typing_extensions import Buffer

POINT_BYTES = 32
TAG_BYTES = 16


class IdentifierTag(IntEnum):
    """The byte hashed before an identifier's own bytes, so that no dummy can collide with a person.

    It never travels: peer and coordinator cannot tell the three apart.
    """

    PERSON = 0
    SHARED_DUMMY = 1
    OWN_DUMMY = 2


def check_points(points: Buffer) -> None:
    """Refuse a peer's list unless every point in it is one that honest hashing and masking could have made.

    `points` is n * 32 bytes. Raises PeerError for a length that is no multiple of 32; for a number from p =
    2^255 - 19 on, the high bit included; for a point of the curve's twist; for a point of small order, whose
    masks are all zero whatever the key (RFC 7748 section 6.1); for a point that stands in the list twice.

    Left out: whether a point lies in the prime-order subgroup. It would cost a second multiplication for each
    point and a clamped key ignores the difference; two points that differ in nothing else are refused when
    they are masked (`MatchKey.mask_and_tag`), where they show.
    """
    with refusing_peer_input():
        _kernel.check_points(points)
