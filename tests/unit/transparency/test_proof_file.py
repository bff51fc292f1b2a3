"""A receipt convinces somebody who has only the entry, the receipt and the public keys; and of nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import PeerError
from cleanroom.transparency.head import Freshness
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import all_of
from cleanroom.transparency.proof_file import ProofFile, parse_proof, verify_proof
from tests.built_log import POLICY, TIME, checkpoint_of, signed, some_entries, tree_of

ENTRIES = some_entries(11)
NOTE = signed(checkpoint_of(ENTRIES), "asker", "owner").to_bytes()


def receipt(index: int, extra: bytes | None = None) -> ProofFile:
    return ProofFile(index, prove_inclusion(tree_of(ENTRIES), index, len(ENTRIES)), NOTE, extra)


RIGHT = receipt(6).to_bytes()


@pytest.mark.parametrize("index", range(len(ENTRIES)))
@pytest.mark.parametrize("extra", [None, b"", b"which question this was", bytes(48_000)])
def test_a_receipt_is_checked_alone(index: int, extra: bytes | None) -> None:
    written = receipt(index, extra)
    assert parse_proof(written.to_bytes()) == written
    found, head = verify_proof(written.to_bytes(), ENTRIES[index], POLICY)
    assert (found, head.checkpoint.size, dict(head.cosigned_at)) == (index, 11, {"asker": TIME, "owner": TIME})


def test_a_receipt_of_the_only_entry_has_no_hashes() -> None:
    note = signed(checkpoint_of(ENTRIES[:1]), "asker", "owner").to_bytes()
    assert verify_proof(ProofFile(0, (), note).to_bytes(), ENTRIES[0], POLICY)[0] == 0


def test_it_is_written_line_for_line_as_the_specification_says() -> None:
    lines = receipt(6, b"extra").to_bytes().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZXh0cmE=", "index 6"]
    assert lines[3 + len(receipt(6).hashes)] == ""
    assert "\n".join(lines[4 + len(receipt(6).hashes) :]).encode() == NOTE


def test_it_convinces_of_no_other_entry() -> None:
    for index, entry in enumerate(ENTRIES):
        if index != 6:
            with pytest.raises(AuditFailure, match="not where its inclusion proof says") as refused:
                verify_proof(RIGHT, entry, POLICY)
            assert refused.value.outcome is Outcome.INVALID


@settings(max_examples=400)
@given(st.integers(0, len(RIGHT) * 8 - 1))
def test_any_flipped_bit_spoils_it(bit: int) -> None:
    data = bytearray(RIGHT)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(AuditFailure) as refused:
        verify_proof(bytes(data), ENTRIES[6], POLICY)
    assert refused.value.outcome in {Outcome.INVALID, Outcome.TOO_FEW_COSIGNERS}


def test_it_asks_for_the_quorum_of_its_reader() -> None:
    with pytest.raises(AuditFailure, match="missing: auditor") as refused:
        verify_proof(RIGHT, ENTRIES[6], POLICY.with_quorum(all_of("asker", "owner", "auditor")))
    assert refused.value.outcome is Outcome.TOO_FEW_COSIGNERS


def test_it_can_be_too_old_for_its_reader() -> None:
    verify_proof(RIGHT, ENTRIES[6], POLICY, Freshness(TIME + 60, 60))
    with pytest.raises(AuditFailure) as refused:
        verify_proof(RIGHT, ENTRIES[6], POLICY, Freshness(TIME + 61, 60))
    assert refused.value.outcome is Outcome.STALE


WRONG_FILES = {
    "another first line": RIGHT.replace(b"@v1", b"@v2"),
    "no first line": RIGHT.split(b"\n", 1)[1],
    "no index": RIGHT.replace(b"index 6\n", b""),
    "two spaces": RIGHT.replace(b"index 6", b"index  6"),
    "extra after the index": RIGHT.replace(b"index 6\n", b"index 6\nextra AAAA\n"),
    "extra twice": RIGHT.replace(b"index 6\n", b"extra AAAA\nextra AAAA\nindex 6\n"),
    "extra that is not base64": RIGHT.replace(b"index 6\n", b"extra A*A=\nindex 6\n"),
    "a hash of 33 bytes": RIGHT.replace(b"index 6\n", b"index 6\n" + b"A" * 44 + b"\n"),
    "CRLF": RIGHT.replace(b"\n", b"\r\n"),
    "no empty line": RIGHT.replace(b"\n\n", b"\n"),
    "64 hashes": RIGHT.replace(b"index 6\n", b"index 6\n" + (b"A" * 43 + b"=\n") * 61),
    "no checkpoint": RIGHT[: RIGHT.index(b"\n\n") + 2],
    "longer than any receipt": RIGHT + b"x" * 400_000,
}


@pytest.mark.parametrize("data", WRONG_FILES.values(), ids=WRONG_FILES.keys())
def test_a_receipt_has_one_form(data: bytes) -> None:
    with pytest.raises(PeerError):
        parse_proof(data)
    with pytest.raises(AuditFailure) as refused:
        verify_proof(data, ENTRIES[6], POLICY)
    assert refused.value.outcome is Outcome.INVALID


def test_an_index_beyond_the_end_is_refused() -> None:
    with pytest.raises(AuditFailure, match="beyond the log's end"):
        verify_proof(replace(receipt(10), index=11).to_bytes(), ENTRIES[10], POLICY)


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [(-1, 0, None), (2**63, 0, None), (0, 64, None), (0, 0, b"x" * (48_001))],
)
def test_a_receipt_out_of_bounds_cannot_be_made(index: int, hashes: int, extra: bytes | None) -> None:
    with pytest.raises(PeerError):
        ProofFile(index, (bytes(32),) * hashes, NOTE, extra)
    with pytest.raises(PeerError):
        ProofFile(0, (bytes(31),), NOTE)
