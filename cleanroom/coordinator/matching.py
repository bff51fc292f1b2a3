"""From tags to a placement: takes both lists, places them once, logs it, tells both parties, forgets the tags.

The placing itself runs on a thread of its own, so a call never waits for it and a restart takes it up again. Placed
slots, the log entry and the deletion of the tags are one transaction. If the lists cannot be placed, both parties and
the log are told that the match is aborted, in the same words whatever the reason.
"""

import secrets
import threading
from collections.abc import Callable
from datetime import datetime

from cleanroom.coordinator.bell import Bell
from cleanroom.coordinator.mailbox import put_notice
from cleanroom.coordinator.placement import (
    MatchTags,
    Place,
    aborted_statement,
    pieces,
    placed_statement,
    slots_of,
)
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.store import Store, Transaction
from cleanroom.coordinator.tag_lists import (
    OpenMatch,
    agree_on_transcript,
    complete_list,
    end_match,
    find_match,
    open_matches,
    put_piece,
)
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName
from cleanroom.question.contract import Contract
from cleanroom.transport.event_log import EventLog, where
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import Aborted, TagPiece


class Matching:
    """Tag lists and placements of one room."""

    def __init__(
        self,
        store: Store,
        bell: Bell,
        sequencer: Sequencer,
        *,
        contract: Contract,
        contract_hash: bytes,
        identity: SigningKey,
        place: Place,
        now: Callable[[], datetime],
        log: EventLog,
    ) -> None:
        self._store = store
        self._bell = bell
        self._sequencer = sequencer
        self._contract = contract
        self._contract_hash = contract_hash
        self._identity = identity
        self._place = place
        self._now = now
        self._log = log
        self._work = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="placer", daemon=True)

    def start(self) -> None:
        """Place what an earlier process left complete, then whatever becomes complete."""
        self._work.set()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the placement it is at."""
        self._stopping = True
        self._work.set()
        self._thread.join()

    def submit(self, caller: PartyName, piece: TagPiece) -> None:
        """Store a piece of the tags for the other party's rows; durable when this returns. Raises PeerError."""
        with self._store.transaction() as tx:
            match = find_match(tx, piece.match_id)
            if match is None or match.other(caller) != piece.owner_of_rows:
                raise CallRefused(Reason.NOT_ALLOWED, "a match is not known, or not the caller's")
            put_piece(tx, match, piece, self._contract.datasets[piece.owner_of_rows].capacity)
            agreed = match.state != "open" or agree_on_transcript(tx, match, piece.transcript_hash)
            if not agreed:
                self._abort(tx, match)
        self._work.set()
        if not agreed:
            self._tell(match)

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            if self._stopping:
                return
            try:
                self._place_all()
            except Exception as error:  # the thread must live on; the match is tried again at the next start
                self._log.event("failure", call="place", exception=type(error).__name__, where=where(error))

    def _place_all(self) -> None:
        with self._store.reading() as tx:
            matches = open_matches(tx)
        for match in matches:
            if self._stopping:
                return
            self._place_one(match)

    def _place_one(self, match: OpenMatch) -> None:
        tags = self._complete(match)
        if tags is None:
            return
        try:
            slots = slots_of(tags, self._contract, secrets.token_bytes(32), self._place)
        except (PeerError, ValueError):
            with self._store.transaction() as tx:
                self._abort(tx, match)
        else:
            self._commit(tags, slots)
        self._store.forget_deleted()
        self._tell(match)

    def _complete(self, match: OpenMatch) -> MatchTags | None:
        capacity = {party: self._contract.datasets[party].capacity for party in (match.initiator, match.responder)}
        with self._store.reading() as tx:
            first = complete_list(tx, match.match_id, match.initiator, capacity[match.initiator])
            second = complete_list(tx, match.match_id, match.responder, capacity[match.responder])
        if first is None or second is None or match.transcript is None:
            return None
        return MatchTags(match.match_id, match.transcript, match.initiator, match.responder, first, second)

    def _commit(self, tags: MatchTags, slots: dict[PartyName, bytes]) -> None:
        salts = {party: secrets.token_bytes(32) for party in slots}
        statement = placed_statement(
            tags,
            slots,
            salts,
            contract=self._contract,
            contract_hash=self._contract_hash,
            identity=self._identity,
            now=self._now(),
        )
        with self._store.transaction() as tx:
            match = find_match(tx, tags.match_id)
            if match is None or match.state != "open":
                return  # a party aborted it while it was being placed
            self._sequencer.append_own(tx, statement)
            for party, packed in slots.items():
                for piece in pieces(tags.match_id, packed, salts[party], statement):
                    put_notice(tx, party, piece)
            end_match(tx, tags.match_id, "placed")

    def _abort(self, tx: Transaction, match: OpenMatch) -> None:
        statement = aborted_statement(
            match.match_id,
            contract=self._contract,
            contract_hash=self._contract_hash,
            identity=self._identity,
            now=self._now(),
        )
        self._sequencer.append_own(tx, statement)
        for party in (match.initiator, match.responder):
            put_notice(tx, party, Aborted(match.match_id, statement))
        end_match(tx, match.match_id, "aborted")

    def _tell(self, match: OpenMatch) -> None:
        self._bell.ring(match.initiator)
        self._bell.ring(match.responder)
