"""What the contract counts is counted by the node whose people are counted: matches, set-ups, places in a list.

Each just inside and just outside; and what a set-up leaves behind when it is ready.
"""

from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import RefusedError, SourceError
from tests.live_room import RecordingNoise
from tests.simulation.stepped_room import COLUMNS, SteppedRoom, people, small_parties, stepped_room

OVERLAP = {"epsilon": "16", "delta": "1e-9", "matches": 2}


def end_match(room: SteppedRoom, match: str) -> None:
    """Shop ends a match, as it would for a new table."""
    with room["shop"].opened.desk.database.transaction():
        room["shop"].node.matching.abort(match, tell_peer=True)
    room.settle()


def test_the_overlap_is_shown_as_often_as_agreed_and_not_once_more(tmp_path: Path) -> None:
    with stepped_room(tmp_path, overlap=OVERLAP) as room:
        for _ in range(2):
            end_match(room, room.match())
        for party, peer in (("shop", "brand"), ("brand", "shop")):
            with pytest.raises(RefusedError, match="2 times, the most agreed"):
                room[party].start_match(peer)
        assert room["shop"].match_debits() == room["brand"].match_debits() == 2


def test_a_peer_that_does_not_count_is_counted_by_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shop has lost its ledger, or never kept one: brand masks nothing for a third match."""
    with stepped_room(tmp_path, overlap=OVERLAP) as room:
        for _ in range(2):
            end_match(room, room.match())
        monkeypatch.setattr(room["shop"].node.matching, "check_limit", lambda _: None)
        masked = [one for one in room["brand"].post.written if one.kind == "match.points"]
        third = room["shop"].start_match("brand")
        room.settle()
        assert room["shop"].node.refusals[third].rule == "matches"
        assert room["brand"].match_debits() == 2
        assert [one for one in room["brand"].post.written if one.kind == "match.points"] == masked


@pytest.mark.parametrize(("agreed", "share"), [(2, 1), (5, 3)])
def test_a_peer_takes_its_share_of_the_matches_and_leaves_the_others_theirs(
    agreed: int, share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Third's own debits cost it nothing; brand's matches with shop are there all the same."""
    parties = small_parties("shop", "brand", "third")
    with stepped_room(tmp_path, parties, overlap={**OVERLAP, "matches": agreed}) as room:
        monkeypatch.setattr(room["third"].node.matching, "check_limit", lambda _: None)
        for _ in range(share + 1):
            last = room["third"].start_match("brand")
            room.settle()
        assert room["brand"].match_debits() == share
        refusal = room["third"].node.refusals[last]
        assert refusal.rule == "matches"
        assert f"{share} of the {agreed} matches of these people were made with third, its whole share" in str(refusal)
        room.match()
        assert room["brand"].match_debits() == share + 1


def test_a_match_is_segmented_as_often_as_agreed_and_not_once_more(tmp_path: Path) -> None:
    with stepped_room(tmp_path, setups_per_match=2) as room:
        room.match()
        found = room["shop"].node.matching.usable(room["brand"].name)
        assert found is not None
        for number in range(3):
            with room["shop"].opened.desk.database.transaction():
                asked = room["shop"].node.setups.start(found, "colour")
            room.settle()
            assert (asked in room["shop"].node.refusals) == (number == 2)
        assert room["shop"].node.refusals[asked].rule == "set-ups"
        assert room["brand"].states("setup") == ["ready", "ready"]


@pytest.mark.parametrize("over", [0, 1])
def test_a_table_holds_as_many_people_as_capacity_and_dummies_leave(tmp_path: Path, over: int) -> None:
    """At capacity 100 the terms of these tests leave 100 places less the dummies; the message says how many."""
    dummies = 100 - most_people(tmp_path / "first")
    parties: dict[str, Any] = {
        "shop": {"people": people(0, 100 - dummies + over), "columns": COLUMNS},
        "brand": {"people": people(0, 10), "columns": COLUMNS},
    }
    if over:
        with pytest.raises(SourceError, match=f"{over} more than fit.*{dummies} places"):
            _match(tmp_path, parties)
    else:
        _match(tmp_path, parties)


def most_people(folder: Path) -> int:
    """From the refusal of a table that is far too large."""
    parties: dict[str, Any] = {name: {"people": people(0, 100), "columns": COLUMNS} for name in ("shop", "brand")}
    with pytest.raises(SourceError) as refused:
        _match(folder, parties)
    return 100 - int(str(refused.value).split(" holds 100 people, ")[1].split(" ")[0])


def _match(folder: Path, parties: dict[str, Any]) -> None:
    with stepped_room(folder, parties, capacity=100) as room:
        room.match()


def test_a_ready_set_up_keeps_nodes_and_siblings_and_no_secret_of_its_making(tmp_path: Path) -> None:
    """Delta and the seeds open every leaf: they are gone when the corrections are out."""
    with stepped_room(tmp_path) as room:
        room.ask("shop", "brand", by="colour")
        kinds = {
            name: {kind for (kind,) in party.look("SELECT kind FROM bulk WHERE kind LIKE 'setup.%'")}
            for name, party in room.parties.items()
        }
    assert kinds == {"shop": {"setup.siblings", "setup.categories"}, "brand": {"setup.nodes"}}


def test_an_asker_that_lost_too_many_receipts_is_refused_with_the_way_out_and_charged_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = RecordingNoise()
    with stepped_room(tmp_path, small_parties(), noise=noise) as room:
        room.ask("shop", "brand", base="table")
        spent, drawn = room["brand"].spent("shop"), len(noise.draws)
        for table in ("receipt", "receipt_entry"):
            room["shop"].opened.desk.database.run(f"DELETE FROM {table}")  # noqa: S608 # both names are literals above
        monkeypatch.setattr("parties.heads.MOST_ENTRIES", 1)
        with pytest.raises(
            RefusedError, match=r"\(rule receipt of brand\); restore shop's node from .*, or agree on a room"
        ):
            room.ask("shop", "brand", base="table", epsilon="0.5")
        assert room.log("question.refused")[0]["rule"] == "receipt"
        assert (room["brand"].spent("shop"), len(noise.draws)) == (spent, drawn)
        assert not room.incidents()
        monkeypatch.undo()
        room.ask("shop", "brand", base="table", epsilon="0.5")
