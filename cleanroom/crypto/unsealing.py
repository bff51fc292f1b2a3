"""Opening what was sealed for this party, the secret half of `sealing`."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cleanroom.crypto.sealing import SUITE
from cleanroom.errors import PeerError

SECRET_LENGTH = 64 + 32


class SealingKey:
    """ML-KEM-768 seed (64 bytes) and X25519 scalar (32 bytes)."""

    __slots__ = ("_key", "_ml_kem", "_x25519")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_LENGTH:
            raise ValueError("a sealing key's secret has 96 bytes")
        self._ml_kem = MLKEM768PrivateKey.from_seed_bytes(secret[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(secret[64:])
        self._key = hpke.MLKEM768X25519PrivateKey(self._ml_kem, self._x25519)

    @classmethod
    def generate(cls) -> "SealingKey":
        """A new key from the operating system's randomness."""
        return cls(MLKEM768PrivateKey.generate().private_bytes_raw() + X25519PrivateKey.generate().private_bytes_raw())

    def public_bytes(self) -> bytes:
        """1,216 bytes for the card."""
        return self._ml_kem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()

    def secret(self) -> bytes:
        """96 bytes, for the key file and nothing else."""
        return self._ml_kem.private_bytes_raw() + self._x25519.private_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext; raises PeerError when key, context or bytes differ in anything."""
        try:
            return SUITE.decrypt(sealed, self._key, info)
        except (InvalidTag, ValueError) as error:
            raise PeerError("a sealed message does not open: other key, other context or damaged") from error

    def __repr__(self) -> str:
        return "SealingKey(redacted)"

    __hash__ = None  # type: ignore[assignment] # a secret is neither compared nor used as a key

    def __eq__(self, other: object) -> bool:
        raise TypeError("secret keys are not compared")
