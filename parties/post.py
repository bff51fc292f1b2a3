"""Messages between two parties: cut into pieces, each sealed for the recipient and signed by the sender.

The coordinator relays the pieces and can read the header only. `info` of the sealing covers the whole header and both
identity keys, the signature the header and the sealed bytes, so a piece cannot be moved to another place, room, match
or reader. A piece is verified before it is opened, over the bytes received.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cleanroom.crypto.sealing import seal
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import PartyName, RoomName
from cleanroom.question.card import PartyCard
from cleanroom.question.contract import PROTOCOL_VERSION
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.messages import Envelope, sign_envelope
from parties.home import PartyKeys
from parties.work_log import sealed

PIECE_BYTES = 1 << 20
_HEADER_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message: a small canonical header and a bulk of bytes; the digests are of its sealed pieces."""

    sender: PartyName
    kind: str
    subject: str
    header: Mapping[str, Any]
    blob: bytes
    sealed_digests: tuple[bytes, ...] = ()

    def text(self, name: str) -> str:
        """A header field that must be text; raises PeerError."""
        value = self.header.get(name)
        if not isinstance(value, str):
            raise PeerError(f"a {self.kind} message lacks its {name}")
        return value

    def number(self, name: str) -> int:
        """A header field that must be a whole number from 0; raises PeerError."""
        value = self.header.get(name)
        if type(value) is not int or value < 0:
            raise PeerError(f"a {self.kind} message lacks its {name}")
        return value

    def hex(self, name: str, length: int | None = None) -> bytes:
        """A header field that must be hex, of `length` bytes if given; raises PeerError."""
        try:
            data = bytes.fromhex(self.text(name))
        except ValueError as error:
            raise PeerError(f"a {self.kind} message's {name} is not hex") from error
        if length is not None and len(data) != length:
            raise PeerError(f"a {self.kind} message's {name} has the wrong length")
        return data


def join(sender: PartyName, kind: str, subject: str, pieces: Sequence[bytes], digests: Sequence[bytes]) -> Message:
    """A message from all its opened pieces in order; raises PeerError."""
    body = b"".join(pieces)
    start = _HEADER_LENGTH_BYTES + int.from_bytes(body[:_HEADER_LENGTH_BYTES], "big")
    if len(body) < start:
        raise PeerError("a message's header is cut off")
    header = parse_canonical(body[_HEADER_LENGTH_BYTES:start])
    if not isinstance(header, dict):
        raise PeerError("a message's header is not an object")
    return Message(sender, kind, subject, header, body[start:], tuple(digests))


class Post:
    """Seals for others, opens what is for us."""

    def __init__(
        self,
        *,
        room: RoomName,
        contract_hash: bytes,
        name: PartyName,
        cards: Mapping[PartyName, PartyCard],
        keys: PartyKeys,
    ) -> None:
        self._room = room
        self._contract_hash = contract_hash
        self._name = name
        self._cards = cards
        self._keys = keys

    def _info(
        self, *, sender: PartyName, recipient: PartyName, kind: str, subject: bytes, index: int, count: int
    ) -> bytes:
        return canonical_bytes(
            {
                "contract": self._contract_hash.hex(),
                "count": count,
                "index": index,
                "kind": kind,
                "label": "cleanroom/v1/sealed-message",
                "protocol": PROTOCOL_VERSION,
                "recipient": sha256(self._cards[recipient].identity).hexdigest(),
                "room": self._room,
                "sender": sha256(self._cards[sender].identity).hexdigest(),
                "subject": subject.hex(),
            }
        )

    def write(
        self, recipient: PartyName, kind: str, subject: str, header: Mapping[str, Any], blob: bytes = b""
    ) -> list[Envelope]:
        """The sealed pieces of one message, about 1 MiB each, in order."""
        head = canonical_bytes(dict(header))
        body = memoryview(len(head).to_bytes(_HEADER_LENGTH_BYTES, "big") + head + blob)
        subject_id = bytes.fromhex(subject)
        starts = range(0, len(body), PIECE_BYTES)
        envelopes = [
            sign_envelope(
                self._keys.identity,
                room=self._room,
                contract_hash=self._contract_hash,
                envelope_id=os.urandom(32),
                sender=self._name,
                recipient=recipient,
                kind=kind,
                subject_id=subject_id,
                index=index,
                count=len(starts),
                sealed=seal(
                    self._cards[recipient].sealing,
                    bytes(body[start : start + PIECE_BYTES]),
                    self._info(
                        sender=self._name,
                        recipient=recipient,
                        kind=kind,
                        subject=subject_id,
                        index=index,
                        count=len(starts),
                    ),
                ),
            )
            for index, start in enumerate(starts)
        ]
        sealed(kind, len(envelopes), sum(len(envelope.sealed) for envelope in envelopes))
        return envelopes

    def again(self, envelope: Envelope) -> Envelope:
        """The same sealed bytes under a new id, so that a relay that has seen them takes them once more."""
        return sign_envelope(
            self._keys.identity,
            room=self._room,
            contract_hash=self._contract_hash,
            envelope_id=os.urandom(32),
            sender=envelope.sender,
            recipient=envelope.recipient,
            kind=envelope.kind,
            subject_id=envelope.subject_id,
            index=envelope.index,
            count=envelope.count,
            sealed=envelope.sealed,
        )

    def open_piece(self, envelope: Envelope) -> bytes:
        """The plaintext of one piece for us; raises PeerError or AuthenticationError."""
        card = self._cards.get(envelope.sender)
        if card is None or envelope.recipient != self._name:
            raise AuthenticationError("a message is not from a party of this room to this party")
        envelope.verify(self._room, self._contract_hash, card.identity)
        info = self._info(
            sender=envelope.sender,
            recipient=envelope.recipient,
            kind=envelope.kind,
            subject=envelope.subject_id,
            index=envelope.index,
            count=envelope.count,
        )
        return self._keys.sealing.open(envelope.sealed, info)
