"""What travels between a node and the coordinator, as values. Holding one proves that every bound was checked.

Sizes are in bytes. Everything bulky is packed bytes, never a list of numbers: a list of two million empty items fits
into one message and would fill the memory of whoever iterates over it.
"""

from dataclasses import dataclass
from itertools import pairwise

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import PeerError
from cleanroom.ids import PartyName, RoomName, party_name, room_name
from cleanroom.querylog.dsse import MAX_STATEMENT_BYTES
from cleanroom.transparency.checkpoint import Checkpoint, parse_checkpoint
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.witness_message import parse_request
from cleanroom.wire.canonical import canonical_bytes, labelled_hash

MIB = 1 << 20
MAX_SEALED_BYTES = MIB + (1 << 16)
MAX_PIECE_BYTES = MIB
MAX_PIECES = 1 << 16
MAX_KIND_CHARACTERS = 64
TAG_BYTES = 16
SLOT_BYTES = 4
MAX_DELIVERIES = 64
MAX_DELIVERY_BYTES = 3 * MIB + MIB // 4
MAX_WAIT_MS = 20_000
MAX_LOG_PAGE = 256
MAX_LOG_PAGE_BYTES = 3 * MIB
MAX_SEQUENCE = 2**63 - 1
MAX_NOTES = 16


def _check_id(data: bytes, what: str) -> None:
    if len(data) != 32:
        raise PeerError(f"{what} has 32 bytes")


def _check_place(index: int, count: int) -> None:
    if not 0 <= index < count <= MAX_PIECES:
        raise PeerError("a piece's index is below its count, and the count is at most 65,536")


def _check_packed(data: bytes, width: int, what: str) -> None:
    if not data or len(data) % width or len(data) > MAX_PIECE_BYTES:
        raise PeerError(f"{what} are packed, at least one and at most 1 MiB")


def _check_statement(data: bytes) -> None:
    if not 1 <= len(data) <= MAX_STATEMENT_BYTES:
        raise PeerError("a statement has 1 to 65,535 bytes")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who speaks, a party or an auditor, in which room, under which contract (32-byte hash)."""

    protocol_version: int
    room: RoomName
    party: PartyName
    contract_hash: bytes

    def __post_init__(self) -> None:
        room_name(self.room)
        party_name(self.party)
        _check_id(self.contract_hash, "a contract hash")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One sealed piece from one party to another. The relay sees these fields and nothing inside `sealed`.

    `signature` (64 bytes) is the sender's identity key over `signed_bytes`; relay and recipient both check it.
    """

    envelope_id: bytes
    sender: PartyName
    recipient: PartyName
    kind: str
    subject_id: bytes
    index: int
    count: int
    sealed: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _check_id(self.envelope_id, "an envelope's id")
        _check_id(self.subject_id, "a subject's id")
        party_name(self.sender)
        party_name(self.recipient)
        if self.sender == self.recipient:
            raise PeerError("a party sends nothing to itself")
        if not 1 <= len(self.kind) <= MAX_KIND_CHARACTERS or not self.kind.isascii() or not self.kind.isprintable():
            raise PeerError("an envelope's kind is 1 to 64 printable ASCII characters")
        _check_place(self.index, self.count)
        if not 1 <= len(self.sealed) <= MAX_SEALED_BYTES:
            raise PeerError("sealed bytes are at least one and at most 1 MiB and 64 KiB")
        if len(self.signature) != 64:
            raise PeerError("a signature has 64 bytes")

    def signed_bytes(self, room: RoomName, contract_hash: bytes) -> bytes:
        """32 bytes: a labelled hash of room, contract, every header field and the sealed bytes."""
        return _signed_bytes(
            room,
            contract_hash,
            self.envelope_id,
            self.sender,
            self.recipient,
            self.kind,
            self.subject_id,
            self.index,
            self.count,
            self.sealed,
        )

    def verify(self, room: RoomName, contract_hash: bytes, identity: bytes) -> None:
        """The sender's identity key (32 bytes) signed this envelope for this room; raises AuthenticationError."""
        verify(identity, self.signature, self.signed_bytes(room, contract_hash))

    def digest(self) -> bytes:
        """32 bytes over every field and the signature: the same envelope resent has the same one."""
        fields = (self.sender, self.recipient, self.kind, str(self.index), str(self.count))
        return labelled_hash(
            "cleanroom/v1/envelope-digest",
            self.envelope_id,
            *(field.encode("utf-8") for field in fields),
            self.subject_id,
            self.sealed,
            self.signature,
        )


