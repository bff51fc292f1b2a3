"""Looking for what must not be there: many patterns, in many encodings, in everything that somebody captured.

`encodings` spells out how one secret could be written; `found` looks for all spellings at once; `numbers` walks decoded
messages and statements and gives every number in them, however it is written. `tests` plant leaks to see them found.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import Message

from cleanroom.errors import CleanroomError
from cleanroom.querylog.dsse import peek_statement

WINDOW = 8


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way in which a secret of some kind could stand somewhere."""

    kind: str
    way: str
    data: bytes


def base64_inside(data: bytes, alphabet: bytes) -> Iterator[bytes]:
    """What base64 of a longer text shows of `data`, for each of the three ways it can be aligned."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data, altchars=alphabet).rstrip(b"=")
        start = -(-before * 8 // 6)
        whole = (before + len(data)) * 8 // 6
        yield encoded[start:whole]


def encodings(kind: str, data: bytes) -> Iterator[Spelling]:
    """Raw, hex, base64 at every alignment in both alphabets."""
    yield Spelling(kind, "raw", data)
    yield Spelling(kind, "hex", data.hex().encode())
    yield Spelling(kind, "HEX", data.hex().upper().encode())
    for alphabet in (b"+/", b"-_"):
        for number, text in enumerate(base64_inside(data, alphabet)):
            yield Spelling(kind, f"base64 {alphabet.decode()} {number}", text)


def text_spellings(kind: str, text: str) -> Iterator[Spelling]:
    """A text as it is, in capitals, in UTF-16 and in base64."""
    for form, shown in (("as it is", text), ("lower", text.lower()), ("upper", text.upper())):
        for way in ("utf-8", "utf-16-le", "utf-16-be"):
            for spelling in encodings(kind, shown.encode(way)):
                yield Spelling(kind, f"{form} {way} {spelling.way}", spelling.data)


def digests(text: str) -> Iterator[tuple[str, bytes]]:
    """Every hash without a secret that somebody might take for protection; the first 16 bytes of each."""
    plain = text.encode()
    forms = {
        "": plain,
        " upper": text.upper().encode(),
        " utf-16": text.encode("utf-16-le"),
        " tagged": b"\x00" + plain,
    }
    for form, data in forms.items():
        for name in ("md5", "sha1", "sha256", "sha512"):
            yield f"{name}{form}", hashlib.new(name, data, usedforsecurity=False).digest()[:16]
            yield f"hmac-{name} with an empty key{form}", hmac.digest(b"", data, name)[:16]


def number_spellings(kind: str, value: int) -> Iterator[Spelling]:
    """A number of 12 digits or more: digits, hex digits, eight bytes either way round, a protobuf varint."""
    assert value >= 10**11, "shorter numbers are looked for by value, in decoded fields"
    yield Spelling(kind, "digits", str(value).encode())
    yield Spelling(kind, "digits utf-16", str(value).encode("utf-16-le"))
    yield Spelling(kind, "digits with points", f"{value:,}".encode())
    yield Spelling(kind, "hex digits", f"{value:x}".encode())
    yield from encodings(kind, value.to_bytes(8, "little"))
    yield from encodings(kind, value.to_bytes(8, "big"))
    yield Spelling(kind, "six bytes", value.to_bytes(8, "little")[:6])
    varint, rest = bytearray(), value
    while rest:
        varint.append((rest & 0x7F) | (0x80 if rest > 0x7F else 0))
        rest >>= 7
    yield Spelling(kind, "varint", bytes(varint))
    for number, text in enumerate(base64_inside(str(value).encode(), b"+/")):
        yield Spelling(kind, f"digits in base64 {number}", text)


def found(parts: Mapping[str, bytes], spellings: Iterable[Spelling]) -> dict[Spelling, str]:
    """Every spelling that stands in one of the parts, with the name of the part."""
    wanted: dict[int, list[Spelling]] = {}
    short: list[Spelling] = []
    for spelling in spellings:
        if len(spelling.data) < WINDOW:
            short.append(spelling)
        else:
            wanted.setdefault(int.from_bytes(spelling.data[:WINDOW], "little"), []).append(spelling)
    keys = np.array(sorted(wanted), dtype="<u8")
    hits: dict[Spelling, str] = {}
    for name, data in parts.items():
        for spelling in short:
            if spelling.data in data:
                hits[spelling] = name
        for offset, key in _places(data, keys):
            for spelling in wanted[key]:
                if data.startswith(spelling.data, offset):
                    hits[spelling] = name
    return hits


def _places(data: bytes, keys: "np.typing.NDArray[np.uint64]") -> Iterator[tuple[int, int]]:
    """Offsets at which a window of eight bytes is one of the keys."""
    for shift in range(min(WINDOW, len(data))):
        count = (len(data) - shift) // WINDOW
        windows = np.frombuffer(data, dtype="<u8", count=count, offset=shift)
        places = np.searchsorted(keys, windows)
        places[places == len(keys)] = 0
        for index in np.flatnonzero(keys[places] == windows).tolist():
            yield shift + WINDOW * index, int(windows[index])


def numbers(value: Any) -> Iterator[int]:
    """Every number in a decoded message or JSON value, in JSON inside bytes, and in text that spells a number."""
    if isinstance(value, Message):
        for _, field in value.ListFields():
            yield from numbers(field)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from numbers(key)
            yield from numbers(member)
    elif isinstance(value, str):
        yield from _spelled(value)
    elif isinstance(value, bytes):
        yield from numbers(json_inside(value) or [])
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        yield int(value)
    else:
        for member in value:
            yield from numbers(member)


def _spelled(text: str) -> Iterator[int]:
    for base in (10, 16):
        try:
            yield int(text, base)
        except ValueError:
            continue


def json_inside(data: bytes) -> Any:
    """The body of a signed statement, or any other JSON in these bytes; None when there is none."""
    try:
        return peek_statement(data)
    except CleanroomError:
        pass
    try:
        return json.loads(data)
    except ValueError:
        return None
