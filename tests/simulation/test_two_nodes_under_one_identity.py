"""A copied home is a second node under the same identity: it could draw noise twice for one plan, and pay once.

The log takes one debit and one release of a party for each plan, so only the first of the two goes on; and what one of
them cosigns the other has not signed. The slower one stops as a restored one does, and says why at every start until
its operator has acted.
"""

import shutil
import threading
from pathlib import Path

import pytest

from cleanroom.cosigner.stops import RolledBackError
from cleanroom.errors import StateError
from cleanroom.privacy.noise import DiscreteNoise
from parties.cosigning import room_check
from parties.home import Home
from parties.inquiry import Inquiry
from parties.replay import Replay
from parties.sending import DoubledError
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, stepped_room


def copied(room: SteppedRoom, folder: Path) -> SteppedParty:
    """A second node over a copy of brand's home."""
    brand = room["brand"]
    brand.look("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(brand.home.path, folder)
    folder.chmod(0o700)
    twin = SteppedParty(Home(folder), DiscreteNoise())
    twin.acknowledged = brand.acknowledged
    twin.publish = brand.publish
    twin.node.watch.follow()
    return twin


def ask_both(room: SteppedRoom, twin: SteppedParty) -> str:
    """Shop asks, and both nodes fetch the plan before either acknowledges it; the twin is the quicker one."""
    shop, brand = room["shop"], room["brand"]
    inquiry = Inquiry(shop.node, room.question("shop", "brand", by="colour", epsilon="0.25"))
    with shop.node.desk.database.transaction():
        inquiry._step()
    while "sent" not in shop.states("question"):
        shop.step()
        twin.cosign()
    shop.step()
    fetched = {party.home: party.relayed.poll(party.acknowledged, 100) for party in (twin, brand)}
    for delivery in fetched[twin.home]:
        twin.node._take(delivery, threading.Event())
    while twin.states("question")[-1] != "sent":
        twin.node._flush()
        twin.cosign()
        shop.cosign()
    twin.node._flush()
    now = brand.opened.desk.clock() + 2  # within one second both debits would be the same bytes
    brand.opened.desk.clock = lambda: now
    for delivery in fetched[brand.home]:
        brand.node._take(delivery, threading.Event())
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
        assert isinstance(failure, DoubledError)
        assert "another node uses this identity, or a backup was restored" in str(failure)
        assert not [one.kind for one in brand.post.written if one.subject_id.hex() == plan]
        assert brand.node._stopping.is_set()
        with pytest.raises(StateError, match="another node uses this identity"):
            brand.node.watch.follow()
        twin.close()


def test_a_node_whose_key_has_cosigned_elsewhere_stops_before_it_says_anything(tmp_path: Path) -> None:
    with stepped_room(tmp_path / "room", noise=DiscreteNoise()) as room:
        room.ask("shop", "brand", by="colour")
        twin = copied(room, tmp_path / "twin")
        room["shop"].start_match("brand")
        room["shop"].step()
        twin.cosign()
        brand = room["brand"]
        brand.cosign()
        assert isinstance(brand.node._failure, RolledBackError)
        assert "dead" in brand.states("setup")
        assert "ready" not in brand.states("setup")
        with pytest.raises(StateError, match="cleanroom party ledger replay"):
            brand.node.watch.follow()
        twin.close()


def test_the_stopped_node_serves_again_after_the_replay_and_says_nothing_twice(tmp_path: Path) -> None:
    with stepped_room(tmp_path / "room", noise=DiscreteNoise()) as room:
        room.ask("shop", "brand", by="colour")
        twin = copied(room, tmp_path / "twin")
        ask_both(room, twin)
        spent = twin.spent("shop")
        twin.close()
        brand = room["brand"]
        desk, mirror = brand.opened.desk, brand.node.watch.mirror
        mirror.catch_up(brand.relayed.client, check=room_check(desk, mirror), now=int(desk.clock()))
        Replay(desk, brand.node.rows).run(mirror)
        brand.node.watch.follow()
        assert brand.spent("shop") == spent
        brand.node._stopping.clear()
        before = len(room.log("budget.debit"))
        brand.node._failure = None
        brand.node._flush()
        assert brand.node._failure is None
        assert len(room.log("budget.debit")) == before
