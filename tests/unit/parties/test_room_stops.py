"""What a node remembers of pauses and resumptions, in whichever order it hears of them, and what leaves meanwhile."""

import threading
from itertools import permutations
from pathlib import Path

import pytest

from cleanroom.errors import CleanroomError, UnavailableError, UsageError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.querylog.statement import KINDS
from cleanroom.question.resumption import Resumption, start_resumption
from cleanroom.question.stop import CLOSED, PAUSED, Stop, read_stop
from cleanroom.transparency.policy import Quorum
from cleanroom.wire.messages import Envelope
from parties.desk import Desk
from parties.headers import HEADERS
from parties.room_stops import MAX_STANDING_PAUSES
from parties.sending import WHILE_STOPPED, Sending
from parties.stopping import resume_room, stop_room
from tests.unit.parties.nodes import AGREED, desk
from tests.unit.question.agreements import BANK, BRAND, SHOP, identity, seed

AT = "2026-01-02T03:04:05Z"
PARTIES = (SHOP, BRAND, BANK)


@pytest.fixture
def node(tmp_path: Path) -> Desk:
    """shop's desk."""
    return desk(tmp_path)


def stop(node: Desk, by: PartyName, number: int, kind: str = PAUSED) -> Stop:
    """A party's stop, as it arrives."""
    body = {"actor": by, "at": AT, "contract": node.contract_hash.hex(), "kind": kind, "reason": f"{by} {number}"}
    more = {"room": AGREED.room, "subject": seed(f"{by} {number}").hex(), "v": 1}
    return read_stop(sign_statement(kind, {**body, **more}, identity(by)), AGREED, node.contract_hash)


def lifting(*pauses: Stop) -> Resumption:
    """Signed by all."""
    resumption = start_resumption(AGREED, pauses)
    for name in PARTIES:
        resumption = resumption.signed(name, identity(name), at=AT)
    return resumption


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_in_which_stops_and_resumptions_arrive_does_not_matter(order: tuple[int, ...], node: Desk) -> None:
    first, second, third = (stop(node, by, 1) for by in PARTIES)
    arrivals = (
        lambda: node.stops.add(first),
        lambda: node.stops.add(second),
        lambda: node.stops.lift(lifting(first, second)),
        lambda: node.stops.add(third),
    )
    for number in (*order, *order):
        arrivals[number]()
    assert [one.by for one in node.stops.standing_stops()] == [BANK]
    assert node.stops.standing().reason == "bank 1"
    node.stops.lift(lifting(third))
    assert node.stops.standing().state == "open"


def test_the_first_pause_is_named_and_a_closing_before_all_pauses(node: Desk) -> None:
    node.stops.add(stop(node, BRAND, 1))
    node.stops.add(stop(node, BANK, 1))
    assert (node.stops.standing().state, node.stops.standing().by) == ("paused", BRAND)
    node.stops.add(stop(node, BANK, 2, CLOSED))
    assert (node.stops.standing().state, node.stops.standing().by) == ("closed", BANK)


def test_an_incomplete_resumption_can_not_even_be_handed_in(node: Desk) -> None:
    pause = stop(node, BRAND, 1)
    node.stops.add(pause)
    short = start_resumption(AGREED, [pause]).signed(SHOP, identity("shop"), at=AT)
    with pytest.raises(ValueError, match="all parties"):
        node.stops.lift(short)
    with pytest.raises(UsageError, match="the room stays paused: the resumption is not signed by bank, brand"):
        resume_room(node, short)
    assert node.stops.standing().state == "paused"


def test_as_many_pauses_of_one_party_stand_as_are_kept_and_no_more(node: Desk) -> None:
    for number in range(MAX_STANDING_PAUSES):
        assert node.stops.add(stop(node, BRAND, number))
    assert not node.stops.add(stop(node, BRAND, MAX_STANDING_PAUSES))
    assert node.stops.add(stop(node, BANK, 1))
    assert len(node.stops.standing_stops()) == MAX_STANDING_PAUSES + 1


def test_stops_are_kept_for_ever(node: Desk) -> None:
    node.stops.add(stop(node, BRAND, 1))
    for sql in ("DELETE FROM room_stop", "UPDATE room_stop SET reason = ''", "DELETE FROM room_lift"):
        node.stops.lift(lifting(stop(node, BANK, 9)))
        with pytest.raises(Exception, match="append-only"):
            node.database.run(sql)


