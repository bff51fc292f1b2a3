"""Protobuf in, values through, protobuf out. The interceptor has checked who calls before anything here runs."""

import grpc

from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.matching import Matching
from cleanroom.coordinator.relay import Relay
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.ids import PartyName
from cleanroom.rpc.v1 import room_pb2, room_pb2_grpc
from cleanroom.transport.interceptor import ANSWER_MARGIN_S
from cleanroom.wire.room_codec import (
    delivery_message,
    page_message,
    published_message,
    read_checkpoint_poll,
    read_cosignature,
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
        caller, wait_s = PartyName(request.caller.party), _wait_s(wait_ms, context)
        deliveries = self._relay.poll(caller, acknowledged, wait_s, context.is_active)
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
    """Append and Read, PollCheckpoint and SubmitCosignature."""

    def __init__(self, sequencer: Sequencer, heads: Heads) -> None:
        self._sequencer = sequencer
        self._heads = heads

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
        """Waits no longer than the caller's deadline leaves time to answer."""
        held_size, seen, wait_ms = read_checkpoint_poll(request)
        caller = PartyName(request.caller.party)
        return published_message(
            self._heads.poll(caller, held_size, seen, _wait_s(wait_ms, context), context.is_active)
        )

    def SubmitCosignature(
        self, request: room_pb2.SubmitCosignatureRequest, context: grpc.ServicerContext
    ) -> room_pb2.SubmitCosignatureReply:
        """One answer of a witness."""
        self._heads.submit(PartyName(request.caller.party), *read_cosignature(request))
        return room_pb2.SubmitCosignatureReply()


def _wait_s(wait_ms: int, context: grpc.ServicerContext) -> float:
    return max(0.0, min(wait_ms / 1000, float(context.time_remaining()) - 5 * ANSWER_MARGIN_S))
