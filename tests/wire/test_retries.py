"""Every write is made once, however often the connection breaks (row 8, both flavours, for each write)."""

import os
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from cleanroom.coordinator import mailbox
from cleanroom.errors import ConflictError, MailboxFullError, PeerError, UnavailableError
from cleanroom.ids import PartyName
from cleanroom.transport.retry import Patience
from cleanroom.wire.messages import TagPiece
from tests.rooms import Room, Running

Fault = str
BEFORE, AFTER = "request lost before the server", "response lost after the commit"


class Lost(grpc.RpcError):  # type: ignore[misc] # grpc has no types
    """What the library raises when a connection breaks."""

    def code(self) -> grpc.StatusCode:
        """As the library says it."""
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        """As the library says it."""
        return "connection lost"


class Breaking(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc] # grpc has no types
    """Loses the first call, before it is sent or after it was answered."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.calls = 0

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Break the first call only."""
        self.calls += 1
        if self.calls > 1:
            return continuation(details, request)
        if self.fault == AFTER:
            continuation(details, request).result()
        raise Lost


def breaking_client(room: Room, name: str, address: str, fault: Fault) -> tuple[Any, Breaking]:
    """A client whose first call is lost, and the thing that loses it."""
    breaking = Breaking(fault)
    wrap: Callable[[Any], Any] = lambda channel: grpc.intercept_channel(channel, breaking)  # noqa: E731
    return room.client(name, address, wrap_channel=wrap), breaking


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_an_envelope_is_delivered_once(fault: Fault, room: Room, served: Running) -> None:
    """Row 8, Send."""
    client, breaking = breaking_client(room, "shop", served.address, fault)
    envelope = room.envelope("shop", "brand", b"sealed")
    client.send(envelope)
    assert breaking.calls == 2
    deliveries = room.client("brand", served.address).poll(0, 0)
    assert [delivery.item for delivery in deliveries] == [envelope]


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_a_statement_has_one_place_in_the_log(fault: Fault, room: Room, served: Running) -> None:
    """Row 8, Append: the same place, however often it is asked for."""
    client, breaking = breaking_client(room, "shop", served.address, fault)
    statement = room.statement("shop", "incident", "lost call")
    index = client.append(statement)
    assert breaking.calls == 2
    assert client.append(statement) == index
    assert [entry.statement for entry in client.read_log(0).entries] == [statement]


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_a_tag_list_is_taken_once(fault: Fault, room: Room, served: Running) -> None:
    """Row 8, SubmitTags: the match is placed, although the first piece was sent twice."""
    match_id, transcript = os.urandom(32), os.urandom(32)
    client, breaking = breaking_client(room, "shop", served.address, fault)
    brand = room.client("brand", served.address)
    room.client("shop", served.address).append(room.match_opened(match_id, "shop", "brand"))
    client.submit_tags(match_id, PartyName("brand"), transcript, os.urandom(16 * 100))
    assert breaking.calls == 2
    brand.submit_tags(match_id, PartyName("shop"), transcript, os.urandom(16 * 120))
    assert len(brand.poll(0, 5000)) == 1


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_a_lost_poll_loses_no_delivery(fault: Fault, room: Room, served: Running) -> None:
    """Row 8, Poll: nothing is deleted until it is acknowledged, and an acknowledgement may be repeated."""
    envelopes = [room.envelope("shop", "brand", bytes([n])) for n in range(1, 3)]
    for envelope in envelopes:
        room.client("shop", served.address).send(envelope)
    client, _ = breaking_client(room, "brand", served.address, fault)
    with pytest.raises(UnavailableError, match="the coordinator at"):
        client.poll(1, 0)
    assert [delivery.item for delivery in client.poll(1, 0)] == envelopes[1:]


def test_an_envelope_is_recognised_after_it_was_acknowledged(room: Room, served: Running) -> None:
    """Row 8: a resend that comes after everything is over has no second effect."""
    shop, brand = room.client("shop", served.address), room.client("brand", served.address)
    envelope = room.envelope("shop", "brand", b"sealed")
    shop.send(envelope)
    assert brand.poll(brand.poll(0, 0)[0].sequence, 0) == []
    shop.send(envelope)
    assert brand.poll(1, 0) == []


def test_other_bytes_under_a_known_envelope_id_are_refused(room: Room, served: Running) -> None:
    shop = room.client("shop", served.address)
    envelope = room.envelope("shop", "brand", b"sealed")
    shop.send(envelope)
    with pytest.raises(PeerError, match="other bytes are stored"):
        shop.send(room.envelope("shop", "brand", b"other", envelope_id=envelope.envelope_id))


def test_pieces_may_come_in_any_order_and_again(room: Room, served: Running) -> None:
    match_id = os.urandom(32)
    shop = room.client("shop", served.address)
    shop.append(room.match_opened(match_id, "shop", "brand"))
    piece = TagPiece(match_id, PartyName("brand"), bytes(32), 0, 1, os.urandom(1600))
    shop.submit_piece(piece)
    shop.submit_piece(piece)


def test_a_coordinator_that_is_not_there_is_named_in_time(room: Room) -> None:
    client = room.client("shop", "127.0.0.1:9", patience=Patience(total_s=0.2))
    with pytest.raises(UnavailableError, match=r"coordinator at 127\.0\.0\.1:9 did not answer"):
        client.read_log(0)


def test_a_full_mailbox_is_told_at_once_and_nothing_is_tried_twice(
    room: Room, served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAX_STORED_ENVELOPES", 1)
    pauses: list[float] = []
    shop = room.client("shop", served.address, pause=pauses.append)
    shop.send(room.envelope("shop", "brand", b"first"))
    with pytest.raises(MailboxFullError, match="recipient's mailbox is full"):
        shop.send(room.envelope("shop", "brand", b"second"))
    assert pauses == []
    shop.send(room.envelope("shop", "airline", b"third"))


def test_a_debit_is_taken_once_for_each_party_and_subject(room: Room, served: Running) -> None:
    kind = "match.debit"
    shop, brand = room.client("shop", served.address), room.client("brand", served.address)
    first = room.statement("shop", kind, "one", at="2026-01-02T03:04:05Z")
    index = shop.append(first)
    with pytest.raises(ConflictError, match="other bytes are stored"):
        shop.append(room.statement("shop", kind, "one", at="2026-01-02T03:04:06Z"))
    assert shop.append(first) == index
    brand.append(room.statement("brand", kind, "one"))
    shop.append(room.statement("shop", kind, "two"))
    assert len(shop.read_log(0).entries) == 3


def test_other_statements_may_be_made_again_about_one_subject(room: Room, served: Running) -> None:
    shop = room.client("shop", served.address)
    for second in range(2):
        shop.append(room.statement("shop", "incident", "one", at=f"2026-01-02T03:04:0{second}Z"))
    assert len(shop.read_log(0).entries) == 2


@pytest.mark.parametrize("kind", ["budget.debit", "answer.released", "budget.voided"])
def test_what_the_room_s_rules_forbid_is_refused_at_the_door(kind: str, room: Room, served: Running) -> None:
    """Of a question that was never asked; no cosigner would sign over it, so the room would stand still."""
    shop = room.client("shop", served.address)
    with pytest.raises(PeerError, match="a rule of the room's log forbids this statement"):
        shop.append(room.statement("shop", kind, "one", consumer="brand"))
    assert shop.append(room.statement("shop", "incident", "one")) == 0
