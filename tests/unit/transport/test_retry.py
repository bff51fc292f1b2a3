"""A failed call is made again, with growing pauses, for a bounded time, and only if it may pass."""

from collections.abc import Callable

import grpc
import pytest

from cleanroom.transport.retry import Patience, retried


class Failure(grpc.RpcError):  # type: ignore[misc] # grpc has no types
    """A call that ended with this code."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__()
        self._code = code

    def code(self) -> grpc.StatusCode:
        """As the library says it."""
        return self._code


class Clock:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds
        self.pauses.append(seconds)


def failing(times: int, code: grpc.StatusCode) -> Callable[[], str]:
    """A call that fails so often and then answers."""
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise Failure(code)
        return "answer"

    return call


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    ],
)
def test_a_failure_that_may_pass_is_tried_again(code: grpc.StatusCode) -> None:
    clock = Clock()
    assert retried(failing(3, code), Patience(), clock=clock, pause=clock.pause) == "answer"
    bounds = [0.01, 0.02, 0.04]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(clock.pauses, bounds, strict=True))


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.ALREADY_EXISTS,
    ],
)
def test_a_refusal_is_not_tried_again(code: grpc.StatusCode) -> None:
    clock = Clock()
    with pytest.raises(Failure):
        retried(failing(1, code), Patience(), clock=clock, pause=clock.pause)
    assert clock.pauses == []


def test_patience_ends() -> None:
    clock = Clock()
    with pytest.raises(Failure):
        retried(failing(10**6, grpc.StatusCode.UNAVAILABLE), Patience(total_s=30), clock=clock, pause=clock.pause)
    assert clock.now == pytest.approx(30)
    assert max(clock.pauses) <= 2.0
