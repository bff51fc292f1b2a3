"""What every part of a node shares: who we are, where state is, and how something is said to others.

Saying is transactional: statements, messages and tags go into the outbox in the same transaction as the state change
they belong to. The node sends them, again and again with the same bytes, until each was taken: the messages to one
party in order, and all statements and tags in order. A statement comes back with the log's proof; only then does the
next step happen.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cleanroom.errors import PeerError
from cleanroom.ids import PartyName
from cleanroom.querylog.chain import LogProof, verify_proof
from cleanroom.querylog.dsse import peek_statement, sign_statement, strict_base64
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import Dataset
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.contract_file import contract_hash
from cleanroom.wire.messages import MAX_PIECE_BYTES, Envelope
from parties.database import Database
from parties.home import PartyKeys
from parties.ledger import Ledger
from parties.post import Message, Post
from parties.room_stops import RoomStops
from parties.work_log import sealed


def proof_body(proof: LogProof) -> dict[str, Any]:
    """A log proof as a JSON value."""
    return {
        "head": proof.head.hex(),
        "index": proof.index,
        "previous": proof.previous_head.hex(),
        "signature": proof.signature.hex(),
    }


@dataclass(slots=True)
class Desk:
    """One node's identity, state and outgoing tray. `clock` gives seconds since the epoch."""

    name: PartyName
    contract: Contract
    keys: PartyKeys
    database: Database
    clock: Callable[[], float]
    contract_hash: bytes = field(init=False)
    post: Post = field(init=False)
    ledger: Ledger = field(init=False)
    stops: RoomStops = field(init=False)

    def __post_init__(self) -> None:
        self.contract_hash = contract_hash(self.contract)
        self.ledger = Ledger(self.database)
        self.stops = RoomStops(self.database, self.contract.room)
        self.post = Post(
            room=self.contract.room,
            contract_hash=self.contract_hash,
            name=self.name,
            cards=self.contract.cards,
            keys=self.keys,
        )

    @property
    def dataset(self) -> Dataset:
        """Our own dataset in the contract."""
        return self.contract.datasets[self.name]

    def now(self) -> str:
        """UTC, whole seconds, for statements and the ledger."""
        return datetime.fromtimestamp(int(self.clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def today(self) -> str:
        """The day in UTC, YYYY-MM-DD."""
        return self.now()[:10]

    def state(self, kind: str, subject: str, **fields: Any) -> bytes:
        """Sign a statement and put it into the outbox; returns its bytes."""
        body = {
            **fields,
            "actor": self.name,
            "at": self.now(),
            "contract": self.contract_hash.hex(),
            "kind": kind,
            "room": self.contract.room,
            "subject": subject,
            "v": 1,
        }
        statement = sign_statement(kind, body, self.keys.identity)
        self.put_statement(kind, subject, statement)
        return statement

    def put_statement(self, kind: str, subject: str, statement: bytes) -> None:
        """Put a statement that we signed into the outbox."""
        self.database.run(
            "INSERT INTO outbox (kind, says, subject, payload) VALUES ('statement', ?, ?, ?)", kind, subject, statement
        )

    def has_said(self, statement: bytes) -> bool:
        """Whether a statement of ours stands in the log, as far as this node knows, or is on its way there."""
        said = self.database.one("SELECT 1 FROM statement WHERE digest = ?", sha256(statement).hexdigest())
        waiting = self.database.one("SELECT 1 FROM outbox WHERE kind = 'statement' AND payload = ?", statement)
        return said is not None or waiting is not None

    def is_current(self, statement: bytes) -> bool:
        """Whether a statement of ours was signed under the present contract."""
        return peek_statement(statement).get("contract") == self.contract_hash.hex()

    def keep_statement(self, kind: str, subject: str, statement: bytes, proof: dict[str, Any]) -> None:
        """Remember what we said and where it stands in the log."""
        self.database.run(
            "INSERT OR IGNORE INTO statement VALUES (?, ?, ?, ?, ?)",
            sha256(statement).hexdigest(),
            kind,
            subject,
            statement,
            canonical_bytes(proof).decode("ascii"),
        )

    def send(self, recipient: str, kind: str, subject: str, header: Mapping[str, Any], blob: bytes = b"") -> None:
        """Seal a message and put its pieces into the outbox; nothing for who has left the room, whom nobody reaches."""
        if recipient not in self.contract.cards:
            return
        for envelope in self.post.write(PartyName(recipient), kind, subject, header, blob):
            self.send_sealed(envelope)

    def send_sealed(self, envelope: Envelope) -> None:
        """Put one sealed piece into the outbox."""
        self.database.run(
            "INSERT INTO outbox (kind, says, subject, recipient, payload) VALUES ('envelope', ?, ?, ?, ?)",
            envelope.kind,
            envelope.subject_id.hex(),
            envelope.recipient,
            pack_envelope(envelope),
        )

    def submit_tags(self, match: str, peer: str, transcript: str, tags: bytes) -> None:
        """Put the tags of the peer's rows into the outbox, for the coordinator."""
        head = canonical_bytes({"match": match, "peer": peer, "transcript": transcript})
        sealed("tags", -(-len(tags) // MAX_PIECE_BYTES), len(tags))
        self.database.run(
            "INSERT INTO outbox (kind, says, subject, payload) VALUES ('tags', 'match.tags', ?, ?)",
            match,
            len(head).to_bytes(4, "big") + head + tags,
        )

    def proof_of(self, statement: bytes, body: Any) -> LogProof:
        """A proof that came in a message, verified for this statement; raises PeerError or AuthenticationError."""
        if not isinstance(body, dict) or set(body) != {"head", "index", "previous", "signature"}:
            raise PeerError("a log proof lacks a field, or has one too many")
        message = Message(self.name, "proof", "", body, b"")
        proof = LogProof(
            index=message.number("index"),
            previous_head=message.hex("previous", 32),
            head=message.hex("head", 32),
            signature=message.hex("signature", 64),
        )
        verify_proof(proof, statement, self.contract.room, self.contract.coordinator.log_key)
        return proof


_ENVELOPE_FIELDS = ("envelope_id", "subject_id", "signature")


def pack_envelope(envelope: Envelope) -> bytes:
    """An envelope as it waits in the outbox."""
    head = {name: base64.b64encode(getattr(envelope, name)).decode("ascii") for name in _ENVELOPE_FIELDS}
    plain = {name: getattr(envelope, name) for name in ("sender", "recipient", "kind", "index", "count")}
    packed = canonical_bytes({**head, **plain})
    return len(packed).to_bytes(4, "big") + packed + envelope.sealed


def unpack_envelope(data: bytes) -> Envelope:
    """The inverse of `pack_envelope`."""
    end = 4 + int.from_bytes(data[:4], "big")
    head = json.loads(data[4:end])
    for name in _ENVELOPE_FIELDS:
        head[name] = strict_base64(head[name])
    return Envelope(**head, sealed=data[end:])


def unpack_tags(data: bytes) -> tuple[str, str, str, bytes]:
    """Match, peer, transcript and tags as they wait in the outbox."""
    end = 4 + int.from_bytes(data[:4], "big")
    head = parse_canonical(data[4:end])
    return head["match"], head["peer"], head["transcript"], data[end:]