def test_a_stop_its_statement_and_its_messages_are_on_disk_together_or_not_at_all(
    node: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends while it seals the message to the second partner: nothing of the stop is there."""
    honest, sent = Desk.send, 0

    def ending(self: Desk, *words: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            raise KeyboardInterrupt
        honest(self, *words)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(Desk, "send", ending)
    with pytest.raises(KeyboardInterrupt):
        stop_room(node, PAUSED, "why")
    assert node.stops.standing().state == "open"
    assert node.database.number("SELECT count(*) FROM outbox") == 0
    monkeypatch.undo()
    stop_room(node, PAUSED, "why")
    assert node.stops.standing().state == "paused"
    assert node.database.number("SELECT count(*) FROM outbox") == 3


def test_resuming_twice_logs_our_signature_once(node: Desk) -> None:
    resumption = lifting(stop_room(node, PAUSED, "why"))
    assert resume_room(node, resumption)
    assert not resume_room(node, resumption)
    assert node.database.number("SELECT count(*) FROM outbox WHERE says = 'room.resumed'") == 1


# ---- what leaves meanwhile -------------------------------------------------------------------------------------------


class Carrier:
    """Takes everything, or nothing of the kinds that it refuses."""

    def __init__(self, *refused: str) -> None:
        self.taken: list[str] = []
        self._refused = refused

    def _take(self, kind: str) -> None:
        if kind in self._refused:
            raise UnavailableError("not now")
        self.taken.append(kind)

    def send(self, envelope: Envelope) -> None:
        """A message."""
        self._take(envelope.kind)

    def append(self, statement: bytes) -> int:
        """A statement."""
        self._take(str(peek_statement(statement)["kind"]))
        return 0

    def submit_tags(self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes) -> None:
        """Tags."""
        self._take("match.tags")


class NoProofs:
    """A copy of the log that nobody has cosigned."""

    def proof(self, statement: bytes, quorum: Quorum) -> bytes | None:
        """None yet."""
        return None


def flush(node: Desk, carrier: Carrier) -> list[CleanroomError]:
    """Empty the outbox as far as it goes; what went wrong."""
    troubles: list[CleanroomError] = []
    sending = Sending(node, carrier, NoProofs(), steps={}, ended=lambda _: None, troubled=troubles.append)
    sending.flush(threading.Event())
    return troubles


def fill(node: Desk) -> None:
    """One statement and one message of every kind, and tags."""
    for kind in sorted(KINDS - {PAUSED, CLOSED}):
        node.state(kind, kind)
    for number, kind in enumerate(sorted(HEADERS)):
        node.send(BRAND, kind, seed(str(number)).hex(), {})
    node.submit_tags(seed("match").hex(), BRAND, seed("transcript").hex(), bytes(16))


def test_nothing_but_what_ends_or_accounts_for_things_leaves_a_stopped_room(node: Desk) -> None:
    fill(node)
    stop_room(node, PAUSED, "why")
    carrier = Carrier()
    flush(node, carrier)
    assert set(carrier.taken) == set(WHILE_STOPPED) - {CLOSED}
    held = {says for (says,) in node.database.all("SELECT says FROM outbox")}
    assert {"question.asked", "question.plan", "question.rows", "question.release", "question.released"} <= held
    assert {"match.opened", "match.points", "match.tags", "match.hello", "setup.corrections"} <= held
    assert held.isdisjoint(carrier.taken)


def test_what_was_held_leaves_in_its_order_after_the_resumption(node: Desk) -> None:
    fill(node)
    pause = stop_room(node, PAUSED, "why")
    flush(node, Carrier())
    waiting = [says for (says,) in node.database.all("SELECT says FROM outbox ORDER BY id")]
    resume_room(node, lifting(pause))
    carrier = Carrier()
    flush(node, carrier)
    assert carrier.taken == [*waiting, "room.resumed"]
    assert node.database.number("SELECT count(*) FROM outbox") == 0


def test_the_stop_leaves_before_everything_that_was_said_earlier(node: Desk) -> None:
    fill(node)
    stop_room(node, PAUSED, "why")
    carrier = Carrier()
    flush(node, carrier)
    assert carrier.taken[:4] == ["room.stopped", "room.stopped", "room.stopped", PAUSED]


def test_a_coordinator_that_does_not_log_the_stop_has_carried_it_already(node: Desk) -> None:
    stop_room(node, CLOSED, "why")
    carrier = Carrier(CLOSED)
    assert len(flush(node, carrier)) == 1
    assert carrier.taken == ["room.stopped", "room.stopped"]


def test_every_kind_that_may_leave_is_one_that_there_is() -> None:
    assert set(WHILE_STOPPED) <= KINDS | set(HEADERS)
