"""Sealing of a node's own state at rest: AES-256-GCM under the state key, bound to table, row and column.

Whoever copies the database without the key file learns sizes and times only. A sealed value moved to another row or
column does not open.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cleanroom.errors import StateError

_NONCE = 12


class Vault:
    """Seals and opens bytes under one 32-byte key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @staticmethod
    def _place(table: str, row: str, column: str) -> bytes:
        return "\x00".join(("cleanroom/v1/state", table, row, column)).encode("utf-8")

    def seal(self, data: bytes, *, table: str, row: str, column: str) -> bytes:
        """nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, self._place(table, row, column))

    def open(self, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
        """The plaintext; raises StateError when key or place differ."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._place(table, row, column))
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            raise StateError(f"sealed state in {table} does not open with this node's state key") from None

    def __repr__(self) -> str:
        return "Vault(redacted)"
