"""Sealing a message so that only one party can open it, the public half.

HPKE base mode (RFC 9180) with the hybrid of ML-KEM-768 and X25519, HKDF-SHA256 and AES-256-GCM: one suite, fixed by
the protocol version. Base mode says nothing about the sender; the envelope's signature does. All context is bound
through `info`.
"""

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from cleanroom.errors import PeerError

SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
SUITE_NAME = "cleanroom-1/mlkem768-x25519/hkdf-sha256/aes-256-gcm/curve25519-elligator2/softspoken-1"
ML_KEM_PUBLIC_LENGTH = 1184
PUBLIC_LENGTH = ML_KEM_PUBLIC_LENGTH + 32
_ANY_SCALAR = X25519PrivateKey.from_private_bytes(bytes(32))  # a public constant: it protects nothing


def sealing_public_key(data: bytes) -> hpke.MLKEM768X25519PublicKey:
    """1,216 bytes: the ML-KEM-768 key, then the X25519 key; raises PeerError."""
    if len(data) != PUBLIC_LENGTH:
        raise PeerError("a sealing key has the wrong length")
    try:
        x25519 = X25519PublicKey.from_public_bytes(data[ML_KEM_PUBLIC_LENGTH:])
        _ANY_SCALAR.exchange(x25519)  # raises for a point of small order, which nothing can be sealed to
        return hpke.MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(data[:ML_KEM_PUBLIC_LENGTH]), x25519)
    except ValueError as error:
        raise PeerError("a sealing key is malformed") from error


def seal(public_key: bytes, plaintext: bytes, info: bytes) -> bytes:
    """enc ‖ ciphertext for the holder of the secret half; `info` must be repeated to open it."""
    return SUITE.encrypt(plaintext, sealing_public_key(public_key), info)
