"""A poll waits, wakes at once, and gives way to a newer one."""

import os
import threading
import time

import pytest

from cleanroom.errors import CleanroomError, PeerError, UnavailableError
from cleanroom.wire.messages import Delivery
from tests.rooms import Room, Running


class Poll(threading.Thread):
    """One poll on a thread of its own."""

    def __init__(self, room: Room, name: str, address: str) -> None:
        super().__init__()
        self._client = room.client(name, address)
        self.deliveries: list[Delivery] | None = None
        self.error: CleanroomError | None = None
        self.start()

    def run(self) -> None:
        """Keep what came."""
        try:
            self.deliveries = self._client.poll(0, 20_000)
        except CleanroomError as error:
            self.error = error


def until_polls_wait(served: Running, count: int) -> None:
    """Until this many calls have passed the gate; the last of them are the polls."""
    end = time.monotonic() + 10
    while served.server.counters.total("calls_admitted_total") < count:
        assert time.monotonic() < end, "the polls did not arrive"
        time.sleep(0.001)


def test_a_waiting_poll_wakes_when_an_envelope_comes(room: Room, served: Running) -> None:
    poll = Poll(room, "brand", served.address)
    until_polls_wait(served, 1)
    envelope = room.envelope("shop", "brand", os.urandom(100))
    started = time.monotonic()
    room.client("shop", served.address).send(envelope)
    poll.join()
    assert time.monotonic() - started < 5
    assert [delivery.item for delivery in poll.deliveries or []] == [envelope]


def test_a_newer_poll_of_the_same_party_takes_over(room: Room, served: Running) -> None:
    older = Poll(room, "brand", served.address)
    until_polls_wait(served, 1)
    newer = Poll(room, "brand", served.address)
    older.join()
    assert isinstance(older.error, UnavailableError)
    assert "a newer poll" in str(older.error)
    room.client("shop", served.address).send(room.envelope("shop", "brand", b"sealed"))
    newer.join()
    assert newer.deliveries is not None
    assert len(newer.deliveries) == 1


def test_polls_of_all_parties_leave_ordinary_calls_quick(room: Room, served: Running) -> None:
    """Everybody polls; a call of each is answered although every node holds a poll."""
    polls = [Poll(room, name, served.address) for name in ("shop", "brand", "airline")]
    until_polls_wait(served, 3)
    for name in ("shop", "brand", "airline"):
        assert room.client(name, served.address).read_log(0).entries == ()
    served.server.stop()
    for poll in polls:
        poll.join()
        assert isinstance(poll.error, UnavailableError)


def test_a_mailbox_is_brought_in_portions_of_three_mebibytes(room: Room, served: Running) -> None:
    shop, brand = room.client("shop", served.address), room.client("brand", served.address)
    envelopes = [room.envelope("shop", "brand", os.urandom(1 << 20)) for _ in range(5)]
    for envelope in envelopes:
        shop.send(envelope)
    first = brand.poll(0, 0)
    second = brand.poll(first[-1].sequence, 0)
    assert [delivery.item for delivery in first + second] == envelopes
    assert 1 < len(first) < 5


def test_acknowledging_what_never_came_is_refused(room: Room, served: Running) -> None:
    """A coordinator restored from an older copy is noticed by the node, not followed."""
    with pytest.raises(PeerError, match="never delivered what you acknowledge"):
        room.client("brand", served.address).poll(1, 0)


def test_the_stop_of_the_coordinator_ends_a_waiting_poll(room: Room, served: Running) -> None:
    poll = Poll(room, "brand", served.address)
    until_polls_wait(served, 1)
    served.server.stop()
    poll.join()
    assert isinstance(poll.error, UnavailableError)
