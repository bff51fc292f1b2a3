"""An error on its way through a node's door: what the node raised is what the analyst's program raises."""

from typing import Any

from cleanroom.errors import (
    CleanroomError,
    PeerError,
    PendingError,
    RefusedError,
    StateError,
    UnavailableError,
    UnreachableError,
    UsageError,
)

_KINDS: dict[str, type[CleanroomError]] = {
    "usage": UsageError,
    "unreachable": UnreachableError,  # the door was too full to read the request; before its base, which has its kind
    "unavailable": UnavailableError,
    "state": StateError,
    "peer": PeerError,
}


def error_body(error: CleanroomError) -> dict[str, Any]:
    """The error as JSON."""
    if isinstance(error, RefusedError):
        fields = ("rule", "owner", "explanation", "advice")
        return {"kind": "refused", **{name: str(getattr(error, name)) for name in fields}}
    if isinstance(error, PendingError):
        return {"kind": "pending", "owner": error.owner, "plan": error.plan, "reasons": list(error.reasons)}
    kind = next((name for name, cls in _KINDS.items() if isinstance(error, cls)), "usage")
    return {"kind": kind, "text": str(error)}


def error_of(body: dict[str, Any]) -> CleanroomError:
    """The error whose JSON this is."""
    if body["kind"] == "refused":
        return RefusedError(body["rule"], body["owner"], body["explanation"], body["advice"])
    if body["kind"] == "pending":
        return PendingError(body["owner"], body["plan"], tuple(body["reasons"]))
    return _KINDS[body["kind"]](body["text"])
