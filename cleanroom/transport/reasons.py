"""Why a call is refused, as names. What the caller is told about each stands in the table of `status`."""

from enum import Enum, auto

from cleanroom.errors import PeerError


class Reason(Enum):
    """One name for each thing a caller may be told."""

    NO_DEADLINE = auto()
    TOO_LATE = auto()
    NOT_AUTHENTICATED = auto()
    NOT_ALLOWED = auto()
    UNKNOWN_METHOD = auto()
    MALFORMED = auto()
    OTHER_VERSION = auto()
    OTHER_CONTRACT = auto()
    CONFLICT = auto()
    FORGOTTEN = auto()
    NOT_NOW = auto()
    AGAINST_RULES = auto()
    BUSY = auto()
    POLL_REPLACED = auto()
    MAILBOX_FULL = auto()
    STOPPING = auto()
    INTERNAL = auto()


class CallRefused(PeerError):
    """A call that ends with this reason; the text is for our own operator."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
