"""The hashes of the log's tree: entries and inner nodes are told apart by their first byte (RFC 6962 section 2.1)."""

from hashlib import sha256

HASH_BYTES = 32
MAX_ENTRY_BYTES = 65_535
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry), over the entry's bytes as received."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()
