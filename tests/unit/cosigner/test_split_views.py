"""Two heads for one log are found when they meet, kept as files that convict it, and nothing is signed after that.

hostile-inputs.md rows 38 and 39.
"""

from pathlib import Path

import pytest

from cleanroom.cosigner.stops import SplitViewError
from cleanroom.errors import PeerError
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_note
from cleanroom.transparency.policy import all_of
from cleanroom.transparency.witness_message import INCONSISTENT
from tests.built_log import COSIGNERS, checkpoint_of, signed, some_entries
from tests.unit.cosigner.growing_log import GrowingLog, cosigner, open_mirror

HONEST = some_entries(6)
FORKED = [*HONEST[:3], *some_entries(5, first=100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "mirror.db"


def held(path: Path, size: int = 6) -> GrowingLog:
    """A mirror on disk that holds the honest log up to there."""
    log = GrowingLog(HONEST[:size])
    mirror = open_mirror(path)
    cosigner(mirror, log).step(0)
    mirror.close()
    return log


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (path.parent / "evidence").iterdir()}


def test_another_root_for_a_size_that_is_held_convicts_the_log(path: Path) -> None:
    log = held(path)
    mirror = open_mirror(path, begun=True)
    theirs = signed(checkpoint_of(FORKED[:6]), "asker")
    with pytest.raises(SplitViewError, match="two histories of its first 6 entries"):
        mirror.compare(theirs.to_bytes())
    (evidence,) = mirror.evidence()
    assert evidence.theirs == theirs.to_bytes()
    assert files(path) == {"1-ours.note": evidence.ours, "1-theirs.note": evidence.theirs}
    assert parse_note(evidence.ours).text == checkpoint_of(HONEST).text()
    for again in (mirror, open_mirror(path, begun=True)):
        log.entries = [*HONEST, b"more"]
        before = len(log.answers)
        with pytest.raises(SplitViewError):
            cosigner(again, log).step(0)
        with pytest.raises(SplitViewError):
            again.proof(HONEST[0], all_of("owner"))
        assert (again.size, len(log.answers)) == (6, before)


def test_an_older_root_that_is_not_ours_convicts_it_too(path: Path) -> None:
    held(path)
    mirror = open_mirror(path, begun=True)
    mirror.compare(signed(checkpoint_of(FORKED[:3])).to_bytes())
    with pytest.raises(SplitViewError):
        mirror.compare(signed(checkpoint_of(FORKED[:4])).to_bytes())


def test_the_same_head_from_somebody_else_convicts_nobody(path: Path) -> None:
    held(path)
    mirror = open_mirror(path, begun=True)
    for size in range(7):
        mirror.compare(signed(checkpoint_of(HONEST[:size]), "asker", "auditor").to_bytes())
    assert mirror.evidence() == []


def test_a_note_of_more_than_we_hold_is_compared_when_we_get_there_before_anything_is_signed(path: Path) -> None:
    log = held(path, 4)
    mirror = open_mirror(path, begun=True)
    mirror.compare(signed(checkpoint_of(FORKED[:6]), "asker").to_bytes(), sender="asker")
    before = len(log.answers)
    mirror = open_mirror(path, begun=True)
    log.entries = list(HONEST)
    with pytest.raises(SplitViewError):
        cosigner(mirror, log).step(0)
    assert (mirror.size, len(log.answers), len(mirror.evidence())) == (4, before, 1)


def test_a_note_ahead_of_us_that_proves_right_is_kept_with_its_lines(path: Path) -> None:
    log = held(path, 4)
    mirror = open_mirror(path, begun=True)
    mirror.compare(signed(checkpoint_of(HONEST[:5]), "asker").to_bytes(), sender="asker")
    log.entries = list(HONEST)
    cosigner(mirror, log).step(0)
    assert mirror.proof(HONEST[4], all_of("asker")) is not None
    assert mirror.proof(HONEST[5], all_of("asker")) is None


def test_of_each_sender_one_note_ahead_of_us_is_kept(path: Path) -> None:
    log = held(path, 4)
    mirror = open_mirror(path, begun=True)
    mirror.compare(signed(checkpoint_of(HONEST)).to_bytes(), sender="asker")
    mirror.compare(signed(checkpoint_of(FORKED[:5])).to_bytes(), sender="auditor")
    for size in (8, 7):
        mirror.compare(signed(checkpoint_of(FORKED[:size])).to_bytes(), sender="asker")
    log.entries = list(HONEST)
    with pytest.raises(SplitViewError, match="first 5 entries"):
        cosigner(mirror, log).step(0)


def test_a_fork_shown_by_the_log_itself_is_answered_and_found_by_reading_it_again(path: Path) -> None:
    log = held(path, 5)
    mirror = open_mirror(path, begun=True)
    log.entries, log.notes, log.grown = list(FORKED), {}, []
    with pytest.raises(SplitViewError):
        cosigner(mirror, log).step(0)
    assert [answer.status for _, answer in log.answers[1:]] == [INCONSISTENT]
    (evidence,) = mirror.evidence()
    assert parse_note(evidence.theirs).text == checkpoint_of(FORKED).text()
    assert mirror.size == 5


def test_a_bad_proof_alone_convicts_nobody(path: Path) -> None:
    log = held(path, 3)
    log.entries = list(HONEST)
    log.shown = log.request(2).replace(b"old 2\n", b"old 3\n")
    mirror = open_mirror(path, begun=True)
    with pytest.raises(PeerError, match="not cosigned"):
        cosigner(mirror, log).step(0)
    assert (mirror.evidence(), mirror.size) == ([], 3)
    log.shown = None
    cosigner(mirror, log).step(0)
    assert mirror.size == 6


def test_a_log_that_was_set_back_is_not_signed(path: Path) -> None:
    log = held(path, 5)
    mirror = open_mirror(path, begun=True)
    log.entries = HONEST[:4]
    log.shown = log.request(5)
    with pytest.raises(PeerError, match="was set back: its newest head is of 4 entries, and 5 were cosigned"):
        cosigner(mirror, log).step(0)
    assert (mirror.size, mirror.evidence()) == (5, [])


FORGED = SignatureLine(COSIGNERS["asker"].name, COSIGNERS["asker"].key_id, bytes(72))
HEAD = signed(checkpoint_of(HONEST), "auditor")


@pytest.mark.parametrize(
    "note",
    [
        SignedNote(HEAD.text, (*HEAD.signatures, FORGED)).to_bytes(),
        SignedNote(HEAD.text, (*HEAD.signatures, SignatureLine(FORGED.name, FORGED.key_id, b"\0"))).to_bytes(),
        SignedNote(HEAD.text, HEAD.signatures[1:]).to_bytes(),
        HEAD.to_bytes().replace(b"\n", b"\r\n"),
        HEAD.to_bytes().replace("\N{EM DASH}".encode(), b"-"),
        HEAD.to_bytes().replace(b"\n6\n", b"\n06\n"),
        HEAD.to_bytes().replace(b"\n6\n", "\n\N{FULLWIDTH DIGIT SIX}\n".encode()),
        HEAD.to_bytes().replace(b"\n6\n", b"\n9223372036854775808\n"),
        HEAD.to_bytes().replace(b"\n\n", b"extension\n\n"),
        HEAD.to_bytes()[:-2],
        SignedNote(HEAD.text, HEAD.signatures).to_bytes() + HEAD.signatures[1].text().encode() * 300,
        b"",
    ],
)
def test_a_note_that_does_not_verify_whole_leaves_no_line_behind(path: Path, note: bytes) -> None:
    held(path)
    mirror = open_mirror(path, begun=True)
    before, state = mirror.head(), path.read_bytes()
    with pytest.raises(PeerError):
        mirror.compare(note)
    assert (mirror.head(), path.read_bytes(), mirror.evidence()) == (before, state, [])


def test_a_strangers_line_is_never_stored(path: Path) -> None:
    held(path)
    mirror = open_mirror(path, begun=True)
    stranger = SignatureLine("stranger.example", b"1234", bytes(72))
    notes = [signed(checkpoint_of(entries), "auditor") for entries in (HONEST, HONEST[:5], FORKED[:8], FORKED[:6])]
    for note in notes[:3]:
        mirror.compare(SignedNote(note.text, (*note.signatures, stranger)).to_bytes())
    assert COSIGNERS["auditor"].name.encode() in mirror.head()
    with pytest.raises(SplitViewError):
        mirror.compare(SignedNote(notes[3].text, (*notes[3].signatures, stranger)).to_bytes())
    mirror.close()
    assert files(path)["1-theirs.note"] == notes[3].to_bytes()
    assert b"stranger" not in path.read_bytes()


def test_one_bad_note_does_not_hide_the_others(path: Path) -> None:
    log = held(path)
    mirror = open_mirror(path, begun=True)
    log.cosigned_by("auditor")
    good = log.notes[6].to_bytes()
    fifth = signed(checkpoint_of(HONEST[:5]), "auditor")
    bad = SignedNote(fifth.text, (*fifth.signatures, FORGED)).to_bytes()
    mine = cosigner(mirror, log)
    log.grown, log.extra = [], (bad, good)
    with pytest.raises(PeerError, match="signature does not hold"):
        mine.step(0)
    assert mirror.proof(HONEST[0], all_of("auditor")) is not None


def test_evidence_survives_its_files(path: Path) -> None:
    held(path)
    mirror = open_mirror(path, begun=True)
    with pytest.raises(SplitViewError):
        mirror.compare(signed(checkpoint_of(FORKED[:6])).to_bytes())
    before = files(path)
    for file in (path.parent / "evidence").iterdir():
        file.unlink()
    open_mirror(path, begun=True)
    assert files(path) == before


@pytest.mark.parametrize("senders", [("asker", "asker"), ("asker", "auditor")])
def test_two_notes_of_one_size_that_is_not_held_yet_convict_the_log_at_once(
    path: Path, senders: tuple[str, str]
) -> None:
    """A log that never lets us get there would keep us from comparing either of them."""
    held(path, 4)
    mirror = open_mirror(path, begun=True)
    one, other = (signed(checkpoint_of(entries[:6])).to_bytes() for entries in (HONEST, FORKED))
    mirror.compare(one, sender=senders[0])
    mirror.compare(one, sender=senders[1])
    with pytest.raises(SplitViewError, match="two histories of its first 6 entries"):
        mirror.compare(other, sender=senders[1])
    assert files(path) == {"1-ours.note": one, "1-theirs.note": other}
