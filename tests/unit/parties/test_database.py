"""A node's database: private, all or nothing, sealed where it matters, and never silently another version's."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from cleanroom.errors import StateError
from parties.database import SCHEMA_VERSION, Database
from parties.vault import Vault
from tests.unit.parties.nodes import STATE_KEY, database

VAULT = Vault(STATE_KEY)
PLACE = {"table": "bulk", "row": "r", "column": "c"}


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_every_file_of_the_database_is_0600(tmp_path: Path, umask: int) -> None:
    previous = os.umask(umask)
    try:
        opened = database(tmp_path)
        opened.keep("kind", "id", b"data")
        files = list(tmp_path.iterdir())
        assert os.umask(umask) == umask
    finally:
        os.umask(previous)
    assert {file.name for file in files} == {"node.db", "node.db-wal", "node.db-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    first = database(tmp_path)
    first.keep("kind", "id", b"data")
    first.close()
    assert database(tmp_path).kept("kind", "id") == b"data"


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    database(tmp_path).close()
    raw = sqlite3.connect(tmp_path / "node.db")
    raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    raw.close()
    with pytest.raises(StateError, match=f"schema {SCHEMA_VERSION + 1}"):
        database(tmp_path)


def test_journal_and_synchronisation_are_the_durable_ones(tmp_path: Path) -> None:
    opened = database(tmp_path)
    assert opened.one("PRAGMA journal_mode") == ("wal",)
    assert [opened.number(f"PRAGMA {name}") for name in ("synchronous", "foreign_keys", "secure_delete")] == [2, 1, 1]
    assert opened.number("PRAGMA trusted_schema") == 0


def meta(opened: Database) -> list[str]:
    """The names that were kept."""
    return sorted(row[0] for row in opened.all("SELECT name FROM meta"))


def write(opened: Database, name: str) -> None:
    """Write one row."""
    opened.run("INSERT INTO meta VALUES (?, '')", name)


def write_and_fail(opened: Database, error: BaseException) -> None:
    """A transaction that ends in an error, with another one inside it."""
    with opened.transaction():
        write(opened, "outer")
        with opened.transaction():
            write(opened, "inner")
        raise error


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyboardInterrupt(), StateError("x")], ids=["ours", "interrupt", "state"]
)
def test_a_transaction_is_all_or_nothing(tmp_path: Path, error: BaseException) -> None:
    opened = database(tmp_path)
    with pytest.raises(type(error)):
        write_and_fail(opened, error)
    assert meta(opened) == []
    with opened.transaction():
        write(opened, "after")
    assert meta(opened) == ["after"]


def test_a_transaction_is_seen_by_others_when_it_ends_and_not_before(tmp_path: Path) -> None:
    opened, other = database(tmp_path), database(tmp_path)
    with opened.transaction():
        write(opened, "one")
        with opened.transaction():
            write(opened, "two")
        assert meta(other) == []
    assert meta(other) == ["one", "two"]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("head_given", ("digest", 1, b"", b"")),
        ("evidence", ("digest", "", "", "", b"", b"")),
        ("statement", ("digest", "", "", b"", "")),
    ],
)
def test_what_was_said_is_never_changed_nor_forgotten(tmp_path: Path, table: str, row: tuple[object, ...]) -> None:
    opened = database(tmp_path)
    places = ", ".join("?" * len(row))
    opened.run(f"INSERT INTO {table} VALUES ({places})", *row)  # noqa: S608 a name and marks from above
    for change in (
        f"UPDATE {table} SET digest = 'other'",  # noqa: S608 as above
        f"DELETE FROM {table}",  # noqa: S608 as above
        f"REPLACE INTO {table} SELECT * FROM {table}",  # noqa: S608 as above
    ):
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
            opened.run(change)
    assert opened.all(f"SELECT * FROM {table}") == [row]  # noqa: S608 as above


def test_bulk_state_is_sealed(tmp_path: Path) -> None:
    opened = database(tmp_path)
    opened.keep("kind", "id", b"canary" * 100)
    assert opened.kept("kind", "id") == b"canary" * 100
    opened.close()
    assert b"canary" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_bulk_state_does_not_open_under_another_key(tmp_path: Path) -> None:
    database(tmp_path).keep("kind", "id", b"data")
    with pytest.raises(StateError, match="state key"):
        database(tmp_path, bytes(32)).kept("kind", "id")


@pytest.mark.parametrize("change", ["kind = 'other'", "id = 'other'"])
def test_bulk_state_moved_elsewhere_does_not_open(tmp_path: Path, change: str) -> None:
    opened = database(tmp_path)
    opened.keep("kind", "id", b"data")
    opened.run(f"UPDATE bulk SET {change}")  # noqa: S608 the two changes above
    kind, identifier = ("other", "id") if change.startswith("kind") else ("kind", "other")
    with pytest.raises(StateError, match="does not open"):
        opened.kept(kind, identifier)


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 12, b"x" * 27, b"x" * 60])
def test_damaged_bulk_state_is_our_error(tmp_path: Path, sealed: bytes) -> None:
    """Fewer bytes than a nonce were once no error of ours."""
    opened = database(tmp_path)
    opened.run("INSERT INTO bulk VALUES ('kind', 'id', ?)", sealed)
    with pytest.raises(StateError, match="does not open"):
        opened.kept("kind", "id")


def test_bulk_state_is_replaced_and_forgotten(tmp_path: Path) -> None:
    opened = database(tmp_path)
    opened.keep("kind", "id", b"one")
    opened.keep("kind", "id", b"two")
    assert opened.kept("kind", "id") == b"two"
    opened.erase("kind", "id")
    with pytest.raises(StateError, match="lacks kind"):
        opened.kept("kind", "id")


def test_a_set_up_belongs_to_a_match(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        database(tmp_path).run(
            "INSERT INTO setup (id, match, owner, by, leaves, state, since) VALUES ('s', 'absent', 1, '', 16, 'x', 0)"
        )


def test_the_vault_opens_what_it_sealed_in_its_place_only() -> None:
    sealed = VAULT.seal(b"data", **PLACE)
    assert VAULT.open(sealed, **PLACE) == b"data"
    assert len(sealed) == 12 + 4 + 16
    for other in ({"table": "x"}, {"row": "x"}, {"column": "x"}, {"row": "rc", "column": ""}):
        with pytest.raises(StateError):
            VAULT.open(sealed, **{**PLACE, **other})
    with pytest.raises(StateError):
        Vault(bytes(32)).open(sealed, **PLACE)


@pytest.mark.parametrize("place", range(32))
def test_no_sealed_byte_may_change(place: int) -> None:
    sealed = bytearray(VAULT.seal(b"data", **PLACE))
    sealed[place] ^= 1
    with pytest.raises(StateError):
        VAULT.open(bytes(sealed), **PLACE)


def test_one_value_is_never_sealed_to_the_same_bytes() -> None:
    assert VAULT.seal(b"data", **PLACE) != VAULT.seal(b"data", **PLACE)


def test_the_vault_shows_nothing() -> None:
    assert repr(VAULT) == "Vault(redacted)"
