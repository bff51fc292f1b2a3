"""Signed statements: Dead Simple Signing Envelopes over canonical JSON.

The signature covers the payload bytes as they travel, so nothing is ever re-serialised before it is checked. The
`keyid` field of DSSE is unauthenticated, so it is neither written nor read: the caller says whose key must verify.
Source: DSSE v1.0.2, protocol.md section 1.
"""

import base64
from dataclasses import dataclass
from typing import Any

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import PeerError
from cleanroom.transparency.spelling import base64_bytes
from cleanroom.wire.canonical import canonical_bytes, parse_canonical

MAX_STATEMENT_BYTES = 65_535


def payload_type(kind: str) -> str:
    """The DSSE payload type of one kind of statement."""
    return f"application/vnd.cleanroom.v1.{kind}+json"


def pre_authentication_encoding(kind_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSEv1 SP len SP type SP len SP body."""
    type_bytes = kind_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(type_bytes), type_bytes, len(payload), payload)


def sign_statement(kind: str, body: dict[str, Any], key: SigningKey) -> bytes:
    """Envelope bytes (canonical JSON) around the canonical bytes of `body`."""
    payload = canonical_bytes(body)
    signature = key.sign(pre_authentication_encoding(payload_type(kind), payload))
    return canonical_bytes(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": payload_type(kind),
            "signatures": [{"sig": base64.b64encode(signature).decode("ascii")}],
        }
    )


def strict_base64(text: object) -> bytes:
    """Standard base64 with padding, in its one canonical spelling; raises PeerError."""
    if not isinstance(text, str):
        raise PeerError("a base64 field is not text")
    return base64_bytes(text, "a base64 field")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A well-formed envelope, read once: the body is what its bytes say, whoever signed them."""

    kind_type: str
    payload: bytes
    signature: bytes
    body: dict[str, Any]

    def verify(self, public_key: bytes) -> None:
        """This key signed the payload; raises AuthenticationError."""
        verify(public_key, self.signature, pre_authentication_encoding(self.kind_type, self.payload))


def read_envelope(envelope: bytes) -> Envelope:
    """The envelope in these bytes, unverified; raises PeerError."""
    value = parse_canonical(envelope, limit=MAX_STATEMENT_BYTES)
    if not isinstance(value, dict) or set(value) != {"payload", "payloadType", "signatures"}:
        raise PeerError("a statement is not a DSSE envelope")
    signatures = value["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise PeerError("a statement carries exactly one signature")
    if not isinstance(signatures[0], dict) or set(signatures[0]) != {"sig"}:
        raise PeerError("a statement's signature has unknown fields")
    if not isinstance(value["payloadType"], str):
        raise PeerError("a statement's type is not text")
    payload, signature = strict_base64(value["payload"]), strict_base64(signatures[0]["sig"])
    body = parse_canonical(payload, limit=MAX_STATEMENT_BYTES)
    if not isinstance(body, dict):
        raise PeerError("a statement's body is not an object")
    return Envelope(value["payloadType"], payload, signature, body)


def peek_statement(envelope: bytes) -> dict[str, Any]:
    """The body without any check of who signed it: for routing only; raises PeerError on malformed bytes."""
    return read_envelope(envelope).body


def open_statement(kind: str, envelope: bytes, public_key: bytes) -> dict[str, Any]:
    """The verified body of a statement of this kind; raises PeerError or AuthenticationError."""
    return open_envelope(kind, read_envelope(envelope), public_key)


def open_envelope(kind: str, envelope: Envelope, public_key: bytes) -> dict[str, Any]:
    """As `open_statement`, for an envelope that was read before."""
    if envelope.kind_type != payload_type(kind):
        raise PeerError("a statement is of another kind than expected")
    envelope.verify(public_key)
    if envelope.body.get("kind") != kind:
        raise PeerError("a statement's body names another kind")
    return envelope.body
