"""What every part of a node shares: who we are, where state is, and how something is said to others.

Saying is transactional: statements, messages and tags go into the outbox in the same transaction as the state change
they belong to. The node sends them, again and again with the same bytes, until each was taken: the messages to one
party in order, and all statements and tags in order. A statement's next step happens when the log's proof of it is
here: see `sending`.
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
from cleanroom.querylog.dsse import peek_statement, sign_statement, strict_base64
from cleanroom.querylog.log_policy import log_policy, statement_quorum
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import Dataset
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.proof_file import verify_proof
from cleanroom.wire.canonical import canonical_bytes, parse_canonical
from cleanroom.wire.contract_file import contract_hash
from cleanroom.wire.messages import MAX_PIECE_BYTES, Envelope
from parties.database import Database
from parties.home import PartyKeys
from parties.ledger import Ledger
from parties.post import Post
from parties.room_stops import RoomStops
from parties.work_log import sealed


@dataclass(slots=True)
class Desk:
    """One node's identity, state and outgoing tray. `clock` gives seconds since the epoch."""

    name: PartyName
    contract: Contract
    keys: PartyKeys
    database: Database
    clock: Callable[[], float]
    contract_hash: bytes = field(init=False)
    log_policy: Policy = field(init=False)
    post: Post = field(init=False)
    ledger: Ledger = field(init=False)
    stops: RoomStops = field(init=False)

    def __post_init__(self) -> None:
        self.contract_hash = contract_hash(self.contract)
        self.log_policy = log_policy(self.contract)
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
        return holds_statement(self.database, statement)

    def is_current(self, statement: bytes) -> bool:
        """Whether a statement of ours was signed under the present contract."""
        return peek_statement(statement).get("contract") == self.contract_hash.hex()

    def keep_statement(self, kind: str, subject: str, statement: bytes, proof: str) -> None:
        """Remember what we said, and the log's proof of it, empty where nothing waited for one."""
        self.database.run(
            "INSERT OR IGNORE INTO statement VALUES (?, ?, ?, ?, ?)",
            sha256(statement).hexdigest(),
            kind,
            subject,
            statement,
            proof,
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

    def check_proof(self, statement: bytes, proof: object) -> None:
        """A proof that came in a message is of this statement, which concerns us and which its quorum has cosigned.

        Raises PeerError or AuthenticationError. Who signed the statement is checked by who reads it.
        """
        if not isinstance(proof, str):
            raise PeerError("a message lacks the log's proof of its statement")
        quorum = statement_quorum(self.contract, peek_statement(statement))
        if self.name not in quorum.cosigners():
            raise PeerError("a message brings the proof of a statement that does not concern us")
        verify_proof(proof.encode("utf-8", "replace"), statement, self.log_policy.with_quorum(quorum))


def holds_statement(database: Database, statement: bytes) -> bool:
    """Whether the node of this database knows that it signed this; one look, since another thread may move it on."""
    row = database.one(
        "SELECT EXISTS (SELECT 1 FROM statement WHERE digest = ?1) OR EXISTS (SELECT 1 FROM awaiting WHERE digest = ?1)"
        " OR EXISTS (SELECT 1 FROM outbox WHERE kind = 'statement' AND payload = ?2)",
        sha256(statement).hexdigest(),
        statement,
    )
    return row is not None and row[0] == 1


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
