"""A node's or an auditor's side of the conversation with the coordinator: each call has a deadline and may be repeated.

Writes are repeated with the same bytes after a failure; the coordinator recognises them, so one call has one effect
however often the connection breaks. What comes back is parsed strictly and verified by whoever uses it: the log's
heads by the cosigner. What cannot be reached raises UnavailableError with the coordinator's address; what the
coordinator refuses, or answers wrongly, raises PeerError or AuthenticationError.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from cleanroom.errors import (
    AuthenticationError,
    CleanroomError,
    ConflictError,
    MailboxFullError,
    PeerError,
    UnavailableError,
)
from cleanroom.ids import PartyName
from cleanroom.question.contract import PROTOCOL_VERSION, Contract
from cleanroom.rpc.v1 import room_pb2
from cleanroom.transparency.witness_message import WitnessAnswer
from cleanroom.transport.channel import open_channel
from cleanroom.transport.quotas import ORDINARY_CALLS
from cleanroom.transport.reasons import Reason
from cleanroom.transport.retry import Patience, may_pass, retried
from cleanroom.transport.status import PUBLIC_SENTENCES, STATUS
from cleanroom.wire.messages import (
    MAX_LOG_PAGE,
    MAX_PIECE_BYTES,
    MAX_WAIT_MS,
    Caller,
    Delivery,
    Envelope,
    LogPage,
    Published,
    TagPiece,
)
from cleanroom.wire.room_codec import (
    caller_message,
    envelope_message,
    parse_message,
    read_deliveries,
    read_index,
    read_page,
    read_published,
)

_T = TypeVar("_T")
CALL_DEADLINE_S = 10.0
POLL_MARGIN_S = 5.0
_MAILBOX_FULL = STATUS[Reason.MAILBOX_FULL]
_INTERNAL = re.compile(r"internal error [0-9a-f]{16}")


class CoordinatorClient:
    """The connection of one party, or of one auditor of the contract, to the coordinator; safe between threads.

    One poll of each kind at a time. `key_pem` and `certificate_pem` are the caller's TLS pair and say which of the two
    it is; an auditor reads and cosigns. `address` is host:port and defaults to the card's.
    """

    def __init__(
        self,
        contract: Contract,
        contract_hash: bytes,
        name: PartyName,
        *,
        key_pem: bytes,
        certificate_pem: bytes,
        address: str | None = None,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
        wrap_channel: Callable[[grpc.Channel], grpc.Channel] = lambda channel: channel,
    ) -> None:
        self._address = address or contract.coordinator.address
        self._caller = Caller(PROTOCOL_VERSION, contract.room, name, contract_hash)
        self._patience = patience or Patience()
        self._clock = clock
        self._pause = pause
        self._places = threading.BoundedSemaphore(ORDINARY_CALLS)
        self._channel = wrap_channel(open_channel(contract.coordinator, self._address, key_pem, certificate_pem))

    def send(self, envelope: Envelope) -> None:
        """Hand over an envelope for another party; the coordinator has stored it when this returns.

        Raises MailboxFullError at once, without a second try: only the recipient can make room.
        """
        request = room_pb2.SendRequest(caller=self._head(), envelope=envelope_message(envelope))
        self._call("/cleanroom.v1.Relay/Send", request, room_pb2.SendReply)

    def poll(self, acknowledged_through: int, wait_ms: int) -> list[Delivery]:
        """Deliveries after that sequence number, oldest first, at most 64; [] after `wait_ms` (at most 20,000).

        Everything up to `acknowledged_through` may be deleted by the coordinator. Not retried inside: a poll that
        failed raises UnavailableError and the caller polls again.
        """
        if not 0 <= wait_ms <= MAX_WAIT_MS:
            raise ValueError("a poll waits at most 20,000 ms")
        request = room_pb2.PollRequest(caller=self._head(), acknowledged_through=acknowledged_through, wait_ms=wait_ms)
        data = self._told(lambda: self._once("/cleanroom.v1.Relay/Poll", request, wait_ms / 1000 + POLL_MARGIN_S))
        deliveries = read_deliveries(parse_message(room_pb2.PollReply, data))
        if deliveries and deliveries[0].sequence <= acknowledged_through:
            raise PeerError("the coordinator delivers again what was acknowledged")
        return deliveries

    def submit_tags(
        self, match_id: bytes, owner_of_rows: PartyName, transcript_hash: bytes, tags: bytes, *, first_piece: int = 0
    ) -> None:
        """Hand over all 16-byte tags for the other party's rows, in that party's order, in pieces of 1 MiB.

        May be repeated from the beginning or from `first_piece` with the same bytes; the coordinator keeps one copy.
        """
        parts = [tags[start : start + MAX_PIECE_BYTES] for start in range(0, len(tags), MAX_PIECE_BYTES)]
        for index in range(first_piece, len(parts)):
            piece = TagPiece(match_id, owner_of_rows, transcript_hash, index, len(parts), parts[index])
            self.submit_piece(piece)

    def submit_piece(self, piece: TagPiece) -> None:
        """Hand over one piece; the coordinator has stored it when this returns."""
        request = room_pb2.SubmitTagsRequest(
            caller=self._head(),
            match_id=piece.match_id,
            owner_of_rows=piece.owner_of_rows,
            transcript_hash=piece.transcript_hash,
            index=piece.index,
            count=piece.count,
            tags=piece.tags,
        )
        self._call("/cleanroom.v1.Matching/SubmitTags", request, room_pb2.SubmitTagsReply)

    def append(self, statement: bytes) -> int:
        """Log a signed statement (DSSE bytes, at most 64 KiB); where it stands, as the coordinator says.

        The same statement gets the same place again. Nothing may follow from it before a cosigned head covers it.
        Raises ConflictError when the log holds another statement in its place (`querylog.statement.ONCE_KINDS`).
        """
        request = room_pb2.AppendRequest(caller=self._head(), statement=statement)
        return read_index(self._call("/cleanroom.v1.QueryLog/Append", request, room_pb2.AppendReply))

    def read_log(self, first: int, limit: int = MAX_LOG_PAGE) -> LogPage:
        """Entries from index `first` on, at most 256 and about 3 MiB, beyond the newest head too; nothing is proven."""
        request = room_pb2.ReadRequest(caller=self._head(), first=first, limit=limit)
        return read_page(self._call("/cleanroom.v1.QueryLog/Read", request, room_pb2.ReadReply), first, limit)

    def poll_checkpoint(self, held_size: int, seen: int, wait_ms: int) -> Published:
        """What this cosigner lacks, as soon as there is something; nothing new after `wait_ms` (at most 20,000).

        `held_size` is the size of the newest head that the caller has signed, `seen` the last answer's version. Not
        retried inside, as `poll` is not, and in a lane of its own: a node holds one of each.
        """
        if not 0 <= wait_ms <= MAX_WAIT_MS:
            raise ValueError("a poll waits at most 20,000 ms")
        request = room_pb2.PollCheckpointRequest(caller=self._head(), held_size=held_size, seen=seen, wait_ms=wait_ms)
        deadline_s = wait_ms / 1000 + POLL_MARGIN_S
        data = self._told(lambda: self._once("/cleanroom.v1.QueryLog/PollCheckpoint", request, deadline_s))
        return read_published(parse_message(room_pb2.PollCheckpointReply, data), held_size)

    def submit_cosignature(self, size: int, answer: WitnessAnswer) -> None:
        """Answer the request for the head of `size` entries, also with a refusal: others need not wait for it then."""
        request = room_pb2.SubmitCosignatureRequest(
            caller=self._head(), size=size, status=answer.status, body=answer.body
        )
        self._call("/cleanroom.v1.QueryLog/SubmitCosignature", request, room_pb2.SubmitCosignatureReply)

    def close(self) -> None:
        """Close the connection; running calls end with UnavailableError."""
        self._channel.close()

    def _head(self) -> room_pb2.Caller:
        return caller_message(self._caller)

    def _call(self, method: str, request: Any, reply: type[Any]) -> Any:
        with self._places:
            data = self._told(
                lambda: retried(
                    lambda: self._once(method, request, CALL_DEADLINE_S),
                    self._patience,
                    clock=self._clock,
                    pause=self._pause,
                )
            )
        return parse_message(reply, data)

    def _once(self, method: str, request: Any, deadline_s: float) -> bytes:
        call = self._channel.unary_unary(method)
        try:
            answer: bytes = call(request.SerializeToString(), timeout=deadline_s)
        except grpc.RpcError as error:
            if (error.code(), error.details()) == _MAILBOX_FULL:
                raise MailboxFullError(f"the coordinator at {self._address} refused: {error.details()}") from None
            raise
        return answer

    def _told(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except grpc.RpcError as error:
            raise self._error(error) from None
        except ValueError as error:  # grpc says this of a channel that was closed
            raise UnavailableError(f"the connection to the coordinator at {self._address} is closed") from error

    def _error(self, error: grpc.RpcError) -> CleanroomError:
        code = error.code()
        who = f"the coordinator at {self._address}"
        if may_pass(error) or code in {grpc.StatusCode.CANCELLED, grpc.StatusCode.ABORTED}:
            return UnavailableError(f"{who} did not answer: {_printable(error.details())}")
        sentence = error.details()
        if sentence not in PUBLIC_SENTENCES and _INTERNAL.fullmatch(sentence or "") is None:
            sentence = f"status {code.name}"
        if code in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED}:
            return AuthenticationError(f"{who} refused: {sentence}")
        if code == grpc.StatusCode.ALREADY_EXISTS:
            return ConflictError(f"{who} refused: {sentence}")
        return PeerError(f"{who} refused: {sentence}")


def _printable(text: str | None) -> str:
    return "".join(c if c.isprintable() else " " for c in (text or "no reason given"))[:200]
