"""Real nodes and a real coordinator over TLS, moved one delivery at a time in the test's own thread.

    with stepped_room(tmp_path) as room:
        room["shop"].tamper("match.points", lambda header, blob: (header, blob[:-1]))
        room["shop"].node.matching.start("brand")
        room.settle()

Nothing is faked: keys, certificates, seals, databases and calls are the product's. What a test scripts is a party that
changes its own messages before it seals and signs them (`tamper`), a party that sends whatever it likes (`say`), and a
coordinator that lies to one party (`through`, `heads`, `pages`) or loses its reply (`appended`). Nothing waits for a
clock, so a step is the same every time.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.placement import Place
from cleanroom.coordinator.room_server import RoomServer
from cleanroom.cosigner.stops import BrokenRuleError, RolledBackError, SplitViewError
from cleanroom.crypto.placement import place as kernel_place
from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.privacy.budget import parse_epsilon, units_for_epsilon
from cleanroom.privacy.noise import NoiseSource
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.agreement import parse_agreement
from cleanroom.question.compile import Question
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import Quantity
from cleanroom.transparency.witness_message import WitnessAnswer
from cleanroom.transport.client import CoordinatorClient
from cleanroom.transport.event_log import EventLog
from cleanroom.wire.messages import Delivery, Envelope, LogPage, Published
from parties.asking import Asked
from parties.home import Home
from parties.inquiry import Ended, Inquiry
from parties.node import Node
from parties.post import Post
from parties.room_file import RoomFile
from parties.room_state import RoomState
from parties.serve import Opened, build_node, connect, import_people, open_home
from tests.live_room import NoNoise, RecordingNoise, prepared, room_file

Change = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]
PATIENCE_S = 20.0
IDLE_POLL_MS = 20


class TamperingPost(Post):
    """A post that changes chosen messages before they are sealed and signed; everything else is the product's."""

    def __init__(self, honest: Post) -> None:
        for name, value in vars(honest).items():
            setattr(self, name, value)
        self.changes: dict[str, Change] = {}
        self.written: list[Envelope] = []

    def write(
        self, recipient: PartyName, kind: str, subject: str, header: Mapping[str, Any], blob: bytes = b""
    ) -> list[Envelope]:
        """As the product's, after the change."""
        if kind in self.changes:
            header, blob = self.changes[kind](dict(header), blob)
        envelopes = super().write(recipient, kind, subject, header, blob)
        self.written.extend(envelopes)
        return envelopes


