"""Taking statements into the log: checks whose they are, gives each its place once, and notes which matches are open.

The coordinator adds nothing to what a party said and cannot say anything for it: a party's statement carries that
party's signature. It keeps no budget and judges no question. Of debits and releases it takes one for each party and
subject: by the refusal of a second one a node learns that another one uses its identity.
"""

from cleanroom.coordinator.log_table import append_entry, check_log, known_proof, read_entries
from cleanroom.coordinator.store import Store, Transaction
from cleanroom.coordinator.tag_lists import end_match, find_match, open_match
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName, hex32
from cleanroom.querylog.chain import LogProof
from cleanroom.querylog.statement import COORDINATOR, ONCE_KINDS, Statement, match_pair, verify_statement
from cleanroom.question.contract import Contract
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import LogPage


class Sequencer:
    """The only writer of one room's log."""

    def __init__(self, store: Store, contract: Contract, contract_hash: bytes, log_key: SigningKey) -> None:
        self._store = store
        self._contract = contract
        self._contract_hash = contract_hash
        self._log_key = log_key
        with store.reading() as tx:
            check_log(tx, contract.room, log_key.public_bytes())

    def append(self, caller: PartyName, statement: bytes) -> int:
        """The index of a party's own statement, new or already there; durable when this returns. Raises PeerError."""
        verified = verify_statement(statement, self._contract, self._contract_hash)
        if verified.actor != caller or verified.actor == COORDINATOR:
            raise CallRefused(Reason.NOT_ALLOWED, "a statement is not its caller's")
        with self._store.transaction() as tx:
            known = known_proof(tx, statement)
            if known is not None:
                return known.index
            _note_once(tx, verified)
            self._note_match(tx, verified, caller)
            return append_entry(tx, statement, self._contract.room, self._log_key).index

    def append_own(self, tx: Transaction, statement: bytes) -> LogProof:
        """Append a statement of the coordinator's own, inside the transaction of what it states."""
        return append_entry(tx, statement, self._contract.room, self._log_key)

    def read(self, first: int, limit: int) -> LogPage:
        """A page of the log."""
        with self._store.reading() as tx:
            return read_entries(tx, first, limit)

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


def _note_once(tx: Transaction, statement: Statement) -> None:
    if statement.kind not in ONCE_KINDS:
        return
    new = tx.execute(
        "INSERT OR IGNORE INTO said_once VALUES (?, ?, ?)", (statement.kind, statement.actor, statement.subject)
    )
    if new.rowcount != 1:
        raise CallRefused(Reason.CONFLICT, "another statement of this kind and actor is logged about this subject")
