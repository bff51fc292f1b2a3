"""A member of the room is held to its own name, its own mailbox and its own matches (rows 14 and 19)."""

import os
from typing import Any

import grpc
import pytest

from cleanroom.coordinator.relay import Relay
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName, RoomName
from cleanroom.rpc.v1 import room_pb2
from cleanroom.wire.room_codec import envelope_message
from tests.rooms import Room, Running
from tests.wire.raw import APPEND, READ, SEND, SUBMIT, caller, raw_channel, read_request, status_of

DENIED = (grpc.StatusCode.PERMISSION_DENIED, "unknown, or not yours")


def outcome(room: Room, served: Running, party: str, method: str, request: Any) -> tuple[grpc.StatusCode, str]:
    """What a party's own certificate gets for this request."""
    with raw_channel(room, served.address, room.member(party).tls_pair()) as channel:
        return status_of(channel, method, request.SerializeToString())


def tags(room: Room, party: str, match_id: bytes, owner: str, rows: int) -> room_pb2.SubmitTagsRequest:
    """A whole tag list in one piece."""
    return room_pb2.SubmitTagsRequest(
        caller=caller(room, party),
        match_id=match_id,
        owner_of_rows=owner,
        transcript_hash=bytes(32),
        index=0,
        count=1,
        tags=os.urandom(16 * rows),
    )


def test_a_caller_cannot_name_another_party(room: Room, served: Running) -> None:
    """Row 14: the brand's certificate, the shop's name."""
    with raw_channel(room, served.address, room.member("brand").tls_pair()) as channel:
        assert status_of(channel, READ, read_request(room, "shop")) == DENIED
    assert served.server.counters.total("calls_admitted_total") == 0


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"room": "other"}, "the room or the contract differs"),
        ({"contract_hash": bytes(32)}, "the room or the contract differs"),
        ({"protocol_version": 2}, "the protocol versions differ"),
    ],
)
def test_a_caller_in_another_room_is_told_so(more: dict[str, Any], sentence: str, room: Room, served: Running) -> None:
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        status = status_of(channel, READ, read_request(room, "shop", **more))
    assert status == (grpc.StatusCode.FAILED_PRECONDITION, sentence)


def test_a_sender_cannot_write_in_another_s_name(room: Room, served: Running) -> None:
    """Row 14: rightly signed by the shop, handed over by the brand."""
    stolen = envelope_message(room.envelope("shop", "airline", b"sealed"))
    request = room_pb2.SendRequest(caller=caller(room, "brand"), envelope=stolen)
    assert outcome(room, served, "brand", SEND, request) == DENIED


def test_an_unsigned_or_misaddressed_envelope_is_not_stored(room: Room, served: Running) -> None:
    """Row 14: a bad signature and an unknown recipient look the same from outside."""
    forged = envelope_message(room.envelope("shop", "brand", b"sealed"))
    forged.sealed = b"other bytes"
    nobody = envelope_message(room.envelope("shop", "nobody", b"sealed"))
    for envelope in (forged, nobody):
        request = room_pb2.SendRequest(caller=caller(room, "shop"), envelope=envelope)
        assert outcome(room, served, "shop", SEND, request) == DENIED


def test_an_envelope_signed_for_another_contract_is_not_stored(room: Room, served: Running) -> None:
    foreign = room.envelope("shop", "brand", b"sealed", contract_hash=bytes(32))
    with pytest.raises(AuthenticationError):
        room.client("shop", served.address).send(foreign)


def test_a_mailbox_is_its_owner_s_alone(room: Room, served: Running) -> None:
    """Row 14: what was sent to the brand is invisible to the airline."""
    room.client("shop", served.address).send(room.envelope("shop", "brand", b"sealed"))
    assert room.client("airline", served.address).poll(0, 0) == []
    assert len(room.client("brand", served.address).poll(0, 0)) == 1


