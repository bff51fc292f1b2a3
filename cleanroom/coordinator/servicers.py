"""Protobuf in, values through, protobuf out. The interceptor has checked who calls before anything here runs."""

import grpc

from cleanroom.coordinator.matching import Matching
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.ids import PartyName
from cleanroom.rpc.v1 import room_pb2, room_pb2_grpc
from cleanroom.transport.interceptor import ANSWER_MARGIN_S
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.room_codec import (
    delivery_message,
    page_message,
    read_envelope,
    read_poll,
    read_range,
    read_tag_piece,
)


class RelayServicer(room_pb2_grpc.RelayServicer):
    """Send and Poll."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def Send(self, request: room_pb2.SendRequest, context: grpc.ServicerContext) -> room_pb2.SendReply:
        """One sealed envelope."""
        self._relay.send(PartyName(request.caller.party), read_envelope(request.envelope))
        return room_pb2.SendReply()

    def Poll(self, request: room_pb2.PollRequest, context: grpc.ServicerContext) -> room_pb2.PollReply:
        """Waits no longer than the caller's deadline leaves time to answer."""
        acknowledged, wait_ms = read_poll(request)
        wait_s = max(0.0, min(wait_ms / 1000, context.time_remaining() - 5 * ANSWER_MARGIN_S))
        deliveries = self._relay.poll(PartyName(request.caller.party), acknowledged, wait_s, context.is_active)
        return room_pb2.PollReply(deliveries=[delivery_message(delivery) for delivery in deliveries])


class MatchingServicer(room_pb2_grpc.MatchingServicer):
    """SubmitTags."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching

    def SubmitTags(
        self, request: room_pb2.SubmitTagsRequest, context: grpc.ServicerContext
    ) -> room_pb2.SubmitTagsReply:
        """One piece of a tag list."""
        self._matching.submit(PartyName(request.caller.party), read_tag_piece(request))
        return room_pb2.SubmitTagsReply()


class QueryLogServicer(room_pb2_grpc.QueryLogServicer):
    """Append and Read."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer

    def Append(self, request: room_pb2.AppendRequest, context: grpc.ServicerContext) -> room_pb2.AppendReply:
        """One statement."""
        index = self._sequencer.append(PartyName(request.caller.party), request.statement)
        return room_pb2.AppendReply(index=index)

    def Read(self, request: room_pb2.ReadRequest, context: grpc.ServicerContext) -> room_pb2.ReadReply:
        """One page of the log."""
        return page_message(self._sequencer.read(*read_range(request)))

    def PollCheckpoint(
        self, request: room_pb2.PollCheckpointRequest, context: grpc.ServicerContext
    ) -> room_pb2.PollCheckpointReply:
        """Not yet."""
        raise CallRefused(Reason.NOT_NOW, "heads are not published yet")

    def SubmitCosignature(
        self, request: room_pb2.SubmitCosignatureRequest, context: grpc.ServicerContext
    ) -> room_pb2.SubmitCosignatureReply:
        """Not yet."""
        raise CallRefused(Reason.NOT_NOW, "heads are not published yet")
