"""The door of the log: what the room's rules refuse leaves no trace, nor does a transaction that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cleanroom.coordinator.log_table import append_entry, read_tip
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.store import Store, Transaction
from cleanroom.errors import AuthenticationError, ConflictError, PeerError, StateError
from cleanroom.transport.reasons import CallRefused, Reason
from tests.rooms import Room, build_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Two parties."""
    return build_room(tmp_path_factory.mktemp("room"))


class Desk:
    """A sequencer over a real database."""

    def __init__(self, room: Room, path: Path) -> None:
        self.room = room
        self.store = Store(path / "rooms" / "spring.sqlite", room.contract.room, room.hash)
        self.changes = 0
        self.failures: list[StateError] = []
        self.sequencer = Sequencer(
            self.store, room.contract, room.hash, changed=self.changed, fail=self.failures.append
        )

    def changed(self) -> None:
        """Counted."""
        self.changes += 1

    def append(self, actor: str, statement: bytes) -> int:
        """As a call of this party."""
        return self.sequencer.append(self.room.member(actor).name, statement)

    def incident(self, subject: str) -> int:
        """The shop's."""
        return self.append("shop", self.room.statement("shop", "incident", subject))


@pytest.fixture
def desk(room: Room, tmp_path: Path) -> Iterator[Desk]:
    """Empty."""
    made = Desk(room, tmp_path)
    yield made
    made.store.close()


def test_a_statement_has_one_place_and_saying_it_again_changes_nothing(desk: Desk) -> None:
    assert [desk.incident("one"), desk.incident("two"), desk.incident("one")] == [0, 1, 0]
    assert desk.changes == 2


def test_a_statement_is_taken_from_its_actor_alone(desk: Desk) -> None:
    statement = desk.room.statement("shop", "incident", "one")
    with pytest.raises(CallRefused) as caught:
        desk.append("brand", statement)
    assert caught.value.reason is Reason.NOT_ALLOWED
    forged = desk.room.statement("brand", "incident", "one", actor="shop")
    with pytest.raises(AuthenticationError):
        desk.append("shop", forged)
    assert desk.incident("one") == 0


def test_what_the_rules_refuse_leaves_no_trace(desk: Desk) -> None:
    with pytest.raises(CallRefused) as caught:
        desk.append("shop", desk.room.statement("shop", "answer.released", "one", consumer="brand"))
    assert caught.value.reason is Reason.AGAINST_RULES
    desk.append("shop", desk.room.statement("shop", "match.debit", "m", at="2026-01-02T03:04:05Z"))
    with pytest.raises(ConflictError):
        desk.append("shop", desk.room.statement("shop", "match.debit", "m", at="2026-01-02T03:04:06Z"))
    assert desk.incident("one") == 1


@pytest.mark.parametrize("when", ["before the commit", "in the commit"])
def test_a_transaction_that_fails_is_as_if_it_had_never_been(
    when: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full: the same statement is taken as soon as there is room, and goes on from the right head."""
    desk.incident("one")
    original = Store.transaction

    @contextmanager
    def full(store: Store) -> Iterator[Transaction]:
        with original(store) as tx:
            yield tx
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if when == "before the commit":
            patched.setattr(Store, "transaction", full)
        else:
            patched.setattr(desk.store, "_connection", CannotCommit(desk.store._connection))
        with pytest.raises(OSError, match="No space"):
            desk.incident("two")
    assert desk.incident("two") == 1
    assert desk.incident("three") == 2
    assert desk.failures == []


class CannotCommit:
    """A connection whose COMMIT fails."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        """See the connection."""
        return self._connection.in_transaction

    def execute(self, sql: str, values: tuple[bytes | int | str, ...] = ()) -> object:
        """Everything but COMMIT."""
        if sql == "COMMIT":
            raise OSError(28, "No space left on device")
        return self._connection.execute(sql, values)


def test_another_writer_ends_this_one(desk: Desk) -> None:
    """Row 37: the caller hears that the process ends and may go elsewhere; nothing is written by this one."""
    desk.incident("one")
    with desk.store.transaction() as tx:
        append_entry(tx, b"of another process", read_tip(tx))
    with pytest.raises(CallRefused) as caught:
        desk.incident("two")
    assert caught.value.reason is Reason.STOPPING
    assert ["another process has written" in str(error) for error in desk.failures] == [True]
    assert len(desk.sequencer.read(0, 10).entries) == 2


def test_a_stored_entry_that_breaks_a_rule_is_not_served(desk: Desk) -> None:
    desk.incident("one")
    with desk.store.transaction() as tx:
        append_entry(tx, desk.room.statement("shop", "answer.released", "x", consumer="brand"), read_tip(tx))
    with pytest.raises(StateError, match="entry 1 of the stored log breaks a rule of the room: rule release"):
        Sequencer(desk.store, desk.room.contract, desk.room.hash, changed=desk.changed, fail=desk.failures.append)


def test_a_malformed_statement_is_no_entry(desk: Desk) -> None:
    for statement in (b"", b"{}", bytes(65_536)):
        with pytest.raises(PeerError):
            desk.append("shop", statement)
    assert desk.incident("one") == 0
