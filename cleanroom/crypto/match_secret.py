"""What two parties derive for one match and nobody else knows: tag key, dummy key, confirmation key.

An ephemeral X25519 exchange, sealed and signed by both sides, and HKDF-SHA256 salted with the transcript of both
hellos. The coordinator relays the sealed shares, so it cannot derive any of this; without the tag key its tags
cannot be compared with a dictionary.
"""

import hmac
import os
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from cleanroom.errors import PeerError


class Ephemeral:
    """A one-time X25519 key, in memory only."""

    __slots__ = ("_key",)

    def __init__(self) -> None:
        self._key = X25519PrivateKey.from_private_bytes(os.urandom(32))

    def share(self) -> bytes:
        """The 32-byte public share."""
        return self._key.public_key().public_bytes_raw()

    def agree(self, peer_share: bytes, transcript: bytes) -> "MatchSecret":
        """The match secret; raises PeerError on a share of small order or wrong length."""
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(peer_share))
        except ValueError as error:
            raise PeerError("an ephemeral share is not a usable X25519 key") from error
        return MatchSecret(
            HKDF(algorithm=SHA256(), length=32, salt=transcript, info=b"cleanroom/v1/match-secret").derive(shared)
        )

    def __repr__(self) -> str:
        return "Ephemeral(redacted)"


class MatchSecret:
    """K of protocol.md section 2, and the keys derived from it by label."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _key(self, label: bytes) -> bytes:
        return HKDFExpand(algorithm=SHA256(), length=32, info=label).derive(self._secret)

    def tag_key(self) -> bytes:
        """32 bytes for the tags of double masks."""
        return self._key(b"cleanroom/v1/tag")

    def shared_dummies(self, count: int) -> bytes:
        """`count` pseudo-random identifiers of 32 bytes that both parties can derive."""
        key = self._key(b"cleanroom/v1/dummy")
        return b"".join(hmac.digest(key, index.to_bytes(4, "big"), sha256) for index in range(count))

    def confirmation(self, role: str, transcript: bytes) -> bytes:
        """32 bytes that prove to the other side that this role derived the same secret."""
        return hmac.digest(self._key(b"cleanroom/v1/confirm"), role.encode("ascii") + b"\x00" + transcript, sha256)

    def check_confirmation(self, role: str, transcript: bytes, received: bytes) -> None:
        """Raises PeerError when the other side derived something else."""
        if not hmac.compare_digest(self.confirmation(role, transcript), received):
            raise PeerError("the other party did not derive the same match secret")

    def __repr__(self) -> str:
        return "MatchSecret(redacted)"
