"""A signed statement has one spelling, one signature and one kind."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.querylog.dsse import (
    MAX_STATEMENT_BYTES,
    open_statement,
    payload_type,
    peek_statement,
    pre_authentication_encoding,
    sign_statement,
    strict_base64,
)
from cleanroom.wire.canonical import canonical_bytes

KEY = SigningKey(bytes(range(32)))
PUBLIC = KEY.public_bytes()
BODY = {"kind": "incident", "v": 1}
SIGNED = sign_statement("incident", BODY, KEY)


def test_the_signed_bytes_are_those_of_the_dsse_protocol() -> None:
    """The example of the DSSE protocol document, and lengths that count bytes, not characters."""
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication_encoding("\u00e9", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_a_statement_is_signed_as_rfc_8032_signs_its_encoding() -> None:
    envelope = json.loads(SIGNED)
    payload = base64.b64decode(envelope["payload"])
    assert payload == b'{"kind":"incident","v":1}'
    kind = b"application/vnd.cleanroom.v1.incident+json"
    signed = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload
    assert base64.b64decode(envelope["signatures"][0]["sig"]) == KEY.sign(signed)
    assert set(envelope) == {"payload", "payloadType", "signatures"}


def test_a_statement_opens_under_its_key_and_kind() -> None:
    assert open_statement("incident", SIGNED, PUBLIC) == BODY
    assert peek_statement(SIGNED) == BODY


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(AuthenticationError):
        open_statement("incident", SIGNED, SigningKey(bytes(32)).public_bytes())


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_our_error(key: bytes) -> None:
    with pytest.raises(AuthenticationError):
        open_statement("incident", SIGNED, key)


def test_another_kind_is_refused_though_signed() -> None:
    with pytest.raises(PeerError, match="kind"):
        open_statement("room.opened", SIGNED, PUBLIC)


def test_type_and_body_name_the_same_kind() -> None:
    for body in ({**BODY, "kind": "room.opened"}, {"v": 1}):
        with pytest.raises(PeerError, match="another kind"):
            open_statement("incident", sign_statement("incident", body, KEY), PUBLIC)


def remade(**change: Any) -> bytes:
    """The envelope with fields replaced or added."""
    return canonical_bytes({**json.loads(SIGNED), **change})


def loose(text: str) -> str:
    """The same bytes by another last character before the padding."""
    place = text.index("=") - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:place] + alphabet[alphabet.index(text[place]) + 1] + text[place + 1 :]


SIGNATURE = json.loads(SIGNED)["signatures"][0]["sig"]
PAYLOAD = json.loads(SIGNED)["payload"]
TRAPS: dict[str, Callable[[], bytes]] = {
    "no signature": lambda: remade(signatures=[]),
    "the signature twice": lambda: remade(signatures=[{"sig": SIGNATURE}, {"sig": SIGNATURE}]),
    "a key id": lambda: remade(signatures=[{"sig": SIGNATURE, "keyid": "log"}]),
    "an empty key id": lambda: remade(signatures=[{"sig": SIGNATURE, "keyid": ""}]),
    "signatures as an object": lambda: remade(signatures={"sig": SIGNATURE}),
    "a signature as text": lambda: remade(signatures=[SIGNATURE]),
    "a field too many": lambda: remade(extra=1),
    "another type": lambda: remade(payloadType="application/json"),
    "a type in capitals": lambda: remade(payloadType=payload_type("incident").upper()),
    "a type with a blank": lambda: remade(payloadType=payload_type("incident") + " "),
    "no type": lambda: remade(payloadType=None),
    "a payload that is no text": lambda: remade(payload=5),
    "loose base64": lambda: remade(signatures=[{"sig": loose(SIGNATURE)}]),
    "base64 without padding": lambda: remade(signatures=[{"sig": SIGNATURE.rstrip("=")}]),
    "base64 with a line": lambda: remade(payload=PAYLOAD[:4] + "\n" + PAYLOAD[4:]),
    "base64 for URLs": lambda: remade(signatures=[{"sig": SIGNATURE.replace("+", "-").replace("/", "_") + "-"}]),
    "full-width base64": lambda: remade(payload="\uff25" + PAYLOAD[1:]),
    "a blank after the envelope": lambda: SIGNED + b" ",
    "a newline after the envelope": lambda: SIGNED + b"\n",
    "two envelopes": lambda: SIGNED + SIGNED,
    "a list around the envelope": lambda: b"[" + SIGNED + b"]",
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_another_spelling_of_a_statement_is_refused(trap: str) -> None:
    data = TRAPS[trap]()
    assert data != SIGNED
    with pytest.raises(PeerError):
        open_statement("incident", data, PUBLIC)


@pytest.mark.parametrize(
    "payload", [b'{"v":1,"kind":"incident"}', b'{"kind": "incident"}', b'["incident"]', b'"incident"']
)
def test_a_body_that_is_not_a_canonical_object_is_refused_though_rightly_signed(payload: bytes) -> None:
    signature = KEY.sign(pre_authentication_encoding(payload_type("incident"), payload))
    data = remade(
        payload=base64.b64encode(payload).decode(), signatures=[{"sig": base64.b64encode(signature).decode()}]
    )
    with pytest.raises(PeerError):
        open_statement("incident", data, PUBLIC)
    with pytest.raises(PeerError):
        peek_statement(data)


def test_a_statement_is_at_most_65535_bytes_long() -> None:
    def of_length(filler: int) -> bytes:
        return sign_statement("incident", {**BODY, "x": "y" * filler}, KEY)

    fitting = max(filler for filler in range(48_800, 49_200) if len(of_length(filler)) <= MAX_STATEMENT_BYTES)
    assert MAX_STATEMENT_BYTES == 65_535
    assert open_statement("incident", of_length(fitting), PUBLIC)["x"] == "y" * fitting
    with pytest.raises(PeerError, match="long"):
        open_statement("incident", of_length(fitting + 1), PUBLIC)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_changed_byte_is_accepted(place: int, difference: int) -> None:
    damaged = bytearray(SIGNED)
    damaged[place] ^= difference
    with pytest.raises(PeerError):
        open_statement("incident", bytes(damaged), PUBLIC)


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert strict_base64(base64.b64encode(data).decode()) == data


LOOSE = ["QQ", "QR==", "QQ=", "QQ===", "Q Q=", "QQ==\n", "-_==", "\uff31\uff31==", "=", "QQ==QQ=="]


@pytest.mark.parametrize("text", [*LOOSE, None, 5, b"QQ=="])
def test_other_spellings_of_base64_are_refused(text: object) -> None:
    with pytest.raises(PeerError):
        strict_base64(text)
