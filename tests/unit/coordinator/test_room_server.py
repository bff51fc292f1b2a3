"""A whole coordinator without calls: what lies in its home, and what a new number of the room's log means."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cleanroom.coordinator.room_server import RoomServer
from cleanroom.crypto.placement import place
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.note import parse_note
from cleanroom.transport.event_log import EventLog
from tests.rooms import Room, build_room, running


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


def test_a_log_that_begins_anew_leaves_the_old_one_as_it_was_beside_it(tmp_path: Path) -> None:
    room = build_room(tmp_path)
    with running(room) as served:
        room.client("shop", served.address).append(room.statement("shop", "incident", "one"))
    serve_once(room, replace(room.contract, log_number=2))
    assert shown(room, 1) == ("room.test/spring/log/1", 1)
    assert shown(room, 2) == ("room.test/spring/log/2", 0)
    serve_once(room, room.contract)
    assert shown(room, 1) == ("room.test/spring/log/1", 1)
