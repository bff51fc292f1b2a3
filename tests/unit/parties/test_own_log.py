"""A node compares the log with its memory at every start: forgotten statements, shorter and forked logs stop it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cleanroom.errors import PeerError, StateError
from cleanroom.ids import RoomName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.tree import Tree
from cleanroom.transparency.witness import Held
from parties.desk import Desk
from parties.own_log import OwnLog, check_own_statements, mark_name
from parties.replay import Replay
from parties.setup_rows import SetupRows
from tests.unit.parties.nodes import desk
from tests.unit.question.agreements import identity

ROOM = RoomName("spring")
SETUP = "5e" * 32


@dataclass(frozen=True)
class KeptLog:
    """Our copy of a log, without a file; it is read in pages of this size."""

    statements: Sequence[bytes]
    page: int = 256
    asked: list[int] = field(default_factory=list)

    @property
    def held(self) -> Held:
        """The head over all."""
        tree = Tree(leaf_hash(statement) for statement in self.statements)
        return Held(Checkpoint("room.test/spring/log/1", tree.size, tree.root()), 0)

    @property
    def size(self) -> int:
        """How many."""
        return len(self.statements)

    def entries(self, first: int, limit: int) -> list[bytes]:
        """A page."""
        self.asked.append(first)
        return list(self.statements[first : first + min(limit, self.page)])


def check_kept(node: Desk, log: KeptLog) -> None:
    """As a node does at its start, when its copy of the log is up to date."""
    check_own_statements(node, SetupRows(node), OwnLog(node, log))


def said(by: str, number: int, key: str = "", kind: str = "answer.released") -> bytes:
    """A statement in the name of `by`."""
    body = {"actor": by, "kind": kind, "number": number, "v": 1}
    return sign_statement(kind, body, identity(key or by))


OTHERS = [said("brand", number) for number in range(5)]


@pytest.fixture
def node(tmp_path: Path) -> Desk:
    """shop's desk with one living set-up."""
    made = desk(tmp_path)
    made.database.run(
        "INSERT INTO match (id, peer, initiator, state, contract, own_version, dummies, since)"
        " VALUES ('m', 'brand', 1, 'ready', '', '', 1, 0)"
    )
    made.database.run(
        "INSERT INTO setup (id, match, owner, by, leaves, state, since) VALUES (?, 'm', 1, '', 16, 'ready', 0)", SETUP
    )
    return made


def mark(node: Desk) -> int:
    """Up to which entry the node has checked."""
    row = node.database.one("SELECT value FROM meta WHERE name = ?", mark_name(node))
    return int(row[0].split()[0]) if row else 0


def setup_state(node: Desk) -> str:
    """The state of the one set-up."""
    row = node.database.one("SELECT state FROM setup WHERE id = ?", SETUP)
    assert row is not None
    return str(row[0])


def remember(node: Desk, statement: bytes) -> None:
    """Hold a statement of our own."""
    node.keep_statement("answer.released", "s", statement, "")


def test_an_empty_log_and_a_log_of_others_are_fine(node: Desk) -> None:
    check_kept(node, KeptLog([]))
    assert mark(node) == 0
    check_kept(node, KeptLog(OTHERS))
    assert (mark(node), setup_state(node)) == (5, "ready")


@pytest.mark.parametrize("page", [1, 2, 3, 256])
def test_a_log_is_walked_page_by_page_and_while_the_node_runs_only_its_news(node: Desk, page: int) -> None:
    log = KeptLog(list(OTHERS[:3]), page)
    own_log = OwnLog(node, log)
    own_log.read_on()
    log.asked.clear()
    assert not own_log.read_on()
    assert log.asked == []
    assert isinstance(log.statements, list)
    log.statements.extend(OTHERS[3:])
    own_log.read_on()
    assert log.asked == list(range(3, 5, page))
    check_kept(node, log)
    assert mark(node) == 5


def test_own_statements_that_are_held_are_fine(node: Desk) -> None:
    remember(node, said("shop", 1))
    node.database.run(
        "INSERT INTO outbox (kind, says, subject, payload) VALUES ('statement', 'answer.released', 's', ?)",
        said("shop", 2),
    )
    check_kept(node, KeptLog([OTHERS[0], said("shop", 1), said("shop", 2)]))
    assert setup_state(node) == "ready"


def test_a_forgotten_statement_stops_the_node_and_kills_every_set_up(node: Desk) -> None:
    remember(node, said("shop", 1))
    log = KeptLog([said("shop", 1), said("shop", 2), OTHERS[0]])
    for _ in range(2):
        with pytest.raises(StateError, match="backup was restored"):
            check_kept(node, log)
        assert (mark(node), setup_state(node)) == (0, "dead")


