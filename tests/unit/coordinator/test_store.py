"""The room's database: private, durable, append-only where it must be, and refused when it does not add up."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.coordinator import mailbox
from cleanroom.coordinator.log_table import append_entry, check_log, known_proof, read_entries
from cleanroom.coordinator.mailbox import acknowledge, put_envelope, waiting
from cleanroom.coordinator.store import Store
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName, RoomName
from cleanroom.querylog.chain import verify_proof
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import Envelope

ROOM, CONTRACT = RoomName("spring"), bytes(32)
KEY = SigningKey(b"\x07" * 32)
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
            append_entry(tx, b"statement %d" % number, ROOM, KEY)


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
            append_entry(tx, b"a", ROOM, KEY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_halfway()
    with store.reading() as tx:
        assert read_entries(tx, 0, 10).entries == ()


def test_proofs_verify_and_are_kept(store: Store) -> None:
    with store.transaction() as tx:
        first = append_entry(tx, b"a", ROOM, KEY)
        second = append_entry(tx, b"b", ROOM, KEY)
        assert known_proof(tx, b"a") == first
        assert known_proof(tx, b"c") is None
    verify_proof(first, b"a", ROOM, KEY.public_bytes())
    verify_proof(second, b"b", ROOM, KEY.public_bytes())
    assert (first.index, second.index) == (0, 1)


def test_a_log_that_adds_up_is_accepted_again(store: Store, path: Path) -> None:
    filled(store, 3)
    store.close()
    again = Store(path, ROOM, CONTRACT)
    with again.reading() as tx:
        assert check_log(tx, ROOM, KEY.public_bytes()) == 3
    again.close()


@pytest.mark.parametrize(
    ("damage", "entry"),
    [
        ("UPDATE log SET statement = x'00' WHERE position = 1", 1),
        ("UPDATE log SET head = zeroblob(32) WHERE position = 2", 2),
        ("UPDATE log SET signature = zeroblob(64) WHERE position = 0", 0),
        ("DELETE FROM log WHERE position = 1", 1),
        ("DELETE FROM log WHERE position = 2", None),
    ],
)
def test_a_log_that_does_not_add_up_is_refused_and_names_the_entry(
    damage: str, entry: int | None, store: Store, path: Path
) -> None:
    filled(store, 3)
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER log_is_never_changed")
        database.execute("DROP TRIGGER log_is_never_shortened")
        database.execute(damage)
    database.close()
    again = Store(path, ROOM, CONTRACT)
    expected = "shorter or longer" if entry is None else f"entry {entry}"
    with again.reading() as tx, pytest.raises(StateError, match=expected):
        check_log(tx, ROOM, KEY.public_bytes())
    again.close()


def test_a_database_of_another_room_is_not_served(store: Store, path: Path) -> None:
    store.close()
    with pytest.raises(UsageError, match="another room"):
        Store(path, RoomName("autumn"), CONTRACT)


def test_a_new_contract_drops_what_was_under_way_and_keeps_the_log(store: Store, path: Path) -> None:
    with store.transaction() as tx:
        tx.execute("INSERT INTO mailbox VALUES ('shop', 1, 'brand', 1, x'00')")
        tx.execute("INSERT INTO match VALUES (x'01', 'shop', 'brand', 'open', NULL)")
        tx.execute("INSERT INTO log VALUES (0, x'02', x'03', x'04', x'05', x'06')")
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
