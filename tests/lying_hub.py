"""For tests only: a coordinator with its real keys that lies as it is ordered to, in a process of its own.

    python -m tests.lying_hub coordinator serve --home HOME --contract FILE …

It is the product's coordinator, with its replies altered on the way out: heads, log pages, deliveries and placements.
It delivers whatever it is told to, to whomever, and keeps everything that it ever delivered.
"""

import base64
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import cleanroom.coordinator.__main__ as coordinator_program
import cleanroom.crypto.placement
from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.log_table import append_entry
from cleanroom.coordinator.mailbox import _put
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.servicers import QueryLogServicer
from cleanroom.coordinator.start_check import checked_tree
from cleanroom.coordinator.store import Store
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey
from cleanroom.errors import UnavailableError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.querylog.log_policy import log_policy
from cleanroom.transport.event_log import EventLog
from cleanroom.wire.messages import Delivery, Envelope, LogPage, Placement, Published, sign_envelope
from parties.desk import pack_envelope, unpack_envelope
from parties.home import PartyKeys
from parties.post import Post
from tests.mortal import around
from tests.puppet import obey

Slots = tuple[bytes, bytes]


def numbers(packed: bytes) -> "np.typing.NDArray[np.uint32]":
    """Slots that can be changed."""
    return np.frombuffer(packed, dtype="<u4").copy()


def two_alike(slots: Slots) -> Slots:
    """Two rows in one slot: two people would be added up."""
    first = numbers(slots[0])
    first[1] = first[0]
    return first.tobytes(), slots[1]


def beyond_the_table(slots: Slots) -> Slots:
    """A slot that does not exist."""
    first = numbers(slots[0])
    first[0] = (len(slots[0]) + len(slots[1])) // 4
    return first.tobytes(), slots[1]


def another_order(placement: Placement) -> Placement:
    """Two slots exchanged after signing."""
    slots = numbers(placement.slots)
    slots[[0, 1]] = slots[[1, 0]]
    return replace(placement, slots=slots.tobytes())


PLACES: dict[str, Callable[[Slots], Slots]] = {
    "the other party's slots": lambda slots: (slots[1], slots[0]),
    "two rows in one slot": two_alike,
    "a slot beyond the table": beyond_the_table,
}
PLACEMENTS: dict[str, Callable[[Placement], Placement]] = {
    "other slots than were signed": another_order,
    "another salt": lambda one: replace(one, salt=bytes(32)),
    "a statement cut short": lambda one: replace(one, statement=one.statement[:-9]),
    "a list cut short": lambda one: replace(one, slots=one.slots[:-4]),
}


def damaged(note: bytes, line: int) -> bytes:
    """A note, or a request with one, with one bit flipped in one of its signatures; the first is the log's."""
    text, empty, signatures = note.rpartition(b"\n\n")
    lines = signatures.split(b"\n")
    *words, last = lines[line].split(b" ")
    data = bytearray(base64.b64decode(last))
    data[-1] ^= 1
    lines[line] = b" ".join([*words, base64.b64encode(bytes(data))])
    return text + empty + b"\n".join(lines)


HEADS: dict[str, Callable[[Published], Published]] = {
    "no head": lambda one: replace(one, request=b"", notes=(), version=0),
    "a head that nobody signed": lambda one: replace(
        one, request=one.request and damaged(one.request, 0), notes=tuple(damaged(note, 0) for note in one.notes)
    ),
    "cosignatures that nobody gave": lambda one: replace(one, notes=tuple(damaged(note, -2) for note in one.notes)),
    "no cosignatures": lambda one: replace(one, notes=(), version=0),
}
PAGES: dict[str, Callable[[LogPage], LogPage]] = {
    "without its newest entries": lambda page: LogPage(page.entries[:-1]),
    "without an entry in the middle": lambda page: LogPage(page.entries[1:]),
    "empty": lambda _: LogPage(()),
    "with a forged entry": lambda page: LogPage(
        (*page.entries[:-1], *(replace(entry, statement=b"{}") for entry in page.entries[-1:]))
    ),
}
QUIET_S = 0.2


