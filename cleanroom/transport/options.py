"""gRPC settings of both ends, each with its reason. Option strings were checked against grpcio 1.85.1."""

from google.protobuf.internal import api_implementation

from cleanroom.errors import StateError
from cleanroom.transport.names import coordinator_host
from cleanroom.wire.room_codec import MAX_MESSAGE_BYTES

Options = list[tuple[str, str | int]]
_MINUTE_MS = 60_000

_BOTH: Options = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Identity only: sealed bytes do not compress, and a compressed bomb is refused unread.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    ("grpc.max_metadata_size", 4096),
    ("grpc.absolute_max_metadata_size", 8192),
]


def server_options() -> Options:
    """For the coordinator."""
    return [
        *_BOTH,
        ("grpc.max_concurrent_streams", 64),
        # A connection is made anew every hour, so certificates and the deny list are looked at again.
        ("grpc.max_connection_age_ms", 60 * _MINUTE_MS),
        ("grpc.max_connection_age_grace_ms", 5 * _MINUTE_MS),
        ("grpc.max_connection_idle_ms", 10 * _MINUTE_MS),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.so_reuseport", 0),
        # The name has no "recv" in it, unlike the C macro; with it the option would be ignored in silence.
        ("grpc.http2.min_ping_interval_without_data_ms", _MINUTE_MS),
        ("grpc.keepalive_time_ms", 2 * _MINUTE_MS),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]


def channel_options(domain: str) -> Options:
    """For a node: the certificate must be the coordinator's of this trust domain, whatever the address is."""
    return [
        *_BOTH,
        ("grpc.ssl_target_name_override", coordinator_host(domain)),
        ("grpc.keepalive_time_ms", 2 * _MINUTE_MS),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Our own code retries writes with the same bytes; a retry by the library would not know what it repeats.
        ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 10_000),
    ]


def require_compiled_protobuf() -> None:
    """Raises StateError unless the compiled (upb) parser is in use: the limits were measured on it."""
    if api_implementation.Type() != "upb":
        raise StateError("protobuf must run on its compiled upb parser")
