"""A type for each kind of name and number that identifies something, checked when it is made.

Names appear in certificates, file names, plans and the log, so they are short, lower case and plain. Random
identifiers are 32 bytes from the operating system, written as hex; nothing about the data can be read from one.
"""

import re
import secrets
from typing import NewType

from cleanroom.errors import UsageError

PartyName = NewType("PartyName", str)
RoomName = NewType("RoomName", str)
ColumnName = NewType("ColumnName", str)
AnalystName = NewType("AnalystName", str)

_PLAIN_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ANALYST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_HEX32 = re.compile(r"[0-9a-f]{64}")


def _matched(pattern: re.Pattern[str], text: object, what: str, rule: str) -> str:
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise UsageError(f"{what} must be {rule}")
    return text


def party_name(text: object) -> PartyName:
    """A company's name in a room; raises UsageError."""
    return PartyName(_matched(_PLAIN_NAME, text, "a party name", "1 to 63 of a-z, 0-9 and inner hyphens"))


def room_name(text: object) -> RoomName:
    """A room's name; raises UsageError."""
    return RoomName(_matched(_PLAIN_NAME, text, "a room name", "1 to 63 of a-z, 0-9 and inner hyphens"))


def column_name(text: object) -> ColumnName:
    """A person-level column's name; raises UsageError."""
    return ColumnName(_matched(_COLUMN_NAME, text, "a column name", "a letter, then up to 62 letters, digits, _ or -"))


def analyst_name(text: object) -> AnalystName:
    """A person of a data team, as the signed plan names them; raises UsageError."""
    return AnalystName(_matched(_ANALYST_NAME, text, "an analyst's name", "1 to 63 letters, digits or any of . _ @ -"))


def random_id() -> str:
    """32 random bytes as 64 hex digits."""
    return secrets.token_hex(32)


def hex32(text: object, what: str) -> str:
    """A 32-byte value written as 64 lower-case hex digits; raises UsageError."""
    return _matched(_HEX32, text, what, "64 lower-case hex digits")
