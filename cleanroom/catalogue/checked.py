"""Parameters checked before anything is asked: each error is one line that says what would be right."""

from collections.abc import Sequence

from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted


def declared(value: str, names: Sequence[str], what: str) -> str:
    """The value, if it is one of the names; `what` says whose they are. Raises UsageError."""
    if value not in names:
        raise UsageError(f"{what} has no declared value {quoted(value)}; {meant(value, names)}it has: {listed(names)}")
    return value
