"""A refusal as it travels: rule, whose rule, why, and what would be allowed. Public facts only, nothing of the data."""

from typing import Any

from cleanroom.errors import PeerError, RefusedError

_FIELDS = ("rule", "owner", "explanation", "advice")
MAX_TEXT = 500
MAX_REASONS = 8


def refusal_fields(refusal: RefusedError) -> dict[str, str]:
    """The four texts of a refusal."""
    return {name: str(getattr(refusal, name)) for name in _FIELDS}


def refusal_header(refusal: RefusedError | None) -> dict[str, Any]:
    """A message header that carries a refusal, if there is one."""
    return {} if refusal is None else {"refusal": refusal_fields(refusal)}


def parse_refusal(value: object) -> RefusedError | None:
    """A peer's refusal, printable and bounded; None when there is none; raises PeerError."""
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != set(_FIELDS):
        raise PeerError("a refusal lacks a field, or has one too many")
    texts = [value[name] for name in _FIELDS]
    if not all(isinstance(text, str) and len(text) <= MAX_TEXT and text.isprintable() for text in texts):
        raise PeerError("a refusal is malformed")
    return RefusedError(*texts)


def parse_reasons(value: object) -> tuple[str, ...]:
    """Why a peer's approver must agree first: one to eight printable texts; raises PeerError."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_REASONS:
        raise PeerError("a question waits for one to eight reasons")
    if not all(isinstance(text, str) and 1 <= len(text) <= MAX_TEXT and text.isprintable() for text in value):
        raise PeerError("a reason to wait is malformed")
    return tuple(value)
