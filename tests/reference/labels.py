"""The labelled hashes and the AES calls of the answering half, for its oracles."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB


def labelled(label: str, setup_id: bytes, *fields: bytes) -> bytes:
    """What is hashed: length of the label, label, set-up id, fields."""
    name = b"cleanroom/v1/" + label.encode()
    return bytes([len(name)]) + name + setup_id + b"".join(fields)


def key(label: str, setup_id: bytes, *fields: bytes) -> bytes:
    """The first 16 bytes of SHA-256."""
    return hashlib.sha256(labelled(label, setup_id, *fields)).digest()[:16]


def wide(label: str, setup_id: bytes, *fields: bytes) -> bytes:
    """The 64 bytes of SHA-512."""
    return hashlib.sha512(labelled(label, setup_id, *fields)).digest()


def aes(aes_key: bytes, blocks: bytes) -> bytes:
    """AES-128 on each block by itself: a permutation, not a mode for messages."""
    encryptor = Cipher(AES128(aes_key), ECB()).encryptor()  # noqa: S305 -- the building block itself is wanted
    return encryptor.update(blocks) + encryptor.finalize()


def xor(*strings: bytes) -> bytes:
    """The XOR of strings of one length."""
    total = 0
    for string in strings:
        total ^= int.from_bytes(string, "big")
    return total.to_bytes(len(strings[0]), "big")