@dataclass
class Relayed:
    """The coordinator as one party sees it: the real one, behind what a test lets through.

    `log` is instead of its log: a second history, which a liar shows to this party alone (`two_logs`).
    """

    client: CoordinatorClient
    log: CoordinatorClient | None = None
    through: Callable[[list[Delivery]], list[Delivery]] = lambda deliveries: deliveries
    appended: Callable[[bytes], None] = lambda _: None
    heads: Callable[[Published], Published] = lambda published: published
    pages: Callable[[LogPage], LogPage] = lambda page: page
    received: list[Delivery] = field(default_factory=list)

    def send(self, envelope: Envelope) -> None:
        """Real."""
        self.client.send(envelope)

    def poll(self, acknowledged_through: int, wait_ms: int) -> list[Delivery]:
        """What the test lets through."""
        deliveries = self.client.poll(acknowledged_through, wait_ms)
        self.received.extend(deliveries)
        return self.through(deliveries)

    def submit_tags(self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes) -> None:
        """Real."""
        self.client.submit_tags(match_id, owner_of_rows, transcript_hash, tags)

    def append(self, statement: bytes) -> int:
        """Real; the test may lose the reply."""
        index = (self.log or self.client).append(statement)
        self.appended(statement)
        return index

    def poll_checkpoint(self, held_size: int, seen: int, wait_ms: int) -> Published:
        """What the test makes of the heads."""
        return self.heads((self.log or self.client).poll_checkpoint(held_size, seen, wait_ms))

    def read_log(self, first: int, limit: int = 256) -> LogPage:
        """What the test makes of the entries."""
        return self.pages((self.log or self.client).read_log(first, limit))

    def submit_cosignature(self, size: int, answer: WitnessAnswer) -> None:
        """Real."""
        (self.log or self.client).submit_cosignature(size, answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


class SteppedParty:
    """One party's node, moved by hand."""

    def __init__(self, home: Home, noise: NoiseSource) -> None:
        self.home = home
        self.opened: Opened = open_home(home)
        import_people(self.opened)
        self.relayed = Relayed(connect(self.opened))
        self.post = TamperingPost(self.opened.desk.post)
        self.opened.desk.post = self.post
        self.node: Node = build_node(self.opened, self.relayed, noise=noise)
        self.acknowledged = 0
        self.cosigning_ended = False
        self.publish: Callable[[], object] = lambda: None

    @property
    def name(self) -> PartyName:
        """Who."""
        return self.opened.desk.name

    def tamper(self, kind: str, change: Change) -> None:
        """From now on every message of this kind leaves changed."""
        self.post.changes[kind] = change

    def step(self, wait_ms: int = 0) -> bool:
        """Empty the outbox, cosign, and act on what waits; whether anything happened."""
        waiting = self.look("SELECT id FROM outbox")
        self.node._flush()
        busy = self.look("SELECT id FROM outbox") != waiting  # what a stopped room holds back is no work
        busy = self.cosign() or busy
        deliveries = self.relayed.poll(self.acknowledged, wait_ms)
        for delivery in deliveries:
            self.node._take(delivery, threading.Event())
            self.acknowledged = max(self.acknowledged, delivery.sequence)
        return busy or bool(deliveries)

    def cosign(self) -> bool:
        """What the node's cosigning thread does, once, and what the worker does then; whether the log brought news."""
        if self.cosigning_ended or self.node._failure is not None:
            return False
        self.publish()
        try:
            changed = self.node.watch.cosigning.step(0)
        except (RolledBackError, SplitViewError, BrokenRuleError) as error:
            self.node.distrust(error)
            self.cosigning_ended = True
            return True
        except CleanroomError:
            return False  # tried again at the next step
        self.node.look()
        self.node.watch.show_late()
        return changed

    def take(self, item: Any) -> None:
        """Act on something that this party's coordinator delivers although nobody sent it just now."""
        self.node._take(Delivery(max(self.acknowledged, 1), item), threading.Event())

    def say(self, recipient: str, kind: str, subject: str, header: Mapping[str, Any], blob: bytes = b"") -> None:
        """Send a message that this party's node would not send; sealed, signed and relayed as any other."""
        for envelope in self.post.write(PartyName(recipient), kind, subject, header, blob):
            self.relayed.send(envelope)

    def start_match(self, peer: str) -> str:
        """Open a match; its id."""
        with self.opened.desk.database.transaction():
            return self.node.matching.start(PartyName(peer))

    def look(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the node's database."""
        return self.opened.desk.database.all(sql, *values)

    def states(self, table: str) -> list[str]:
        """The states of this node's matches, set-ups or questions, oldest first."""
        return [state for (state,) in self.look(f"SELECT state FROM {table} ORDER BY since, rowid")]  # noqa: S608 # a literal of the test

    def match_debits(self) -> int:
        """How many matches this node's ledger has counted."""
        return self.opened.desk.ledger.matches(self.opened.desk.dataset.lineage)

    def spent(self, consumer: str) -> int:
        """Units that a consumer has spent on this party's people."""
        return self.opened.desk.ledger.spent(self.opened.desk.dataset.lineage, consumer)

    def close(self) -> None:
        """End."""
        self.relayed.client.close()
        self.node.close()
        self.opened.desk.database.close()


class SteppedRoom:
    """A coordinator and its parties."""

    def __init__(
        self, state: RoomState, server: RoomServer, parties: dict[str, SteppedParty], log: io.StringIO
    ) -> None:
        self.state = state
        self.server = server
        self.parties = parties
        self.coordinator_log = log
        self.patience_s = PATIENCE_S
        for party in parties.values():
            party.publish = server.heads.publish_if_due

    def reopen(self, name: str) -> SteppedParty:
        """The node of a party that was closed, over its folder; its noise is recorded."""
        party = SteppedParty(self.state.home(PartyName(name)), RecordingNoise())
        party.publish = self.server.heads.publish_if_due
        self.parties[name] = party
        return party

    def __getitem__(self, name: str) -> SteppedParty:
        return self.parties[name]

    @property
    def contract(self) -> Contract:
        """The agreement."""
        return parse_agreement(self.state.agreement_file.read_bytes()).contract

    @property
    def coordinator(self) -> CoordinatorHome:
        """The coordinator's folder."""
        return CoordinatorHome(self.state.coordinator_home)

    def step(self, wait_ms: int = 0) -> bool:
        """One step of every party."""
        busy = [party.step(wait_ms) for party in self.parties.values()]
        return any(busy)

    def settle(self, *, until: Callable[[], bool] | None = None, placing: bool = True) -> None:
        """Step until the condition holds, or without one until nobody has anything to do.

        While a node waits for its placement (`placing`) the coordinator's own thread is at work, so we wait for it.
        """
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if until is not None and until():
                return
            waits = placing and any("tagged" in party.states("match") for party in self.parties.values())
            if not self.step() and not self.step(IDLE_POLL_MS) and not waits and until is None:
                return
        raise AssertionError("the room did not come to rest")

    def question(
        self,
        asker: str,
        owner: str,
        *,
        by: str = "",
        of: str = "",
        total: str = "",
        epsilon: str = "1",
        base: str = "match",
        analyst: str = "ann",
    ) -> Question:
        """A question as an analyst puts it."""
        quantity = Quantity("histogram", of) if of else Quantity("sum", total) if total else Quantity("count")
        units = units_for_epsilon(parse_epsilon(epsilon))
        return Question(PartyName(asker), PartyName(owner), analyst_name(analyst), by, quantity, units, base)

    def ask(self, asker: str, owner: str, **words: Any) -> Asked:
        """Ask, `again` if it says so, and step until there is an answer; raises what the analyst would be told."""
        node, again = self[asker].node, bool(words.pop("again", False))
        inquiry = Inquiry(node, self.question(asker, owner, **words), again=again)
        end = time.monotonic() + self.patience_s
        while time.monotonic() < end:
            with node.desk.database.transaction():
                state = inquiry._step()
            if isinstance(state, Ended):
                raise state.error
            if isinstance(state, Asked):
                return state
            if not self.step():
                self.step(IDLE_POLL_MS)
        raise AssertionError(f"no answer: {state}")

    def logged(self, name: str, statement: bytes) -> str:
        """Have a statement of this party logged, cosigned and remembered; the text of its proof.

        Raises what the coordinator says to it.
        """
        party, body = self[name], peek_statement(statement)
        party.relayed.client.append(statement)
        with party.opened.desk.database.transaction():
            party.opened.desk.put_statement(str(body["kind"]), str(body["subject"]), statement)
        sql = "SELECT proof FROM statement WHERE bytes = ?"
        self.settle(until=lambda: bool(party.look(sql, statement)))
        ((proof,),) = party.look(sql, statement)
        return str(proof)

    def match(self, asker: str = "shop", owner: str = "brand") -> str:
        """Make a match that is ready on both sides; its id."""
        match = self[asker].start_match(owner)
        self.settle()
        assert self[asker].states("match")[-1] == self[owner].states("match")[-1] == "ready"
        return match

    def log(self, kind: str = "") -> list[dict[str, Any]]:
        """The statements of the coordinator's log, of one kind if one is named."""
        client = next(iter(self.parties.values())).relayed.client
        bodies: list[dict[str, Any]] = []
        while page := client.read_log(len(bodies), 256).entries:
            bodies += [peek_statement(entry.statement) for entry in page]
        return [body for body in bodies if kind in ("", body["kind"])]

    def incidents(self) -> list[tuple[str, str, str]]:
        """(who says so, who is named, which message) of every incident in the log."""
        return [(body["actor"], body["sender"], body["message"]) for body in self.log("incident")]


def people(first: int, last: int, *, colours: tuple[str, ...] = ("red", "blue", "green")) -> list[dict[str, str]]:
    """Person i has colour i mod len(colours) and spends i mod 7."""
    return [
        {"email": f"person{i}@example.com", "colour": colours[i % len(colours)], "spend": str(i % 7)}
        for i in range(first, last)
    ]


COLUMNS: dict[str, Any] = {
    "colour": {"role": "dimension", "from": "colour", "reduce": "most_frequent", "values": ["red", "blue"]},
    "spend": {
        "role": "measure",
        "from": "spend",
        "reduce": "sum",
        "unit": "euros",
        "decimals": 0,
        "low": "0",
        "high": "10",
        "step": "1",
    },
}


def small_parties(*names: str) -> dict[str, dict[str, Any]]:
    """shop: people 0-39; brand: people 20-59; a third: people 30-69."""
    ranges = ((0, 40), (20, 60), (30, 70))
    return {
        name: {"people": people(*numbers), "columns": COLUMNS}
        for name, numbers in zip(names or ("shop", "brand"), ranges, strict=False)
    }


def publish_at_steps(server: RoomServer) -> None:
    """No thread publishes heads: every step of a party does, by the coordinator's own rule."""
    server.heads.start = lambda: None  # type: ignore[method-assign] # `publish_if_due` is called by `SteppedParty.cosign`


@contextmanager
def stepped_room(
    folder: Path,
    parties: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    noise: NoiseSource | None = None,
    place: Place = kernel_place,
    room: RoomFile | None = None,
    **terms: Any,
) -> Iterator[SteppedRoom]:
    """A room below `folder`; every party draws from `noise`, by default zeros, so that a test sees exact sums.

    `room` is instead of parties and terms.
    """
    state = prepared(folder / "state", room or room_file(folder / "room", parties or small_parties(), **terms))
    home, log = CoordinatorHome(state.coordinator_home), io.StringIO()
    contract = parse_agreement(state.agreement_file.read_bytes()).contract
    server = RoomServer(home, contract, place=place, now=lambda: datetime.now(UTC), log=EventLog(log))
    publish_at_steps(server)
    port = server.start("127.0.0.1:0")
    opened: dict[str, SteppedParty] = {}
    try:
        state.write_settings(f"127.0.0.1:{port}")
        for name in state.room.datasets:
            opened[str(name)] = SteppedParty(state.home(name), noise or NoNoise())
        yield SteppedRoom(state, server, opened, log)
    finally:
        for party in opened.values():
            party.close()
        server.stop(grace_s=0.1)


def once(party: SteppedParty, kind: str, change: Change) -> None:
    """The party's next message of this kind leaves changed, those after it as they should."""

    def changed(header: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        del party.post.changes[kind]
        return change(header, blob)

    party.tamper(kind, changed)
