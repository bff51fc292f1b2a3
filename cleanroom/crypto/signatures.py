"""Ed25519 signatures: who said this. One key for one kind of statement, never shared between uses.

`verify` raises instead of returning a truth value that could be ignored.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cleanroom.errors import AuthenticationError


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032; key 32 bytes, signature 64); raises AuthenticationError."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise AuthenticationError("a signature does not verify under the expected key") from error


class SigningKey:
    """The secret half of an Ed25519 key. Its representation says nothing about it."""

    __slots__ = ("_key",)

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    def public_bytes(self) -> bytes:
        """The 32-byte public key."""
        return self._key.public_key().public_bytes_raw()

    def seed(self) -> bytes:
        """The 32-byte secret, for the key file and nothing else."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes, RFC 8032."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(redacted)"

    __hash__ = None  # type: ignore[assignment] # a secret is neither compared nor used as a key

    def __eq__(self, other: object) -> bool:
        raise TypeError("secret keys are not compared")
