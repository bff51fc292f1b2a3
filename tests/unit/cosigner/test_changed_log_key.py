"""A cosigner's copy over a change of the log's key: it goes on, and heads of the old key alone prove nothing more."""

from dataclasses import replace
from pathlib import Path

import pytest

from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.stops import SplitViewError
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError
from cleanroom.transparency.checkpoint import parse_checkpoint, sign_checkpoint
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.policy import all_of
from cleanroom.transparency.proof_file import verify_proof
from cleanroom.transparency.witness_message import COSIGNED
from tests.built_log import ORIGIN, POLICY, checkpoint_of, signed, some_entries
from tests.unit.cosigner.growing_log import GrowingLog, cosigner, open_mirror

NEW = SigningKey(b"\x09" * 32)
NEW_POLICY = replace(POLICY, log_keys=(NoteKey(ORIGIN, KeyKind.LOG, NEW.public_bytes()),))
ENTRIES = some_entries(6)
QUORUM = all_of("asker", "owner")


def resigned(note: SignedNote) -> SignedNote:
    """With the new key's line beside the old one's, as the coordinator stores and offers it."""
    lines = sign_checkpoint(parse_checkpoint(note.text), NEW).signatures
    return SignedNote(note.text, (*lines, *note.signatures))


@pytest.fixture
def log() -> GrowingLog:
    return GrowingLog(list(ENTRIES))


@pytest.fixture
def path(tmp_path: Path, log: GrowingLog) -> Path:
    """A copy on disk under the old key, whose head asker and owner have cosigned."""
    tmp_path.chmod(0o700)
    path = tmp_path / "mirror.db"
    mirror = open_mirror(path)
    one = cosigner(mirror, log)
    log.cosigned_by("asker")
    while mirror.proof(ENTRIES[0], QUORUM) is None:
        one.step(0)
    mirror.close()
    return path


def opened(path: Path) -> Mirror:
    """The same copy under the new contract."""
    return Mirror(path, NEW_POLICY, name="owner", begun=True)


def test_a_head_of_the_old_key_alone_proves_nothing_until_the_log_shows_it_with_the_new_one(
    path: Path, log: GrowingLog
) -> None:
    for _ in range(2):
        mirror = opened(path)
        assert mirror.size == 6
        assert (mirror.head(), mirror.head_signed_by("asker"), mirror.unsent()) == (b"", b"", None)
        assert mirror.proof(ENTRIES[0], QUORUM) is None
        with pytest.raises(PeerError, match="not signed by the log"):
            mirror.compare(log.notes[6].to_bytes())
        mirror.close()
    mirror = opened(path)
    assert mirror.take(resigned(log.notes[6]).to_bytes())
    for again in (mirror, opened(path)):
        proof = again.proof(ENTRIES[0], QUORUM)
        assert proof is not None
        assert verify_proof(proof, ENTRIES[0], NEW_POLICY)[0] == 0


def test_a_cosigner_goes_on_signing_without_a_pause_and_refuses_what_the_old_key_signs_alone(
    path: Path, log: GrowingLog
) -> None:
    mirror = opened(path)
    log.entries += some_entries(2, first=6)
    with pytest.raises(PeerError):
        cosigner(mirror, log).step(0)
    assert mirror.size == 6
    assert log.answers[-1][1].status != COSIGNED
    log.notes = {6: resigned(log.notes[6]), 8: resigned(signed(checkpoint_of(log.entries)))}
    assert cosigner(mirror, log).step(0)
    assert mirror.size == 8
    assert log.answers[-1][1].status == COSIGNED


def test_another_history_under_the_new_key_is_convicted_by_the_head_of_the_old_one(path: Path) -> None:
    forked = [*some_entries(5, first=50), ENTRIES[5]]
    mirror = opened(path)
    with pytest.raises(SplitViewError):
        mirror.compare(resigned(signed(checkpoint_of(forked))).to_bytes())
    (evidence,) = mirror.evidence()
    ours = parse_note(evidence.ours)
    assert ours.text == checkpoint_of(ENTRIES).text()
    assert ours.lines_of(POLICY.log_keys[0])


def test_a_copy_that_fell_behind_what_its_own_key_signed_catches_up_over_the_change(
    path: Path, log: GrowingLog
) -> None:
    mirror = open_mirror(path, begun=True)
    ahead = signed(checkpoint_of([*ENTRIES, b"more"]), "owner")
    with pytest.raises(Exception, match="than this state"):
        mirror.compare(ahead.to_bytes())
    mirror.close()
    mirror = opened(path)
    with pytest.raises(Exception, match="than this state"):
        mirror.check()
    log.entries.append(b"more")
    log.notes = {7: resigned(ahead)}
    log.grown = [7]
    mirror.catch_up(log, check=lambda first, entries: None, now=mirror.held.time)
    mirror.check()
    assert mirror.size == 7
