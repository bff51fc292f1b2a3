"""The golden log, byte for byte: what other people's verifiers accept is what ours writes and reads.

And the reference note of Go's sumdb, whose key and signature anybody can look up.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import UsageError
from cleanroom.transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.cosignature import cosign, cosigned_at
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey, parse_vkey
from tests.built_log import tree_of

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "golden_log.json").read_text(encoding="utf-8")
)
ENTRIES = [entry.encode("ascii") for entry in GOLDEN["entries"]]
NOTE = GOLDEN["checkpoint"].encode("utf-8")
LOG, WITNESS = SigningKey(bytes(32)), SigningKey(b"\x01" * 32)

SUMDB_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SUMDB_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_leaf_hashes_are_the_golden_ones() -> None:
    assert [leaf_hash(entry).hex() for entry in ENTRIES] == GOLDEN["leaf_hashes"]


def test_the_keys_are_written_as_the_golden_lines() -> None:
    log = NoteKey("cleanroom.example/log/1", KeyKind.LOG, LOG.public_bytes())
    witness = NoteKey("party-a.example/witness", KeyKind.COSIGNER, WITNESS.public_bytes())
    assert (log.vkey(), witness.vkey()) == (GOLDEN["log_vkey"], GOLDEN["witness_vkey"])
    assert (parse_vkey(GOLDEN["log_vkey"]), parse_vkey(GOLDEN["witness_vkey"])) == (log, witness)


def test_the_cosigned_checkpoint_is_written_byte_for_byte() -> None:
    checkpoint = Checkpoint("cleanroom.example/log/1", 3, tree_of(ENTRIES).root())
    note = sign_checkpoint(checkpoint, LOG)
    line = cosign(checkpoint, name="party-a.example/witness", key=WITNESS, time=GOLDEN["time"])
    assert SignedNote(note.text, (*note.signatures, line)).to_bytes() == NOTE


def test_the_cosigned_checkpoint_is_read_and_verified() -> None:
    note = parse_note(NOTE)
    assert note.to_bytes() == NOTE
    assert open_checkpoint(note, [parse_vkey(GOLDEN["log_vkey"])]).size == 3
    assert cosigned_at(note, parse_vkey(GOLDEN["witness_vkey"])) == GOLDEN["time"]


def test_the_proofs_are_the_golden_ones() -> None:
    tree = tree_of(ENTRIES)
    assert [b64encode(part).decode() for part in prove_inclusion(tree, 2, 3)] == GOLDEN["inclusion_of_2_at_3"]
    assert [b64encode(part).decode() for part in prove_consistency(tree, 2, 3)] == GOLDEN["consistency_2_to_3"]


def test_the_reference_note_of_go_s_sumdb_verifies() -> None:
    key, note = parse_vkey(SUMDB_VKEY), parse_note(SUMDB_NOTE.encode("utf-8"))
    (signature,) = note.lines_of(key)
    verify(key.public, signature, note.text.encode("utf-8"))
    assert key.vkey() == SUMDB_VKEY
    assert note.to_bytes() == SUMDB_NOTE.encode("utf-8")


def test_no_piece_and_no_mistyped_letter_of_a_verifier_key_is_a_verifier_key() -> None:
    for start in range(len(SUMDB_VKEY)):
        for end in range(start + 1, len(SUMDB_VKEY) + 1):
            if (start, end) != (0, len(SUMDB_VKEY)):
                with pytest.raises(UsageError):
                    parse_vkey(SUMDB_VKEY[start:end])
    for at, letter in enumerate(SUMDB_VKEY):
        with pytest.raises(UsageError):
            parse_vkey(SUMDB_VKEY[:at] + chr(ord(letter) + 1) + SUMDB_VKEY[at + 1 :])
