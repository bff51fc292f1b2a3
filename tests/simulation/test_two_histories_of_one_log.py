"""Two histories under one log key: a liar's split view, a cloned coordinator. Rows 37 and 38 of the hostile inputs.

Both are true heads of the room's log, signed by its own key; every party is shown one of them. Neither reaches a
quorum with both, so nothing is answered and nothing is spent; as soon as the two heads meet, each party keeps both and
pauses the room, and what it keeps convicts the log before anybody who has its public key.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cleanroom.errors import PeerError, RefusedError
from parties.cosigning import LATE_S
from parties.log_watch import HEAD
from tests.audit_command import audit
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, small_parties, stepped_room
from tests.simulation.two_logs import (
    OtherCoordinator,
    check_convicted,
    copied_home,
    evidence,
    incident,
    other_coordinator,
)

QUESTIONS = "SELECT count(*) FROM question"
DEBITS = "SELECT count(*) FROM ledger"


@contextmanager
def split_view(folder: Path, *parties: str) -> Iterator[tuple[SteppedRoom, OtherCoordinator]]:
    """Shop sees the room's log; brand sees another one, with the same beginning and one entry of its own since."""
    with stepped_room(folder / "room", small_parties(*parties)) as room:
        room.match()
        room.settle()
        with other_coordinator(room, copied_home(room, folder / "other")) as other:
            other.serves_log_of(room["brand"])
            brand = room["brand"].relayed.log
            assert brand is not None
            brand.append(incident(room["brand"], "shop"))
            room.settle()
            yield room, other


def goes_unanswered(room: SteppedRoom, asker: str = "shop", owner: str = "brand") -> None:
    """The question is asked, and neither rows nor numbers follow."""
    before = room[owner].look(DEBITS)
    room.patience_s = 1.0
    with pytest.raises(AssertionError, match="no answer"):
        room.ask(asker, owner, epsilon="0.25")
    assert room[asker].states("question") == ["asked"]
    assert room[owner].look(QUESTIONS) == [(0,)]
    assert room[owner].look(DEBITS) == before


def later(*parties: SteppedParty) -> None:
    """Long enough after the question for these nodes to ask the others what they see."""
    for party in parties:
        party.opened.desk.clock = lambda: time.time() + LATE_S + 1


@pytest.mark.slow
def test_two_heads_for_two_nodes_reach_no_quorum_and_convict_the_log_at_both_when_they_meet(tmp_path: Path) -> None:
    with split_view(tmp_path) as (room, other):
        shop, brand = room["shop"], room["brand"]
        goes_unanswered(room)
        assert evidence(shop) + evidence(brand) == [], "the two heads have not met yet"
        later(shop)
        room.settle()
        check_convicted(room, "shop", "brand")
        assert not room.log("budget.debit")
        for party in (shop, brand):
            for folder in (room.coordinator, other.home):
                kept = [word for file in evidence(party) for word in ("--kept", file)]
                log = folder.log_folder(room.contract.room)
                said = audit("verify", log, "--agreement", room.state.agreement_file, *kept)
                assert said.status == 5, said
                assert "of its first 5 entries" in said.error


@pytest.mark.slow
def test_a_liar_that_writes_every_statement_into_both_histories_gets_no_further(tmp_path: Path) -> None:
    """The question stands in both logs, and each party cosigns its own."""
    with split_view(tmp_path) as (room, other):
        client = other.client(room["shop"])

        def twice(statement: bytes) -> None:
            client.append(statement)

        room["shop"].relayed.appended = twice
        goes_unanswered(room)
        later(room["shop"])
        room.settle()
        check_convicted(room, "shop", "brand")


def test_a_third_party_hears_of_it_from_those_who_found_out(tmp_path: Path) -> None:
    """It asked nobody anything: the others show it what they see, and pause the room."""
    with split_view(tmp_path, "shop", "brand", "airline") as (room, _):
        goes_unanswered(room)
        later(room["shop"])
        room.settle()
        check_convicted(room, "shop", "brand", "airline")


@pytest.mark.slow
def test_a_coordinator_that_keeps_the_parties_from_showing_each_other_their_heads_still_gets_no_answer(
    tmp_path: Path,
) -> None:
    with split_view(tmp_path) as (room, _):
        for party in room.parties.values():
            party.relayed.through = lambda found: [one for one in found if getattr(one.item, "kind", "") != HEAD]
        goes_unanswered(room)
        later(room["shop"])
        room.settle()
        assert room["brand"].look(QUESTIONS) == [(0,)]
        assert "not cosigned by brand (lacks what came since" in room["shop"].node.watch.uncovered("brand")


def test_a_cloned_coordinator_with_its_own_database_gets_no_second_history_cosigned(tmp_path: Path) -> None:
    """Row 37: the clone goes on from where the first one stood; brand's node comes to it and goes back."""
    with split_view(tmp_path) as (room, other):
        shop, brand = room["shop"], room["brand"]
        shop.relayed.client.append(incident(shop, "brand"))
        shop.relayed.client.append(incident(shop, "brand"))
        room.settle()
        held = brand.node.watch.mirror.held
        brand.relayed.log, brand.publish = None, shop.publish
        room.settle()
        assert brand.node.watch.mirror.held == held
        answers = [line for line in room.coordinator_log.getvalue().splitlines() if "cosigner refuses" in line]
        assert len(answers) == 1
        assert '"code": "422"' in answers[0]
        check_convicted(room, "brand", "shop")
        goes_unanswered_in_a_paused_room(room)
        assert other.refusals() == []


def goes_unanswered_in_a_paused_room(room: SteppedRoom) -> None:
    """Not even begun."""
    with pytest.raises(RefusedError, match="two histories"):
        room.ask("shop", "brand", epsilon="0.5")


@pytest.mark.slow
def test_a_clone_that_stands_still_is_the_log_that_was_set_back(tmp_path: Path) -> None:
    """It is behind what the node has cosigned, and shows no second history yet: the answer is 400, and the node says
    what is wrong until the true log is there again."""
    with stepped_room(tmp_path / "room") as room:
        room.match()
        with other_coordinator(room, copied_home(room, tmp_path / "clone")) as clone:
            room.ask("shop", "brand")
            room.settle()
            shop, brand = room["shop"], room["brand"]
            clone.serves_log_of(brand)
            held = brand.node.watch.mirror.held
            for _ in range(3):
                with pytest.raises(PeerError, match="the log was set back"):
                    brand.node.watch.cosigning.step(0)
            assert clone.refusals() == ["400"] * 3
            assert brand.node.watch.mirror.held == held
            goes_unanswered_by(room, "brand")
            brand.relayed.log, brand.publish = None, shop.publish
            room.settle()
            assert shop.states("question")[-1] == "answered"
            assert evidence(brand) == []


def goes_unanswered_by(room: SteppedRoom, owner: str) -> None:
    """A further question, over the same match."""
    room.patience_s = 1.0
    before = room[owner].look(DEBITS)
    with pytest.raises(AssertionError, match="no answer"):
        room.ask("shop", owner, epsilon="0.25")
    assert room[owner].look(DEBITS) == before
