"""A company's node: receives, decides, acts, remembers. Nothing listens but a socket.

One worker thread does what follows from messages and questions. Pauses, closings and approvals are written beside it,
over a connection of their own, since it may be waiting for an unreachable coordinator; each is one transaction, and the
worker reads it at its next step. Another thread copies the room's log and cosigns it (`cosigning`).

Every step is: take one event (a delivery from the coordinator, a command of our own people, news of the log), change
state and fill the outbox in one transaction, then empty the outbox in order. A statement's continuation runs when our
copy of the log proves that its quorum has seen it, in the transaction that ends its waiting. After a crash the outbox
is sent again with the same bytes, and the coordinator's mailbox is read again from the last acknowledged delivery.

A log in doubt pauses the room (`log_watch`); one that knows more of us than we do stops the node for good.

A peer's malformed message ends what it was about, is noted in the log as an incident with its sender's name, and
tells the sender nothing about the reason. So does a message that makes our own code fail: it would otherwise wait in
the mailbox and fail again at every start.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from cleanroom.cosigner.log import Log
from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.stops import BrokenRuleError, RolledBackError, SplitViewError
from cleanroom.errors import (
    AuthenticationError,
    CleanroomError,
    OutOfTurnError,
    PeerError,
    RefusedError,
    StateError,
)
from cleanroom.privacy.noise import NoiseSource
from cleanroom.querylog.statement import COORDINATOR
from cleanroom.wire.messages import Aborted, Delivery, Envelope, Placement
from parties.answering import Answering
from parties.asking import Asking
from parties.desk import Desk
from parties.expiry import Expiry
from parties.headers import HEADERS
from parties.heads import ForgottenError, note_forgotten
from parties.inbox import Inbox, mailbox_mark
from parties.limits import most_pieces
from parties.log_watch import HEAD, LogWatch
from parties.matching import Matching
from parties.own_trouble import is_our_own_trouble
from parties.pace import WALL_CLOCK, Pace
from parties.pending import Pending
from parties.people import People
from parties.post import Message
from parties.refusals import parse_refusal, refusal_header
from parties.sending import Carrier, DoubledError, Sending
from parties.setup_asker import SetupAsker
from parties.setup_owner import SetupOwner
from parties.setup_rows import SetupRows
from parties.stopping import STOPPED, take_stop
from parties.work_log import timed

_LOG = logging.getLogger("cleanroom.node")
_T = TypeVar("_T")
POLL_WAIT_MS = 20_000
_OPENING = {"match.hello": "match.abort", "setup.open": "setup.abort", "question.plan": "question.voided"}
RETRY_S = 1.0
MAX_INCIDENTS = 100


class Coordinator(Carrier, Log, Protocol):
    """What a node needs of the coordinator; `cleanroom.transport.client` is the real one."""

    def poll(self, acknowledged_through: int, wait_ms: int) -> list[Delivery]: ...


class Node:
    """Everything that happens at one party. `noise` is given here and can be chosen nowhere else."""

    def __init__(
        self,
        desk: Desk,
        people: People,
        coordinator: Coordinator,
        mirror: Mirror,
        *,
        noise: NoiseSource,
        pace: Pace = WALL_CLOCK,
    ) -> None:
        self.desk = desk
        self.people = people
        self._coordinator = coordinator
        self._inbox = Inbox(desk.database, desk.post, most_pieces(desk.contract))
        self.rows = SetupRows(desk)
        self.matching = Matching(desk, people, ended=self._match_ended)
        self.setups = SetupAsker(desk, self.rows, self.matching, people)
        self.asking = Asking(desk, self.rows)
        self._setup_owner = SetupOwner(desk, self.rows, self.matching)
        self._answering = Answering(desk, self.rows, self.matching, people, noise=noise, pace=pace)
        self.expiry = Expiry(desk, self.rows, self._answering)
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()  # safe in a signal handler
        self._stopping = threading.Event()
        self.changed = threading.Condition()
        self.refusals: dict[str, RefusedError] = {}
        self._incidents: dict[str, int] = {}
        self._mailbox = mailbox_mark(desk.contract)
        self.trouble = ""
        self._failure: StateError | None = None
        self.watch = LogWatch(
            desk,
            self.rows,
            mirror,
            coordinator,
            changed=lambda: self._events.put(self.look),
            distrusted=lambda error: self._events.put(lambda: self.distrust(error)),
            paused=self.after_stop,
        )
        self._sending = Sending(
            desk,
            coordinator,
            mirror,
            steps={
                "match.opened": self.matching.opened_is_logged,
                "match.debit": self.matching.debit_is_logged,
                "question.asked": self.asking.asked_is_logged,
                "question.approved": lambda plan_hash, _statement, _proof: self._answering.approved_is_logged(
                    plan_hash
                ),
                "question.refused": self._answering.refusal_is_logged,
                "budget.debit": lambda plan_hash, _statement, _proof: self._answering.debit_is_logged(plan_hash),
                "answer.released": self._answering.released_is_logged,
            },
            ended=self._end,
            troubled=self._troubled,
        )
        self._handlers: dict[str, Callable[[Message], None]] = {
            "match.hello": self.matching.on_hello,
            "match.points": self.matching.on_points,
            "match.dummies": self.matching.on_dummies,
            "match.abort": self._on_match_abort,
            "setup.open": self._setup_owner.on_open,
            "setup.base": self.setups.on_base,
            "setup.matrix": self._setup_owner.on_matrix,
            "setup.challenge": self.setups.on_challenge,
            "setup.answer": self._setup_owner.on_answer,
            "setup.corrections": self.setups.on_corrections,
            "setup.abort": self._on_setup_abort,
            "question.plan": self._answering.on_plan,
            "question.pending": self.asking.on_pending,
            "question.rows": self.asking.on_rows,
            "question.release": self.asking.on_release,
            "question.released": self.asking.on_released,
            "question.refused": self.asking.on_refused,
            "question.voided": self.asking.on_voided,
            STOPPED: self._on_stopped,
            HEAD: self._on_head,
        }

    # ---- running -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until `stop`; the caller's thread is the worker and uses the node's connection alone."""
        with self.desk.database.transaction():
            self.after_stop()
            for match in self.matching.after_restart():
                self.matching.abort(match, tell_peer=True)
            for setup in self.rows.unfinished():
                self.rows.kill(setup.id)
                self.desk.send(self.rows.peer(setup), "setup.abort", setup.id, {})
            self.expiry.void_of_older_contracts()
            self.expiry.sweep()
        threading.Thread(target=self._poll, name="poll", daemon=True).start()
        self.watch.start(self._stopping)
        self.look()
        while not self._stopping.is_set():
            self._flush()
            self.watch.show_late()
            if self.expiry.is_due:
                with self.desk.database.transaction():
                    self.expiry.sweep()
                continue
            try:
                event = self._events.get(timeout=RETRY_S)
            except queue.Empty:
                self._look_beside()
                continue
            event()
            with self.changed:
                self.changed.notify_all()
        if self._failure is not None:
            raise self._failure

    def stopped_beside(self) -> None:
        """The room was stopped in this node's database by another thread: let the worker do what follows from it."""

        def event() -> None:
            with self.desk.database.transaction():
                self.after_stop()

        self._events.put(event)

    def _look_beside(self) -> None:
        """A command that found no place at our door may have stopped the room in this home without telling us."""
        if self.desk.stops.standing().state != "open":
            with self.desk.database.transaction():
                self.after_stop()

    def after_stop(self) -> None:
        """What follows for a stopped room, at any time and as often as one likes: nothing stays reserved in it."""
        if self.desk.stops.standing().state != "open":
            self._answering.void_open()

    def _on_stopped(self, message: Message) -> None:
        """Another party paused or closed the room: so it is for us."""
        if take_stop(self.desk, message):
            standing = self.desk.stops.standing()
            _LOG.warning("the room is %s by %s: %s", standing.state, standing.by, standing.reason)
            self.after_stop()

    # ---- the log -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Entries or cosignatures have come: see what the log says of others, and go on with what waited for it."""
        try:
            if self.watch.own_log.read_on():
                with self.desk.database.transaction():
                    self.after_stop()
            self._sending.look()
        except (SplitViewError, RolledBackError) as error:
            self.distrust(error)

    def distrust(self, error: StateError) -> None:
        """What follows when the log, or our own memory of it, is in doubt."""
        if isinstance(error, SplitViewError | BrokenRuleError):
            self._troubled(error)
        else:
            self._failure = error
            self.stop()
        self.watch.distrust(error)

    def _on_head(self, message: Message) -> None:
        try:
            self.watch.on_head(message)
        except SplitViewError as error:
            self.distrust(error)

    def close(self) -> None:
        """After `run`, and after the connection was closed: the thread that cosigns has ended, and so has our copy."""
        self.watch.close()

    def stop(self) -> None:
        """Finish the present step and return from `run`."""
        self._stopping.set()
        self._events.put(lambda: None)

    def call(self, function: Callable[[], _T]) -> _T:
        """Run `function` in the worker, inside a transaction; its result or its exception comes back here."""
        answer: Future[_T] = Future()

        def event() -> None:
            try:
                with self.desk.database.transaction():
                    result = function()
            except BaseException as error:  # handed to the caller, whatever it is
                answer.set_exception(error)
            else:
                answer.set_result(result)

        self._events.put(event)
        return answer.result()

    def _poll(self) -> None:
        """Fetch deliveries; the next poll acknowledges what the worker has made durable."""
        row = self.call(lambda: self.desk.database.one("SELECT value FROM meta WHERE name = ?", self._mailbox))
        acknowledged = int(row[0]) if row else 0
        while not self._stopping.is_set():
            try:
                deliveries = self._coordinator.poll(acknowledged, POLL_WAIT_MS)
                self.trouble = ""
            except CleanroomError as error:
                if self._stopping.is_set():
                    return  # the connection was closed under the poll, by us
                self._troubled(error)
                self._stopping.wait(RETRY_S)
                continue
            for delivery in deliveries:
                done = threading.Event()
                self._events.put(lambda delivery=delivery, done=done: self._take(delivery, done))  # type: ignore[misc]
                while not done.wait(1.0):
                    if self._stopping.is_set():
                        return
                acknowledged = delivery.sequence

    def _troubled(self, error: CleanroomError) -> None:
        if str(error) != self.trouble:
            _LOG.warning("coordinator: %s", error)
        self.trouble = str(error)
        with self.changed:
            self.changed.notify_all()

    @property
    def pending(self) -> Pending:
        """What waits for this company's approvers; used inside the worker only."""
        return self._answering.pending

    # ---- what arrives --------------------------------------------------------------------------------------------

    def _take(self, delivery: Delivery, done: threading.Event) -> None:
        """Act on one delivery exactly once, and remember that it was acted on."""
        try:
            try:
                with self.desk.database.transaction():
                    self._act(delivery)
                    self._acknowledge(delivery)
            except ForgottenError as error:
                self._stop_for_good(error)
                return
            except RolledBackError as error:
                self.distrust(error)
                return
            except Exception as error:
                if is_our_own_trouble(error):
                    raise
                with self.desk.database.transaction():
                    self._offended(delivery, error)
                    self._acknowledge(delivery)
            self._flush()
        finally:
            done.set()

    def _stop_for_good(self, error: ForgottenError) -> None:
        """Our ledger is older than what we said: nothing more is answered until the operator has replayed it.

        The delivery is not acknowledged, so that it is acted on afterwards.
        """
        with self.desk.database.transaction():
            note_forgotten(self.desk, error)
            self.rows.kill_all()
        self._failure = error
        self.stop()

    def _acknowledge(self, delivery: Delivery) -> None:
        self.desk.database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", self._mailbox, str(delivery.sequence))

    def _act(self, delivery: Delivery) -> None:
        item = delivery.item
        if isinstance(item, Placement):
            slots = self._inbox.accept_placement(item)
            if slots is not None and not self._is_over(item.match_id.hex(), COORDINATOR):
                with timed("placement"):
                    self.matching.on_placement(item.match_id.hex(), slots, item.salt, item.statement)
        elif isinstance(item, Aborted):
            self.matching.on_not_placed(item.match_id.hex(), item.statement)
        else:
            message = self._inbox.accept(item)
            if message is not None and not self._is_over(message.subject, message.sender):
                handler = self._handlers.get(message.kind)
                if handler is None:
                    raise PeerError("a message of an unknown kind")
                with timed(message.kind):
                    self._handle(handler, message)

    def _is_over(self, subject: str, sender: str) -> bool:
        """Whether this ended here before its sender, who takes part in it, can have heard of that: then it is no
        offence, and nothing more is to be done."""
        match = self.matching.find(subject)
        if match is not None:
            return match.state == "aborted" and sender in (COORDINATOR, match.peer)
        for owner in (False, True):
            setup = self.rows.find(subject, owner=owner)
            if setup is not None:
                return setup.state == "dead" and sender == self.rows.peer(setup)
        asked = self.asking.find(subject)
        return asked is not None and asked.state == "failed" and sender == asked.plan.owner

    def _handle(self, handler: Callable[[Message], None], message: Message) -> None:
        """The sender signed the message: a forged statement or proof in it is the sender's offence like any other."""
        if frozenset(message.header) not in HEADERS[message.kind]:
            raise PeerError(f"a {message.kind} message lacks a field, or has one too many")
        try:
            handler(message)
        except AuthenticationError as error:
            raise PeerError(str(error)) from error

    def _offended(self, delivery: Delivery, error: Exception) -> None:
        """End what the message was about; the log names sender and kind, nobody is told why."""
        item = delivery.item
        if isinstance(item, Envelope):
            subject, kind, sender = item.subject_id.hex(), item.kind, str(item.sender)
            if isinstance(error, AuthenticationError):
                _LOG.warning("a message that %s did not sign was dropped", sender)
                return
            if not self._inbox.close_offence(item):
                return
        else:
            subject, kind, sender = item.match_id.hex(), "placement", COORDINATOR
        _LOG.warning(
            "%s from %s: %s", kind, sender, error if isinstance(error, CleanroomError) else type(error).__name__
        )
        refusal = error if isinstance(error, RefusedError) else None
        if refusal is not None:
            self.refusals[subject] = refusal
        self._end(subject, sender)
        if isinstance(item, Envelope) and kind in _OPENING and not self._answering.knows(subject):
            self.desk.send(sender, _OPENING[kind], subject, refusal_header(refusal))
        innocent = isinstance(error, RefusedError | StateError | OutOfTurnError)
        if not innocent and kind in {*self._handlers, "placement"}:
            self._note_incident(subject, sender, kind)

    def _note_incident(self, subject: str, sender: str, kind: str) -> None:
        """One signed line a message, and not more than a bound for one sender: a flood must not fill the log."""
        self._incidents[sender] = self._incidents.get(sender, 0) + 1
        if self._incidents[sender] <= MAX_INCIDENTS:
            self.desk.state("incident", subject, sender=sender, message=kind)

    def _end(self, subject: str, offender: str = "") -> None:
        """Abort whatever this id stands for, here and at the peer; an offender ends only what it takes part in.

        Ids of matches and plans stand in the log, so every party of the room knows them.
        """
        match = self.matching.find(subject)
        if match is None:
            self.matching.forget(subject)
        elif offender in ("", COORDINATOR, match.peer):
            self.matching.abort(subject, tell_peer=True)
        for owner in (False, True):
            setup = self.rows.find(subject, owner=owner)
            if setup is not None and setup.state != "dead" and offender in ("", self.rows.peer(setup)):
                self.rows.kill(subject)
                self.desk.send(self.rows.peer(setup), "setup.abort", subject, {})
        asked = self.asking.find(subject)
        if asked is not None and asked.state not in ("answered", "refused") and offender in ("", asked.plan.owner):
            self.asking.fail(subject)

    def _match_ended(self, match: str) -> None:
        """Set-ups die with their match, and with them the questions that are still open or wait for approval."""
        self.asking.fail_open_of_match(match)
        self._answering.pending.refuse_of_match(match)
        self.rows.kill_of_match(match)

    def _on_match_abort(self, message: Message) -> None:
        match = self.matching.find(message.subject)
        if match is not None and match.peer == message.sender:
            self._note_refusal(message)
            self.matching.on_abort(message)

    def _note_refusal(self, message: Message) -> None:
        """A peer that ends something by a rule of its own says which; everything else has no reason to show."""
        refusal = parse_refusal(message.header.get("refusal"))
        if refusal is not None and (refusal.owner == message.sender or refusal.rule == "room"):
            self.refusals[message.subject] = refusal

    def _on_setup_abort(self, message: Message) -> None:
        for owner in (False, True):
            subject = message.subject  # by the name that both know, if the peer has lost its own
            setup = self.rows.find(subject, owner=owner) or self.rows.find_joint(subject, owner=owner)
            if setup is not None and self.rows.peer(setup) == message.sender and setup.state != "dead":
                self._note_refusal(message)
                self.rows.kill(setup.id)

    # ---- what leaves ---------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        try:
            while self._sending.flush(self._stopping):
                self.look()
        except DoubledError as error:
            with self.desk.database.transaction():
                self.rows.kill_all()
            self._failure = error
            self.stop()
