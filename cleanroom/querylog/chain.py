"""The log's order, provable entry by entry: each head covers the statement and everything before it.

This is the log's first proof, a signed hash chain. It convinces whoever follows the chain from its beginning; a
Merkle log with cosignatures will take the proof's place later. The flow stays as it is: append, receive a proof,
verify it, and only then act.

leaf  = SHA-256(0x00 || statement bytes)                                   (RFC 6962 section 2.1)
head  = labelled hash of (previous head, leaf);  the head before entry 0 is a labelled hash of the room's name
signature: Ed25519 by the log key over the DSSE encoding of {head, index, room, v} under the type `log-head`
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import RoomName
from cleanroom.querylog.dsse import payload_type, pre_authentication_encoding
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

MAX_INDEX = 2**53 - 2


@dataclass(frozen=True, slots=True)
class LogProof:
    """Entry `index` (from 0) turned `previous_head` into `head` (32 bytes each), signed by the log key (64 bytes)."""

    index: int
    previous_head: bytes
    head: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_INDEX:
            raise PeerError("a log index is out of range")
        if len(self.previous_head) != 32 or len(self.head) != 32 or len(self.signature) != 64:
            raise PeerError("a log proof's parts have the wrong length")


def leaf_hash(statement: bytes) -> bytes:
    """32 bytes that stand for one statement, over the bytes as received."""
    return hashlib.sha256(b"\x00" + statement).digest()


def genesis_head(room: RoomName) -> bytes:
    """The head of a room's empty log; two rooms never share a head."""
    return labelled_hash("cleanroom/v1/log-genesis", room.encode("ascii"))


def next_head(previous_head: bytes, statement: bytes) -> bytes:
    """The head after one more statement."""
    return labelled_hash("cleanroom/v1/log-chain", previous_head, leaf_hash(statement))


def replay(previous_head: bytes, statements: Iterable[bytes]) -> bytes:
    """The head after these statements, in this order."""
    head = previous_head
    for statement in statements:
        head = next_head(head, statement)
    return head


def _signed_bytes(index: int, head: bytes, room: RoomName) -> bytes:
    body = {"head": head.hex(), "index": str(index), "room": room, "v": 1}
    return pre_authentication_encoding(payload_type("log-head"), canonical_bytes(body))


def sign_head(index: int, previous_head: bytes, head: bytes, room: RoomName, log_key: SigningKey) -> LogProof:
    """The proof of entry `index`, made by the holder of the log key."""
    return LogProof(index, previous_head, head, log_key.sign(_signed_bytes(index, head, room)))


def verify_head(proof: LogProof, room: RoomName, log_key: bytes) -> None:
    """The log key (32 bytes) signed this head at this index for this room; raises AuthenticationError."""
    verify(log_key, proof.signature, _signed_bytes(proof.index, proof.head, room))


def verify_proof(proof: LogProof, statement: bytes, room: RoomName, log_key: bytes) -> None:
    """`statement` is entry `proof.index` of the room's log; raises AuthenticationError."""
    verify_head(proof, room, log_key)
    if next_head(proof.previous_head, statement) != proof.head:
        raise AuthenticationError("a log proof is for another statement")
    if proof.index == 0 and proof.previous_head != genesis_head(room):
        raise AuthenticationError("a log proof does not start at the room's beginning")
