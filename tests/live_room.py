"""A whole room in the test's own process: real keys, certificates, TLS and databases, and noise that a test chooses.

    room = live_room(tmp_path, room_file(tmp_path, {"shop": {"people": table, "columns": {...}}, "brand": {...}}))
    with room:
        answer = room.ask("shop", "brand", by="tier", epsilon="1")

Each node works in a thread of its own, as its process would; only there is its database used. A party can be stopped,
started again over the same folder, and crashed at any commit or call (see `Hooks`). Folders are those of `RoomState`,
so the same room can be served by real processes as well.
"""

import csv
import io
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from cleanroom.answer.view import USUAL_VIEW, View
from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.room_server import RoomServer
from cleanroom.crypto.placement import place
from cleanroom.ids import PartyName, analyst_name
from cleanroom.privacy.accountant import accountant as prices_of
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import DiscreteNoise, NoiseSource
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.agreement import parse_agreement
from cleanroom.question.compile import Question
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import Quantity
from cleanroom.transport.enrolment import accept_certificate, request_certificate
from cleanroom.transport.event_log import EventLog
from cleanroom.wire.canonical import canonical_bytes
from cleanroom.wire.messages import Delivery, Envelope
from parties.inquiry import Inquiry
from parties.node import Node
from parties.post import Post
from parties.room_file import RoomFile, read_room_file
from parties.room_state import DOMAIN, RoomState
from parties.serve import Opened, build_node, connect, import_people, open_home

Rows = Sequence[Mapping[str, str]]
START_S = 60.0


# ---- describing a room -----------------------------------------------------------------------------------------------


def write_csv(path: Path, rows: Rows) -> Path:
    """A CSV file with the columns of the first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def room_file(
    folder: Path,
    parties: Mapping[str, Mapping[str, Any]],
    *,
    capacity: int = 120,
    budget: str = "100",
    overlap: Mapping[str, Any] | None = None,
    setups_per_match: int = 64,
    accountant: str = "zcdp",
) -> RoomFile:
    """A room file in `folder`, written and read as a person's would be.

    Each party gives `people` (rows, a table, or the path of a file) and may give `columns` and any other key of a
    room file's party; `key` is ["email"] unless given. The overlap's promise is weak so that few dummies are needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    body: dict[str, Any] = {
        "format": 1,
        "room": "spring",
        "purpose": "to test a room",
        "setups_per_match": setups_per_match,
        "accountant": accountant,
        "match": {"profile": "email-plain-v1"},
        "parties": {},
    }
    for name, terms in parties.items():
        body["parties"][name] = {
            "source": str(_source(folder, name, terms["people"])),
            "key": ["email"],
            "capacity": capacity,
            "budget": {"epsilon": budget},
            "overlap": dict(overlap or {"epsilon": "16", "delta": "1e-9", "matches": 6}),
            **{key: value for key, value in terms.items() if key != "people"},
        }
    path = folder / "room.toml"
    path.write_text(tomli_w.dumps(body), encoding="utf-8")
    return read_room_file(path)


def _source(folder: Path, name: str, people: Path | pa.Table | Rows) -> Path:
    if isinstance(people, Path):
        return people
    if isinstance(people, pa.Table):
        pq.write_table(people, folder / f"{name}.parquet")
        return folder / f"{name}.parquet"
    return write_csv(folder / f"{name}.csv", people)


