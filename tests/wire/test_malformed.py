"""Bytes that are no message, and messages that are more than they should be (rows 16, 17 and 18)."""

import struct
import tracemalloc
from collections.abc import Callable

import grpc
import pytest

from cleanroom.errors import PeerError
from cleanroom.rpc.v1 import room_pb2
from cleanroom.wire.messages import Envelope
from cleanroom.wire.room_codec import parse_message, read_deliveries, read_envelope, read_page
from tests.rooms import Room, Running
from tests.wire.raw import READ, SEND, caller, raw_channel, read_request, status_of

MALFORMED = (grpc.StatusCode.INVALID_ARGUMENT, "the request is malformed")


def nested(depth: int) -> bytes:
    """A group within a group: unknown to every message, and still walked by a careless parser."""
    return b"\xa3\x06" * depth + b"\xa4\x06" * depth


def length_delimited(number: int, data: bytes) -> bytes:
    """Protobuf wire type 2, for field numbers below 16 and lengths below 2^21."""
    length, text = len(data), b""
    while length > 0x7F:
        text += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + text + bytes([length]) + data


@pytest.mark.parametrize("defect", ["nested", "truncated", "wrong wire type", "random", "empty", "unknown field"])
def test_a_request_that_cannot_be_read_gets_one_fixed_sentence(defect: str, room: Room, served: Running) -> None:
    """Rows 16 and 18: nothing of the input comes back or is logged."""
    good = read_request(room, "shop")
    data = {
        "nested": good + nested(200),
        "truncated": good[:-1] + b"\xff",
        "wrong wire type": b"\x08canary",
        "random": b"canary\xff\xff\xff",
        "empty": b"",
        "unknown field": good + length_delimited(15, b"canary"),
    }[defect]
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        status = status_of(channel, READ, data)
    expected = (grpc.StatusCode.FAILED_PRECONDITION, "the protocol versions differ") if defect == "empty" else MALFORMED
    assert status == expected
    assert "canary" not in room.logged.getvalue()
    assert served.server.counters.total("calls_admitted_total") == 0


def test_an_unknown_field_inside_an_envelope_is_refused(room: Room, served: Running) -> None:
    """Row 18: nothing may travel beside what the sender signed."""
    envelope = room.envelope("shop", "brand", b"sealed")
    request = room_pb2.SendRequest(caller=caller(room, "shop"))
    request.envelope.envelope_id = envelope.envelope_id
    data = length_delimited(1, request.caller.SerializeToString())
    inner = request.envelope.SerializeToString() + length_delimited(14, b"canary")
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        assert status_of(channel, SEND, data + length_delimited(2, inner)) == MALFORMED


def test_a_second_encoding_of_an_envelope_carries_the_same_signature(room: Room) -> None:
    """Row 18: the signature is over our own bytes, so the order of protobuf fields does not matter to it."""
    envelope = room.envelope("shop", "brand", b"sealed")
    message = room_pb2.Envelope(sealed=envelope.sealed, signature=envelope.signature)
    rest = room_pb2.Envelope(
        envelope_id=envelope.envelope_id,
        sender=envelope.sender,
        recipient=envelope.recipient,
        kind=envelope.kind,
        subject_id=envelope.subject_id,
        index=envelope.index,
        count=envelope.count,
    )
    swapped = message.SerializeToString() + rest.SerializeToString()
    again = read_envelope(parse_message(room_pb2.Envelope, swapped))
    assert again == envelope
    again.verify(room.contract.room, room.hash, room.member("shop").card.identity)


READERS: dict[str, Callable[[bytes], object]] = {
    "a poll": lambda data: read_deliveries(parse_message(room_pb2.PollReply, data)),
    "a page of the log": lambda data: read_page(parse_message(room_pb2.ReadReply, data), 0, 256),
}


@pytest.mark.parametrize("answer", READERS)
def test_two_million_empty_items_are_counted_and_not_walked(answer: str) -> None:
    """Row 17: a 4 MiB answer of empty items; as Python objects they would take 368 MiB."""
    data = b"\x0a\x00" * ((4 << 20) // 2)
    tracemalloc.start()
    with pytest.raises(PeerError, match=r"too many|longer than asked"):
        READERS[answer](data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_request_of_two_million_unknown_items_is_refused(room: Room, served: Running) -> None:
    """Row 17, towards the coordinator: no request has a list, so the items are unknown fields."""
    with raw_channel(room, served.address, room.member("shop").tls_pair()) as channel:
        status = status_of(channel, READ, read_request(room, "shop") + b"\x7a\x00" * 2_000_000)
    assert status == MALFORMED


@pytest.mark.parametrize("count", [64, 65])
def test_a_poll_brings_at_most_64_items(count: int, room: Room) -> None:
    item = room_pb2.Envelope(
        envelope_id=bytes(32),
        sender="shop",
        recipient="brand",
        kind="k",
        subject_id=bytes(32),
        count=1,
        sealed=b"x",
        signature=bytes(64),
    )
    reply = room_pb2.PollReply(deliveries=[room_pb2.Delivery(sequence=n + 1, envelope=item) for n in range(count)])
    if count == 64:
        assert len(read_deliveries(reply)) == 64
    else:
        with pytest.raises(PeerError, match="too many"):
            read_deliveries(reply)


def test_deliveries_out_of_order_are_refused() -> None:
    statement = room_pb2.Aborted(match_id=bytes(32), statement=b"x")
    reply = room_pb2.PollReply(deliveries=[room_pb2.Delivery(sequence=n, aborted=statement) for n in (2, 2)])
    with pytest.raises(PeerError, match="out of order"):
        read_deliveries(reply)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("envelope_id", bytes(31)),
        ("subject_id", b""),
        ("index", 1),
        ("count", 0),
        ("count", 65_537),
        ("kind", ""),
        ("kind", "k" * 65),
        ("kind", "line\nend"),
        ("sealed", b""),
        ("sealed", bytes((1 << 20) + (1 << 16) + 1)),
        ("signature", bytes(63)),
        ("sender", "Shop"),
        ("recipient", "shop"),
    ],
)
def test_an_envelope_out_of_bounds_is_refused(field: str, value: object, room: Room) -> None:
    envelope = room.envelope("shop", "brand", b"sealed")
    fields = {name: getattr(envelope, name) for name in Envelope.__slots__}
    message = room_pb2.Envelope(**{**fields, field: value})
    with pytest.raises(PeerError):
        read_envelope(message)


def test_the_largest_envelope_passes(room: Room, served: Running) -> None:
    """Just inside the bound: 1 MiB and 64 KiB of sealed bytes, there and back."""
    envelope = room.envelope("shop", "brand", struct.pack("B", 7) * ((1 << 20) + (1 << 16)))
    room.client("shop", served.address).send(envelope)
    assert room.client("brand", served.address).poll(0, 0)[0].item == envelope
