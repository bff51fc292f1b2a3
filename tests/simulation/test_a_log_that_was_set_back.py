"""A coordinator whose log is yesterday's, or gone, gets no answer out of anybody. Row 36 of the hostile inputs.

Where the exported folder survives it does not even start. Without it, it starts and signs what is too old: every node
refuses that with 400, says what is wrong, and goes on when the true log is there again. As soon as something is written
into it there are two histories, and every party keeps both heads.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.errors import PeerError, RefusedError, StateError
from cleanroom.privacy.noise import DiscreteNoise
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, stepped_room
from tests.simulation.two_logs import (
    OtherCoordinator,
    check_convicted,
    copied_home,
    cosigned,
    evidence,
    other_coordinator,
)

SET_BACK = "the log was set back: its newest head is of"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SteppedRoom, Path]]:
    """A room with an answer, and its coordinator's folder from before that."""
    folder = tmp_path_factory.mktemp("room")
    with stepped_room(folder / "room") as opened:
        opened.match()
        opened.settle()
        yesterday = copied_home(opened, folder / "yesterday")
        opened.ask("shop", "brand")
        opened.settle()
        yield opened, yesterday


def restored(opened: SteppedRoom, yesterday: Path, folder: Path, *, how: str, exported: bool) -> Path:
    """Today's folder with yesterday's database, or none."""
    name, today = opened.contract.room, copied_home(opened, folder, exported=exported)
    database = CoordinatorHome(today).database(name)
    database.unlink()
    if how == "restored":
        shutil.copy(CoordinatorHome(yesterday).database(name), database)
    return today


@pytest.mark.parametrize("how", ["restored", "deleted"])
def test_with_its_exported_folder_it_does_not_start(how: str, room: tuple[SteppedRoom, Path], tmp_path: Path) -> None:
    opened, yesterday = room
    home = restored(opened, yesterday, tmp_path / "home", how=how, exported=True)
    with (
        pytest.raises(StateError, match=r"the checkpoint in .* is of \d+ entries, but only \d+ are stored"),
        other_coordinator(opened, home),
    ):
        pass


@contextmanager
def set_back(room: tuple[SteppedRoom, Path], folder: Path, how: str) -> Iterator[OtherCoordinator]:
    """Every party is shown the log without its newest entries; afterwards the true one again."""
    opened, yesterday = room
    publish = opened["shop"].publish
    home = restored(opened, yesterday, folder / "home", how=how, exported=False)
    with other_coordinator(opened, home) as other:
        for party in opened.parties.values():
            other.serves_log_of(party)
        yield other
        for party in opened.parties.values():
            party.relayed.log, party.publish = None, publish


@pytest.mark.parametrize("how", ["restored", pytest.param("deleted", marks=pytest.mark.slow)])
def test_without_the_folder_every_node_refuses_it_and_says_so_and_goes_on_with_the_true_log(
    how: str, room: tuple[SteppedRoom, Path], tmp_path: Path
) -> None:
    opened, _ = room
    held = {name: party.node.watch.mirror.held for name, party in opened.parties.items()}
    with set_back(room, tmp_path, how) as other:
        for party in opened.parties.values():
            with pytest.raises(PeerError, match=SET_BACK):
                party.node.watch.cosigning.step(0)
            with pytest.raises(PeerError, match=SET_BACK):
                started_again(party)
        assert other.refusals() == ["400"] * 4
        before = cosigned(opened.coordinator, opened)
        assert cosigned(other.home, opened).items() <= before.items()
    opened.settle()
    assert {name: party.node.watch.mirror.held for name, party in opened.parties.items()} == held
    assert opened.ask("shop", "brand", epsilon=f"0.{len(how)}").state == "answered"
    opened.settle()


def started_again(party: SteppedParty) -> None:
    """What a start does before it serves, beside the running node."""
    again = SteppedParty(party.home, DiscreteNoise())
    try:
        again.relayed.log = party.relayed.log
        again.node.watch.follow()
    finally:
        again.close()


def test_what_is_written_into_it_makes_two_histories_and_every_party_keeps_both(tmp_path: Path) -> None:
    """The question of the analyst who does not know: it stands in the log that was set back, and nothing follows."""
    with stepped_room(tmp_path / "room") as opened:
        opened.match()
        opened.settle()
        yesterday = copied_home(opened, tmp_path / "yesterday")
        opened.ask("shop", "brand")
        opened.settle()
        spent = opened["brand"].spent("shop")
        with set_back((opened, yesterday), tmp_path, "restored") as other:
            opened.patience_s = 3.0
            with pytest.raises((AssertionError, RefusedError), match=r"no answer|two histories"):
                opened.ask("shop", "brand", epsilon="0.25")
            opened.settle()
            check_convicted(opened, "shop", "brand")
            assert opened["brand"].spent("shop") == spent
            assert len(evidence(opened["shop"])) >= 2
            assert set(other.refusals()) <= {"400", "409", "422"}