def _signed_bytes(
    room: RoomName,
    contract_hash: bytes,
    envelope_id: bytes,
    sender: PartyName,
    recipient: PartyName,
    kind: str,
    subject_id: bytes,
    index: int,
    count: int,
    sealed: bytes,
) -> bytes:
    header = {
        "contract": contract_hash.hex(),
        "count": count,
        "id": envelope_id.hex(),
        "index": index,
        "kind": kind,
        "recipient": recipient,
        "room": room,
        "sender": sender,
        "subject": subject_id.hex(),
        "v": 1,
    }
    return labelled_hash("cleanroom/v1/envelope", canonical_bytes(header), sealed)


def sign_envelope(
    identity: SigningKey,
    *,
    room: RoomName,
    contract_hash: bytes,
    envelope_id: bytes,
    sender: PartyName,
    recipient: PartyName,
    kind: str,
    subject_id: bytes,
    index: int,
    count: int,
    sealed: bytes,
) -> Envelope:
    """An envelope signed by its sender's identity key; raises PeerError when a field is out of bounds."""
    signature = identity.sign(
        _signed_bytes(room, contract_hash, envelope_id, sender, recipient, kind, subject_id, index, count, sealed)
    )
    return Envelope(envelope_id, sender, recipient, kind, subject_id, index, count, sealed, signature)


@dataclass(frozen=True, slots=True)
class TagPiece:
    """A piece of the 16-byte tags that stand for `owner_of_rows`' rows, in that party's order.

    Every piece but the last holds exactly 1 MiB (65,536 tags), so the capacity in the contract fixes every size.
    """

    match_id: bytes
    owner_of_rows: PartyName
    transcript_hash: bytes
    index: int
    count: int
    tags: bytes

    def __post_init__(self) -> None:
        _check_id(self.match_id, "a match id")
        _check_id(self.transcript_hash, "a transcript hash")
        party_name(self.owner_of_rows)
        _check_place(self.index, self.count)
        _check_packed(self.tags, TAG_BYTES, "tags")


@dataclass(frozen=True, slots=True)
class Placement:
    """A piece of the slots of the recipient's own rows: packed little-endian uint32, in the recipient's order."""

    match_id: bytes
    index: int
    count: int
    slots: bytes
    salt: bytes
    statement: bytes

    def __post_init__(self) -> None:
        _check_id(self.match_id, "a match id")
        _check_id(self.salt, "a salt")
        _check_place(self.index, self.count)
        _check_packed(self.slots, SLOT_BYTES, "slots")
        _check_statement(self.statement)


@dataclass(frozen=True, slots=True)
class Aborted:
    """The coordinator will not place this match; `statement` is its signed `match.aborted`. No reason is given."""

    match_id: bytes
    statement: bytes

    def __post_init__(self) -> None:
        _check_id(self.match_id, "a match id")
        _check_statement(self.statement)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One item of the caller's mailbox. Sequence numbers grow; acknowledging one acknowledges all before it."""

    sequence: int
    item: Envelope | Placement | Aborted

    def __post_init__(self) -> None:
        if not 1 <= self.sequence <= MAX_SEQUENCE:
            raise PeerError("a sequence number is out of range")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One statement at its place in the log."""

    index: int
    statement: bytes

    def __post_init__(self) -> None:
        _check_statement(self.statement)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Consecutive entries. What they are worth follows from a signed head alone, which comes by `Published`."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What a cosigner lacks: the newest head, and older ones that others have cosigned since it last asked.

    `request` is a tlog-witness request from the size that the caller holds to the newest head, b"" when these are the
    same. A newest head that is smaller than what the caller holds is in it as well: the log's own word that it was set
    back. `notes` are signed notes of growing size; `version` is what the caller says next time. Nothing is verified.
    """

    request: bytes
    notes: tuple[bytes, ...]
    version: int

    def __post_init__(self) -> None:
        if not 0 <= self.version <= MAX_SEQUENCE or len(self.notes) > MAX_NOTES:
            raise PeerError(f"at most {MAX_NOTES} cosigned heads come at once, under a version that can be counted")
        if self.request:
            _head_in(parse_request(self.request).checkpoint)
        sizes = [_head_in(note).size for note in self.notes]
        if any(first >= second for first, second in pairwise(sizes)):
            raise PeerError("cosigned heads are out of order")


def _head_in(note: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)
