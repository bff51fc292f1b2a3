"""What a caller is told: one table from reason to gRPC status code and public sentence.

An item that does not exist and an item that belongs to somebody else have the same reason, NOT_ALLOWED, so nobody can
find out by asking. Only an internal error carries more than the sentence: a random error id, to be found in our log.
"""

from collections.abc import Mapping
from types import MappingProxyType

import grpc

from cleanroom.errors import AuthenticationError, ConflictError, PeerError, UsageError
from cleanroom.transport.reasons import CallRefused, Reason

_CODE = grpc.StatusCode

STATUS: Mapping[Reason, tuple[grpc.StatusCode, str]] = MappingProxyType(
    {
        Reason.NO_DEADLINE: (_CODE.INVALID_ARGUMENT, "every call needs a deadline of at most five minutes"),
        Reason.TOO_LATE: (_CODE.DEADLINE_EXCEEDED, "too little time is left to begin"),
        Reason.NOT_AUTHENTICATED: (_CODE.PERMISSION_DENIED, "this certificate does not name a member of the room"),
        Reason.NOT_ALLOWED: (_CODE.PERMISSION_DENIED, "unknown, or not yours"),
        Reason.UNKNOWN_METHOD: (_CODE.UNIMPLEMENTED, "there is no such call"),
        Reason.MALFORMED: (_CODE.INVALID_ARGUMENT, "the request is malformed"),
        Reason.OTHER_VERSION: (_CODE.FAILED_PRECONDITION, "the protocol versions differ"),
        Reason.OTHER_CONTRACT: (_CODE.FAILED_PRECONDITION, "the room or the contract differs"),
        Reason.CONFLICT: (_CODE.ALREADY_EXISTS, "other bytes are stored under this name"),
        Reason.FORGOTTEN: (_CODE.DATA_LOSS, "this coordinator never delivered what you acknowledge"),
        Reason.NOT_NOW: (_CODE.FAILED_PRECONDITION, "this is over, or its turn has not come"),
        Reason.AGAINST_RULES: (_CODE.FAILED_PRECONDITION, "a rule of the room's log forbids this statement"),
        Reason.BUSY: (_CODE.RESOURCE_EXHAUSTED, "too many calls at once; try again later"),
        Reason.POLL_REPLACED: (_CODE.ABORTED, "a newer poll of the same party took over"),
        Reason.MAILBOX_FULL: (_CODE.RESOURCE_EXHAUSTED, "the recipient's mailbox is full; try again later"),
        Reason.STOPPING: (_CODE.UNAVAILABLE, "the coordinator is stopping"),
        Reason.INTERNAL: (_CODE.INTERNAL, "internal error"),
    }
)
RETRY_AFTER_MS: Mapping[Reason, int] = MappingProxyType({Reason.BUSY: 100, Reason.MAILBOX_FULL: 1000})
PUBLIC_SENTENCES = frozenset(sentence for _, sentence in STATUS.values())


def reason_of(error: Exception) -> Reason:
    """Which row of the table an exception belongs to; everything we did not foresee is INTERNAL."""
    if isinstance(error, CallRefused):
        return error.reason
    if isinstance(error, ConflictError):
        return Reason.CONFLICT
    if isinstance(error, AuthenticationError):
        return Reason.NOT_ALLOWED
    if isinstance(error, PeerError | UsageError):
        return Reason.MALFORMED
    return Reason.INTERNAL
