"""A cosigner's line is adopted only when it is this cosigner's, over this very head, and newer than what is there."""

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.cosignature import cosign, cosigned_at, with_cosignature
from cleanroom.transparency.note import SignatureLine, SignedNote
from tests.built_log import COSIGNERS, LOG_KEY, LOG_SEED, SEEDS, TIME, checkpoint_of, signed, some_entries

HEAD = checkpoint_of(some_entries(4))
BARE = signed(HEAD)
KEY = COSIGNERS["owner"]


def line(time: int = TIME, head: Checkpoint = HEAD) -> SignatureLine:
    return cosign(head, name=KEY.name, key=SEEDS["owner"], time=time)


def answer(*lines: SignatureLine) -> bytes:
    return "".join(each.text() for each in lines).encode("utf-8")


def test_the_line_is_adopted_and_tells_its_time() -> None:
    note = with_cosignature(BARE, answer(line()), KEY)
    assert cosigned_at(note, KEY) == TIME
    assert note.signatures[:1] == BARE.signatures


def test_a_newer_line_takes_the_place_of_an_older_one_and_never_the_reverse() -> None:
    older = with_cosignature(BARE, answer(line(TIME)), KEY)
    newer = with_cosignature(older, answer(line(TIME + 1)), KEY)
    assert cosigned_at(newer, KEY) == TIME + 1
    assert len(newer.signatures) == len(older.signatures) == 2
    assert with_cosignature(newer, answer(line(TIME)), KEY) == newer


def test_of_several_lines_the_newest_counts() -> None:
    note = with_cosignature(BARE, answer(line(TIME), line(TIME + 5), line(TIME + 2)), KEY)
    assert cosigned_at(note, KEY) == TIME + 5


def test_lines_of_others_never_enter_the_note() -> None:
    """Sunlight's lesson: a forged line in an answer must not poison what is stored."""
    forged = SignatureLine("stranger.example", b"\1\2\3\4", b"forged")
    forged_log = SignatureLine(LOG_KEY.name, LOG_KEY.key_id, bytes(64))
    note = with_cosignature(BARE, answer(forged, line(), forged_log), KEY)
    assert {each.name for each in note.signatures} == {LOG_KEY.name, KEY.name}
    assert note.lines_of(LOG_KEY) == BARE.lines_of(LOG_KEY)


def test_an_answer_with_one_bad_line_of_the_cosigner_is_refused_whole() -> None:
    bad = SignatureLine(KEY.name, KEY.key_id, bytes(72))
    with pytest.raises(AuthenticationError):
        with_cosignature(BARE, answer(line(), bad), KEY)


def test_a_line_over_another_head_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        with_cosignature(BARE, answer(line(head=checkpoint_of(some_entries(3)))), KEY)


@pytest.mark.parametrize("data", [b"", b"\n", b"not a line\n", answer(line())[:-1], b"\xff\n"])
def test_an_answer_that_is_no_list_of_lines_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError):
        with_cosignature(BARE, data, KEY)


def test_an_answer_without_the_cosigner_is_refused() -> None:
    other = cosign(HEAD, name=COSIGNERS["asker"].name, key=SEEDS["asker"], time=TIME)
    with pytest.raises(PeerError, match="no cosignature of"):
        with_cosignature(BARE, answer(other), KEY)


def test_the_time_is_part_of_what_is_signed() -> None:
    moved = SignatureLine(KEY.name, KEY.key_id, (TIME + 1).to_bytes(8, "big") + line().signature[8:])
    with pytest.raises(AuthenticationError):
        cosigned_at(SignedNote(BARE.text, (*BARE.signatures, moved)), KEY)


def test_a_log_signature_is_no_cosignature_and_the_reverse() -> None:
    """The message begins with a line that no checkpoint begins with."""
    plain = SignatureLine(KEY.name, KEY.key_id, TIME.to_bytes(8, "big") + SEEDS["owner"].sign(HEAD.text().encode()))
    with pytest.raises(AuthenticationError):
        cosigned_at(SignedNote(BARE.text, (plain,)), KEY)
    with pytest.raises(ValueError, match="does not cosign"):
        cosigned_at(BARE, LOG_KEY)
    assert cosign(HEAD, name=KEY.name, key=LOG_SEED, time=TIME).signature[8:] != BARE.signatures[0].signature


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_time_out_of_range_is_never_signed(time: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        line(time)


def test_a_time_of_2_to_the_63_is_refused_even_when_it_verifies() -> None:
    seed = SigningKey(b"\x02" * 32)
    assert seed.public_bytes() == KEY.public
    message = f"cosignature/v1\ntime {2**63}\n{HEAD.text()}".encode()
    late = SignatureLine(KEY.name, KEY.key_id, (2**63).to_bytes(8, "big") + seed.sign(message))
    with pytest.raises(AuthenticationError, match="malformed"):
        cosigned_at(SignedNote(BARE.text, (late,)), KEY)
