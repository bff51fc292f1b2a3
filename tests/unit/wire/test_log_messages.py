"""What comes back from the log is bounded and parsed before anything is done with it; nothing of it is believed yet."""

from collections.abc import Callable
from typing import Any

import pytest

from cleanroom.errors import PeerError
from cleanroom.rpc.v1 import room_pb2
from cleanroom.transparency.note import MAX_NOTE_BYTES, MAX_SIGNATURES, SignatureLine, SignedNote
from cleanroom.transparency.witness_message import COSIGNED, WitnessAnswer, WitnessRequest
from cleanroom.wire.messages import MAX_NOTES, MAX_SEQUENCE, MAX_WAIT_MS, LogEntry, LogPage, Published
from cleanroom.wire.room_codec import (
    page_message,
    published_message,
    read_checkpoint_poll,
    read_cosignature,
    read_index,
    read_page,
    read_published,
)
from tests.built_log import checkpoint_of, signed, some_entries

MAX_SIZE = 2**63 - 1


def note(size: int, lines: int = 1) -> bytes:
    """A head of this size with so many signature lines; nobody has signed it."""
    made = signed(checkpoint_of(some_entries(size)))
    strangers = tuple(SignatureLine(f"stranger{number}", bytes(4), bytes(64)) for number in range(lines - 1))
    return SignedNote(made.text, (*made.signatures, *strangers)).to_bytes()


def request(old_size: int = 2, size: int = 3) -> bytes:
    """A witness request."""
    return WitnessRequest(old_size, (bytes(32),), note(size)).to_bytes()


def reply(**more: Any) -> room_pb2.PollCheckpointReply:
    """A reply with these fields in the place of good ones."""
    fields: dict[str, Any] = {"request": request(), "notes": [note(1), note(2)], "version": 7}
    return room_pb2.PollCheckpointReply(**{**fields, **more})


def test_what_was_published_travels_there_and_back() -> None:
    published = Published(request(), (note(1), note(2)), 7)
    assert read_published(published_message(published), 2) == published
    nothing = Published(b"", (), 0)
    assert read_published(published_message(nothing), 2) == nothing


def test_a_head_that_is_smaller_than_what_is_held_is_handed_on() -> None:
    """The log's own word that it was set back; `witness.consider` refuses it and keeps it."""
    assert read_published(reply(request=request(old_size=9, size=3)), 9).request == request(old_size=9, size=3)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"request": b"old 2\n"}, id="a request that is cut off"),
        pytest.param({"request": request(old_size=1)}, id="a proof from another size"),
        pytest.param({"request": request() + b"junk"}, id="junk after the request"),
        pytest.param({"request": b"old 02\n\n" + note(3)}, id="a size with a leading zero"),
        pytest.param({"request": b"old 2\n\n" + bytes(MAX_NOTE_BYTES)}, id="a request without a note"),
        pytest.param({"notes": [note(2), note(1)]}, id="notes out of order"),
        pytest.param({"notes": [note(2), note(2)]}, id="a note twice"),
        pytest.param({"notes": [note(1)[:-1]]}, id="a note that is cut off"),
        pytest.param({"notes": [b""]}, id="an empty note"),
        pytest.param({"notes": [note(1, MAX_SIGNATURES) + b"\xe2\x80\x94 x AAAAAAA=\n"]}, id="101 signature lines"),
        pytest.param({"version": MAX_SEQUENCE + 1}, id="a version that cannot be counted"),
    ],
)
def test_a_reply_is_refused_with(more: dict[str, Any]) -> None:
    assert read_published(reply(), 2).version == 7
    with pytest.raises(PeerError):
        read_published(reply(**more), 2)


@pytest.mark.parametrize(("count", "fits"), [(MAX_NOTES, True), (MAX_NOTES + 1, False)])
def test_at_most_sixteen_notes_come_at_once(count: int, fits: bool) -> None:  # a table's column
    many = reply(notes=[note(size) for size in range(1, count + 1)])
    if fits:
        assert len(read_published(many, 2).notes) == count
    else:
        with pytest.raises(PeerError, match="too many"):
            read_published(many, 2)


def test_a_note_of_a_hundred_lines_is_read() -> None:
    assert read_published(reply(notes=[note(1, MAX_SIGNATURES)]), 2).notes == (note(1, MAX_SIGNATURES),)


def test_a_request_carries_no_field_beyond_its_bounds() -> None:
    def poll(**more: int) -> room_pb2.PollCheckpointRequest:
        fields: dict[str, Any] = {"held_size": MAX_SIZE, "seen": MAX_SEQUENCE, "wait_ms": MAX_WAIT_MS}
        return room_pb2.PollCheckpointRequest(**{**fields, **more})

    assert read_checkpoint_poll(poll()) == (MAX_SIZE, MAX_SEQUENCE, MAX_WAIT_MS)
    for more in ({"held_size": MAX_SIZE + 1}, {"seen": MAX_SEQUENCE + 1}, {"wait_ms": MAX_WAIT_MS + 1}):
        with pytest.raises(PeerError):
            read_checkpoint_poll(poll(**more))


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", MAX_SIZE + 1), ("status", 0), ("status", 201), ("status", 500), ("body", bytes(MAX_NOTE_BYTES + 1))],
)
def test_a_witness_answers_as_the_specification_says(field: str, value: int | bytes) -> None:
    fields: dict[str, Any] = {"size": MAX_SIZE, "status": COSIGNED, "body": bytes(MAX_NOTE_BYTES)}
    good = room_pb2.SubmitCosignatureRequest(**fields)
    assert read_cosignature(good) == (MAX_SIZE, WitnessAnswer(COSIGNED, bytes(MAX_NOTE_BYTES)))
    with pytest.raises(PeerError):
        read_cosignature(room_pb2.SubmitCosignatureRequest(**{**fields, field: value}))


READS: dict[str, Callable[[], object]] = {
    "an index beyond all counting": lambda: read_index(room_pb2.AppendReply(index=MAX_SIZE + 1)),
    "a page with a gap": lambda: read_page(page((4, b"a"), (6, b"b")), 4, 10),
    "a page that starts elsewhere": lambda: read_page(page((5, b"a")), 4, 10),
    "a page that is longer than asked": lambda: read_page(page((4, b"a"), (5, b"b")), 4, 1),
    "an empty entry": lambda: read_page(page((4, b"")), 4, 10),
    "an entry of 64 KiB": lambda: read_page(page((4, bytes(65_536))), 4, 10),
}


def page(*entries: tuple[int, bytes]) -> room_pb2.ReadReply:
    """A page of these entries."""
    return room_pb2.ReadReply(entries=[room_pb2.LogEntry(index=index, statement=entry) for index, entry in entries])


@pytest.mark.parametrize("what", READS)
def test_the_log_answers_within_bounds_and_never_with(what: str) -> None:
    with pytest.raises(PeerError):
        READS[what]()


def test_the_longest_page_and_the_largest_index_are_read() -> None:
    assert read_index(room_pb2.AppendReply(index=MAX_SIZE)) == MAX_SIZE
    whole = LogPage((LogEntry(4, bytes(65_535)), LogEntry(5, b"b")))
    assert read_page(page_message(whole), 4, 2) == whole
