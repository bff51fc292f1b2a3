"""The room's database: private, durable, append-only where it must be."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.coordinator import mailbox
from cleanroom.coordinator.log_table import (
    OtherWriterError,
    append_entry,
    find_entry,
    read_entries,
    read_tip,
    stored_tree,
)
from cleanroom.coordinator.mailbox import acknowledge, put_envelope, waiting
from cleanroom.coordinator.store import Store
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName, RoomName
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import Envelope

ROOM, CONTRACT = RoomName("spring"), bytes(32)
SHOP, BRAND = PartyName("shop"), PartyName("brand")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "rooms" / "spring.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An open, empty store."""
    store = Store(path, ROOM, CONTRACT)
    yield store
    store.close()


def filled(store: Store, entries: int) -> None:
    """Append so many statements."""
    for number in range(entries):
        with store.transaction() as tx:
            append_entry(tx, b"statement %d" % number, read_tip(tx))


def envelope(number: int, sealed: bytes = b"sealed") -> Envelope:
    """From the shop to the brand; nobody checks its signature here."""
    return Envelope(number.to_bytes(32, "big"), SHOP, BRAND, "kind", bytes(32), 0, 1, sealed, bytes(64))


def test_the_files_are_this_user_s_alone(store: Store, path: Path) -> None:
    filled(store, 1)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_settings_that_durability_rests_on_are_in_force(store: Store) -> None:
    with store.reading() as tx:
        in_force = {
            name: tx.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    assert in_force == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
    }


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE log SET statement = x'00'",
        "DELETE FROM log",
        "UPDATE head SET size = 1",
        "UPDATE sent SET digest = x'00'",
        "DELETE FROM sent",
    ],
)
def test_what_is_append_only_is_neither_changed_nor_shortened(command: str, store: Store) -> None:
    filled(store, 2)
    with store.transaction() as tx:
        put_envelope(tx, envelope(1))
    with pytest.raises(sqlite3.IntegrityError, match="append only"), store.transaction() as tx:
        tx.execute(command)


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fails_halfway() -> None:
        with store.transaction() as tx:
            append_entry(tx, b"a", read_tip(tx))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_halfway()
    with store.reading() as tx:
        assert read_entries(tx, 0, 10).entries == ()


def test_what_a_transaction_changed_in_memory_is_taken_back_with_it(store: Store) -> None:
    taken_back: list[str] = []

    def fails_halfway() -> None:
        with store.transaction():
            store.if_rolled_back(lambda: taken_back.append("first"))
            store.if_rolled_back(lambda: taken_back.append("second"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_halfway()
    with store.transaction():
        store.if_rolled_back(lambda: taken_back.append("never"))
    with pytest.raises(RuntimeError), store.transaction():
        raise RuntimeError
    assert taken_back == ["second", "first"]


def test_an_entry_has_one_place_and_the_stored_head_is_the_tree_s(store: Store) -> None:
    tip = Frontier()
    with store.transaction() as tx:
        tip = append_entry(tx, b"a", tip)
        tip = append_entry(tx, b"b", tip)
        assert (find_entry(tx, b"a"), find_entry(tx, b"b"), find_entry(tx, b"c")) == (0, 1, None)
        assert read_tip(tx) == tip
        assert stored_tree(tx).root() == tip.root()


def test_no_entry_stands_twice(store: Store) -> None:
    filled(store, 1)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        filled(store, 1)


def test_who_goes_on_from_another_head_than_the_stored_one_is_refused(store: Store) -> None:
    """Row 37: a second process has appended, whether the log is longer now or another one of the same size."""
    filled(store, 2)
    one = Frontier().with_leaf(leaf_hash(b"statement 0"))
    for tip in (Frontier(), one, one.with_leaf(leaf_hash(b"other"))):
        with pytest.raises(OtherWriterError, match="another process has written"), store.transaction() as tx:
            append_entry(tx, b"mine", tip)
    with store.transaction() as tx:
        assert append_entry(tx, b"mine", one.with_leaf(leaf_hash(b"statement 1"))).size == 3


def test_a_database_of_another_room_is_not_served(store: Store, path: Path) -> None:
    store.close()
    with pytest.raises(UsageError, match="another room"):
        Store(path, RoomName("autumn"), CONTRACT)


def test_a_new_contract_drops_what_was_under_way_and_keeps_the_log(store: Store, path: Path) -> None:
    with store.transaction() as tx:
        tx.execute("INSERT INTO mailbox VALUES ('shop', 1, 'brand', 1, x'00')")
        tx.execute("INSERT INTO match VALUES (x'01', 'shop', 'brand', 'open', NULL)")
        tx.execute("INSERT INTO log VALUES (0, x'02', x'03')")
    store.close()
    again = Store(path, ROOM, b"\x01" * 32)
    with again.reading() as tx:
        counts = [tx.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("mailbox", "log")]  # noqa: S608
        states = tx.execute("SELECT state FROM match").fetchall()
    again.close()
    assert counts == [0, 1]
    assert states == [("aborted",)]


def test_a_database_that_others_can_read_is_not_opened(store: Store, path: Path) -> None:
    store.close()
    path.chmod(0o644)
    with pytest.raises(StateError, match="chmod 600"):
        Store(path, ROOM, CONTRACT)


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "rooms" / "spring.sqlite"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(os.urandom(4096))
    path.chmod(0o600)
    with pytest.raises(StateError, match="not a usable database"):
        Store(path, ROOM, CONTRACT)


def test_a_sender_fills_its_own_share_of_a_mailbox_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAX_STORED_BYTES", 3 * (512 + 6))
    with store.transaction() as tx:
        for number in range(3):
            assert put_envelope(tx, envelope(number))
        with pytest.raises(CallRefused) as caught:
            put_envelope(tx, envelope(3))
        assert caught.value.reason is Reason.MAILBOX_FULL
        assert not put_envelope(tx, envelope(0))
        acknowledge(tx, BRAND, 1)
        assert put_envelope(tx, envelope(3))
        assert [delivery.sequence for delivery in waiting(tx, BRAND, 0)] == [2, 3, 4]


def test_sequence_numbers_of_one_mailbox_say_nothing_of_another(store: Store) -> None:
    to_shop = Envelope(bytes(32), BRAND, SHOP, "kind", bytes(32), 0, 1, b"sealed", bytes(64))
    with store.transaction() as tx:
        for number in range(5):
            put_envelope(tx, envelope(number))
        put_envelope(tx, to_shop)
        assert [delivery.sequence for delivery in waiting(tx, SHOP, 0)] == [1]
