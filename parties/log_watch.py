"""What a node does about the room's log beside cosigning it: doubt it, show it to others, say who holds it up.

A log that shows two histories, or an entry against the room's rules, pauses the room in this party's name; what proves
it is kept. A log that knows more of us than we do means that our memory is older than what we said.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from cleanroom.cosigner.log import Log
from cleanroom.cosigner.mirror import Mirror
from cleanroom.cosigner.stops import BrokenRuleError, RolledBackError, SplitViewError
from cleanroom.errors import StateError, UsageError
from cleanroom.ids import PartyName, random_id
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.log_policy import question_quorum, statement_quorum
from cleanroom.question.stop import PAUSED
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.note import parse_note
from parties.cosigning import LATE_S, Cosigning
from parties.desk import Desk
from parties.own_log import OwnLog, check_copy, check_own_statements, check_restored, note_restored
from parties.own_trouble import is_our_own_trouble
from parties.post import Message
from parties.setup_rows import SetupRows
from parties.stopping import stop_room

_LOG = logging.getLogger("cleanroom.node")
HEAD = "log.head"
_JOIN_S = 10.0
AGAIN_S = 30.0
_DOUBT = {
    SplitViewError: "the query log shows two histories: both signed heads are kept, ask {name}'s operator for them",
    BrokenRuleError: "the query log has an entry against the room's rules: its signed head is kept, ask {name}",
}


class LogWatch:
    """One node's watch over the log. `changed`: entries or cosignatures have come, called in the thread that cosigns;
    `distrusted`: that thread ended, called in it; `paused`: this party's room has just been paused."""

    def __init__(
        self,
        desk: Desk,
        rows: SetupRows,
        mirror: Mirror,
        log: Log,
        *,
        changed: Callable[[], None],
        distrusted: Callable[[StateError], None],
        paused: Callable[[], None],
    ) -> None:
        self.mirror = mirror
        self.cosigning = Cosigning(desk, mirror, log, changed=changed)
        self.own_log = OwnLog(desk, mirror)
        self._desk = desk
        self._rows = rows
        self._distrusted = distrusted
        self._paused = paused
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str:
        """What hinders cosigning now, in one line; empty when nothing does."""
        return self.cosigning.trouble

    def follow(self) -> None:
        """Before serving: bring our copy of the log up to its newest head, and compare it with what we remember.

        Raises StateError for a restored backup, PeerError for a log that is not the one this node checked before.
        """
        check_restored(self._desk)
        check_copy(self._desk, self._rows, self.mirror)
        try:
            self.cosigning.follow()
        except (SplitViewError, BrokenRuleError, RolledBackError) as error:
            _LOG.warning("the query log: %s", error)
            self.distrust(error)
            if isinstance(error, RolledBackError):
                raise
        check_own_statements(self._desk, self._rows, self.own_log)

    def start(self, stopping: threading.Event) -> None:
        """Cosign in a thread of its own until `stopping` is set."""
        self._thread = threading.Thread(target=self._cosign, args=(stopping,), name="cosign", daemon=True)
        self._thread.start()

    def _cosign(self, stopping: threading.Event) -> None:
        """Nothing that the log shows ends this thread unseen: without it nothing would be answered any more."""
        while not stopping.is_set():
            try:
                self.cosigning.run(stopping)
            except StateError as error:
                self._distrusted(error)
                return
            except Exception as error:
                _LOG.warning("cosigning failed: %s", type(error).__name__)
                if is_our_own_trouble(error):
                    self._distrusted(StateError(f"cosigning failed: {type(error).__name__}"))
                    return
                stopping.wait(AGAIN_S)

    def close(self) -> None:
        """The thread that cosigns has ended, and so has our copy."""
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self.mirror.close()

    def distrust(self, error: StateError) -> None:
        """Pause the room in this party's name, once for one doubt of the log; or remember that we forgot something."""
        if isinstance(error, RolledBackError):
            note_restored(self._desk, self._rows, error)
        if not isinstance(error, SplitViewError | BrokenRuleError):
            return
        reason = _DOUBT[type(error)].format(name=self._desk.name)
        with self._desk.database.transaction():
            standing = self._desk.stops.standing_stops()
            if not any(stop.by == self._desk.name and stop.reason == reason for stop in standing):
                with suppress(UsageError):  # it is closed, or we have paused it often enough
                    stop_room(self._desk, PAUSED, reason)
                if isinstance(error, SplitViewError):
                    self._show_evidence()
            self._paused()

    def show_late(self) -> None:
        """Show our newest head to those who should have cosigned what we said: they may be shown another log.

        The coordinator relays it, so it can hold it back; what it lets through convicts it.
        """
        database = self._desk.database
        late = self._desk.clock() - LATE_S
        rows = database.all("SELECT id, bytes FROM awaiting WHERE shown = 0 AND since <= ?", late)
        if not rows:
            return
        with database.transaction():
            others: set[str] = set()
            for identifier, statement in rows:
                others.update(statement_quorum(self._desk.contract, peek_statement(statement)).cosigners())
                database.run("UPDATE awaiting SET shown = 1 WHERE id = ?", identifier)
            for other in self._others() & others:
                self._show_head(other)

    def _others(self) -> set[str]:
        return {str(name) for name in self._desk.contract.cards if name != self._desk.name}

    def _show_evidence(self) -> None:
        """What convicts the log here is shown to everybody, so that it is convicted there as well."""
        kept = [note for one in self.mirror.evidence() if one.is_split for note in (one.ours, one.theirs)]
        for other in sorted(self._others()):
            for note in dict.fromkeys((*kept, self.mirror.head())):
                if note:
                    self._desk.send(other, HEAD, random_id(), {}, note)

    def _show_head(self, other: str) -> None:
        """The newest one, and then the newest that this party signed: it may have forgotten that, and stop at once."""
        for note in dict.fromkeys((self.mirror.head(), self.mirror.head_signed_by(other))):
            if note:
                self._desk.send(other, HEAD, random_id(), {}, note)

    def on_head(self, message: Message) -> None:
        """Another party's newest head. One that is ahead of ours is compared when we are there; it gets ours now.

        Raises SplitViewError for one that contradicts ours.
        """
        self.mirror.compare(message.blob, sender=message.sender)
        if parse_checkpoint(parse_note(message.blob).text).size > self.mirror.size:
            self._show_head(message.sender)

    def standing(self, desk: Desk) -> str:
        """For the operator, in one line: what is wrong with the log, or who lacks what of it since when, or nothing.

        `desk` is over a connection of the caller's thread.
        """
        size, convicted = self.mirror.size, self.mirror.evidence()
        if convicted:
            return f"IN DOUBT: {convicted[-1].why}; what proves it is kept in the folder evidence beside our copy"
        if self.trouble:
            return f"TROUBLE: {self.trouble}"
        absent = self.cosigning.absent(desk.log_policy.cosigners) or self._late(desk)
        if withheld := self.mirror.withheld():
            absent = f"the coordinator has shown another party {withheld} entries" + (f"; {absent}" if absent else "")
        return f"{size} entries are held and cosigned here; {absent or 'nobody is missing'}"

    def uncovered(self, other: str) -> str:
        """Who keeps what we and this party say waiting, in one line; empty while nobody does."""
        quorum = question_quorum(self._desk.contract, asker=self._desk.name, owner=PartyName(other))
        line = self.cosigning.absent(quorum.cosigners())
        return line or self._late(self._desk)

    def _late(self, desk: Desk) -> str:
        """What we said, and what the log has not come back with; empty when it has."""
        late = desk.clock() - LATE_S
        row = desk.database.one("SELECT kind, bytes, since FROM awaiting WHERE since <= ? ORDER BY id", late)
        if row is None:
            return ""
        where = "has not reached our copy of it" if self.mirror.find(row[1]) is None else "is not cosigned by all"
        since = datetime.fromtimestamp(int(row[2]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"the log's entry of our {row[0]} of {since} {where}"