class LyingHub:
    """What it lies about at present; nothing at first."""

    def __init__(self, home: Path) -> None:
        self.home = CoordinatorHome(home)
        self.lies: dict[str, str] = {}
        self.delivered: dict[str, list[Envelope]] = {}
        self.relay: Relay
        self.sequencer: Sequencer
        self.serving = threading.Event()
        around(Relay, "__init__", self._remember)
        around(Relay, "poll", self._poll)
        around(Sequencer, "__init__", self._remember_log)
        around(Sequencer, "append", self._append)
        around(Heads, "poll", self._heads)
        around(Sequencer, "read", self._read)
        around(cleanroom.crypto.placement, "place", self._place)
        self.split_off: set[str] = set()
        self.other: QueryLogServicer
        for call in ("Append", "Read", "PollCheckpoint", "SubmitCosignature"):
            around(QueryLogServicer, call, lambda original: self._whose_history(original))

    def _remember(self, original: Callable[..., None]) -> Callable[..., None]:
        def init(relay: Relay, *values: Any) -> None:
            original(relay, *values)
            self.relay = relay
            self.serving.set()

        return init

    def _poll(self, original: Callable[..., Sequence[Delivery]]) -> Callable[..., Sequence[Delivery]]:
        def poll(relay: Relay, caller: PartyName, *values: Any) -> Sequence[Delivery]:
            deliveries = original(relay, caller, *values)
            known = self.delivered.setdefault(caller, [])
            known.extend(one.item for one in deliveries if isinstance(one.item, Envelope) and one.item not in known)
            lie = PLACEMENTS.get(self.lies.get("placement", ""))
            if lie is None:
                return deliveries
            return [replace(one, item=lie(one.item)) if isinstance(one.item, Placement) else one for one in deliveries]

        return poll

    def _remember_log(self, original: Callable[..., None]) -> Callable[..., None]:
        def init(sequencer: Sequencer, *values: Any, **words: Any) -> None:
            original(sequencer, *values, **words)
            self.sequencer = sequencer

        return init

    def _append(self, original: Callable[..., int]) -> Callable[..., int]:
        def append(sequencer: Sequencer, caller: PartyName, statement: bytes) -> int:
            lie = self.lies.get(str(peek_statement(statement)["kind"]), "")
            if lie == "withheld":
                raise UnavailableError("not now")
            if lie:
                self.lies["heads"] = lie
            return original(sequencer, caller, statement)

        return append

    def _heads(self, original: Callable[..., Published]) -> Callable[..., Published]:
        def poll(heads: Heads, *values: Any) -> Published:
            published = original(heads, *values)
            lie = self.lies.get("heads", "")
            if not lie:
                return published
            time.sleep(QUIET_S)  # who is lied to asks again at once
            return HEADS[lie](published)

        return poll

    def _read(self, original: Callable[..., LogPage]) -> Callable[..., LogPage]:
        def read(sequencer: Sequencer, first: int, limit: int) -> LogPage:
            page = original(sequencer, first, limit)
            lie = self.lies.get("log", "")
            return PAGES[lie](page) if lie else page

        return read

    def _whose_history(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(servicer: QueryLogServicer, request: Any, context: Any) -> Any:
            mine = self.other if request.caller.party in self.split_off else servicer
            return original(mine, request, context)

        return call

    def _place(self, original: Callable[..., Slots]) -> Callable[..., Slots]:
        def place(first: Any, second: Any, *, seed: Any) -> Slots:
            slots = original(first, second, seed=seed)
            lie = self.lies.get("place", "")
            return PLACES[lie](slots) if lie else slots

        return place

    def split(self, parties: list[str]) -> None:
        """From now on these see another history of the same log, which begins with what there is now."""
        log = self.sequencer
        contract, digest = log._contract, log._contract_hash
        copy = self.home.folder / "other" / "log.sqlite"
        copy.parent.mkdir(mode=0o700)
        with (
            closing(sqlite3.connect(self.home.database(contract.room))) as one,
            closing(sqlite3.connect(copy)) as other,
        ):
            one.backup(other)
        copy.chmod(0o600)
        store, policy = Store(copy, contract.room, digest), log_policy(contract)
        tree = checked_tree(store, LogFolder(copy.parent / "folder"), policy)
        events = EventLog(sys.stderr)
        heads = Heads(store, tree, policy, self.home.log_key(), log=events, fail=lambda _: None)
        self.other = QueryLogServicer(
            Sequencer(store, contract, digest, changed=heads.grew, fail=lambda _: None), heads
        )
        self.sequencer = log
        heads.start()
        self.split_off = set(parties)

    # ---- orders ------------------------------------------------------------------------------------------------------

    def lie(self, about: str, how: str) -> None:
        """Lie about one kind of thing from now on, in this way."""
        self.lies[about] = how

    def be_honest(self) -> None:
        """No lie from now on."""
        self.lies.clear()

    def sign(self, kind: str, body: dict[str, Any]) -> str:
        """A statement under the log's key, whatever it says and whoever it names."""
        return base64.b64encode(sign_statement(kind, body, self.home.identity())).decode("ascii")

    def envelopes(self, party: str) -> list[str]:
        """Everything that it has delivered to a party."""
        return [base64.b64encode(pack_envelope(one)).decode("ascii") for one in self.delivered.get(party, [])]

    def signed(self, contract: str, changes: dict[str, str], envelope: str) -> str:
        """An envelope with another sender, recipient or kind, and the log key's signature."""
        one = unpack_envelope(base64.b64decode(envelope))
        made = sign_envelope(
            self.home.identity(),
            room=self.relay._contract.room,
            contract_hash=bytes.fromhex(contract),
            envelope_id=os.urandom(32),
            sender=PartyName(changes.get("sender", one.sender)),
            recipient=PartyName(changes.get("recipient", one.recipient)),
            kind=changes.get("kind", one.kind),
            subject_id=one.subject_id,
            index=one.index,
            count=one.count,
            sealed=one.sealed,
        )
        return base64.b64encode(pack_envelope(made)).decode("ascii")

    def sealed(self, contract: str, words: dict[str, str], header: dict[str, Any]) -> str:
        """A message that anybody can seal, in a party's name (`sender`), under the log key's signature."""
        agreed = self.relay._contract
        keys = PartyKeys(self.home.identity(), SealingKey.generate(), SigningKey.generate(), bytes(32))
        post = Post(
            room=agreed.room,
            contract_hash=bytes.fromhex(contract),
            name=PartyName(words["sender"]),
            cards=agreed.cards,
            keys=keys,
        )
        (envelope,) = post.write(PartyName(words["recipient"]), words["kind"], words["subject"], header)
        return base64.b64encode(pack_envelope(envelope)).decode("ascii")

    def insert(self, statement: str) -> None:
        """A place in the log for a statement, whoever signed it."""
        log = self.sequencer
        with log._store.transaction() as tx:
            log._tip = append_entry(tx, base64.b64decode(statement), log._tip)
        log._changed()

    def deliver(self, to: str, envelopes: list[str]) -> None:
        """Put envelopes into a party's mailbox, whoever sent them to whomever."""
        party = PartyName(to)
        with self.relay._store.transaction() as tx:
            for packed in envelopes:
                _put(tx, party, "coordinator", unpack_envelope(base64.b64decode(packed)))
        self.relay._bell.ring(party)


def main() -> None:
    """Obey beside the product's program, which has the main thread."""
    words = sys.argv[2:]
    hub = LyingHub(Path(words[words.index("--home") + 1]))
    orders = ("lie", "split", "be_honest", "sign", "envelopes", "signed", "sealed", "insert", "deliver")

    def listen() -> None:
        hub.serving.wait()
        with suppress(ValueError):
            obey({name: getattr(hub, name) for name in orders})

    threading.Thread(target=listen, daemon=True).start()
    sys.argv = ["cleanroom.coordinator", *words]
    coordinator_program.main()


if __name__ == "__main__":
    main()
