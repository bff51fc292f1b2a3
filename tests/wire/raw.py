"""Callers that keep none of our client's manners: any bytes, any settings, any certificate."""

import socket
import ssl
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cleanroom.rpc.v1 import room_pb2
from cleanroom.transport.authority import Authority
from cleanroom.transport.names import coordinator_host
from cleanroom.transport.requests import new_tls_key, tls_key
from tests.rooms import DOMAIN, Room

SEND = "/cleanroom.v1.Relay/Send"
POLL = "/cleanroom.v1.Relay/Poll"
SUBMIT = "/cleanroom.v1.Matching/SubmitTags"
APPEND = "/cleanroom.v1.QueryLog/Append"
READ = "/cleanroom.v1.QueryLog/Read"
HEALTH = "/grpc.health.v1.Health/Check"


@contextmanager
def raw_channel(room: Room, address: str, pair: tuple[bytes, bytes] | None, **more: Any) -> Iterator[grpc.Channel]:
    """A channel with the library's own defaults; `pair` is key and certificate, None shows no certificate."""
    key, certificate = pair or (None, None)
    credentials = grpc.ssl_channel_credentials(room.home.authority_pem(), key, certificate)
    options = [("grpc.ssl_target_name_override", coordinator_host(DOMAIN)), ("grpc.enable_retries", 0)]
    channel = grpc.secure_channel(address, credentials, options=[*options, *more.pop("options", [])], **more)
    try:
        yield channel
    finally:
        channel.close()


def caller(room: Room, party: str, /, **more: Any) -> room_pb2.Caller:
    """The head of a request."""
    fields = {
        "protocol_version": 1,
        "room": room.contract.room,
        "party": party,
        "contract_hash": room.hash,
    }
    return room_pb2.Caller(**{**fields, **more})


def read_request(room: Room, party: str, /, **more: Any) -> bytes:
    """A request for the first entry of the log."""
    return room_pb2.ReadRequest(caller=caller(room, party, **more), first=0, limit=1).SerializeToString()


def status_of(channel: grpc.Channel, method: str, data: bytes, **more: Any) -> tuple[grpc.StatusCode, str]:
    """The status code and text of one call, (OK, "") when it succeeds."""
    more.setdefault("timeout", 5.0)
    try:
        channel.unary_unary(method)(data, **more)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def certificate(
    authority: Authority,
    *,
    uris: Sequence[str] = (f"cleanroom://{DOMAIN}/party/shop",),
    common_name: str = "",
    is_authority: bool = False,
    may_sign_certificates: bool = False,
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH,),
    start: timedelta = timedelta(minutes=-1),
    end: timedelta = timedelta(days=1),
) -> tuple[bytes, bytes]:
    """A key and a certificate with whatever defect a test wants, signed by this authority."""
    key_pem, now = new_tls_key(), datetime.now(UTC)
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    usage = x509.KeyUsage(True, False, False, False, False, may_sign_certificates, may_sign_certificates, False, False)
    constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(authority.certificate.subject)
        .public_key(tls_key(key_pem).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    )
    if uris:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
        builder = builder.add_extension(names, critical=not subject)
    secret = authority._secret
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    return key_pem, builder.sign(secret, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class RawHttp2:
    """HTTP/2 by hand over TLS: enough to open a gRPC call and then misbehave."""

    def __init__(self, room: Room, party: str, address: str) -> None:
        self._received: defaultdict[int, bytearray] = defaultdict(bytearray)
        self._ended: set[int] = set()
        context = ssl.create_default_context(cadata=room.home.authority_pem().decode("ascii"))
        folder: Path = room.member(party).folder
        context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
        context.set_alpn_protocols(["h2"])
        host, _, port = address.rpartition(":")
        plain = socket.create_connection((host, int(port)), timeout=10)
        self.socket = context.wrap_socket(plain, server_hostname=coordinator_host(DOMAIN))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))

    def open_call(self, stream: int, method: str, timeout: str | None) -> None:
        """Send the headers of a call; its message is still to come."""
        fields = {
            ":method": "POST",
            ":scheme": "https",
            ":path": method,
            ":authority": coordinator_host(DOMAIN),
            "te": "trailers",
            "content-type": "application/grpc",
        }
        if timeout is not None:
            fields["grpc-timeout"] = timeout
        self.socket.sendall(frame(1, 0x4, stream, b"".join(map(literal, fields, fields.values()))))

    def data(self, stream: int, data: bytes) -> None:
        """Bytes of a call's message, more to come."""
        self.socket.sendall(frame(0, 0, stream, data))

    def reset(self, stream: int) -> None:
        """Cancel a call."""
        self.socket.sendall(frame(3, 0, stream, struct.pack(">I", 8)))

    def until_stream_ends(self, stream: int) -> bytes:
        """Everything the server sends about a stream until it ends it."""
        while stream not in self._ended:
            self._read_frame()
        return bytes(self._received[stream])

    def until_streams_end(self, count: int) -> None:
        """Until the server has ended so many of the streams."""
        while len(self._ended) < count:
            self._read_frame()

    def _read_frame(self) -> None:
        length, kind, flags, number = struct.unpack(">IBBI", b"\x00" + self._exactly(9))
        self._received[number] += self._exactly(length)
        if kind == 3 or (kind in {0, 1} and flags & 1):
            self._ended.add(number)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return data

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113 section 4.1."""
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: str) -> bytes:
    """A header field without indexing, RFC 7541 section 6.2.2; names and values below 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
