"""Copying a log into a folder, from a log that may lie: what is stored, what is refused, and what is left as it was."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.audit.copying import Copied, copy_log
from cleanroom.audit.files import read_log
from cleanroom.errors import PeerError, UnavailableError, UsageError
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.folder import verify_folder
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.witness_message import WitnessRequest
from cleanroom.wire.messages import LogEntry, LogPage
from tests.built_log import ORIGIN, POLICY, checkpoint_of, files_of, signed, some_entries
from tests.unit.cosigner.growing_log import GrowingLog
from tests.unit.cosigner.test_changed_log_key import NEW_POLICY, resigned


def log_of(entries: list[bytes], *cosigners: str) -> GrowingLog:
    """A log whose newest head these have cosigned."""
    log = GrowingLog(list(entries))
    if cosigners:
        log.cosigned_by(*cosigners)
    return log


def contents(folder: Path) -> dict[str, bytes]:
    return read_log(folder)


def refused(folder: Path, log: GrowingLog) -> AuditFailure:
    """The copy fails, and the folder is what it was."""
    before = contents(folder) if folder.exists() else {}
    with pytest.raises(AuditFailure) as failure:
        copy_log(folder, log, POLICY)
    assert (contents(folder) if folder.exists() else {}) == before
    return failure.value


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_a_copy_is_file_for_file_what_the_log_s_own_folder_is(tmp_path: Path, size: int) -> None:
    entries = some_entries(size)
    assert copy_log(tmp_path, log_of(entries, "asker", "owner"), POLICY) == Copied(0, size, has_quorum=True)
    assert contents(tmp_path) == files_of(entries)
    assert [path.name for path in tmp_path.rglob(".*")] == [], "no draft is left"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=2, max_size=4))
def test_a_copy_grows_and_holds_after_each_fetch(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    folder, size = tmp_path_factory.mktemp("copy"), 0
    for step in steps:
        size += step
        copy_log(folder, log_of(some_entries(size), "asker", "owner"), POLICY)
        assert len(verify_folder(contents(folder), POLICY).contents.entries) == size


def test_what_is_held_is_not_asked_for_again(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(300), "asker", "owner"), POLICY)
    log, asked = log_of(some_entries(310), "asker", "owner"), list[int]()
    read = log.read_log

    def reading(first: int, limit: int = 256) -> LogPage:
        asked.append(first)
        return read(first, limit)

    log.read_log = reading  # type: ignore[method-assign] # a spy
    copy_log(tmp_path, log, POLICY)
    assert asked == [300]


def test_a_log_without_news_leaves_the_copy_as_it_is(tmp_path: Path) -> None:
    log = log_of(some_entries(5), "asker", "owner")
    copy_log(tmp_path, log, POLICY)
    log.grown.clear()
    before = contents(tmp_path)
    assert copy_log(tmp_path, log, POLICY) == Copied(5, 5, has_quorum=True)
    assert contents(tmp_path) == before


def test_the_newest_head_with_the_quorum_is_taken_though_a_newer_one_lacks_it(tmp_path: Path) -> None:
    log = log_of(some_entries(5), "asker", "owner")
    log.entries = some_entries(9)
    log.cosigned_by("asker")
    assert copy_log(tmp_path, log, POLICY) == Copied(0, 5, has_quorum=True)
    assert contents(tmp_path) == files_of(some_entries(5))


def test_while_no_head_has_the_quorum_the_newest_is_copied_and_that_is_said(tmp_path: Path) -> None:
    log = log_of(some_entries(5), "asker")
    assert copy_log(tmp_path, log, POLICY) == Copied(0, 5, has_quorum=False)
    with pytest.raises(AuditFailure, match="missing: owner"):
        verify_folder(contents(tmp_path), POLICY)
    log.cosigned_by("owner")
    assert copy_log(tmp_path, log, POLICY) == Copied(5, 5, has_quorum=True)
    assert verify_folder(contents(tmp_path), POLICY)


def test_an_empty_log_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no head yet"):
        copy_log(tmp_path / "new", GrowingLog(), POLICY)
    assert not (tmp_path / "new").exists()


def test_a_copy_that_was_cut_off_before_its_checkpoint_is_made_again(tmp_path: Path) -> None:
    entries = some_entries(300)
    copy_log(tmp_path, log_of(entries, "asker", "owner"), POLICY)
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "tile" / "0" / "001.p" / "44").unlink()
    copy_log(tmp_path, log_of(entries, "asker", "owner"), POLICY)
    assert contents(tmp_path) == files_of(entries)


def test_a_copy_that_was_cut_off_while_it_grew_holds_and_goes_on(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(10), "asker", "owner"), POLICY)
    old = (tmp_path / "checkpoint").read_bytes()
    copy_log(tmp_path, log_of(some_entries(300), "asker", "owner"), POLICY)
    (tmp_path / "checkpoint").write_bytes(old)
    (tmp_path / "tile" / "0" / "001.p" / "44").write_bytes(b"half")
    assert verify_folder(contents(tmp_path), POLICY).head.checkpoint.size == 10
    copy_log(tmp_path, log_of(some_entries(300), "asker", "owner"), POLICY)
    assert verify_folder(contents(tmp_path), POLICY).head.checkpoint.size == 300


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_bytes(b"dear")
    with pytest.raises(UsageError, match="holds something else than a log"):
        copy_log(tmp_path, log_of(some_entries(5), "asker", "owner"), POLICY)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_damaged_copy_is_not_continued(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(5), "asker", "owner"), POLICY)
    (tmp_path / "tile" / "entries" / "000.p" / "5").write_bytes(b"x")
    assert refused(tmp_path, log_of(some_entries(9), "asker", "owner")).outcome is Outcome.INVALID


def other_history(entries: list[bytes]) -> list[bytes]:
    return [b"another", *entries[1:]]


def test_another_history_of_what_is_held_is_told_with_both_notes(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(5), "asker", "owner"), POLICY)
    for size in (5, 9):
        failure = refused(tmp_path, log_of(other_history(some_entries(size)), "asker", "owner"))
        assert failure.outcome is Outcome.DIVERGED
        texts = {parse_note(note).text for note in failure.evidence}
        assert texts == {checkpoint_of(some_entries(5)).text(), checkpoint_of(other_history(some_entries(size))).text()}


def test_two_heads_of_two_histories_in_one_answer_are_told(tmp_path: Path) -> None:
    log = log_of(some_entries(9), "asker", "owner")
    log.extra = (signed(checkpoint_of(other_history(some_entries(4))), "asker").to_bytes(),)
    log.grown.clear()
    seen = log.poll_checkpoint

    def once(held_size: int, seen_before: int, wait_ms: int) -> object:
        if seen_before:
            log.extra = ()
        log.grown[:] = [9]
        return seen(held_size, seen_before, wait_ms)

    log.poll_checkpoint = once  # type: ignore[method-assign,assignment] # an answer of its own
    failure = refused(tmp_path / "new", log)
    assert (failure.outcome, len(failure.evidence)) == (Outcome.DIVERGED, 2)


def test_a_log_that_was_set_back_is_stale_and_the_copy_stays(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(9), "asker", "owner"), POLICY)
    failure = refused(tmp_path, log_of(some_entries(5), "asker", "owner"))
    assert failure.outcome is Outcome.STALE
    assert "the log ends at 5 entries now, but this copy has 9" in str(failure)


def withholds(log: GrowingLog) -> None:
    log.read_log = lambda first, limit=256: LogPage(())  # type: ignore[method-assign] # a lie


def hands_over_others(log: GrowingLog) -> None:
    others = some_entries(9, first=50)

    def lying(first: int, limit: int = 256) -> LogPage:
        return LogPage(tuple(LogEntry(first + at, entry) for at, entry in enumerate(others[first : first + limit])))

    log.read_log = lying  # type: ignore[method-assign] # a lie


def offers_endlessly(log: GrowingLog) -> None:
    news = log.poll_checkpoint(0, 0, 0)
    log.poll_checkpoint = lambda held_size, seen, wait_ms: news  # type: ignore[method-assign] # a lie


@pytest.mark.parametrize("lie", [withholds, hands_over_others, offers_endlessly])
def test_entries_that_the_head_does_not_cover_are_not_stored(tmp_path: Path, lie: Callable[[GrowingLog], None]) -> None:
    log = log_of(some_entries(9), "asker", "owner")
    lie(log)
    with pytest.raises(PeerError):
        copy_log(tmp_path / "new", log, POLICY)
    assert not (tmp_path / "new").exists()


def test_a_head_that_the_log_did_not_sign_is_not_followed(tmp_path: Path) -> None:
    log = log_of(some_entries(9), "asker", "owner")
    note = log.note().to_bytes().replace(checkpoint_of(some_entries(9)).text().encode(), b"x\n1\n" + b"A" * 43 + b"=\n")
    log.extra = (note,)
    assert refused(tmp_path / "new", log).outcome is Outcome.INVALID


def test_a_size_beyond_all_reason_costs_nothing(tmp_path: Path) -> None:
    log = log_of(some_entries(9))
    head = signed(Checkpoint(ORIGIN, 2**60, bytes(32))).to_bytes()
    log.shown = WitnessRequest(0, (), head).to_bytes()
    with pytest.raises(PeerError, match="withholds entry 9"):
        copy_log(tmp_path / "new", log, POLICY)


def test_a_broken_connection_leaves_the_copy_as_it_was(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(5), "asker", "owner"), POLICY)
    before, log = contents(tmp_path), log_of(some_entries(9), "asker", "owner")

    def gone(first: int, limit: int = 256) -> LogPage:
        raise UnavailableError("gone")

    log.read_log = gone  # type: ignore[method-assign] # a broken connection
    with pytest.raises(UnavailableError):
        copy_log(tmp_path, log, POLICY)
    assert contents(tmp_path) == before


def test_a_copy_made_before_the_log_s_key_was_changed_is_gone_on_with_by_the_former_key_only(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(5), "asker", "owner"), POLICY)
    log = log_of(some_entries(7), "asker", "owner")
    log.notes[7] = resigned(log.notes[7])
    assert refused_under(NEW_POLICY, tmp_path, log)
    done = copy_log(tmp_path, log, NEW_POLICY, former_keys=POLICY.log_keys)
    assert done == Copied(5, 7, has_quorum=True)
    assert len(verify_folder(contents(tmp_path), NEW_POLICY).contents.entries) == 7


def refused_under(policy: Policy, folder: Path, log: GrowingLog) -> str:
    with pytest.raises(AuditFailure, match="not signed by the log") as failure:
        copy_log(folder, log, policy)
    return str(failure.value)


def test_the_head_of_an_earlier_copy_that_only_a_former_key_signed_is_never_written_again(tmp_path: Path) -> None:
    copy_log(tmp_path, log_of(some_entries(5), "asker", "owner", "auditor"), POLICY)
    log = log_of(some_entries(5), "asker", "owner")
    log.notes[5] = resigned(log.notes[5])
    copy_log(tmp_path, log, NEW_POLICY, former_keys=POLICY.log_keys)
    assert len(verify_folder(contents(tmp_path), NEW_POLICY).contents.entries) == 5
