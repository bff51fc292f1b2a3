"""Calling again after a failure that may pass: the same bytes, after a growing and random pause, for a bounded time."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import grpc

_T = TypeVar("_T")
_PASSING = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long in all (seconds), and the first and longest pause between two tries."""

    total_s: float = 30.0
    first_pause_s: float = 0.01
    longest_pause_s: float = 2.0


def may_pass(error: grpc.RpcError) -> bool:
    """Whether the same call may succeed later."""
    return error.code() in _PASSING


def retried(
    call: Callable[[], _T], patience: Patience, *, clock: Callable[[], float], pause: Callable[[float], object]
) -> _T:
    """The first answer; raises the last grpc.RpcError when it will not pass or time is up.

    Pauses are drawn evenly from [half, whole] of a doubling bound, so that nodes that failed together do not come back
    together. `clock` is in seconds, `pause` waits that many.
    """
    end = clock() + patience.total_s
    bound = patience.first_pause_s
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            left = end - clock()
            if not may_pass(error) or left <= 0:
                raise
        pause(min(left, bound * random.uniform(0.5, 1.0)))  # noqa: S311 # a pause is no secret
        bound = min(2 * bound, patience.longest_pause_s)
