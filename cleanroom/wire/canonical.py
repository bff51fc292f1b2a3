"""One way to write a value as bytes, and one strict way to read bytes that somebody else wrote.

Writing is RFC 8785 (JSON canonicalisation): reordered input gives the same bytes, so the same hash. Reading accepts
exactly what writing produces: duplicate keys, NaN, infinities, floats, deep nesting, big integers and any other
spelling of the same value are refused. Numbers that can grow (budgets, sizes in units) travel as decimal text.
"""

import hashlib
import json
from typing import Any

import rfc8785

from cleanroom.errors import PeerError

MAX_DEPTH = 12
MAX_BYTES = 1 << 20


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value without floats; raises ValueError on anything it cannot represent."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ValueError("this value has no canonical form") from error


def labelled_hash(label: str, *parts: bytes) -> bytes:
    """SHA-256 over a `cleanroom/v1/` label and length-prefixed parts; 32 bytes."""
    if not label.startswith("cleanroom/v1/"):
        raise ValueError("every hash carries a cleanroom/v1 label")
    digest = hashlib.sha256()
    for part in (label.encode("ascii"), *parts):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PeerError("a JSON object repeats a name")
    return members


def _no_float(_: str) -> Any:
    raise PeerError("a JSON number is not a plain integer")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > 2**53 - 1:
        raise PeerError("a JSON integer is beyond 2^53 - 1")
    return int(text)


def _check_depth(data: bytes) -> None:
    depth = 0
    inside_text = escaped = False
    for byte in data:
        if inside_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside_text = False
        elif byte == 0x22:
            inside_text = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise PeerError("a JSON value is nested too deeply")
        elif byte in b"]}":
            depth -= 1


def parse_canonical(data: bytes, *, limit: int = MAX_BYTES) -> Any:
    """The value whose canonical bytes are exactly `data`; raises PeerError on every other input."""
    if len(data) > limit:
        raise PeerError("a JSON value is too long")
    _check_depth(data)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
        again = canonical_bytes(value)
    except ValueError as error:
        raise PeerError("bytes are not canonical JSON") from error
    if again != data:
        raise PeerError("bytes are JSON, but not in canonical form")
    return value
