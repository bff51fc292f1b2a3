"""Who has not cosigned, and since when: a log that stands still for one reader looks quiet, not wrong.

A cosigner is absent when there has been a head for some time that it has not signed; while the log does not grow
nobody is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """The largest size that a cosigner signed and its newest time (0: never); `lacks_since`: the first head it lacks.

    Times in POSIX seconds; those of `lacks_since` are by our own clock.
    """

    size: int = 0
    time: int = 0
    lacks_since: int | None = None


def absence(heard: Mapping[str, Heard], *, now: int, limit_seconds: int) -> str:
    """One line that names everybody who has lacked a head for longer than the limit; empty when nobody has."""
    parts = [
        f"{name} (lacks what came since {_when(one.lacks_since)}, last signed {_when(one.time)})"
        for name, one in sorted(heard.items())
        if one.lacks_since is not None and now - one.lacks_since > limit_seconds
    ]
    return f"the log's newest head is not cosigned by {', '.join(parts)}" if parts else ""


def _when(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else "never"
