"""The log's heads: signed and published now and then, handed to every cosigner who waits, grown by what they answer.

A head is stored before anybody is shown it, so what was once published is never published differently; a cosigner that
holds more than the newest head is shown that head all the same, and with it that the log was set back. A cosignature is
added only when it verifies under the contract's key of whoever hands it in; no other line is ever stored.

Who learns what: every party and auditor of the contract sees which heads the others have cosigned, and when.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from cleanroom.coordinator.head_table import (
    add_cosignature,
    find_head,
    forget_heads,
    grown_since,
    newest_version,
    put_head,
    stored_heads,
)
from cleanroom.coordinator.log_keys import signed_by_all
from cleanroom.coordinator.log_table import leaves_from, read_tip
from cleanroom.coordinator.publishing import PublishingRule
from cleanroom.coordinator.store import Store
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, StateError
from cleanroom.ids import PartyName
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.tree import Tree
from cleanroom.transparency.witness_message import COSIGNED, WitnessAnswer, WitnessRequest
from cleanroom.transport.event_log import EventLog, where
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import MAX_NOTES, Published

LOOK_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """A size and the note that the log alone has signed for it."""

    size: int
    note: bytes


class Heads:
    """The published heads of one room's log. `tree` is over all stored entries and belongs to this class from now on.

    Publishing works on a thread of its own between `start` and `stop`; a test calls `publish_if_due` instead. `changed`
    is called when there is something new to export, `fail` when this process must end. `clock` is monotonic.
    `overlap` are older keys that sign beside the log's key, for readers who do not know that yet.

    Locks: whoever holds `_lock` never waits for the database; whoever holds the database may wait for `_lock`.
    """

    def __init__(
        self,
        store: Store,
        tree: Tree,
        policy: Policy,
        log_key: SigningKey,
        *,
        log: EventLog,
        fail: Callable[[StateError], None],
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = monotonic,
        overlap: Sequence[SigningKey] = (),
    ) -> None:
        self._store = store
        self._policy = policy
        self._log_keys = (log_key, *overlap)
        self._log = log
        self._fail = fail
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._news = threading.Condition(self._lock)
        self._rule = PublishingRule()
        self._tree = tree
        self._tickets: Counter[str] = Counter()
        self._rings = 0
        self._grew = self._stopped = False
        with store.reading() as tx:
            self._version = newest_version(tx)
            cosigned = [size for size, note in stored_heads(tx) if self._meets_quorum(parse_note(note))]
            tip = read_tip(tx)
        self._whole = max(cosigned, default=None)
        self._newest = self._store_head(tip)
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def tree(self) -> Tree:
        """To be read up to the size of a published head: that part never changes."""
        return self._tree

    # ---- publishing --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Publish from now on by itself."""
        self._thread.start()

    def end_polls(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._stopped = True
            self._work.notify_all()
            self._news.notify_all()

    def stop(self) -> None:
        """End the thread."""
        self.end_polls()
        if self._thread.is_alive():
            self._thread.join()

    def grew(self) -> None:
        """The log has a new entry; called after its commit, or inside the transaction that brings it."""
        with self._lock:
            self._grew = True
            self._work.notify_all()

    def publish_if_due(self) -> bool:
        """Publish the stored log's head if it is new and its time has come; whether that was so."""
        with self._lock:
            if self._rule.wait_s(self._clock()) > 0:
                return False
        with self._store.reading() as tx:
            tip, leaves = read_tip(tx), leaves_from(tx, self._tree.size)
        if tip.size == self._newest.size:
            return False
        with self._lock:
            for leaf in leaves:
                self._tree.append(leaf)
            if (self._tree.size, self._tree.root()) != (tip.size, tip.root()):
                raise StateError(f"the stored head of {tip.size} entries is not the head of the stored entries")
        head = self._store_head(tip)
        with self._lock:
            self._newest = head
            self._rule.published(self._clock())
            self._ring()
        self._changed()
        return True

    def _store_head(self, tip: Frontier) -> PublishedHead:
        note = signed_by_all(Checkpoint(self._policy.log_keys[0].name, tip.size, tip.root()), self._log_keys)
        head = PublishedHead(tip.size, note.to_bytes())
        with self._store.transaction() as tx:
            put_head(tx, head.size, head.note)
            forget_heads(tx, self._whole)
        return head

    def _run(self) -> None:
        while self._wait_until_due():
            try:
                self.publish_if_due()
            except StateError as error:
                self._fail(error)
                return
            except Exception as error:  # the thread must live on: a full disk may have room again at the next entry
                self._log.event("failure", call="publish", exception=type(error).__name__, where=where(error))

    def _wait_until_due(self) -> bool:
        """Returns when there is something to publish and its time has come; False when the process ends."""
        with self._lock:
            while not self._stopped:
                wait_s = self._rule.wait_s(self._clock()) if self._grew else None
                if wait_s == 0:
                    self._grew = False
                    return True
                self._work.wait(wait_s)
            return False

    # ---- cosigners ---------------------------------------------------------------------------------------------------

    def poll(
        self, caller: PartyName, held_size: int, seen: int, wait_s: float, is_active: Callable[[], bool]
    ) -> Published:
        """What the caller lacks, at once or as soon as there is something; nothing new when time is up.

        Raises CallRefused when a newer poll of the same caller takes over or the process ends. Who does not wait takes
        nobody's place: an auditor copies the log beside its own cosigner.
        """
        end = monotonic() + wait_s
        with self._lock:
            seen = seen if seen <= self._version else 0  # this database is older than what the caller has seen
            if wait_s > 0:
                self._tickets[caller] += 1
                self._news.notify_all()
            ticket = self._tickets[caller]
        while True:
            with self._lock:
                heard = self._rings
                if wait_s > 0 and self._tickets[caller] != ticket:
                    raise CallRefused(Reason.POLL_REPLACED, "a newer poll of the same cosigner came")
            if not is_active():  # nobody is there any more to take a head, which others would then wait for
                return Published(b"", (), seen)
            published = self._lacking(caller, held_size, seen)
            left_s = end - monotonic()
            if published.request or published.notes or left_s <= 0:
                return published
            self._wait(caller, ticket, heard, min(left_s, LOOK_UP_S))

    def submit(self, caller: PartyName, size: int, answer: WitnessAnswer) -> None:
        """Take a cosigner's answer about the head of `size` entries; durable when this returns. Raises PeerError."""
        with self._lock:
            if size > self._newest.size:
                raise PeerError("a cosigner answers about a head that was never published")
            if size == self._newest.size:
                self._rule.answered(caller)
                self._work.notify_all()
        if answer.status != COSIGNED:
            self._log.event("cosigner refuses", party=caller, index=size, code=str(answer.status))
            return
        with self._store.transaction() as tx:
            grown = add_cosignature(tx, size, answer.body, self._policy.cosigners[caller])
        if grown is None:
            return
        with self._lock:
            self._version = max(self._version, grown.version)
            if self._meets_quorum(parse_note(grown.note)):
                self._whole = max(size, self._whole or 0)
            self._ring()
        self._changed()

    def to_export(self) -> PublishedHead:
        """The newest head that the whole log's quorum has cosigned, or the newest one while there is none."""
        with self._lock:
            head, whole = self._newest, self._whole
        size = head.size if whole is None else whole
        with self._store.reading() as tx:
            return PublishedHead(size, find_head(tx, size) or head.note)

    def _wait(self, caller: PartyName, ticket: int, heard: int, timeout_s: float) -> None:
        """Until there may be news after `heard`, the ticket is void, or time is up; raises CallRefused at the end."""
        with self._lock:
            self._news.wait_for(
                lambda: self._rings != heard or self._tickets[caller] != ticket or self._stopped, timeout=timeout_s
            )
            if self._stopped:
                raise CallRefused(Reason.STOPPING, "the process ends")

    def _lacking(self, caller: PartyName, held_size: int, seen: int) -> Published:
        with self._lock:
            is_new = self._version > seen
        grown = []
        if is_new:
            with self._store.reading() as tx:
                grown = grown_since(tx, seen, MAX_NOTES)
        with self._lock:
            request = self._request(caller, held_size)
        notes = tuple(head.note for head in sorted(grown, key=lambda head: head.size))
        return Published(request, notes, grown[-1].version if grown else seen)

    def _request(self, caller: PartyName, held_size: int) -> bytes:
        head = self._newest
        if head.size == held_size:
            return b""
        proof = prove_consistency(self._tree, held_size, head.size) if held_size < head.size else ()
        self._rule.took(caller)
        return WitnessRequest(held_size, proof, head.note).to_bytes()

    def _meets_quorum(self, note: SignedNote) -> bool:
        """Every stored line was verified, so who has a line has signed."""
        signed = {name for name, key in self._policy.cosigners.items() if note.lines_of(key)}
        return self._policy.quorum.is_met_by(signed)

    def _ring(self) -> None:
        self._rings += 1
        self._news.notify_all()