def with_budget(room: RoomFile, epsilon: str) -> RoomFile:
    """The same terms with another budget, in equal parts for every other party."""
    cap = prices_of(room.accountant).units_for_epsilon(parse_epsilon(epsilon))
    datasets = {
        name: replace(
            dataset,
            cap_units=cap,
            consumer_caps={other: cap // (len(room.datasets) - 1) for other in room.datasets if other != name},
        )
        for name, dataset in room.datasets.items()
    }
    return replace(room, datasets=datasets)


# ---- noise that a test chooses ---------------------------------------------------------------------------------------


@dataclass
class RecordingNoise:
    """Draws from `source` and remembers every draw; safe between threads because only the worker draws."""

    source: NoiseSource = field(default_factory=DiscreteNoise)
    draws: list[tuple[int, Fraction, tuple[int, ...]]] = field(default_factory=list)
    laws: list[Law] = field(default_factory=list)

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """One draw, recorded as (count, scale, noise), and its law beside it."""
        noise = self.source.draw(count, scale, law)
        self.draws.append((count, scale, tuple(noise)))
        self.laws.append(law)
        return noise


@dataclass
class ScriptedNoise:
    """Hands out the given vectors in order; drawing more often than that is an error."""

    vectors: list[Sequence[int]]

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """The next vector, whatever the scale."""
        vector = list(self.vectors.pop(0))
        assert len(vector) == count, "another number of cells was drawn than scripted"
        return vector


class NoNoise:
    """Zeros, so that a test sees the exact sums. Never in the product."""

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """`count` zeros."""
        return [0] * count


# ---- watching and crashing a node ------------------------------------------------------------------------------------


class Crash(BaseException):
    """The node's process ended here; not an Exception, so that nothing in the product handles it."""


@dataclass
class Hooks:
    """Called around everything that leaves a trace; raising Crash there ends the node as kill -9 would.

    `event` gets "commit" before a transaction is made durable, "committed" after, "call:<name>" before a call to the
    coordinator and "called:<name>" when it has answered.
    """

    event: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Seen:
    """One thing that crossed the seam between a node and the coordinator: what kind and how long, in order."""

    way: str
    kind: str
    sizes: tuple[int, ...]


class Tap:
    """A coordinator's client that reports to hooks and keeps what passed."""

    def __init__(self, client: Any, hooks: Hooks) -> None:
        self._client = client
        self._hooks = hooks
        self.seen: list[Seen] = []
        self.envelopes: list[Envelope] = []

    def _call(self, name: str, function: Callable[[], Any]) -> Any:
        self._hooks.event(f"call:{name}")
        answer = function()
        self._hooks.event(f"called:{name}")
        return answer

    def send(self, envelope: Envelope) -> None:
        """See the client."""
        self.seen.append(_sight("sent", envelope))
        self.envelopes.append(envelope)
        self._call("send", lambda: self._client.send(envelope))

    def poll(self, acknowledged_through: int, wait_ms: int) -> list[Delivery]:
        """See the client."""
        deliveries: list[Delivery] = self._client.poll(acknowledged_through, wait_ms)
        for delivery in deliveries:
            item = delivery.item
            if isinstance(item, Envelope):
                self.seen.append(_sight("received", item))
            else:
                sizes = [len(value) for value in vars_of(item) if isinstance(value, bytes)]
                self.seen.append(Seen("received", type(item).__name__, tuple(sizes)))
        return deliveries

    def submit_tags(self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes) -> None:
        """See the client."""
        self.seen.append(Seen("sent", "tags", (len(tags),)))
        self._call("submit_tags", lambda: self._client.submit_tags(match_id, owner_of_rows, transcript_hash, tags))

    def append(self, statement: bytes) -> int:
        """See the client."""
        body = peek_statement(statement)
        self.seen.append(Seen("sent", str(body["kind"]), (len(statement), len(canonical_bytes(body)))))
        index: int = self._call("append", lambda: self._client.append(statement))
        return index

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def vars_of(item: Any) -> Iterator[Any]:
    """The fields of a slotted value, in order."""
    return (getattr(item, name) for name in item.__dataclass_fields__)


_PROOF_LENGTHS: dict[bytes, int] = {}


def _sight(way: str, envelope: Envelope) -> Seen:
    """How long the proof in a message is follows from the log's heads, which others make too: it is left out."""
    length = len(envelope.sealed) - _PROOF_LENGTHS.get(envelope.envelope_id, 0)
    return Seen(way, envelope.kind, (envelope.index, envelope.count, length))


def _note_proofs(post: Post) -> None:
    """Remember of every message that is written how much of it is a proof."""
    write = post.write

    def noting(recipient: PartyName, kind: str, subject: str, header: Mapping[str, Any], blob: bytes = b"") -> Any:
        envelopes = write(recipient, kind, subject, header, blob)
        if "proof" in header:
            _PROOF_LENGTHS[envelopes[0].envelope_id] = len(canonical_bytes(header["proof"]))
        return envelopes

    post.write = noting  # type: ignore[method-assign] # what is written stays as it is; it is only measured


# ---- one party -------------------------------------------------------------------------------------------------------


class LiveParty:
    """A party's node in a thread. `noise` and `hooks` may be changed between a stop and a start."""

    def __init__(self, state: RoomState, name: PartyName, noise: NoiseSource) -> None:
        self.home = state.home(name)
        self.name = name
        self.noise = noise
        self.hooks = Hooks()
        self.taps: list[Tap] = []
        self._node: Node | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._closing = threading.Event()

    @property
    def node(self) -> Node:
        """The running node."""
        assert self._node is not None, f"{self.name} is not running"
        return self._node

    @property
    def running(self) -> bool:
        """Whether the node works."""
        return self._thread is not None and self._thread.is_alive() and not self._closing.is_set()

    def start(self) -> None:
        """Import the table if it changed and begin to work; raises what the start raised."""
        assert self._thread is None, f"{self.name} is running already"
        self._ready, self._failure, self._closing = threading.Event(), None, threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"node {self.name}", daemon=True)
        self._thread.start()
        assert self._ready.wait(START_S), f"{self.name} did not start"
        if self._failure is not None:
            failure, self._thread = self._failure, None
            raise failure

    def stop(self) -> None:
        """Finish the present step and end."""
        if self._thread is None:
            return
        self._closing.set()
        if self._node is not None:
            self._node.stop()
        self._thread.join(START_S)
        assert not self._thread.is_alive(), f"{self.name} did not stop"
        self._thread = self._node = None

    def restart(self) -> None:
        """End and begin again over the same folder."""
        self.stop()
        self.start()

    @property
    def crashed(self) -> bool:
        """Whether a hook ended the node."""
        return isinstance(self._failure, Crash)

    def _work(self) -> None:
        try:
            opened = open_home(self.home)
            import_people(opened)
            client = connect(opened)
            tap = Tap(client, self.hooks)
            node = build_node(opened, tap, noise=self.noise)
            node.watch.follow()
        except BaseException as error:
            self._failure = error
            self._ready.set()
            return
        self.taps.append(tap)
        _note_proofs(opened.desk.post)
        self._hook(opened)
        self._node = node
        self._ready.set()
        try:
            node.run()
        except Crash as crash:
            self._failure = crash
        finally:
            node.stop()
            client.close()
            node.close()
            refuse_from_now_on(node)
            opened.desk.database.close()

    def _hook(self, opened: Opened) -> None:
        """Tell the hooks about every outermost transaction."""
        database, hooks = opened.desk.database, self.hooks
        original = database.transaction
        inside = False

        @contextmanager
        def transaction() -> Iterator[None]:
            nonlocal inside
            if inside:
                yield
                return
            inside = True
            try:
                with original():
                    yield
                    hooks.event("commit")
            finally:
                inside = False
            hooks.event("committed")

        database.transaction = transaction  # type: ignore[method-assign] # the one place every write passes

    def look(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read the node's database beside the node, as an operator could."""
        return read_database(self.home.database_file, sql, *values)


def refuse_from_now_on(node: Node) -> None:
    """Whoever still asks a node that has ended gets Crash, as from a process that is gone."""

    @contextmanager
    def transaction() -> Iterator[None]:
        raise Crash
        yield

    def refuse() -> None:
        while True:
            event = node._events.get()
            with suppress(BaseException):
                event()

    node.desk.database.transaction = transaction  # type: ignore[method-assign] # nothing is written any more
    threading.Thread(target=refuse, name="ended node", daemon=True).start()


def wait_until(party: LiveParty, holds: Callable[[Callable[..., list[tuple[Any, ...]]]], object]) -> None:
    """Return when something holds in a running node's database; looks again whenever the node has done something."""
    end = time.monotonic() + START_S
    while not holds(party.look):
        assert time.monotonic() < end, f"{party.name} never came to what the test waits for"
        with party.node.changed:
            party.node.changed.wait(0.05)


def read_database(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a database that another thread or process writes."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


# ---- the room --------------------------------------------------------------------------------------------------------


class LiveRoom:
    """A coordinator and all parties. A context manager: everything runs inside the block."""

    def __init__(self, folder: Path, room: RoomFile, noise: Mapping[str, NoiseSource]) -> None:
        self.state = prepared(folder, room)
        self.parties = {
            str(name): LiveParty(self.state, name, noise.get(name) or DiscreteNoise()) for name in room.datasets
        }
        self._port = 0
        self._server: RoomServer | None = None
        self.logged = io.StringIO()

    @property
    def contract(self) -> Contract:
        """The agreement."""
        return parse_agreement(self.state.agreement_file.read_bytes()).contract

    @property
    def coordinator_database(self) -> Path:
        """The coordinator's store."""
        return CoordinatorHome(self.state.coordinator_home).database(self.state.room.room)

    def start_coordinator(self) -> None:
        """Serve; after a restart on the same port."""
        home = CoordinatorHome(self.state.coordinator_home)
        self._server = RoomServer(
            home, self.contract, place=place, now=lambda: datetime.now(UTC), log=EventLog(self.logged)
        )
        self._port = self._server.start(f"127.0.0.1:{self._port}")
        self.state.write_settings(f"127.0.0.1:{self._port}")

    def stop_coordinator(self) -> None:
        """End the coordinator; its store stays."""
        if self._server is not None:
            self._server.stop(grace_s=0.2)
            self._server = None

    def __enter__(self) -> "LiveRoom":
        try:
            self.start_coordinator()
            for party in self.parties.values():
                party.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for party in self.parties.values():
            party.stop()
        self.stop_coordinator()

    def question(
        self,
        asker: str,
        owner: str,
        *,
        by: str = "",
        of: str = "",
        total: str = "",
        mean: str = "",
        quantile: str = "",
        base: str = "match",
        epsilon: str = "1",
        analyst: str = "ann",
        repeat: int = 0,
    ) -> Question:
        """A question as an analyst puts it."""
        quantity = quantity_of(of=of, total=total, mean=mean, quantile=quantile)
        return Question(
            asker=PartyName(asker),
            owner=PartyName(owner),
            analyst=analyst_name(analyst),
            by=by,
            quantity=quantity,
            units=prices_of(self.contract.accountant).units_for_epsilon(parse_epsilon(epsilon)),
            base=base,
            repeat=repeat,
        )

    def ask(
        self,
        asker: str,
        owner: str,
        *,
        timeout_s: float = 60.0,
        progress: Callable[[str], None] = lambda _: None,
        view: View = USUAL_VIEW,
        again: bool = False,
        **question: Any,
    ) -> dict[str, Any]:
        """Ask at the asker's node and wait; raises what the product raises."""
        asked = self.question(asker, owner, **question)
        inquiry = Inquiry(self.parties[asker].node, asked, view=view, again=again)
        return inquiry.run(timeout_s=timeout_s, progress=progress)

    def log(self) -> list[dict[str, Any]]:
        """Every statement of the coordinator's log, in order."""
        return read_log(self.coordinator_database)


def quantity_of(*, of: str = "", total: str = "", mean: str = "", quantile: str = "") -> Quantity:
    """The quantity that has a column; a count if none has."""
    columns = {"histogram": of, "sum": total, "mean": mean, "quantile": quantile}
    return next((Quantity(kind, column) for kind, column in columns.items() if column), Quantity("count"))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The statements of a coordinator's store, in order."""
    rows = read_database(path, "SELECT statement FROM log ORDER BY position")
    return [peek_statement(statement) for (statement,) in rows]


def live_room(folder: Path, room: RoomFile, *, noise: Mapping[str, NoiseSource] | None = None) -> LiveRoom:
    """A room below `folder / state`, with the product's noise for every party that is given none."""
    return LiveRoom(folder / "state", room, noise or {})


def prepared(folder: Path, room: RoomFile) -> RoomState:
    """The folders that the sandbox makes, with keys and certificates made in this process, which is faster."""
    state, now = RoomState(folder, room), datetime.now(UTC)
    if state.agreement_file.exists():
        return state
    folder.mkdir(parents=True)
    coordinator = CoordinatorHome.create(state.coordinator_home, DOMAIN, "127.0.0.1:1", now=now)
    for name in room.datasets:
        home = state.home(name)
        home.create(name)
        _, _, certificate = coordinator.sign(request_certificate(home.tls_folder, name, DOMAIN), replace=False, now=now)
        accept_certificate(home.tls_folder, name, certificate, coordinator.card(), now=now)
    state.prepare()
    return state


def values(answer: Mapping[str, Any]) -> dict[tuple[str | None, str | None], Any]:
    """(by, of) -> value of every cell."""
    return {(cell["by"], cell["of"]): cell["value"] for cell in answer["cells"]}
