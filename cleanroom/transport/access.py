"""Who may call what. Closed by default: a call that has no rule here does not exist.

Only parties send, match and make statements. An auditor whom the contract names reads the log and cosigns its heads;
whoever has an auditor's certificate and is not named there may only ask whether the coordinator is healthy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from cleanroom.rpc.v1 import room_pb2
from cleanroom.transport.names import Role

Lane = Literal["ordinary", "poll", "checkpoint"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Roles that may call, the request's type, whether it carries a Caller, and which quota it counts against."""

    roles: frozenset[Role]
    request: type[Message]
    lane: Lane = "ordinary"
    names_caller: bool = True


_PARTY: frozenset[Role] = frozenset({"party"})
_READER: frozenset[Role] = frozenset({"party", "auditor"})

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "/cleanroom.v1.Relay/Send": Rule(_PARTY, room_pb2.SendRequest),
        "/cleanroom.v1.Relay/Poll": Rule(_PARTY, room_pb2.PollRequest, lane="poll"),
        "/cleanroom.v1.Matching/SubmitTags": Rule(_PARTY, room_pb2.SubmitTagsRequest),
        "/cleanroom.v1.QueryLog/Append": Rule(_PARTY, room_pb2.AppendRequest),
        "/cleanroom.v1.QueryLog/Read": Rule(_READER, room_pb2.ReadRequest),
        "/cleanroom.v1.QueryLog/PollCheckpoint": Rule(_READER, room_pb2.PollCheckpointRequest, lane="checkpoint"),
        "/cleanroom.v1.QueryLog/SubmitCosignature": Rule(_READER, room_pb2.SubmitCosignatureRequest),
        "/grpc.health.v1.Health/Check": Rule(_READER, health_pb2.HealthCheckRequest, names_caller=False),
    }
)
