"""A mailbox for each party: sealed envelopes from other parties, and what the coordinator has to tell it.

Items are numbered per recipient, kept until the recipient acknowledges them, and then deleted. Of an envelope that is
gone the id and a hash stay, so that a late resend is recognised: same bytes are already sent, other bytes are refused.
A recipient that does not read can be filled by each sender to that sender's share and no further.
"""

from cleanroom.coordinator.store import Transaction
from cleanroom.ids import PartyName
from cleanroom.querylog.statement import COORDINATOR
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import MAX_DELIVERIES, MAX_DELIVERY_BYTES, Aborted, Delivery, Envelope, Placement
from cleanroom.wire.room_codec import delivery_bytes, stored_delivery

MAX_STORED_BYTES = 256 << 20
MAX_STORED_ENVELOPES = 16_384
_ITEM_OVERHEAD = 512


def put_envelope(tx: Transaction, envelope: Envelope) -> bool:
    """Store an envelope once; False when this very envelope was stored before. Raises CallRefused."""
    digest = envelope.digest()
    known = tx.execute(
        "SELECT digest FROM sent WHERE sender = ? AND envelope_id = ?", (envelope.sender, envelope.envelope_id)
    ).fetchone()
    if known is not None:
        if known[0] != digest:
            raise CallRefused(Reason.CONFLICT, "an envelope id was used for other bytes")
        return False
    count, size = tx.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM mailbox WHERE recipient = ? AND sender = ?",
        (envelope.recipient, envelope.sender),
    ).fetchone()
    if count >= MAX_STORED_ENVELOPES or size + _size(envelope) > MAX_STORED_BYTES:
        raise CallRefused(Reason.MAILBOX_FULL, "a sender's share of a mailbox is full")
    tx.execute("INSERT INTO sent VALUES (?, ?, ?)", (envelope.sender, envelope.envelope_id, digest))
    _put(tx, envelope.recipient, envelope.sender, envelope)
    return True


def put_notice(tx: Transaction, recipient: PartyName, item: Placement | Aborted) -> None:
    """Store something that the coordinator has to tell a party."""
    _put(tx, recipient, COORDINATOR, item)


def _put(tx: Transaction, recipient: PartyName, sender: str, item: Envelope | Placement | Aborted) -> None:
    (sequence,) = tx.execute(
        "INSERT INTO counter VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last", (recipient,)
    ).fetchone()
    tx.execute(
        "INSERT INTO mailbox VALUES (?, ?, ?, ?, ?)",
        (recipient, sequence, sender, _size(item), delivery_bytes(Delivery(sequence, item))),
    )


def _size(item: Envelope | Placement | Aborted) -> int:
    bulk = item.sealed if isinstance(item, Envelope) else item.slots if isinstance(item, Placement) else b""
    return len(bulk) + _ITEM_OVERHEAD


def waiting(tx: Transaction, recipient: PartyName, after: int) -> list[Delivery]:
    """The oldest items after sequence number `after`: at most 64 and about 3 MiB."""
    deliveries: list[Delivery] = []
    size = 0
    rows = tx.execute(
        "SELECT delivery FROM mailbox WHERE recipient = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        (recipient, after, MAX_DELIVERIES),
    )
    for (data,) in rows:
        size += len(data)
        if deliveries and size > MAX_DELIVERY_BYTES:
            break
        deliveries.append(stored_delivery(data))
    return deliveries


def is_acknowledgement_due(tx: Transaction, recipient: PartyName, through: int) -> bool:
    """Whether anything up to `through` is still stored; raises CallRefused when it was never delivered."""
    row = tx.execute("SELECT last FROM counter WHERE recipient = ?", (recipient,)).fetchone()
    if through > (row[0] if row is not None else 0):
        raise CallRefused(Reason.FORGOTTEN, "a party acknowledges what this mailbox never held")
    found = tx.execute(
        "SELECT 1 FROM mailbox WHERE recipient = ? AND sequence <= ? LIMIT 1", (recipient, through)
    ).fetchone()
    return found is not None


def acknowledge(tx: Transaction, recipient: PartyName, through: int) -> None:
    """Delete everything up to `through`."""
    tx.execute("DELETE FROM mailbox WHERE recipient = ? AND sequence <= ?", (recipient, through))
