"""Protobuf messages to values and back. Every field of a peer's message is bounded here, before anything reads it.

A message with fields that this version does not know is refused: nothing may travel beside what was agreed. Lists
are counted before they are walked.
"""

from itertools import pairwise
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from cleanroom.errors import PeerError, UsageError
from cleanroom.ids import party_name, room_name
from cleanroom.rpc.v1 import room_pb2
from cleanroom.transparency.spelling import MAX_NUMBER
from cleanroom.transparency.witness_message import WitnessAnswer, parse_request
from cleanroom.wire.messages import (
    MAX_DELIVERIES,
    MAX_LOG_PAGE,
    MAX_NOTES,
    MAX_SEQUENCE,
    MAX_WAIT_MS,
    Aborted,
    Caller,
    Delivery,
    Envelope,
    LogEntry,
    LogPage,
    Placement,
    Published,
    TagPiece,
)

_M = TypeVar("_M", bound=Message)
MAX_MESSAGE_BYTES = 4 << 20


def parse_message(kind: type[_M], data: bytes) -> _M:
    """The message in these bytes; raises PeerError when damaged, nested too deeply, too long or of another version."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise PeerError("a message is too long")
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise PeerError("a message cannot be read") from None
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        raise PeerError("a message has fields that this version does not know")
    return message


def caller_message(caller: Caller) -> room_pb2.Caller:
    """The head of every request."""
    return room_pb2.Caller(
        protocol_version=caller.protocol_version,
        room=caller.room,
        party=caller.party,
        contract_hash=caller.contract_hash,
    )


def read_caller(message: room_pb2.Caller) -> Caller:
    """Raises PeerError."""
    try:
        return Caller(
            protocol_version=message.protocol_version,
            room=room_name(message.room),
            party=party_name(message.party),
            contract_hash=message.contract_hash,
        )
    except UsageError as error:
        raise PeerError("a caller's name or room is not a plain name") from error


def envelope_message(envelope: Envelope) -> room_pb2.Envelope:
    """Field by field."""
    return room_pb2.Envelope(
        envelope_id=envelope.envelope_id,
        sender=envelope.sender,
        recipient=envelope.recipient,
        kind=envelope.kind,
        subject_id=envelope.subject_id,
        index=envelope.index,
        count=envelope.count,
        sealed=envelope.sealed,
        signature=envelope.signature,
    )


def read_envelope(message: room_pb2.Envelope) -> Envelope:
    """Raises PeerError."""
    try:
        return Envelope(
            envelope_id=message.envelope_id,
            sender=party_name(message.sender),
            recipient=party_name(message.recipient),
            kind=message.kind,
            subject_id=message.subject_id,
            index=message.index,
            count=message.count,
            sealed=message.sealed,
            signature=message.signature,
        )
    except UsageError as error:
        raise PeerError("an envelope names something that is not a plain name") from error


def read_tag_piece(message: room_pb2.SubmitTagsRequest) -> TagPiece:
    """Raises PeerError."""
    try:
        return TagPiece(
            match_id=message.match_id,
            owner_of_rows=party_name(message.owner_of_rows),
            transcript_hash=message.transcript_hash,
            index=message.index,
            count=message.count,
            tags=message.tags,
        )
    except UsageError as error:
        raise PeerError("a tag list names something that is not a plain name") from error


def read_poll(message: room_pb2.PollRequest) -> tuple[int, int]:
    """Acknowledged sequence number and wait in milliseconds; raises PeerError."""
    if message.acknowledged_through > MAX_SEQUENCE or message.wait_ms > MAX_WAIT_MS:
        raise PeerError("a poll acknowledges or waits beyond the limits")
    return message.acknowledged_through, message.wait_ms


def delivery_message(delivery: Delivery) -> room_pb2.Delivery:
    """One item of a mailbox."""
    item = delivery.item
    if isinstance(item, Envelope):
        return room_pb2.Delivery(sequence=delivery.sequence, envelope=envelope_message(item))
    if isinstance(item, Aborted):
        aborted = room_pb2.Aborted(match_id=item.match_id, statement=item.statement)
        return room_pb2.Delivery(sequence=delivery.sequence, aborted=aborted)
    placement = room_pb2.Placement(
        match_id=item.match_id,
        index=item.index,
        count=item.count,
        slots=item.slots,
        salt=item.salt,
        statement=item.statement,
    )
    return room_pb2.Delivery(sequence=delivery.sequence, placement=placement)


def read_delivery(message: room_pb2.Delivery) -> Delivery:
    """Raises PeerError."""
    which = message.WhichOneof("item")
    if which == "envelope":
        return Delivery(message.sequence, read_envelope(message.envelope))
    if which == "aborted":
        return Delivery(message.sequence, Aborted(message.aborted.match_id, message.aborted.statement))
    if which != "placement":
        raise PeerError("a delivery is empty")
    placed = message.placement
    item = Placement(placed.match_id, placed.index, placed.count, placed.slots, placed.salt, placed.statement)
    return Delivery(message.sequence, item)


def read_deliveries(message: room_pb2.PollReply) -> list[Delivery]:
    """At most 64, in growing order; raises PeerError before looking at any of too many."""
    if len(message.deliveries) > MAX_DELIVERIES:
        raise PeerError("a poll brings too many deliveries")
    deliveries = [read_delivery(delivery) for delivery in message.deliveries]
    if any(first.sequence >= second.sequence for first, second in pairwise(deliveries)):
        raise PeerError("deliveries are out of order")
    return deliveries


def read_index(message: room_pb2.AppendReply) -> int:
    """Where the coordinator says it put an entry; raises PeerError."""
    if message.index > MAX_NUMBER:
        raise PeerError("an entry's index is out of range")
    return message.index


def page_message(page: LogPage) -> room_pb2.ReadReply:
    """Entry by entry."""
    return room_pb2.ReadReply(
        entries=[room_pb2.LogEntry(index=entry.index, statement=entry.statement) for entry in page.entries]
    )


def read_page(message: room_pb2.ReadReply, first: int, limit: int) -> LogPage:
    """The page that was asked for, entries numbered without a gap; raises PeerError."""
    if len(message.entries) > min(limit, MAX_LOG_PAGE):
        raise PeerError("a page of the log is longer than asked for")
    entries = tuple(LogEntry(entry.index, entry.statement) for entry in message.entries)
    if any(entry.index != first + place for place, entry in enumerate(entries)):
        raise PeerError("a page of the log has a gap or starts elsewhere")
    return LogPage(entries)


def read_range(message: room_pb2.ReadRequest) -> tuple[int, int]:
    """First index and number of entries; raises PeerError."""
    if message.first > MAX_SEQUENCE or not 1 <= message.limit <= MAX_LOG_PAGE:
        raise PeerError("a page of the log has 1 to 256 entries")
    return message.first, message.limit


def read_checkpoint_poll(message: room_pb2.PollCheckpointRequest) -> tuple[int, int, int]:
    """Size held, version seen and wait in milliseconds; raises PeerError."""
    if message.held_size > MAX_NUMBER or message.seen > MAX_SEQUENCE or message.wait_ms > MAX_WAIT_MS:
        raise PeerError("a cosigner holds, has seen or waits beyond the limits")
    return message.held_size, message.seen, message.wait_ms


def published_message(published: Published) -> room_pb2.PollCheckpointReply:
    """Field by field."""
    return room_pb2.PollCheckpointReply(request=published.request, notes=published.notes, version=published.version)


def read_published(message: room_pb2.PollCheckpointReply, held_size: int) -> Published:
    """Raises PeerError before looking at any of too many notes, or when the request is not from this size."""
    if len(message.notes) > MAX_NOTES:
        raise PeerError("a poll brings too many cosigned heads")
    published = Published(message.request, tuple(message.notes), message.version)
    if published.request and parse_request(published.request).old_size != held_size:
        raise PeerError("a poll brings a proof from another size than the one that was asked for")
    return published


def read_cosignature(message: room_pb2.SubmitCosignatureRequest) -> tuple[int, WitnessAnswer]:
    """The size that was asked about and what the cosigner answers; raises PeerError."""
    if message.size > MAX_NUMBER:
        raise PeerError("a cosigned size is out of range")
    return message.size, WitnessAnswer(message.status, message.body)


def delivery_bytes(delivery: Delivery) -> bytes:
    """A delivery as the mailbox stores it."""
    return delivery_message(delivery).SerializeToString()


def stored_delivery(data: bytes) -> Delivery:
    """A delivery that `delivery_bytes` wrote."""
    return read_delivery(parse_message(room_pb2.Delivery, data))
