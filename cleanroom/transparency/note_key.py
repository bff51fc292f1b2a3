"""The public keys that signed notes are checked with, and their one-line spelling, the vkey (signed-note, Signatures).

    vkey    <name>+<8 hex digits of key id>+<base64(type || public key)>
    key id  the first four bytes of SHA-256(name || 0x0A || type || public key)

A key is of one type: the log's, or a cosigner's. Name and key id together say which key signed; the id is short and
proves nothing, so a line that names a known key must verify under that very key.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cleanroom.crypto.public_keys import check_public_key
from cleanroom.errors import PeerError, UsageError
from cleanroom.transparency.spelling import base64_bytes, base64_text

MAX_NAME_BYTES = 255
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class KeyKind(IntEnum):
    """Signature type bytes: what a key of this type says when it signs."""

    LOG = 0x01
    COSIGNER = 0x04


def is_key_name(name: str) -> bool:
    """Not empty, no Unicode space, no plus sign, no control character, at most 255 bytes."""
    if not name or any(letter.isspace() or letter == "+" or letter < " " for letter in name):
        return False
    return len(name.encode("utf-8", "replace")) <= MAX_NAME_BYTES


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key somebody decided to trust; `public` is an Ed25519 key of 32 bytes. Raises UsageError."""

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise UsageError("a key's name has 1 to 255 bytes without spaces, plus signs or control characters")
        check_public_key(self.public, self.name)

    @property
    def key_id(self) -> bytes:
        """Four bytes."""
        return sha256(self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def vkey(self) -> str:
        """The key on one line."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes([self.kind]) + self.public)}"


def parse_vkey(text: str) -> NoteKey:
    """The key that a vkey spells; raises UsageError."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if _KEY_ID.fullmatch(key_id) is None:
        raise UsageError("a verifier key is written <name>+<8 hex digits>+<base64>")
    try:
        data = base64_bytes(encoded, "a verifier key")
    except PeerError as error:
        raise UsageError(f"the verifier key of {name or 'nobody'} is not in canonical base64") from error
    if not data or data[0] not in set(KeyKind):
        raise UsageError(f"the verifier key of {name} is neither a log's (01) nor a cosigner's (04) Ed25519 key")
    key = NoteKey(name, KeyKind(data[0]), data[1:])
    if key.key_id.hex() != key_id:
        raise UsageError(f"the verifier key of {name} does not belong to its key id {key_id}; a letter was mistyped")
    return key
