"""A log that is not what was stored, or less than what was said of it, is not served: rows 36 and 37, our side."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanroom.errors import StateError
from tests.unit.coordinator.written_log import WrittenLog

COUNT = 300


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A log of 300 entries, cosigned and exported, its coordinator stopped."""
    log = WrittenLog(tmp_path)
    log.grow(COUNT)
    log.publish()
    log.cosign("asker", "owner")
    log.exporter.export()
    log.close()
    return tmp_path


def refusal(home: Path) -> str:
    """Why the coordinator does not start: one line."""
    with pytest.raises(StateError) as caught:
        WrittenLog(home)
    text = str(caught.value)
    assert "\n" not in text
    return text


def change(home: Path, *commands: str) -> None:
    """As somebody who has the file and knows SQLite."""
    with sqlite3.connect(home / "rooms" / "spring.sqlite") as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        for command in commands:
            database.execute(command)
    database.close()


def replace_database(home: Path, change_it: Callable[[Path], object]) -> None:
    """The database as `change_it` leaves it, in the place of the present one."""
    path = home / "rooms" / "spring.sqlite"
    for file in path.parent.glob("spring.sqlite*"):
        file.unlink()
    change_it(path)


def test_a_log_that_adds_up_is_served_again(home: Path) -> None:
    again = WrittenLog(home)
    assert again.heads.tree.size == COUNT
    again.grow(1)
    assert again.publish()
    again.close()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("UPDATE log SET statement = CAST('Entry 17' AS BLOB) WHERE position = 17", "entry 17 of the stored log"),
        ("UPDATE log SET digest = zeroblob(32) WHERE position = 299", "entry 299 of the stored log"),
        ("DELETE FROM log WHERE position = 5", "has no entry 5"),
        ("DELETE FROM log WHERE position = 299", "has 299 entries, but its head says 300"),
        ("UPDATE head SET root = zeroblob(32)", "its frontier leads to another root"),
        ("UPDATE head SET frontier = zeroblob(31)", "does not add up"),
        ("UPDATE head SET size = 299, frontier = zeroblob(32 * 5)", "does not add up"),
        ("UPDATE checkpoint SET note = substr(note, 2) WHERE size = 300", "is not a head that this log signed"),
        ("UPDATE checkpoint SET size = 299 WHERE size = 300", "the stored head of 299 entries is of 300"),
    ],
)
def test_a_database_in_which_something_was_changed_is_refused(damage: str, expected: str, home: Path) -> None:
    change(home, damage)
    assert expected in refusal(home)


def test_two_entries_in_each_other_s_place_are_refused(home: Path) -> None:
    change(
        home,
        "UPDATE log SET position = -1 WHERE position = 7",
        "UPDATE log SET position = 7 WHERE position = 8",
        "UPDATE log SET position = 8 WHERE position = -1",
    )
    text = refusal(home)
    assert "do not lead to the stored head" in text
    assert "entry 7 is the first that is not the exported one" in text


def test_a_cosignature_line_of_a_stored_head_that_no_longer_verifies_is_refused(home: Path) -> None:
    with sqlite3.connect(home / "rooms" / "spring.sqlite") as database:
        (note,) = database.execute("SELECT note FROM checkpoint WHERE size = 300").fetchone()
    lines = note.decode().split("\n")
    at = len(lines[-2]) // 2 + 20
    letter = "A" if lines[-2][at] != "A" else "B"
    lines[-2] = lines[-2][:at] + letter + lines[-2][at + 1 :]
    change(home, f"UPDATE checkpoint SET note = x'{chr(10).join(lines).encode().hex()}' WHERE size = 300")  # noqa: S608
    assert "the stored head of 300 entries" in refusal(home)


def test_a_whole_other_history_names_the_first_entry_that_is_not_the_exported_one(home: Path) -> None:
    """Somebody who knows the formats, but not the log key, has written the database anew with entry 260 changed."""

    def forge(path: Path) -> None:
        log = WrittenLog(path.parent.parent / "forged")
        log.append(*(b"entry %d" % number if number != 260 else b"another entry" for number in range(COUNT)))
        log.close()
        shutil.copy(log.path, path)

    replace_database(home, forge)
    text = refusal(home)
    assert "the first 300 stored entries are not those of the checkpoint in" in text
    assert "entry 260 is the first" in text


def test_yesterday_s_database_is_refused(tmp_path: Path) -> None:
    log = WrittenLog(tmp_path)
    log.grow(3)
    log.close()
    shutil.copy(log.path, tmp_path / "backup")
    log = WrittenLog(tmp_path)
    log.grow(4)
    log.publish()
    log.exporter.export()
    log.close()
    replace_database(tmp_path, lambda path: (tmp_path / "backup").rename(path))
    text = refusal(tmp_path)
    assert "is of 7 entries, but only 3 are stored: a backup was restored" in text
    assert str(tmp_path / "rooms" / "spring.log") in text


def test_a_deleted_database_is_not_begun_anew(home: Path) -> None:
    replace_database(home, lambda path: None)
    assert "is of 300 entries, but only 0 are stored" in refusal(home)


def test_a_lost_write_ahead_file_is_noticed(tmp_path: Path) -> None:
    """The process was killed, and somebody tidied up before the next start."""
    log = WrittenLog(tmp_path)
    log.grow(2)
    with log.store.reading() as tx:
        tx.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    log.grow(3)
    log.publish()
    log.exporter.export()
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "rooms", killed / "rooms", copy_function=shutil.copy)
    killed.joinpath("rooms").chmod(0o700)
    log.close()
    (killed / "rooms" / "spring.sqlite-wal").unlink()
    assert "is of 5 entries, but only 2 are stored" in refusal(killed)


def flip(path: Path, bit: int) -> None:
    """One bit of a file."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "byte", "entry"),
    [
        ("tile/0/000", 32 * 17 + 5, 17),
        ("tile/0/001.p/44", 32 * 2, 258),
        ("tile/1/000.p/1", 0, 0),
        ("tile/entries/001.p/44", 2 + 9 + 2 + 3, 257),
    ],
)
def test_a_bit_that_turned_in_an_exported_file_is_found_and_named(name: str, byte: int, entry: int, home: Path) -> None:
    flip(home / "rooms" / "spring.log" / name, 8 * byte)
    text = refusal(home)
    assert name in text
    assert f"from entry {entry} on" in text
    assert "delete that folder and start again" in text


def test_a_bit_that_turned_in_the_exported_checkpoint_is_found_or_mended(home: Path) -> None:
    """A line whose name or key id has changed is a stranger's, which every reader passes over; it is written again."""
    path = home / "rooms" / "spring.log" / "checkpoint"
    right = path.read_bytes()
    refused = 0
    for byte in range(0, len(right), 5):
        flip(path, 8 * byte)
        try:
            log = WrittenLog(home)
        except StateError:
            assert "the checkpoint in" in refusal(home)
            refused += 1
            path.write_bytes(right)
        else:
            log.exporter.export()
            log.close()
            assert path.read_bytes() == right
    assert refused > len(right) / 5 / 2
