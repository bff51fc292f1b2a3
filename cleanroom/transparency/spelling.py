"""Numbers, hashes and text in their one spelling: whatever else Python's parsers would take is refused.

`int` takes signs, spaces, underscores, leading zeros and digits of other scripts; base64 decoders drop junk and
spare bits. A signature covers bytes, so two spellings of one value would be two logs (audit-log.md section 4).
"""

import base64
import binascii
import re

from cleanroom.errors import PeerError

MAX_NUMBER = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def decimal(text: str, what: str, *, limit: int = MAX_NUMBER) -> int:
    """An ASCII decimal without sign or leading zero, at most `limit`; raises PeerError."""
    if _DECIMAL.fullmatch(text) is None or int(text) > limit:
        raise PeerError(f"{what} is not a plain decimal up to {limit}")
    return int(text)


def base64_bytes(text: str, what: str) -> bytes:
    """Standard base64 with padding (RFC 4648 section 4), in its one canonical spelling; raises PeerError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise PeerError(f"{what} is not base64") from error
    if base64_text(data) != text:
        raise PeerError(f"{what} is not base64 in its one spelling")
    return data


def base64_text(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def hash_bytes(text: str, what: str) -> bytes:
    """32 bytes written as base64; raises PeerError."""
    data = base64_bytes(text, what)
    if len(data) != 32:
        raise PeerError(f"{what} is not a hash of 32 bytes")
    return data


def utf8_text(data: bytes, what: str) -> str:
    """Valid UTF-8 without control characters other than the line feed (signed-note, Format); raises PeerError."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PeerError(f"{what} is not UTF-8") from error
    if any(character < " " and character != "\n" for character in text):
        raise PeerError(f"{what} has a control character")
    return text
