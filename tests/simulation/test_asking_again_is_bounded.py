"""The same plan again is free for the asker, so the owner does little for it: the same bytes, now and then, no more.

A lost answer is found again that way; a flood of repeats fills neither a mailbox nor a database.
"""

import base64
from collections.abc import Iterator

import pytest

from cleanroom.question.stop import PAUSED
from cleanroom.wire.messages import Envelope
from parties import answering
from parties.answering import MAX_REPEATS, REPEATS_S
from parties.stopping import stop_room
from tests.simulation.stepped_room import SteppedRoom, stepped_room


@pytest.fixture
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """Shop has asked brand once, and has the answer."""
    with stepped_room(tmp_path_factory.mktemp("room")) as opened:
        opened.ask("shop", "brand", base="table", epsilon="0.25")
        yield opened


def again(room: SteppedRoom) -> list[Envelope]:
    """Shop sends the plan of its answered question once more; what brand sends for it."""
    ((statement, proof),) = room["shop"].look("SELECT bytes, proof FROM statement WHERE kind = 'question.asked'")
    ((subject,),) = room["shop"].look("SELECT plan_hash FROM question")
    header = {"proof": proof, "statement": base64.b64encode(statement).decode()}
    before = len(room["shop"].relayed.received)
    room["shop"].say("brand", "question.plan", subject, header)
    room.settle()
    return [one.item for one in room["shop"].relayed.received[before:] if isinstance(one.item, Envelope)]


def test_a_lost_answer_is_found_again_under_the_head_that_went_with_it(room: SteppedRoom) -> None:
    heads = room["brand"].look("SELECT digest FROM head_given")
    for _ in range(3):
        assert [one.kind for one in again(room)] == ["question.release", "question.released"]
    assert room["brand"].look("SELECT digest FROM head_given") == heads


def test_a_plan_is_repeated_so_often_an_hour_and_not_once_more(room: SteppedRoom) -> None:
    desk = room["brand"].opened.desk
    now = desk.clock()
    desk.clock = lambda: now
    for _ in range(MAX_REPEATS):
        assert again(room)
    assert again(room) == []
    desk.clock = lambda: now + REPEATS_S
    assert again(room)


def test_nothing_is_repeated_while_the_room_is_stopped(room: SteppedRoom) -> None:
    stop_room(room["brand"].opened.desk, PAUSED, "why")
    room.settle()
    held = room["brand"].look("SELECT id FROM outbox")
    assert again(room) == []
    assert room["brand"].look("SELECT id FROM outbox") == held


def test_nothing_is_repeated_while_the_last_repetition_still_waits(
    room: SteppedRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MAX_REPEATS", 10**6)
    with room["brand"].opened.desk.database.transaction():
        ((plan_hash,),) = room["brand"].look("SELECT plan_hash FROM question")
        room["brand"].node._answering._send_stored(plan_hash)
    waiting = len(room["brand"].look("SELECT id FROM outbox"))
    with room["brand"].opened.desk.database.transaction():
        digest = room["brand"].look("SELECT request_digest FROM question")[0][0]
        room["brand"].node._answering._repeat(plan_hash, digest, "sent", digest, "shop")
    assert len(room["brand"].look("SELECT id FROM outbox")) == waiting == 2
