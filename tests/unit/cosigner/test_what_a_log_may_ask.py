"""Requests at the edge of the format are answered with the specification's status, and the state stays as it was.

hostile-inputs.md row 40, and what a cosigner's thread does with trouble that passes and with trouble that does not.
"""

import threading
from pathlib import Path

import pytest

from cleanroom.cosigner import cosigner as module
from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.room_check import RoomCheck
from cleanroom.cosigner.stops import SplitViewError
from cleanroom.errors import PeerError, StateError, UnavailableError
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.transparency.spelling import base64_text
from cleanroom.transparency.witness_message import INCONSISTENT, MALFORMED, OTHER_SIZE
from cleanroom.wire.messages import LogEntry, LogPage, Published
from tests.built_log import checkpoint_of, signed, some_entries
from tests.unit.cosigner.growing_log import GrowingLog, cosigner, on_disk, open_mirror
from tests.unit.querylog.test_room_rules import CONTRACT, HASH, asked, debit, released, said

HONEST = some_entries(6)
LINE = base64_text(bytes(32)).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "mirror.db"


def held(path: Path) -> tuple[Mirror, GrowingLog]:
    log = GrowingLog(HONEST[:4])
    mirror = open_mirror(path)
    cosigner(mirror, log).step(0)
    log.entries = list(HONEST)
    return mirror, log


def head(size: int | str = 6) -> bytes:
    return signed(checkpoint_of(HONEST)).to_bytes().replace(b"\n6\n", f"\n{size}\n".encode())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"old 4\n" + LINE * 63 + b"\n" + head(), INCONSISTENT),
        (b"old 4\n" + LINE * 64 + b"\n" + head(), None),
        (b"old 7\n\n" + head(), MALFORMED),
        (b"old 3\n\n" + head(), OTHER_SIZE),
        (b"old 9223372036854775808\n\n" + head(), None),
        (b"old 4\n\n" + head(2**63), None),
        (b"old 04\n\n" + head(), None),
        (b"old 4\n" + head(), None),
        (b"", None),
    ],
)
def test_a_request_at_the_edge_of_the_format_is_refused_and_changes_nothing(
    path: Path, request_: bytes, status: int | None
) -> None:
    mirror, log = held(path)
    log.shown, before = request_, on_disk(path)
    mine = cosigner(mirror, log)
    if request_:
        with pytest.raises(PeerError):
            mine.step(0)
    else:
        mine.step(0)
    assert [answer.status for _, answer in log.answers[1:]] == ([] if status is None else [status])
    assert (on_disk(path), mirror.evidence()) == (before, [])
    log.shown = None
    mine.step(0)
    assert mirror.size == 6


def test_two_processes_on_one_file_do_not_both_sign(path: Path) -> None:
    first, log = held(path)
    second = open_mirror(path, begun=True)
    cosigner(first, log).step(0)
    before = list(log.answers)
    log.entries = [*HONEST[:4], b"another", b"history"]
    log.notes, log.grown = {}, []
    with pytest.raises(StateError, match="another process moved this mirror"):
        cosigner(second, log).step(0)
    assert log.answers == before


def test_a_log_that_misnumbers_or_overfills_a_page_is_refused(path: Path) -> None:
    mirror, log = held(path)
    for page in (
        (LogEntry(5, HONEST[4]), LogEntry(6, HONEST[5])),
        (LogEntry(4, HONEST[4]), LogEntry(5, HONEST[5]), LogEntry(6, b"x")),
    ):
        log.read_log = lambda first, limit=256, page=page: LogPage(page)  # type: ignore[method-assign,misc]
        with pytest.raises(PeerError, match="other entries"):
            cosigner(mirror, log).step(0)
    assert mirror.size == 4


def test_a_log_cannot_fill_the_memory_before_its_next_head(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror, log = held(path)
    monkeypatch.setattr("cleanroom.cosigner.log.MAX_FETCH_BYTES", sum(map(len, HONEST[4:])) - 1)
    with pytest.raises(PeerError, match="GiB"):
        cosigner(mirror, log).step(0)
    monkeypatch.setattr("cleanroom.cosigner.log.MAX_FETCH_BYTES", sum(map(len, HONEST[4:])))
    cosigner(mirror, log).step(0)
    assert mirror.size == 6


def test_the_thread_tries_again_and_says_meanwhile_what_hinders_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.0)
    mirror, log = held(path)
    stopping, heard, poll = threading.Event(), [], log.poll_checkpoint
    mine = cosigner(mirror, log)

    def polled(held_size: int, seen: int, wait_ms: int) -> Published:
        heard.append(mine.trouble)
        if len(heard) == 1:
            raise UnavailableError("nobody is there")
        if len(heard) == 3:
            stopping.set()
        return poll(held_size, seen, wait_ms)

    log.poll_checkpoint = polled  # type: ignore[method-assign]
    mine.run(stopping)
    assert (heard, mine.trouble, mirror.size) == (["", "nobody is there", ""], "", 6)


def test_a_split_view_ends_the_thread_and_wakes_who_waits(path: Path) -> None:
    mirror, log = held(path)
    log.entries, woken = [*HONEST[:3], *some_entries(3, first=50)], []
    log.notes, log.grown = {}, []
    mine = cosigner(mirror, log, changed=lambda: woken.append(mine.trouble))
    with pytest.raises(SplitViewError):
        mine.run(threading.Event())
    assert len(woken) == 1
    assert "two histories" in woken[0]


def begin() -> RoomRules:
    return RoomRules(CONTRACT, HASH)


def test_the_rooms_rules_follow_the_mirror_also_after_a_restart(path: Path) -> None:
    log = GrowingLog([asked(), debit()])
    mirror = open_mirror(path)
    cosigner(mirror, log, check=RoomCheck(mirror, begin)).step(0)
    again = open_mirror(path, begun=True)
    log.entries.append(released())
    cosigner(again, log, check=RoomCheck(again, begin)).step(0)
    assert again.size == 3


def test_what_was_checked_and_not_stored_is_checked_again(path: Path) -> None:
    mirror = open_mirror(path)
    check = RoomCheck(mirror, begin)
    for _ in range(2):
        check(0, [asked(), debit()])
    with pytest.raises(PeerError, match="entry 1: rule twice"):
        check(0, [asked(), asked()])
    check(0, [asked(), debit(), released()])


def test_an_entry_that_breaks_a_rule_is_named_by_its_index_in_the_whole_log(path: Path) -> None:
    log = GrowingLog([asked(), debit()])
    mirror = open_mirror(path)
    check = RoomCheck(mirror, begin)
    cosigner(mirror, log, check=check).step(0)
    log.entries += [said("brand", "incident", sender="shop"), debit(at="2026-01-02T03:04:06Z")]
    with pytest.raises(StateError, match="entry 3: rule once"):
        cosigner(mirror, log, check=check).step(0)
    assert mirror.size == 2
