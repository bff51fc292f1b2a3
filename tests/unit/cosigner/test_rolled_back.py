"""A cosigner that has forgotten what it signed signs nothing more until it holds all of it again.

hostile-inputs.md row 40: the database lost, rolled back, or copied to a second node.
"""

import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

import pytest

from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.stops import RolledBackError, SplitViewError
from cleanroom.errors import PeerError, StateError, UsageError
from cleanroom.transparency.policy import all_of
from tests.built_log import TIME, checkpoint_of, signed, some_entries
from tests.unit.cosigner.growing_log import Clock, GrowingLog, cosigner, no_rules, open_mirror

HONEST = some_entries(9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def restored(folder: Path, clock: Clock | None = None) -> tuple[Path, GrowingLog]:
    """A backup of three entries, made before the node went on to sign six at a later second."""
    path, log, clock = folder / "mirror.db", GrowingLog(HONEST[:3]), clock or Clock()
    mirror = open_mirror(path)
    cosigner(mirror, log, clock=clock).step(0)
    mirror.close()
    backup = folder / "backup.db"
    shutil.copy(path, backup)
    mirror = open_mirror(path, begun=True)
    log.entries = HONEST[:6]
    clock.now += 10
    cosigner(mirror, log, clock=clock).step(0)
    mirror.close()
    shutil.copy(backup, path)
    return path, log


def test_a_lost_database_is_not_made_anew(folder: Path) -> None:
    path, _ = restored(folder)
    path.unlink()
    with pytest.raises(StateError, match="retire the key"):
        open_mirror(path, begun=True)
    assert not path.exists()
    path.touch(0o600)
    with pytest.raises(StateError, match="retire the key"):
        open_mirror(path, begun=True)


def test_a_first_start_needs_no_database(folder: Path) -> None:
    assert open_mirror(folder / "mirror.db").size == 0


def test_a_rolled_back_database_is_found_by_our_own_signature_and_signs_nothing(folder: Path) -> None:
    path, log = restored(folder)
    before = list(log.answers)
    for _ in range(2):
        mirror = open_mirror(path, begun=True)
        with pytest.raises(RolledBackError, match="cleanroom party ledger replay --home FOLDER"):
            cosigner(mirror, log).step(0)
        with pytest.raises(RolledBackError):
            mirror.proof(HONEST[0], all_of("owner"))
        assert (log.answers, mirror.size) == (before, 3)
        mirror.close()
        log.grown.clear()  # the coordinator hides it now; we remember


def test_a_peers_copy_of_our_signature_shows_it_too(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    with pytest.raises(RolledBackError):
        mirror.compare(log.notes[6].to_bytes())


def test_our_own_signature_of_what_we_hold_is_no_surprise(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    mirror.compare(log.notes[3].to_bytes())
    mirror.check()


def test_a_signature_of_ours_for_what_we_hold_at_a_time_that_we_never_gave_is_a_second_node(folder: Path) -> None:
    log = GrowingLog(HONEST[:3])
    mirror = open_mirror(folder / "mirror.db")
    cosigner(mirror, log).step(0)
    mirror.compare(signed(checkpoint_of(HONEST[:3]), "owner", time=TIME).to_bytes())
    with pytest.raises(RolledBackError):
        mirror.compare(signed(checkpoint_of(HONEST[:3]), "owner", time=TIME + 1).to_bytes())


def test_more_than_we_hold_is_forgotten_also_when_it_was_signed_within_the_same_second(folder: Path) -> None:
    log = GrowingLog(HONEST[:3])
    mirror = open_mirror(folder / "mirror.db")
    cosigner(mirror, log).step(0)
    with pytest.raises(RolledBackError):
        mirror.compare(signed(checkpoint_of(HONEST[:4]), "owner", time=TIME).to_bytes())


def test_the_same_signature_under_somebody_elses_name_says_nothing_about_us(folder: Path) -> None:
    log = GrowingLog(HONEST[:3])
    mirror = open_mirror(folder / "mirror.db")
    cosigner(mirror, log).step(0)
    mirror.compare(signed(checkpoint_of(HONEST), "asker", time=TIME + 9).to_bytes())
    mirror.check()


def test_a_copy_on_a_second_node_stops_both_as_soon_as_they_see_each_other(folder: Path) -> None:
    other = folder / "other"
    other.mkdir(0o700)
    log, clock = GrowingLog(HONEST[:3]), Clock()
    mirror = open_mirror(folder / "mirror.db")
    cosigner(mirror, log, clock=clock).step(0)
    mirror.close()
    shutil.copy(folder / "mirror.db", other / "mirror.db")
    first, second = (open_mirror(one / "mirror.db", begun=True) for one in (folder, other))
    log.entries, clock.now = HONEST[:5], TIME + 1
    cosigner(first, log, clock=clock).step(0)
    with pytest.raises(RolledBackError):
        cosigner(second, log, clock=clock).step(0)
    assert [size for size, _ in log.answers] == [3, 5]


def replayed(mirror: Mirror, log: GrowingLog) -> None:
    mirror.catch_up(log, check=no_rules, now=TIME + 20)


def test_a_replay_holds_everything_again_and_only_then_signs(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    with pytest.raises(RolledBackError):
        cosigner(mirror, log).step(0)
    replayed(mirror, log)
    assert mirror.entries(0, 99) == HONEST[:6]
    for _ in range(2):
        replayed(mirror, log)
    log.entries = list(HONEST)
    mirror.close()
    again = open_mirror(path, begun=True)
    cosigner(again, log, clock=Clock(TIME + 30)).step(0)
    assert (again.size, again.proof(HONEST[8], all_of("owner")) is None) == (9, False)


def test_a_replay_of_a_log_that_was_cut_changes_nothing(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    with pytest.raises(RolledBackError):
        cosigner(mirror, log).step(0)
    log.entries = HONEST[:5]
    with pytest.raises(StateError, match=r"ends at 5 entries, but our own key has signed 6"):
        replayed(mirror, log)
    with pytest.raises(RolledBackError):
        mirror.check()
    assert mirror.size == 3


def test_a_replay_of_another_log_than_the_one_we_signed_convicts_it(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    ours = log.notes[6].to_bytes()
    with pytest.raises(RolledBackError):
        mirror.compare(ours)
    fork = GrowingLog([*HONEST[:3], *some_entries(4, first=100)])
    with pytest.raises(SplitViewError):
        replayed(mirror, fork)
    (evidence,) = mirror.evidence()
    assert (evidence.theirs, evidence.ours) == (ours, fork.note().to_bytes())
    assert mirror.size == 3


def test_a_replay_asks_the_rooms_rules(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)

    def refuse(first: int, entries: object) -> None:
        raise PeerError(f"entry {first} breaks a rule")

    with pytest.raises(PeerError, match="entry 3 breaks"):
        mirror.catch_up(log, check=refuse, now=TIME + 20)
    assert mirror.size == 3


def test_after_a_replay_no_earlier_time_is_signed_than_before_it(folder: Path) -> None:
    path, log = restored(folder)
    mirror = open_mirror(path, begun=True)
    mirror.catch_up(log, check=no_rules, now=TIME)
    assert mirror.held.time == TIME + 10


@pytest.mark.parametrize("at", [0, 2])
def test_a_flipped_bit_is_named_and_the_mirror_does_not_open(folder: Path, at: int) -> None:
    path, _ = restored(folder)
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER entry_is_never_changed")
    connection.execute("UPDATE entry SET entry = x'00' WHERE position = ?", (at,))
    connection.commit()
    connection.close()
    with pytest.raises(StateError, match=f"damaged at entry {at}"):
        open_mirror(path, begun=True)


def test_a_mirror_of_another_log_is_not_used(folder: Path) -> None:
    path, _ = restored(folder)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE held SET origin = 'other/log'")
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match="mirrors the log other/log"):
        open_mirror(path, begun=True)


@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_a_signature_of_ours_is_looked_for_in_all_heads_before_anything_is_signed(folder: Path, count: int) -> None:
    """A log hands over at most 16 heads at once, the oldest first; ours is in the last of them."""
    entries = some_entries(count + 2)
    path, log = folder / "mirror.db", GrowingLog(entries[:1])
    mirror = open_mirror(path)
    cosigner(mirror, log).step(0)
    log.grown.clear()
    for size in range(2, count + 1):
        log.entries = entries[:size]
        log.cosigned_by("asker")
    log.entries = entries[: count + 1]
    log.cosigned_by("owner")
    log.entries, before = entries, list(log.answers)
    with pytest.raises(RolledBackError):
        cosigner(mirror, log).step(0)
    assert (log.answers, mirror.size) == (before, 1)


def test_a_log_that_offers_heads_without_end_is_not_followed(folder: Path) -> None:
    log = GrowingLog(HONEST)
    for size in range(10):
        log.entries = HONEST[:size]
        log.cosigned_by("asker")
    log.entries = HONEST
    full = log.poll_checkpoint(0, 0, 0)
    notes = (full.notes * 2)[:16]
    log.poll_checkpoint = lambda *_: Unending(full.request, notes, 0)  # type: ignore[method-assign,assignment]
    mirror = open_mirror(folder / "mirror.db")
    with pytest.raises(PeerError, match="without end"):
        cosigner(mirror, log).step(0)
    assert (log.answers, mirror.size) == ([], 0)


class Unending(NamedTuple):
    """A poll's answer as its client would not let it through."""

    request: bytes
    notes: tuple[bytes, ...]
    version: int
