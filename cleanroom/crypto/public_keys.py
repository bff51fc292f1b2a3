"""Which Ed25519 public keys may be trusted at all: one spelling each, and none under which anybody can sign.

Under a point of small order a signature can be made without any secret (R the identity, S zero), so a contract or a
policy that named one would name everybody. The points are found again from the curve's definition by the tests.
"""

from cleanroom.errors import UsageError

_FIELD = 2**255 - 19
_SIGN_BIT = 2**255
# The y coordinates of the eight points whose order divides 8 (the curve of RFC 8032 section 5.1 has cofactor 8).
_OF_ORDER_EIGHT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _OF_ORDER_EIGHT, _FIELD - _OF_ORDER_EIGHT})


def check_public_key(key: bytes, whose: str) -> None:
    """32 bytes, a coordinate below the field's prime, not of small order; raises UsageError."""
    if len(key) != 32:
        raise UsageError(f"{whose}: an Ed25519 public key has 32 bytes")
    coordinate = int.from_bytes(key, "little") % _SIGN_BIT
    if coordinate >= _FIELD:
        raise UsageError(f"{whose}: the public key is not in its one spelling")
    if coordinate in _SMALL_ORDER:
        raise UsageError(f"{whose}: anybody can sign under this public key; make a new one")
