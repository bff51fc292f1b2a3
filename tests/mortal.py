"""For tests only: the product's own commands, in a process that ends itself by SIGKILL at a labelled point.

    python -m tests.mortal FOLDER

reads command lines, JSON lists, from standard input: `["party", "serve", "--home", "…"]` or `["coordinator", …]`.
Each runs in a fork of this program, which has loaded everything already, so that a start costs a tenth of a second.
Said on standard output: `pid N` of the child, what the child prints (`ready`), and `ended S` with its exit status.

The product knows nothing of this. Its own methods are wrapped here, around the points where a crash could hurt; noise
is the product's own. In FOLDER are `at` (a label, and how often the process is to end there), `kills` (where it did),
`draws` (all noise that was drawn and for which plan, on disk before the product gets it), `sent` (every sealed piece of
an answer, before it leaves), `tags` (every match whose tags leave, before they do) and `passed` (all labels).
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import cleanroom.coordinator.__main__ as coordinator_program
import cleanroom.coordinator.room_server
import parties.answering
import parties.command.main as party_program
import parties.serve
from cleanroom.coordinator.matching import Matching as Placing
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.store import Store
from cleanroom.ids import PartyName
from cleanroom.match.handshake import most_people
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import DiscreteNoise
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.agreement import parse_agreement
from cleanroom.wire.messages import Envelope
from parties.answering import Answering
from parties.asking import Asking
from parties.database import Database
from parties.home import Home
from parties.ledger import Ledger

ANSWER = ("question.rows", "question.release", "question.released")


class Fate:
    """When this process ends, and what it has done until then; everything written is on disk at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = ""
        self.doing = threading.local()

    def passes(self, label: str) -> None:
        """The process is at this point; end it if that is what the test wants."""
        with (self.folder / "passed").open("a", encoding="utf-8") as file:
            file.write(f"{label}\n")
        wanted, left = read_wish(self.folder)
        if label != wanted or left < 1:
            return
        write_wish(self.folder, label, left - 1)
        self.note("kills", {"label": label})
        os.kill(os.getpid(), signal.SIGKILL)

    def note(self, name: str, fact: dict[str, Any]) -> None:
        """Write one fact down before the product goes on."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(fact) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def does(self, what: str) -> None:
        """The transaction under way is this one."""
        self.deeds.add(what)

    @property
    def deeds(self) -> set[str]:
        """What this thread's transaction does."""
        found: set[str] = self.doing.__dict__.setdefault("deeds", set())
        return found


