"""A party leaves: the others' homes go on under new terms without it, and nothing is written to it any more."""

from pathlib import Path

import pytest

from parties.room_state import RoomState
from tests.live_room import room_file
from tests.simulation.stepped_room import small_parties, stepped_room


@pytest.mark.parametrize("under_way", ["a match", "a set-up"])
def test_a_home_starts_after_a_party_has_left_with_something_under_way(tmp_path: Path, under_way: str) -> None:
    """The start tells peers what it ends; the message to a party without a card once ended it, every time."""
    three = small_parties("shop", "brand", "third")
    two = {name: three[name] for name in ("shop", "brand")}
    with stepped_room(tmp_path, three) as room:
        match = room.match("shop", "third")
        if under_way == "a set-up":
            node = room["shop"].node
            with node.desk.database.transaction():
                found = node.matching.find(match)
                assert found is not None
                node.setups.start(found, "colour")
    RoomState(tmp_path / "state", room_file(tmp_path / "room", two)).prepare()
    with stepped_room(tmp_path, two) as room:
        shop = room["shop"]
        assert "third" not in room.contract.cards
        shop.node.stop()
        shop.node.run()
        assert shop.states("match") == ["aborted"]
        assert set(shop.states("setup")) <= {"dead"}
    with stepped_room(tmp_path, two) as room:
        assert room.ask("shop", "brand", by="colour").state == "answered"


def test_who_has_no_card_is_not_written_to(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        desk = room["shop"].opened.desk
        before = room["shop"].look("SELECT COUNT(*) FROM outbox")
        desk.send("third", "match.abort", "ab" * 32, {})
        assert room["shop"].look("SELECT COUNT(*) FROM outbox") == before
        desk.send("brand", "match.abort", "ab" * 32, {})
        assert room["shop"].look("SELECT COUNT(*) FROM outbox") == [(before[0][0] + 1,)]
