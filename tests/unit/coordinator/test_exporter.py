"""The folder for auditors: whenever one looks, wherever the writer was killed, a checkpoint has all that it needs."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cleanroom.coordinator.exporter import KEPT_EXPORTS, Exporter
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.ids import PartyName
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.export import CHECKPOINT_PATH
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transport.event_log import EventLog
from tests.built_log import files_of
from tests.unit.coordinator.written_log import WrittenLog, answer


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WrittenLog]:
    """Empty."""
    log = WrittenLog(tmp_path)
    yield log
    log.close()


def exported_size(log: WrittenLog) -> int:
    """What the folder's checkpoint says."""
    note = log.folder.checkpoint()
    assert note is not None
    return parse_checkpoint(parse_note(note).text).size


def grown(log: WrittenLog, count: int, *names: str) -> None:
    """Entries, a head, these cosigners, and an export."""
    log.grow(count)
    log.now_s += 2
    assert log.publish()
    log.cosign(*names)
    assert log.exporter.export()


@pytest.mark.parametrize("count", [1, 255, 256, 257, 600])
def test_an_auditor_verifies_the_folder_and_finds_what_the_reference_export_makes(count: int, log: WrittenLog) -> None:
    grown(log, count, "asker", "owner")
    assert len(log.verified().contents.entries) == count
    entries = [b"entry %d" % number for number in range(count)]
    assert log.files() == files_of(entries, time=1_700_000_000)


def test_a_folder_that_grew_in_steps_holds_what_one_export_would_have_made(log: WrittenLog) -> None:
    for count in (1, 100, 200, 300, 3):
        grown(log, count, "asker", "owner")
    verified = log.verified()
    assert len(verified.contents.entries) == 604
    assert verified.contents.unused == ()


