"""A copied home is a second node under the same identity: it could draw noise twice for one plan, and pay once.

The log takes one debit and one release of a party for each plan, so only the first of the two goes on; the other stops
as a restored one does, and says why at every start until its operator has acted.
"""

import shutil
import threading
from pathlib import Path

import pytest

from cleanroom.errors import StateError
from cleanroom.privacy.noise import DiscreteNoise
from parties.home import Home
from parties.inquiry import Inquiry
from parties.own_log import check_own_statements
from parties.replay import Replay
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, stepped_room


def copied(room: SteppedRoom, folder: Path) -> SteppedParty:
    """A second node over a copy of brand's home."""
    brand = room["brand"]
    brand.look("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(brand.home.path, folder)
    twin = SteppedParty(Home(folder), DiscreteNoise())
    twin.acknowledged = brand.acknowledged
    check_own_statements(twin.opened.desk, twin.node.rows, twin.relayed.client.read_log)
    return twin


def ask_both(room: SteppedRoom, twin: SteppedParty) -> str:
    """Shop asks, and both nodes fetch the plan before either acknowledges it; the twin is the quicker one."""
    shop = room["shop"]
    inquiry = Inquiry(shop.node, room.question("shop", "brand", by="colour", epsilon="0.25"))
    with shop.node.desk.database.transaction():
        inquiry._step()
    shop.step()
    for delivery in twin.relayed.poll(twin.acknowledged, 100):
        twin.node._take(delivery, threading.Event())
    room["brand"].step(100)
    return str(shop.look("SELECT plan_hash FROM question ORDER BY rowid DESC LIMIT 1")[0][0])


def test_one_plan_is_debited_and_released_once_and_the_slower_node_stops(tmp_path: Path) -> None:
    with stepped_room(tmp_path / "room", noise=DiscreteNoise()) as room:
        room.ask("shop", "brand", by="colour")
        twin = copied(room, tmp_path / "twin")
        plan = ask_both(room, twin)
        assert [body["kind"] for body in room.log() if body["subject"] == plan and body["actor"] == "brand"] == [
            "budget.debit",
            "answer.released",
        ]
        brand = room["brand"]
        failure = brand.node._failure
        assert isinstance(failure, StateError)
        assert "another node uses this identity, or a backup was restored" in str(failure)
        # Within one second both debits are the same bytes; then it is the release that the log does not take twice.
        assert "question.released" not in {one.kind for one in brand.post.written if one.subject_id.hex() == plan}
        assert brand.node._stopping.is_set()
        with pytest.raises(StateError, match="another node uses this identity"):
            check_own_statements(brand.opened.desk, brand.node.rows, brand.relayed.client.read_log)
        twin.close()


def test_the_stopped_node_serves_again_after_the_replay_and_says_nothing_twice(tmp_path: Path) -> None:
    with stepped_room(tmp_path / "room", noise=DiscreteNoise()) as room:
        room.ask("shop", "brand", by="colour")
        twin = copied(room, tmp_path / "twin")
        ask_both(room, twin)
        spent = twin.spent("shop")
        twin.close()
        brand = room["brand"]
        Replay(brand.opened.desk, brand.node.rows).run(brand.relayed.client.read_log)
        check_own_statements(brand.opened.desk, brand.node.rows, brand.relayed.client.read_log)
        assert brand.spent("shop") == spent
        brand.node._stopping.clear()
        before = len(room.log("budget.debit"))
        brand.node._failure = None
        brand.node._flush()
        assert brand.node._failure is None
        assert len(room.log("budget.debit")) == before
