"""Passing sealed envelopes on. The relay reads headers, checks who signed them, and stores them until they are read.

The sender's signature is checked here as well as by the recipient: one hash over the bytes and one Ed25519
verification, so that nobody can fill a mailbox in somebody else's name.
"""

from collections.abc import Callable
from time import monotonic

from cleanroom.coordinator.bell import Bell
from cleanroom.coordinator.mailbox import acknowledge, is_acknowledgement_due, put_envelope, waiting
from cleanroom.coordinator.store import Store
from cleanroom.ids import PartyName
from cleanroom.question.contract import Contract
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import Delivery, Envelope

LOOK_UP_S = 1.0


class Relay:
    """Mailboxes of one room."""

    def __init__(self, store: Store, bell: Bell, contract: Contract, contract_hash: bytes) -> None:
        self._store = store
        self._bell = bell
        self._contract = contract
        self._contract_hash = contract_hash

    def send(self, caller: PartyName, envelope: Envelope) -> None:
        """Store an envelope of the caller's for its recipient; durable when this returns. Raises PeerError."""
        if envelope.sender != caller or envelope.recipient not in self._contract.cards:
            raise CallRefused(Reason.NOT_ALLOWED, "an envelope is not from its caller, or for nobody in the room")
        envelope.verify(self._contract.room, self._contract_hash, self._contract.cards[caller].identity)
        with self._store.transaction() as tx:
            stored = put_envelope(tx, envelope)
        if stored:
            self._bell.ring(envelope.recipient)

    def poll(
        self, caller: PartyName, acknowledged: int, wait_s: float, is_active: Callable[[], bool]
    ) -> list[Delivery]:
        """What the caller has not acknowledged, at once or as soon as something comes; [] when time is up.

        Everything up to `acknowledged` is deleted first. Raises CallRefused when a newer poll takes over or the
        process ends.
        """
        ticket = self._bell.take_over(caller)
        self._acknowledge(caller, acknowledged)
        end = monotonic() + wait_s
        looked_after = -1
        while True:
            if not self._bell.is_newest(caller, ticket):
                raise CallRefused(Reason.POLL_REPLACED, "a newer poll of the same party came")
            heard = self._bell.rings(caller)
            if heard != looked_after:
                with self._store.reading() as tx:
                    deliveries = waiting(tx, caller, acknowledged)
                if deliveries:
                    return deliveries
                looked_after = heard
            left = end - monotonic()
            if left <= 0 or not is_active():
                return []
            if self._bell.stopped:
                raise CallRefused(Reason.STOPPING, "the process ends")
            self._bell.wait(caller, ticket, heard, min(left, LOOK_UP_S))

    def _acknowledge(self, caller: PartyName, through: int) -> None:
        with self._store.reading() as tx:
            due = is_acknowledgement_due(tx, caller, through)
        if due:
            with self._store.transaction() as tx:
                acknowledge(tx, caller, through)
