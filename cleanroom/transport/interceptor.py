"""The one gate before every handler. In this order, each step refusing before the next begins:

1. the call has a rule in the access table;
2. it has a deadline, and enough of it is left: 20 ms to carry the answer, 100 ms to do anything meaningful (boulder);
3. the certificate passes `check_peer`, has a role the rule allows, and names a party or an auditor of the contract;
4. the caller has a free place in its quota;
5. the bytes parse; 6. the `Caller` in them is who the certificate says, in this room, under this contract and version.

To the library every handler is one that reads a stream, although each call brings one message: so it is asked before
the message has come, and a caller that stalls in the middle of one holds a place of its own, until its own deadline.

Whatever goes wrong, here or in the handler, the caller gets a row of the status table. Unforeseen errors become
INTERNAL with a random id; our log has the same id with file names and line numbers. No text of an exception and no
byte of a request reaches the caller or the log.
"""

import secrets
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

import grpc
from google.protobuf.message import Message

from cleanroom.errors import AuthenticationError
from cleanroom.ids import PartyName
from cleanroom.question.contract import PROTOCOL_VERSION, Contract
from cleanroom.transport.access import RULES, Rule
from cleanroom.transport.certificates import check_peer
from cleanroom.transport.counters import Counters
from cleanroom.transport.event_log import EventLog, where
from cleanroom.transport.names import Peer
from cleanroom.transport.quotas import Quotas
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.transport.status import RETRY_AFTER_MS, STATUS, reason_of
from cleanroom.wire.room_codec import parse_message, read_caller

ANSWER_MARGIN_S = 0.020
WORK_MARGIN_S = 0.100
MAX_DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What the interceptor needs to know of the room, and where it writes."""

    contract: Contract
    contract_hash: bytes
    now: Callable[[], datetime]
    log: EventLog
    counters: Counters = field(default_factory=Counters)
    quotas: Quotas = field(default_factory=Quotas)
    denied: Callable[[], Container[int]] = frozenset


class Interceptor(grpc.ServerInterceptor):  # type: ignore[misc] # grpc has no types
    """Outermost interceptor of the coordinator's server."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Wrap the handler so that it gets raw bytes only through the gate."""
        method = details.method
        rule = RULES.get(method)
        handler = continuation(details) if rule is not None else None
        if rule is None or handler is None or handler.unary_unary is None:
            return grpc.stream_unary_rpc_method_handler(self._unknown)

        def answer(messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            return self._answer(method, rule, handler, messages, context)

        return grpc.stream_unary_rpc_method_handler(answer)

    def _unknown(self, _: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return self._refuse("unknown", Reason.UNKNOWN_METHOD, context, None)

    def _answer(
        self, method: str, rule: Rule, handler: Any, messages: Iterator[bytes], context: grpc.ServicerContext
    ) -> bytes:
        started = monotonic()
        try:
            reply = self._admitted(rule, handler, messages, context)
        except Exception as error:  # everything is caught here, so that nothing unforeseen speaks to the caller
            refused = error
        else:
            self._gate.log.event("call", call=method, code="OK", ms=int(1000 * (monotonic() - started)))
            return reply
        return self._refuse(method, reason_of(refused), context, refused)

    def _admitted(self, rule: Rule, handler: Any, messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        _check_deadline(context)
        peer = self._peer(rule, context)
        with self._gate.quotas.place(rule.lane, f"{peer.role}/{peer.name}"):
            request = parse_message(rule.request, _one_message(messages))
            if rule.names_caller:
                self._check_caller(request, peer)
            self._gate.counters.add("calls_admitted_total")
            reply: Message = handler.unary_unary(request, context)
            return reply.SerializeToString()

    def _peer(self, rule: Rule, context: grpc.ServicerContext) -> Peer:
        try:
            peer = check_peer(
                context.auth_context(),
                self._gate.contract.coordinator.domain,
                now=self._gate.now(),
                denied=self._gate.denied(),
            )
        except AuthenticationError as error:
            self._gate.counters.add("peers_refused_total")
            raise CallRefused(Reason.NOT_AUTHENTICATED, str(error)) from error
        if peer.role not in rule.roles:
            raise CallRefused(Reason.NOT_ALLOWED, "a role has no right to this call")
        if peer.role == "party" and peer.name not in self._gate.contract.cards:
            raise CallRefused(Reason.NOT_AUTHENTICATED, "a party is not in the contract")
        if rule.names_caller and peer.role == "auditor" and peer.name not in self._gate.contract.auditors:
            raise CallRefused(Reason.NOT_AUTHENTICATED, "an auditor is not in the contract")
        return peer

    def _check_caller(self, request: Any, peer: Peer) -> None:
        if request.caller.protocol_version != PROTOCOL_VERSION:
            raise CallRefused(Reason.OTHER_VERSION, "a caller speaks another protocol version")
        caller = read_caller(request.caller)
        if caller.party != PartyName(peer.name):
            raise CallRefused(Reason.NOT_ALLOWED, "a caller names somebody who is not its certificate's")
        if caller.room != self._gate.contract.room or caller.contract_hash != self._gate.contract_hash:
            raise CallRefused(Reason.OTHER_CONTRACT, "a caller is in another room or under another contract")

    def _refuse(self, method: str, reason: Reason, context: grpc.ServicerContext, error: Exception | None) -> bytes:
        code, sentence = STATUS[reason]
        error_id = None
        if reason is Reason.INTERNAL and error is not None:
            error_id = secrets.token_hex(8)
            sentence = f"{sentence} {error_id}"
            self._gate.log.event(
                "failure", call=method, error_id=error_id, exception=type(error).__name__, where=where(error)
            )
        self._gate.counters.add("calls_refused_total")
        self._gate.log.refusal(call=method, code=code.name, reason=reason.name)
        if reason in RETRY_AFTER_MS:
            context.set_trailing_metadata((("retry-after-ms", str(RETRY_AFTER_MS[reason])),))
        context.abort(code, sentence)
        return b""  # abort has raised


def _one_message(messages: Iterator[bytes]) -> bytes:
    for data in messages:
        return data
    raise CallRefused(Reason.MALFORMED, "a call brought no message")


def _check_deadline(context: grpc.ServicerContext) -> None:
    remaining = context.time_remaining()
    if remaining is None or remaining > MAX_DEADLINE_S:
        raise CallRefused(Reason.NO_DEADLINE, "a call has no deadline, or one that is far away")
    if remaining < ANSWER_MARGIN_S + WORK_MARGIN_S or not context.is_active():
        raise CallRefused(Reason.TOO_LATE, "a call came too late to begin")
