"""A coordinator that withholds heads, or a cosigner that is away: nothing leaks, and everybody is told who is missing.

The asker's wait and the operator's `cleanroom room status` say it in one line, with since when. When the cosigner is
back, or the heads come again, the question that waited is answered.
"""

import re
from pathlib import Path

import pytest

from cleanroom.wire.messages import Published
from parties.cosigning import LATE_S
from tests.simulation.stepped_auditor import audited_room
from tests.simulation.stepped_room import SteppedParty, SteppedRoom
from tests.simulation.test_nothing_leaves_before_it_is_logged import CountedNoise

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def waits(room: SteppedRoom, noise: CountedNoise) -> None:
    """The question does not get to the owner's rows."""
    draws, spent, room.patience_s = noise.draws, room["brand"].spent("shop"), 0.5
    with pytest.raises(AssertionError, match="no answer"):
        room.ask("shop", "brand", epsilon="0.25")
    assert (noise.draws, room["brand"].spent("shop")) == (draws, spent)
    room.patience_s = 20.0


def in_time(party: SteppedParty, seconds: float) -> str:
    """What this node's analysts and operator are told so long after now, which must be the same."""
    desk, watch = party.opened.desk, party.node.watch
    clock = desk.clock
    at = clock() + seconds
    desk.clock = lambda: at
    try:
        told, shown = watch.uncovered("brand" if desk.name == "shop" else "shop"), watch.standing(desk)
    finally:
        desk.clock = clock
    assert shown.endswith(told or "nobody is missing"), (told, shown)
    return told


def test_a_required_auditor_that_is_away_is_named_since_when_and_the_room_goes_on_when_it_is_back(
    tmp_path: Path,
) -> None:
    noise = CountedNoise()
    with audited_room(tmp_path, "shop", "brand", noise=noise) as (room, eye):
        room.ask("shop", "brand", epsilon="0.5")
        room.settle()
        for party in room.parties.values():
            assert in_time(party, 10_000) == "", "nobody is missing while the log is quiet"
        eye.absent = True
        waits(room, noise)
        assert in_time(room["shop"], LATE_S - 5) == ""
        for party in room.parties.values():
            said = in_time(party, LATE_S + 5)
            assert_matches(said, rf"not cosigned by eye \(lacks what came since {TIME}, last signed {TIME}\)")
        eye.absent = False
        assert room.ask("shop", "brand", epsilon="0.25").state == "answered"
        room.settle()
        assert in_time(room["shop"], 10_000) == ""


@pytest.mark.slow
def test_an_owner_that_does_not_cosign_is_named_to_the_asker(tmp_path: Path) -> None:
    noise = CountedNoise()
    with audited_room(tmp_path, "shop", "brand", noise=noise) as (room, _):
        room.ask("shop", "brand", epsilon="0.5")
        room.settle()
        brand = room["brand"]
        brand.cosigning_ended = True
        waits(room, noise)
        said = in_time(room["shop"], LATE_S + 5)
        assert_matches(said, rf"not cosigned by brand \(lacks what came since {TIME}, last signed {TIME}\)")
        assert "eye" not in said
        brand.cosigning_ended = False
        assert room.ask("shop", "brand", epsilon="0.25").state == "answered"


@pytest.mark.parametrize("frozen", ["shop", "brand"])
def test_a_log_frozen_for_one_party_leaks_nothing_and_is_told(frozen: str, tmp_path: Path) -> None:
    """To the others the frozen one is missing; itself it knows what it said and has not seen come back."""
    noise = CountedNoise()
    with audited_room(tmp_path, "shop", "brand", noise=noise) as (room, _):
        room.ask("shop", "brand", epsilon="0.5")
        room.settle()
        room[frozen].relayed.heads = lambda _: Published(b"", (), 0)
        waits(room, noise)
        said = in_time(room["shop"], LATE_S + 5)
        if frozen == "shop":
            assert_matches(said, f"the log's entry of our question.asked of {TIME} has not reached our copy of it")
        else:
            assert_matches(said, rf"not cosigned by brand \(lacks what came since {TIME}, last signed {TIME}\)")
        if frozen == "brand":
            shown_to_the_owner(room)
        room[frozen].relayed.heads = lambda published: published
        assert room.ask("shop", "brand", epsilon="0.25").state == "answered"
        room.settle()
        assert in_time(room["shop"], 10_000) == ""


def shown_to_the_owner(room: SteppedRoom) -> None:
    """It has said nothing that could be late; the asker's late question brings it the asker's head."""
    shop, brand = room["shop"].opened.desk, room["brand"]
    assert "nobody is missing" in brand.node.watch.standing(brand.opened.desk)
    clock = shop.clock
    at = clock() + LATE_S + 5
    shop.clock = lambda: at
    room.settle()
    shop.clock = clock
    size = room["shop"].node.watch.mirror.size
    assert f"has shown another party {size} entries" in brand.node.watch.standing(brand.opened.desk)


def assert_matches(said: str, pattern: str) -> None:
    """Somewhere in the one line."""
    assert "\n" not in said
    assert re.search(pattern, said), said