def test_a_foreign_match_and_an_unknown_match_look_the_same(room: Room, served: Running) -> None:
    """Rows 14 and 23: a party outside the match learns nothing from trying."""
    match_id = os.urandom(32)
    room.client("shop", served.address).append(room.match_opened(match_id, "shop", "brand"))
    foreign = outcome(room, served, "airline", SUBMIT, tags(room, "airline", match_id, "shop", 120))
    unknown = outcome(room, served, "airline", SUBMIT, tags(room, "airline", os.urandom(32), "shop", 120))
    own = outcome(room, served, "shop", SUBMIT, tags(room, "shop", match_id, "airline", 200))
    assert foreign == unknown == own == DENIED


def test_a_match_of_others_cannot_be_aborted(room: Room, served: Running) -> None:
    match_id = os.urandom(32)
    room.client("shop", served.address).append(room.match_opened(match_id, "shop", "brand"))
    airline = room.client("airline", served.address)
    for subject in (match_id.hex(), os.urandom(32).hex()):
        with pytest.raises(AuthenticationError, match="unknown, or not yours"):
            airline.append(room.statement("airline", "match.aborted", subject))


def test_a_statement_of_another_party_is_refused(room: Room, served: Running) -> None:
    """Row 14: rightly signed by the shop, handed over by the brand; and the brand's own in the shop's name."""
    statement = room.statement("shop", "incident", "somebody else's")
    request = room_pb2.AppendRequest(caller=caller(room, "brand"), statement=statement)
    assert outcome(room, served, "brand", APPEND, request) == DENIED
    forged = room.statement("brand", "incident", "mine", actor="shop")
    request = room_pb2.AppendRequest(caller=caller(room, "shop"), statement=forged)
    assert outcome(room, served, "shop", APPEND, request) == DENIED


@pytest.mark.parametrize(
    "defect",
    ["an unknown kind", "another room", "another contract", "the coordinator's own kind", "no time", "too long"],
)
def test_the_log_refuses_a_statement_with(defect: str, room: Room, served: Running) -> None:
    defects: dict[str, dict[str, Any]] = {
        "an unknown kind": {"kind": "incident.small"},
        "another room": {"room": RoomName("other")},
        "another contract": {"contract": "00" * 32},
        "the coordinator's own kind": {"kind": "match.placed"},
        "no time": {"at": "today"},
        "too long": {"note": "x" * 66_000},
    }
    more = defects[defect]
    statement = room.statement("shop", more.pop("kind", "incident"), "subject", **more)
    with pytest.raises(PeerError):
        room.client("shop", served.address).append(statement)
    assert room.client("brand", served.address).read_log(0).entries == ()


def test_what_a_handler_fails_with_stays_inside(room: Room, served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 19: the caller gets an error id; our log has the same id, a place in the code, and no text."""

    def fail(*_: object) -> None:
        raise RuntimeError("row 17: ada@example.com\r\nforged line")

    monkeypatch.setattr(Relay, "send", fail)
    with pytest.raises(PeerError, match=r"internal error [0-9a-f]{16}$") as caught:
        room.client("shop", served.address).send(room.envelope("shop", "brand", b"sealed"))
    error_id = str(caught.value).rpartition(" ")[2]
    logged = room.logged.getvalue()
    assert error_id in logged
    assert "RuntimeError" in logged
    assert "ada@example.com" not in logged
    assert "forged line" not in logged


def test_the_log_of_the_process_never_holds_what_was_sent(room: Room, served: Running) -> None:
    """Row 19: canaries in every field that a party fills in by itself."""
    shop = room.client("shop", served.address)
    shop.send(room.envelope("shop", "brand", b"canary-sealed", kind="canary-kind"))
    shop.append(room.statement("shop", "incident", "canary-subject"))
    with pytest.raises(PeerError):
        shop.append(b"canary-statement")
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        assert status_of(channel, "/canary.Method/Name", b"")[0] is grpc.StatusCode.UNIMPLEMENTED
        status_of(channel, READ, read_request(room, "canary-party"))
    assert "canary" not in room.logged.getvalue()


def test_a_party_is_not_a_recipient_of_its_own(room: Room) -> None:
    with pytest.raises(PeerError, match="nothing to itself"):
        room.envelope("shop", "shop", b"sealed", recipient=PartyName("shop"))
