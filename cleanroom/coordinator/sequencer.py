"""Taking statements into the log: checks whose they are and the room's rules, and gives each its place once.

The coordinator adds nothing to what a party said and cannot say anything for it: a party's statement carries that
party's signature. What the rules of the room forbid is refused at the door, for no cosigner would sign over it. Of
debits and releases one is taken for each party and subject: by the refusal of a second one a node learns that another
one uses its identity.

Rules and frontier are kept in memory, as they were after the last entry that this process stored. If the database goes
on from another head, a second process writes the same log, and this one ends (`fail`).
"""

from collections.abc import Callable, Sequence

from cleanroom.coordinator.log_table import (
    OtherWriterError,
    append_entry,
    find_entry,
    read_entries,
    read_tip,
    stored_entries,
)
from cleanroom.coordinator.store import Store, Transaction
from cleanroom.coordinator.tag_lists import end_match, find_match, open_match
from cleanroom.errors import AuthenticationError, ConflictError, PeerError, StateError
from cleanroom.ids import PartyName, hex32
from cleanroom.querylog.room_rules import RoomRules
from cleanroom.querylog.statement import COORDINATOR, Statement, match_pair, verify_statement
from cleanroom.question.contract import Contract
from cleanroom.transparency.frontier import Frontier
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import LogPage


class Sequencer:
    """The only writer of one room's log. `changed` is called when the log has grown, `fail` when this process must end;
    `former` are the entries of the logs before this one.

    Raises StateError when a stored entry breaks a rule of the room.
    """

    def __init__(
        self,
        store: Store,
        contract: Contract,
        contract_hash: bytes,
        *,
        changed: Callable[[], None],
        fail: Callable[[StateError], None],
        former: Sequence[bytes] = (),
    ) -> None:
        self._former = former
        self._store = store
        self._contract = contract
        self._contract_hash = contract_hash
        self._changed = changed
        self._fail = fail
        with store.reading() as tx:
            self._tip = read_tip(tx)
            self._rules: RoomRules | None = self._folded(tx)

    def append(self, caller: PartyName, statement: bytes) -> int:
        """The index of a party's own statement, new or already there; durable when this returns. Raises PeerError."""
        verified = verify_statement(statement, self._contract, self._contract_hash)
        if verified.actor != caller or verified.actor == COORDINATOR:
            raise CallRefused(Reason.NOT_ALLOWED, "a statement is not its caller's")
        with self._store.transaction() as tx:
            known = find_entry(tx, statement)
            if known is not None:
                return known
            self._note_match(tx, verified, caller)
            index = self._append(tx, statement)
        self._changed()
        return index

    def append_own(self, tx: Transaction, statement: bytes) -> int:
        """Append a statement of the coordinator's own, inside the transaction of what it states."""
        index = self._append(tx, statement)
        self._changed()  # whoever wakes now waits for this transaction's end
        return index

    def read(self, first: int, limit: int) -> LogPage:
        """A page of the log."""
        with self._store.reading() as tx:
            return read_entries(tx, first, limit)

    def _append(self, tx: Transaction, statement: bytes) -> int:
        """Rules last of all checks: what they have taken is only forgotten by folding the whole log again."""
        tip = self._tip
        if self._rules is None:
            self._rules = self._folded(tx)
        _take(self._rules, statement)
        self._store.if_rolled_back(lambda: self._take_back(tip))
        try:
            self._tip = append_entry(tx, statement, tip)
        except OtherWriterError as error:
            self._fail(error)
            raise CallRefused(Reason.STOPPING, str(error)) from error
        return tip.size

    def _take_back(self, tip: Frontier) -> None:
        self._tip = tip
        self._rules = None

    def _folded(self, tx: Transaction) -> RoomRules:
        rules = RoomRules(self._contract, self._contract_hash, self._former)
        for index, entry in enumerate(stored_entries(tx)):
            try:
                rules.take(entry)
            except PeerError as error:
                raise StateError(f"entry {index} of the stored log breaks a rule of the room: {error}") from error
        return rules

    def _note_match(self, tx: Transaction, statement: Statement, caller: PartyName) -> None:
        if statement.kind == "match.opened":
            initiator, responder = match_pair(statement)
            if initiator not in self._contract.cards or responder not in self._contract.cards:
                raise PeerError("a match is between two parties of the room")
            open_match(tx, bytes.fromhex(hex32(statement.subject, "a match id")), initiator, responder)
        elif statement.kind == "match.aborted":
            match = find_match(tx, bytes.fromhex(hex32(statement.subject, "a match id")))
            if match is None or match.other(caller) is None:
                raise CallRefused(Reason.NOT_ALLOWED, "a match is not known, or not the caller's")
            if match.state == "open":
                end_match(tx, match.match_id, "aborted")


def _take(rules: RoomRules, statement: bytes) -> None:
    try:
        rules.take(statement)
    except (AuthenticationError, ConflictError):
        raise
    except PeerError as error:
        raise CallRefused(Reason.AGAINST_RULES, str(error)) from error