def read_wish(folder: Path) -> tuple[str, int]:
    """The label at which the process ends, and how often still."""
    try:
        label, left = json.loads((folder / "at").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "", 0
    return label, left


def write_wish(folder: Path, label: str, left: int) -> None:
    """From now on the process ends at this label, so many times."""
    draft = folder / "at.draft"
    draft.write_text(json.dumps([label, left]), encoding="utf-8")
    draft.replace(folder / "at")


# ---- around the product's own methods --------------------------------------------------------------------------------


def around(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function or method by one around it; fails if the product has no such thing."""
    setattr(owner, name, wrap(getattr(owner, name)))


def commits(fate: Fate, owner: type[Any], name: str, inner: Callable[[Any], bool] = lambda _: False) -> None:
    """Labels before and after each outermost transaction is durable; `inner` tells those inside another."""
    original = getattr(owner, name)

    @contextmanager
    def transaction(self: Any) -> Iterator[Any]:
        if inner(self):
            with original(self) as value:
                yield value
            return
        fate.deeds.clear()
        with original(self) as value:
            yield value
            done = sorted(fate.deeds)
            for deed in done:
                fate.passes(f"{deed}, not durable")
        fate.deeds.clear()
        for deed in done:
            fate.passes(f"{deed}, durable")

    setattr(owner, name, transaction)


def deed(fate: Fate, owner: Any, name: str, what: Callable[..., str]) -> None:
    """Calls of this method are what their transaction does."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(*values: Any, **words: Any) -> Any:
            result = original(*values, **words)
            fate.does(what(*values, **words))
            return result

        return method

    around(owner, name, wrap)


def point(fate: Fate, owner: Any, name: str, label: str, *, before: bool = False) -> None:
    """A label where this function was called, or has returned."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def function(*values: Any, **words: Any) -> Any:
            if before:
                fate.passes(label)
            result = original(*values, **words)
            if not before:
                fate.passes(label)
            return result

        return function

    around(owner, name, wrap)


class Carrier:
    """The node's client of the coordinator, with labels before and after each thing that leaves."""

    def __init__(self, client: Any, fate: Fate) -> None:
        self._client = client
        self._fate = fate

    def append(self, statement: bytes) -> int:
        """See the client."""
        kind = peek_statement(statement)["kind"]
        self._fate.passes(f"{kind} leaves")
        index: int = self._client.append(statement)
        self._fate.passes(f"{kind} logged")
        return index

    def send(self, envelope: Envelope) -> None:
        """See the client."""
        if envelope.kind in ANSWER:
            piece = {"kind": envelope.kind, "plan": envelope.subject_id.hex(), "index": envelope.index}
            self._fate.note("sent", {**piece, "sealed": sha256(envelope.sealed).hexdigest()})
        self._fate.passes(f"{envelope.kind} leaves")
        self._client.send(envelope)
        self._fate.passes(f"{envelope.kind} taken")

    def submit_tags(self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes) -> None:
        """See the client."""
        self._fate.note("tags", {"match": match_id.hex()})
        self._fate.passes("tags leave")
        self._client.submit_tags(match_id, owner_of_rows, transcript_hash, tags)
        self._fate.passes("tags taken")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def label_the_owner(fate: Fate) -> None:
    """Points of a question about this node's people."""
    point(fate, Answering, "on_plan", "plan taken", before=True)
    deed(fate, Ledger, "reserve", lambda *_, **__: "reserved")
    point(fate, parties.answering, "mask_rows", "rows masked")
    deed(fate, Ledger, "share_sent", lambda *_, **__: "release stored")
    deed(fate, Answering, "released_is_logged", lambda *_, **__: "release freed")

    def draws_for(original: Callable[..., Any]) -> Callable[..., Any]:
        def draw(self: Any, plan: Any, plan_hash: str, *values: Any) -> Any:
            fate.plan = plan_hash
            return original(self, plan, plan_hash, *values)

        return draw

    def recorded(original: Callable[..., Any]) -> Callable[..., Any]:
        def draw(self: Any, count: int, scale: Fraction, law: Law) -> Sequence[int]:
            noise: Sequence[int] = original(self, count, scale, law)
            fate.note("draws", {"plan": fate.plan, "noise": list(noise)})
            fate.passes("noise drawn")
            return noise

        return draw

    around(Answering, "_draw", draws_for)
    around(DiscreteNoise, "draw", recorded)


def label_the_asker(fate: Fate) -> None:
    """Points of a question that this node asks."""
    deed(fate, Asking, "start", lambda *_, **__: "asked")
    deed(fate, Asking, "asked_is_logged", lambda *_, **__: "plan written")
    deed(fate, Asking, "on_rows", lambda *_, **__: "rows kept")
    deed(fate, Asking, "on_release", lambda *_, **__: "release kept")
    deed(fate, Asking, "on_released", lambda *_, **__: "answered")


def label_the_coordinator(fate: Fate) -> None:
    """Everything that it promises to have, before and after it has it."""
    deed_before(fate, Relay, "send", lambda _self, _caller, envelope: f"{envelope.kind} stored")
    deed_before(
        fate, Sequencer, "append", lambda _self, _caller, statement: f"{peek_statement(statement)['kind']} appended"
    )
    deed_before(fate, Placing, "submit", lambda *_: "tags stored")
    deed_before(fate, Placing, "_commit", lambda *_: "slots placed")
    original = Store.transaction

    @contextmanager
    def transaction(self: Store) -> Iterator[Any]:
        done = sorted(fate.deeds)
        with original(self) as tx:
            yield tx
            for one in done:
                fate.passes(f"{one}, not durable")
        for one in done:
            fate.passes(f"{one}, durable")

    Store.transaction = transaction  # type: ignore[method-assign] # the one place every write passes


def deed_before(fate: Fate, owner: Any, name: str, what: Callable[..., str]) -> None:
    """The transactions inside this method do this."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(*values: Any) -> Any:
            fate.does(what(*values))
            try:
                return original(*values)
            finally:
                fate.deeds.clear()

        return method

    around(owner, name, wrap)


# ---- the program -----------------------------------------------------------------------------------------------------


def run(fate: Fate, words: list[str]) -> None:
    """The product's command, as its own program would run it; does not return."""
    program, *arguments = words
    if program == "coordinator":
        label_the_coordinator(fate)
        sys.argv = ["cleanroom.coordinator", *arguments]
        coordinator_program.main()
    commits(fate, Database, "transaction", lambda database: database._connection.in_transaction)
    label_the_owner(fate)
    label_the_asker(fate)
    around(parties.serve, "connect", lambda original: lambda opened: Carrier(original(opened), fate))
    sys.argv = ["cleanroom", program, *arguments]
    party_program.main()


def solve_dummies(home: Path) -> None:
    """What every node works out at its start from public terms, once for all that are forked from here."""
    contract = parse_agreement(Home(home).agreement_file.read_bytes()).contract
    for name in contract.datasets:
        most_people(contract, name)


def main(folder: Path) -> None:
    """Start what is asked for, one process at a time, until standard input ends."""
    assert cleanroom.coordinator.room_server  # loaded here, so that no child has to
    for line in sys.stdin:
        words = json.loads(line)
        if words[0] == "party":
            solve_dummies(Path(words[words.index("--home") + 1]))
        child = os.fork()
        if child == 0:
            run(Fate(folder), words)
            os._exit(0)
        sys.stdout.write(f"pid {child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"ended {os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
