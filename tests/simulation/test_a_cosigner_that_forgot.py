"""A node whose copy of the log is lost, rolled back, or on a second machine as well. Row 40 of the hostile inputs.

The copy is the memory behind its cosigning key. Without it, or with an older one than the node remembers, it does not
serve and signs nothing, whatever log it is shown; the replay gets it going again under the true log alone.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from cleanroom.cosigner.stops import RolledBackError
from cleanroom.errors import CleanroomError, PeerError, StateError, UnavailableError
from parties.cosigning import LATE_S, replay_check
from parties.replay import Replay
from tests.live_room import NoNoise
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, stepped_room
from tests.simulation.two_logs import (
    OtherCoordinator,
    check_convicted,
    copied_home,
    cosigned,
    incident,
    other_coordinator,
)

SENT = "SELECT plan_hash FROM question WHERE owner = 1 AND state = 'sent'"


def mirror_file(party: SteppedParty) -> Path:
    """The node's copy of the log."""
    return party.home.mirror_folder / f"{party.opened.desk.contract.room}-1.sqlite"


def copy_of(file: Path, to: Path) -> Path:
    """As a backup program that knows SQLite makes it."""
    to.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(to)) as other:
        one.backup(other)
    to.chmod(0o600)
    return to


def put_back(backup: Path, file: Path) -> None:
    """The backup in the place of the file, whose write-ahead file goes."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    copy_of(backup, file)


class Forgetful:
    """A room with an answer, the owner's node stopped, and its folder and the coordinator's from before the answer."""

    def __init__(self, room: SteppedRoom, folder: Path, known: str) -> None:
        self.room, self.folder = room, folder
        if known == "a match":
            room.match()
        elif known == "an answer":
            room.ask("shop", "brand", epsilon="0.5")
        room.settle()
        brand = room["brand"]
        self.copy = copy_of(mirror_file(brand), folder / "copy")
        self.database = copy_of(brand.home.database_file, folder / "database")
        self.yesterday = copied_home(room, folder / "yesterday")
        room.ask("shop", "brand")
        room.settle()
        brand.close()
        self.before = cosigned(room.coordinator, room)

    def started(self, other: OtherCoordinator | None = None) -> SteppedParty:
        """Brand's node again over its folder, under the true log or another; raises what its start raises."""
        old = self.room["brand"]
        made = SteppedParty(old.home, NoNoise())
        made.acknowledged, made.publish = old.acknowledged, old.publish
        if other is not None:
            other.serves_log_of(made)
        try:
            made.node.watch.follow()
        except BaseException:
            made.close()
            raise
        self.room.parties["brand"] = made
        return made

    def replayed(self, other: OtherCoordinator | None = None) -> None:
        """`cleanroom party ledger replay`, under the true log or another."""
        made = SteppedParty(self.room["brand"].home, NoNoise())
        if other is not None:
            other.serves_log_of(made)
        try:
            desk, mirror = made.opened.desk, made.node.watch.mirror
            mirror.catch_up(made.relayed, check=replay_check(desk, mirror), now=int(desk.clock()))
            Replay(desk, made.node.rows).run(mirror)
        finally:
            made.close()

    def serves_after_the_replay(self) -> None:
        """And what it signs from now on goes on from what it signed before."""
        self.replayed()
        self.started()
        for _ in range(2):  # the owner's set-ups died with what it forgot, and then their match
            with suppress(UnavailableError):
                self.room.ask("shop", "brand", epsilon="0.25")
        assert self.room.ask("shop", "brand", epsilon="0.25").state == "answered"
        self.room.settle()
        assert self.room.incidents() == [], "an honest party stands accused"
        after = cosigned(self.room.coordinator, self.room)
        assert self.before.keys() <= after.keys()
        for one, (at, root) in self.before.items():
            assert (after[one][0] >= at, after[one][1]) == (True, root)
        own = sorted((size, at) for (name, size), (at, _) in after.items() if name == "brand")
        assert [at for _, at in own] == sorted(at for _, at in own)


@contextmanager
def forgetful(folder: Path, known: str = "an answer") -> Iterator[Forgetful]:
    """See the class; `known` is the newest thing in the backup."""
    with stepped_room(folder / "room") as room:
        yield Forgetful(room, folder, known)


@contextmanager
def second_history(case: Forgetful) -> Iterator[OtherCoordinator]:
    """A log that goes on otherwise from where the backup was made, and hides what brand signed since."""
    with other_coordinator(case.room, case.yesterday) as other:
        shop = case.room["shop"]
        other.client(shop).append(incident(shop, "brand"))
        other.server.heads.publish_if_due()
        yield other


