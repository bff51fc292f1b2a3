"""Signed statements: Dead Simple Signing Envelopes over canonical JSON.

The signature covers the payload bytes as they travel, so nothing is ever re-serialised before it is checked. The
`keyid` field of DSSE is unauthenticated, so it is neither written nor read: the caller says whose key must verify.
Source: DSSE v1.0.2, protocol.md section 1.
"""

import base64
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


def _envelope(envelope: bytes) -> tuple[str, bytes, bytes]:
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
    return value["payloadType"], strict_base64(value["payload"]), strict_base64(signatures[0]["sig"])


def peek_statement(envelope: bytes) -> dict[str, Any]:
    """The body without any check of who signed it: for routing only; raises PeerError on malformed bytes."""
    body = parse_canonical(_envelope(envelope)[1], limit=MAX_STATEMENT_BYTES)
    if not isinstance(body, dict):
        raise PeerError("a statement's body is not an object")
    return body


def open_statement(kind: str, envelope: bytes, public_key: bytes) -> dict[str, Any]:
    """The verified body of a statement of this kind; raises PeerError or AuthenticationError."""
    kind_type, payload, signature = _envelope(envelope)
    if kind_type != payload_type(kind):
        raise PeerError("a statement is of another kind than expected")
    verify(public_key, signature, pre_authentication_encoding(kind_type, payload))
    body = parse_canonical(payload, limit=MAX_STATEMENT_BYTES)
    if not isinstance(body, dict) or body.get("kind") != kind:
        raise PeerError("a statement's body names another kind")
    return body
