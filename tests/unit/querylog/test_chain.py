"""A proof convinces of one statement at one place of one room's log, and of nothing else."""

import hashlib

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import RoomName
from cleanroom.querylog.chain import (
    LogProof,
    genesis_head,
    leaf_hash,
    next_head,
    replay,
    sign_head,
    verify_proof,
)

KEY = SigningKey(bytes(32))
ROOM = RoomName("spring")


def proof_of(statement: bytes, index: int = 0, previous: bytes | None = None) -> LogProof:
    """A rightly signed proof."""
    before = genesis_head(ROOM) if previous is None else previous
    return sign_head(index, before, next_head(before, statement), ROOM, KEY)


def test_a_leaf_is_hashed_as_rfc_6962_says() -> None:
    """Vector: entry 0 of a golden log that aics-tlog 0.2.1 accepts."""
    assert leaf_hash(b'{"i":0}').hex() == "d829edd0713a1bb05e3cd0616924a4c5bde21e36e537149a20239edafa8825f1"


def test_a_head_covers_label_previous_head_and_leaf() -> None:
    def prefixed(part: bytes) -> bytes:
        return len(part).to_bytes(8, "big") + part

    parts = b"".join(map(prefixed, (b"cleanroom/v1/log-chain", b"p" * 32, leaf_hash(b"s"))))
    assert next_head(b"p" * 32, b"s") == hashlib.sha256(parts).digest()


def test_a_right_proof_verifies() -> None:
    verify_proof(proof_of(b"a"), b"a", ROOM, KEY.public_bytes())


def test_a_proof_is_for_its_own_statement_only() -> None:
    with pytest.raises(AuthenticationError, match="another statement"):
        verify_proof(proof_of(b"a"), b"b", ROOM, KEY.public_bytes())


def test_a_proof_is_for_its_own_room_only() -> None:
    with pytest.raises(AuthenticationError):
        verify_proof(proof_of(b"a"), b"a", RoomName("autumn"), KEY.public_bytes())


def test_a_proof_of_another_key_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        verify_proof(proof_of(b"a"), b"a", ROOM, SigningKey(b"\x01" * 32).public_bytes())


def test_a_proof_moved_to_another_index_is_refused() -> None:
    right = proof_of(b"a", 1, bytes(32))
    moved = LogProof(2, right.previous_head, right.head, right.signature)
    with pytest.raises(AuthenticationError):
        verify_proof(moved, b"a", ROOM, KEY.public_bytes())


def test_the_first_entry_starts_at_the_room_s_genesis() -> None:
    with pytest.raises(AuthenticationError, match="beginning"):
        verify_proof(proof_of(b"a", 0, bytes(32)), b"a", ROOM, KEY.public_bytes())


def test_replaying_the_statements_gives_the_last_head() -> None:
    first = proof_of(b"a")
    second = proof_of(b"b", 1, first.head)
    assert replay(genesis_head(ROOM), [b"a", b"b"]) == second.head
    assert replay(genesis_head(ROOM), [b"b", b"a"]) != second.head


@pytest.mark.parametrize(("index", "head", "signature"), [(-1, 32, 64), (2**53 - 1, 32, 64), (0, 31, 64), (0, 32, 63)])
def test_a_proof_out_of_bounds_is_refused(index: int, head: int, signature: int) -> None:
    with pytest.raises(PeerError):
        LogProof(index, bytes(32), bytes(head), bytes(signature))