def lost(case: Forgetful) -> None:
    """The copy alone."""
    mirror_file(case.room["brand"]).unlink()


def emptied(case: Forgetful) -> None:
    """A disk that lost what was in it."""
    put_back(case.copy, mirror_file(case.room["brand"]))
    mirror_file(case.room["brand"]).write_bytes(b"")


@pytest.mark.parametrize("harm", [lost, pytest.param(emptied, marks=pytest.mark.slow)], ids=lambda one: one.__name__)
def test_a_node_without_its_copy_of_the_log_does_not_start_nor_replay(
    harm: Callable[[Forgetful], None], tmp_path: Path
) -> None:
    """Nobody knows what its key has signed: the key is retired, or the copy is brought back."""
    with forgetful(tmp_path) as case:
        kept = copy_of(mirror_file(case.room["brand"]), tmp_path / "kept")
        harm(case)
        for action in (case.started, case.replayed):
            with pytest.raises(StateError, match="retire the key"):
                action()
        assert cosigned(case.room.coordinator, case.room) == case.before
        put_back(kept, mirror_file(case.room["brand"]))
        case.started()
        assert case.room.ask("shop", "brand", epsilon="0.25").state == "answered"


@pytest.mark.slow
def test_a_copy_that_was_rolled_back_alone_signs_nothing_before_its_replay(tmp_path: Path) -> None:
    with forgetful(tmp_path) as case:
        put_back(case.copy, mirror_file(case.room["brand"]))
        for _ in range(2):
            with pytest.raises(StateError, match="cleanroom party ledger replay"):
                case.started()
        assert cosigned(case.room.coordinator, case.room) == case.before
        case.serves_after_the_replay()


def test_a_copy_that_was_rolled_back_alone_signs_no_second_history_that_hides_what_it_signed(tmp_path: Path) -> None:
    """The log cannot be asked: it is the attacker. The node's own database remembers what was signed."""
    with forgetful(tmp_path) as case:
        put_back(case.copy, mirror_file(case.room["brand"]))
        with second_history(case) as other:
            signed = cosigned(other.home, case.room)
            for _ in range(2):
                with pytest.raises(StateError, match="our copy of the log is older than what this node remembers"):
                    case.started(other)
            with pytest.raises(PeerError, match=r"the log ends at|is not the one that this node saw there before"):
                case.replayed(other)
            assert cosigned(other.home, case.room) == signed
        case.serves_after_the_replay()


@pytest.mark.parametrize(
    "known", ["a match", *(pytest.param(one, marks=pytest.mark.slow) for one in ("nothing", "an answer"))]
)
def test_a_whole_home_that_was_rolled_back_is_found_by_what_it_signed_and_serves_after_its_replay(
    known: str, tmp_path: Path
) -> None:
    """Also where the backup is older than the set-up or the match over which it is asked: they are made anew."""
    with forgetful(tmp_path, known) as case:
        whole_home_rolled_back(case)
        for _ in range(2):
            with pytest.raises(StateError, match="cleanroom party ledger replay"):
                case.started()
        assert cosigned(case.room.coordinator, case.room) == case.before
        case.serves_after_the_replay()


def whole_home_rolled_back(case: Forgetful) -> None:
    """Database and copy."""
    brand = case.room["brand"]
    put_back(case.copy, mirror_file(brand))
    put_back(case.database, brand.home.database_file)


def test_under_a_second_history_it_is_stopped_by_the_first_head_that_a_peer_shows_it(tmp_path: Path) -> None:
    """Nothing in its home tells it, and the log hides it; nothing that it says there reaches a quorum, and its peer's
    head carries its own signature."""
    with forgetful(tmp_path) as case:
        whole_home_rolled_back(case)
        with second_history(case) as other:
            brand = case.started(other)
            sent = brand.look(SENT)
            case.room.patience_s = 1.0
            with pytest.raises((AssertionError, CleanroomError)):
                case.room.ask("shop", "brand", epsilon="0.25")
            desk = case.room["shop"].opened.desk
            at = desk.clock() + LATE_S + 1
            desk.clock = lambda: at
            case.room.settle()
            assert isinstance(brand.node._failure, RolledBackError)
            check_convicted(case.room, "shop")
            assert brand.look(SENT) == sent
            for _ in range(2):
                with pytest.raises(StateError, match="cleanroom party ledger replay"):
                    case.started(other)
