"""Blind identifiers so that two parties can compare them unseen.

Steps 2 to 4 of protocol section 2. The peer learns how many identifiers we sent, padded; the coordinator
learns which 16-byte tags are equal. Neither can try out an identifier: both masks would have to be known.

This is a secret half: the coordinator must not be able to import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cleanroom.crypto import _kernel
from cleanroom.crypto.refusals import refusing_peer_input
from cleanroom.errors import StateError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from cleanroom.crypto.points import IdentifierTag

MATCH_KEY_BYTES = 32


class MatchKey:
    """One party's mask in one match: 32 random bytes, used as an X25519 private key is (RFC 7748 section 5).

    Whoever holds it can test any identifier against the masked list it made, so it is never written down: it
    has no encoding, cannot be pickled, is not compared, and is erased as soon as both tag lists are
    delivered.
    """

    __slots__ = ("_secret",)

    def __init__(self, random_bytes: bytes) -> None:
        if len(random_bytes) != MATCH_KEY_BYTES:
            raise ValueError("a match key is 32 random bytes")
        self._secret = bytearray(random_bytes)

    def __repr__(self) -> str:
        return "MatchKey(<secret>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a match key lives in memory only")

    def erase(self) -> None:
        """Overwrite the key; any later use raises StateError. Python may hold copies that we cannot reach."""
        self._secret[:] = bytes(MATCH_KEY_BYTES)
        self._secret.clear()

    def mask_identifiers(self, tag: IdentifierTag, data: Buffer, offsets: Buffer) -> bytes:
        """Return u(a * H(tag || identifier)), 32 bytes for each identifier, in order; for the peer.

        `data` and `offsets` are the buffers of an Arrow large_binary array without nulls: identifier i is
        data[offsets[i]:offsets[i + 1]], and `offsets` is n + 1 little-endian signed 64-bit numbers. H is RFC
        9380 curve25519_XMD:SHA-512_ELL2_RO_ under our own tag of domain separation. Constant time in key and
        identifiers, apart from an identifier's length. Raises ValueError for offsets that fall or leave
        `data`. The order is that of the input: the whole list, dummies included, is shuffled before it
        leaves.
        """
        return _kernel.hash_and_mask(self._held(), int(tag), data, offsets)

    def mask_and_tag(self, tag_key: Buffer, points: Buffer) -> bytes:
        """Return HMAC-SHA256(tag_key, u(b * P))[:16] for each of a peer's points; for the coordinator.

        Tags stand in the order of the points. `points` is n * 32 bytes, `tag_key` the 32 bytes both parties
        derived for this match. The double masks stay inside this call: returned to their owner they would let
        it test identifiers.

        Raises PeerError for everything that `check_points` refuses, and for two points that this key masks to
        the same one: they differ by a point of small order, and one person would stand in the list twice.
        """
        with refusing_peer_input():
            return _kernel.mask_and_tag(self._held(), tag_key, points)

    def _held(self) -> bytearray:
        if not self._secret:
            raise StateError("the match key has been erased")
        return self._secret
