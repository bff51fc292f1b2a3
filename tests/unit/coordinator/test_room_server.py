"""A whole coordinator without calls: what lies in its home, and what a new number of the room's log means."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cleanroom.coordinator.room_server import RoomServer
from cleanroom.crypto.placement import place
from cleanroom.errors import StateError, UsageError
from cleanroom.querylog.log_policy import log_key
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.spelling import base64_text
from cleanroom.transport.event_log import EventLog
from tests.rooms import Room, build_room, running
from tests.unit.question import agreements


def serve_once(room: Room, contract: Contract) -> None:
    """Start and stop under this contract."""
    server = RoomServer(room.home, contract, place=place, now=lambda: datetime.now(UTC), log=EventLog(room.logged))
    server.start("127.0.0.1:0")
    server.stop(grace_s=0.0)


def shown(room: Room, number: int) -> tuple[str, int]:
    """Origin and size in the exported checkpoint of the room's log of this number."""
    folder = room.home.log_folder(room.contract.room, number)
    checkpoint = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text)
    return checkpoint.origin, checkpoint.size


def renewed(room: Room, **more: Any) -> Contract:
    """The contract with the coordinator's newest card."""
    return replace(room.contract, coordinator=room.home.card(), **more)


def following(room: Room, number: int = 1) -> str:
    """The exported head of the room's log of this number, as the contract of the next one names it."""
    folder = room.home.log_folder(room.contract.room, number)
    checkpoint = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text)
    return f"{checkpoint.size} {base64_text(checkpoint.root)}"


def with_one_entry(folder: Path) -> Room:
    """A room in whose log one thing was said."""
    room = build_room(folder)
    with running(room) as served:
        room.client("shop", served.address).append(room.statement("shop", "incident", "one"))
    serve_once(room, room.contract)  # what the first process did not publish any more
    return room


def lines(room: Room, contract: Contract, key: bytes) -> int:
    """How many lines this log key has on the exported head."""
    note = parse_note((room.home.log_folder(contract.room, contract.log_number) / "checkpoint").read_bytes())
    return len(note.lines_of(NoteKey(log_key(contract).name, KeyKind.LOG, key)))


def test_a_log_that_begins_anew_leaves_the_old_one_as_it_was_beside_it(tmp_path: Path) -> None:
    room = with_one_entry(tmp_path)
    room.home.rotate_log_key()
    second = renewed(room, log_number=2, follows=following(room))
    for _ in range(2):  # it begins once
        serve_once(room, second)
        assert shown(room, 1) == ("room.test/spring/log/1", 1)
        assert shown(room, 2) == ("room.test/spring/log/2", 1)
    assert lines(room, second, room.contract.coordinator.log_key) == 0, "the stolen key signs nothing in the new log"
    room.home.rotate_log_key()
    third = renewed(room, log_number=3, follows=following(room, 2))
    serve_once(room, third)
    assert shown(room, 3) == ("room.test/spring/log/3", 1)


def test_a_new_log_has_a_new_key_and_a_head_that_the_old_one_had(tmp_path: Path) -> None:
    room = with_one_entry(tmp_path)
    follows = following(room)
    with pytest.raises(UsageError, match="would have the key of log 1"):
        serve_once(room, renewed(room, log_number=2, follows=follows))
    room.home.rotate_log_key()
    with pytest.raises(StateError, match="no head of the 1 entries"):
        serve_once(room, renewed(room, log_number=2, follows=agreements.FOLLOWS))
    room.home.database(room.contract.room).rename(tmp_path / "elsewhere")
    with pytest.raises(StateError, match=r"spring.sqlite is gone"):
        serve_once(room, renewed(room, log_number=2, follows=follows))


def test_a_new_key_signs_every_stored_head_and_the_old_one_beside_it_until_its_file_is_deleted(tmp_path: Path) -> None:
    room = with_one_entry(tmp_path)
    old = room.contract.coordinator.log_key
    room.home.rotate_log_key()
    serve_once(room, room.contract)
    assert lines(room, room.contract, room.home.card().log_key) == 0, "no contract names the new key yet"
    second = renewed(room)
    for _ in range(2):
        serve_once(room, second)
        assert shown(room, 1) == ("room.test/spring/log/1", 2), "the entry says once that the key was changed"
        assert (lines(room, second, second.coordinator.log_key), lines(room, second, old)) == (1, 1)
    (room.home.folder / "log.key").unlink()
    third = replace(second, purpose="to test it once more")
    with running(replace(room, contract=third)) as served:
        again = replace(room, contract=third)
        again.client("shop", served.address).append(again.statement("shop", "incident", "two"))
    serve_once(room, third)
    assert shown(room, 1) == ("room.test/spring/log/1", 3)
    assert (lines(room, third, second.coordinator.log_key), lines(room, third, old)) == (1, 0)


def test_a_card_of_another_home_and_a_lost_key_are_refused(tmp_path: Path) -> None:
    room = with_one_entry(tmp_path)
    room.home.rotate_log_key()
    moved = replace(room.home.card(), address="127.0.0.1:7444")
    with pytest.raises(UsageError, match="another coordinator's card"):
        serve_once(room, replace(room.contract, coordinator=moved))
    (room.home.folder / "log.2.key").unlink()
    with pytest.raises(StateError, match="is the key on the card"):
        serve_once(room, renewed(room))
