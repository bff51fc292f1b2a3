"""The process's own log: one JSON object a line, of fields from a closed list, and nothing that a peer sent.

No request body, no identifier and no exception text is ever a field. JSON escapes line ends, so one event is one line.
"""

import json
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

FIELDS = frozenset(
    {
        "call",
        "code",
        "error_id",
        "exception",
        "index",
        "kind",
        "ms",
        "note",
        "party",
        "peer_role",
        "port",
        "reason",
        "room",
        "where",
    }
)
_MAX_TEXT = 300
_REFUSALS_A_SECOND = 20


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EventLog:
    """Writes events to a stream; safe between threads."""

    def __init__(self, stream: TextIO | None = None, now: Callable[[], datetime] = _utc_now) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._now = now
        self._lock = threading.Lock()
        self._second = 0
        self._rationed = 0

    def refusal(self, **fields: str | int | None) -> None:
        """A `call` event of which a caller can make as many as it likes: the first 20 of every second are written."""
        with self._lock:
            second = int(self._now().timestamp())
            self._rationed = self._rationed + 1 if second == self._second else 1
            self._second = second
            over = self._rationed > _REFUSALS_A_SECOND
        if not over:
            self.event("call", **fields)

    def event(self, name: str, **fields: str | int | None) -> None:
        """One line; raises ValueError on a field that is not on the list, which is a mistake of ours."""
        unknown = set(fields) - FIELDS
        if unknown:
            raise ValueError(f"log fields outside the list: {sorted(unknown)}")
        at = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line: dict[str, str | int | None] = {"at": at, "event": name}
        line |= {key: value[:_MAX_TEXT] if isinstance(value, str) else value for key, value in fields.items()}
        text = json.dumps(line, sort_keys=True, ensure_ascii=True)
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()


def where(error: BaseException) -> str:
    """File names and line numbers of a traceback, innermost last; never its text or its values."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
