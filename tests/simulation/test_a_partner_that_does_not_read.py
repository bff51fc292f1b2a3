"""A party that never reads its mailbox hurts itself: what the owner says to everybody else goes on as before.

The coordinator keeps a bounded share of a mailbox for each sender. What does not fit waits at the sender, in order.
"""

import base64
from collections.abc import Iterator

import pytest

from cleanroom.coordinator import mailbox
from cleanroom.question.stop import PAUSED
from parties.stopping import stop_room
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, small_parties, stepped_room

MOST = 20


@pytest.fixture
def room(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SteppedRoom]:
    """Three parties; a mailbox holds few messages of one sender."""
    monkeypatch.setattr(mailbox, "MAX_STORED_ENVELOPES", MOST)
    with stepped_room(tmp_path_factory.mktemp("room"), small_parties("shop", "brand", "third")) as opened:
        yield opened


def fill(room: SteppedRoom, sender: str, recipient: str) -> SteppedParty:
    """Until the recipient's mailbox is full of what the sender said, and some more; the recipient reads no more."""
    deaf = room.parties.pop(recipient)
    with room[sender].opened.desk.database.transaction():
        for number in range(MOST + 5):
            room[sender].opened.desk.send(recipient, "question.voided", f"{number:064x}", {})
    room[sender].node._flush()
    assert waiting_for(room[sender], recipient) == 5
    return deaf


def waiting_for(party: SteppedParty, recipient: str) -> int:
    """How many messages to this party are still here."""
    return len(party.look("SELECT id FROM outbox WHERE recipient = ?", recipient))


def test_the_others_are_answered_as_before(room: SteppedRoom) -> None:
    fill(room, "brand", "third")
    assert room.ask("shop", "brand", by="colour")
    assert [body["actor"] for body in room.log("budget.debit")] == ["brand"]
    assert waiting_for(room["brand"], "third") == 5


def test_the_owner_s_pause_reaches_the_log_and_the_others(room: SteppedRoom) -> None:
    fill(room, "brand", "third")
    stop_room(room["brand"].opened.desk, PAUSED, "no more")
    room.settle()
    assert room["shop"].opened.desk.stops.standing().state == "paused"
    assert [body["actor"] for body in room.log("room.paused")] == ["brand"]


def test_what_waited_arrives_in_its_order_once_there_is_room(room: SteppedRoom) -> None:
    deaf = fill(room, "brand", "third")
    room.parties["third"] = deaf
    room.settle()
    assert waiting_for(room["brand"], "third") == 0
    subjects = [one.item.subject_id.hex() for one in deaf.relayed.received]  # type: ignore[union-attr]
    assert subjects == [f"{number:064x}" for number in range(MOST + 5)]


def test_an_asker_that_repeats_its_plan_for_ever_and_reads_nothing_stops_nobody(room: SteppedRoom) -> None:
    room.ask("third", "brand", base="table", epsilon="0.01")
    ((statement, proof),) = room["third"].look("SELECT bytes, proof FROM statement WHERE kind = 'question.asked'")
    ((subject,),) = room["third"].look("SELECT plan_hash FROM question")
    before = room["brand"].spent("third")
    third = room.parties.pop("third")
    for _ in range(MOST):
        again = {"proof": proof, "statement": base64.b64encode(statement).decode()}
        third.say("brand", "question.plan", subject, again)
        room.settle()
    assert room["brand"].spent("third") == before
    assert room.ask("shop", "brand", base="table", epsilon="0.5")