def test_files_are_this_user_s_alone(log: WrittenLog) -> None:
    grown(log, 300)
    for path in (log.folder.path, *log.folder.path.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_without_any_cosigned_head_the_newest_is_shown_and_an_auditor_is_told_who_is_missing(log: WrittenLog) -> None:
    grown(log, 2)
    with pytest.raises(AuditFailure, match="asker, owner") as caught:
        log.verified()
    assert caught.value.outcome is Outcome.TOO_FEW_COSIGNERS
    assert exported_size(log) == 2


def test_a_head_of_the_quorum_stays_until_a_newer_one_has_it_too(log: WrittenLog) -> None:
    grown(log, 2, "asker", "owner")
    log.grow(3)
    log.publish()
    log.cosign("asker")
    assert not log.exporter.export()
    assert exported_size(log) == 2
    log.cosign("owner")
    assert log.exporter.export()
    assert log.verified().head.checkpoint.size == 5


def test_lines_that_come_later_are_shown_without_writing_a_tile_again(log: WrittenLog) -> None:
    grown(log, 2, "asker", "owner")
    before = {path: path.stat().st_mtime_ns for path in (log.folder.path / "tile").rglob("*") if path.is_file()}
    log.cosign("auditor")
    assert log.exporter.export()
    assert set(log.verified().head.cosigned_at) == {"asker", "owner", "auditor"}
    after = {path: path.stat().st_mtime_ns for path in (log.folder.path / "tile").rglob("*") if path.is_file()}
    assert after == before
    assert not log.exporter.export()


def test_the_shown_checkpoint_never_goes_back_to_a_smaller_size(log: WrittenLog) -> None:
    """Nobody had cosigned; the newest was shown; then an older head gets its quorum."""
    log.grow(2)
    log.publish()
    log.cosign("asker")
    older = log.head("owner")
    log.now_s += 2
    grown(log, 3)
    assert exported_size(log) == 5
    log.heads.submit(PartyName("owner"), 2, answer(older, "owner"))
    assert log.heads.to_export().size == 2
    assert not log.exporter.export()
    assert exported_size(log) == 5


class Killed(BaseException):
    """The process ended here."""


def test_killed_after_any_file_the_folder_is_still_the_one_before_and_the_next_export_mends_it(tmp_path: Path) -> None:
    """Before each file of an export of 300 entries onto 250, the checkpoint included."""
    writes = 0
    while True:
        log = WrittenLog(tmp_path / str(writes))
        grown(log, 250, "asker", "owner")
        log.grow(50)
        log.publish()
        log.cosign("asker", "owner")
        was_killed = killed_before_file(log, writes)
        assert log.verified().head.checkpoint.size == (250 if was_killed else 300)
        log.close()
        again = WrittenLog(tmp_path / str(writes))
        again.exporter.export()
        verified = again.verified()
        assert (verified.head.checkpoint.size, verified.contents.unused) == (300, ())
        again.close()
        if not was_killed:
            break
        writes += 1
    assert writes == 6  # two bundles, two tiles of leaves, one above them, and the checkpoint


def killed_before_file(log: WrittenLog, number: int) -> bool:
    """Export, and die before the file of this number; whether it came to that."""
    left = number

    class Mortal(LogFolder):
        def write(self, files: Iterable[tuple[str, bytes]]) -> None:
            super().write(self._some(files))

        def _some(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
            nonlocal left
            for file in files:
                if left == 0:
                    (self.path / "tile" / "half.draft").write_bytes(b"half a file")
                    raise Killed
                left -= 1
                yield file

    exporter = Exporter(Mortal(log.folder.path), log.heads, log.store, EventLog(log.logged))
    try:
        exporter.export()
    except Killed:
        return True
    return False


def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    """The database is the truth; also when single files are gone."""
    log = WrittenLog(tmp_path)
    grown(log, 300, "asker", "owner")
    (log.folder.path / "tile" / "0" / "000").unlink()
    log.close()
    again = WrittenLog(tmp_path)
    assert again.exporter.export()
    assert len(again.verified().contents.entries) == 300
    for path in sorted(again.folder.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    again.close()
    anew = WrittenLog(tmp_path)
    assert anew.exporter.export()
    assert len(anew.verified().contents.entries) == 300
    anew.close()


def test_old_partial_tiles_go_and_those_of_the_last_sixteen_exports_stay(log: WrittenLog) -> None:
    for _ in range(KEPT_EXPORTS + 10):
        grown(log, 1, "asker", "owner")
    widths = sorted(int(path.name) for path in (log.folder.path / "tile" / "entries" / "000.p").iterdir())
    assert widths == list(range(11, 27))
    grown(log, 256 - 26, "asker", "owner")
    for _ in range(KEPT_EXPORTS):
        grown(log, 1, "asker", "owner")
    assert not (log.folder.path / "tile" / "entries" / "000.p").exists()
    assert log.verified().contents.unused == ()


def test_after_a_restart_only_what_the_checkpoint_needs_is_left_of_older_partial_tiles(tmp_path: Path) -> None:
    log = WrittenLog(tmp_path)
    for _ in range(5):
        grown(log, 1, "asker", "owner")
    stray = log.folder.path / "notes.txt"
    stray.write_text("an operator's own file\n")
    log.close()
    again = WrittenLog(tmp_path)
    assert set(again.files()) == {CHECKPOINT_PATH, "tile/0/000.p/5", "tile/entries/000.p/5", "notes.txt"}
    again.close()


def test_the_thread_exports_by_itself_and_once_more_before_it_ends(log: WrittenLog) -> None:
    log.exporter.start()
    log.grow(3)
    log.publish()
    log.cosign("asker", "owner")
    log.exporter.ring()
    log.exporter.stop()
    assert log.verified().head.checkpoint.size == 3


def test_a_disk_that_takes_no_file_is_told_and_tried_again(log: WrittenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.grow(3)
    log.publish()

    def full(self: LogFolder, files: Iterable[tuple[str, bytes]]) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(LogFolder, "write", full)
        log.exporter.start()
        log.exporter.stop()
    assert '"call": "export"' in log.logged.getvalue()
    assert log.exporter.export()
    assert exported_size(log) == 3