def test_a_replay_leaves_no_set_up_alive_also_before_the_first_start(node: Desk) -> None:
    """What was forgotten may have used its question numbers."""
    assert Replay(node, SetupRows(node)).run(KeptLog([said("shop", 1)])).statements == 1
    assert setup_state(node) == "dead"


def test_a_node_that_was_caught_once_stays_caught_whatever_the_log_says_later(node: Desk) -> None:
    """A coordinator that hides the entries at the second start gains nothing."""
    with pytest.raises(StateError):
        check_kept(node, KeptLog([said("shop", 2)]))
    with pytest.raises(StateError, match="backup was restored"):
        check_kept(node, KeptLog([]))


def test_a_statement_in_another_outbox_row_is_not_held(node: Desk) -> None:
    node.database.run(
        "INSERT INTO outbox (kind, says, subject, payload) VALUES ('envelope', 'answer.released', 's', ?)",
        said("shop", 2),
    )
    with pytest.raises(StateError):
        check_kept(node, KeptLog([said("shop", 2)]))


def test_a_forgery_in_our_name_is_no_reason_to_stop(node: Desk) -> None:
    check_kept(node, KeptLog([said("shop", 1, key="brand"), OTHERS[0]]))
    assert (mark(node), setup_state(node)) == (2, "ready")


SPENDS_OR_DECIDES = ["answer.released", "budget.debit", "budget.voided", "match.debit", "question.approved",
                     "question.refused", "room.closed", "room.paused", "room.resumed"]  # fmt: skip


@pytest.mark.parametrize("kind", SPENDS_OR_DECIDES)
def test_every_statement_that_spends_or_decides_is_remembered_or_missed(node: Desk, kind: str) -> None:
    with pytest.raises(StateError, match="backup was restored"):
        check_kept(node, KeptLog([said("shop", 1, kind=kind)]))


@pytest.mark.parametrize("kind", ["ledger.head", "contract.signed"])
def test_what_others_hold_of_ours_stops_us_not_when_they_put_it_into_the_log(node: Desk, kind: str) -> None:
    """A receipt that we gave an asker, and our signature under a proposal that never came into force."""
    check_kept(node, KeptLog([said("shop", 1, kind=kind)]))
    assert (mark(node), setup_state(node)) == (1, "ready")


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_log_that_is_shorter_than_it_was_is_refused(node: Desk, length: int) -> None:
    """The shortened log was once taken for a log without news."""
    check_kept(node, KeptLog(OTHERS[:3]))
    with pytest.raises(PeerError, match="shorter"):
        check_kept(node, KeptLog(OTHERS[:length]))
    assert mark(node) == 3


FORKS = {
    "of the same length": [*OTHERS[:2], OTHERS[4]],
    "of the same length from the start": [OTHERS[4], *OTHERS[1:3]],
    "that is longer": [OTHERS[1], OTHERS[0], OTHERS[2], OTHERS[3]],
}


@pytest.mark.parametrize("case", FORKS)
@pytest.mark.parametrize("page", [1, 256])
def test_a_log_that_is_not_a_continuation_is_refused(node: Desk, case: str, page: int) -> None:
    """A fork of the same length was once taken for a log without news."""
    check_kept(node, KeptLog(OTHERS[:3]))
    with pytest.raises(PeerError, match="not a continuation"):
        check_kept(node, KeptLog(FORKS[case], page))
    assert mark(node) == 3


def stop(by: str, reason: str, key: str = "", **other: str) -> bytes:
    """A pause in the name of `by`."""
    fields = {"actor": by, "at": "2026-01-02T03:04:05Z", "contract": "11" * 32, "kind": "room.paused", "room": ROOM}
    body = {**fields, "reason": reason, "subject": SETUP, "v": 1, **other}
    return sign_statement("room.paused", body, identity(key or by))


def test_a_pause_in_the_log_is_honoured_although_nobody_delivered_it(node: Desk) -> None:
    """Under former terms of the room as well."""
    check_kept(node, KeptLog([OTHERS[0], stop("brand", "the lawyers ask")]))
    assert node.stops.standing().reason == "the lawyers ask"


def test_a_forged_pause_in_the_log_or_one_of_another_room_is_not_honoured(node: Desk) -> None:
    forged = [stop("brand", "no", key="bank"), stop("brand", "no", room="winter"), stop("stranger", "no")]
    check_kept(node, KeptLog(forged))
    assert node.stops.standing().state == "open"
