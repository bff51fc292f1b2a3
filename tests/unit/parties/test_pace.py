"""When a release leaves says how many cells it has and nothing about its noise."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cleanroom.answer.opening import Table
from cleanroom.privacy.law import Law
from cleanroom.question.plan import Plan
from cleanroom.wire.messages import Envelope
from parties.pace import TICK_S, TICK_S_PER_CELL, Pace, sums_tick_s, tick_s
from tests.simulation.stepped_room import stepped_room


@dataclass
class StoppedClock:
    """A clock that goes on only when somebody sleeps or works."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """The present moment."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds > 0
        self.slept.append(seconds)
        self.at += seconds

    @property
    def pace(self) -> Pace:
        """The product's pace by this clock."""
        return Pace(self.now, self.sleep)


@dataclass
class SlowForLargeNoise:
    """Draws that take as long as their noise is large, in tenths of a millisecond."""

    clock: StoppedClock
    noise: list[int]

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """The next number, in every cell."""
        number = self.noise.pop(0)
        self.clock.at += abs(number) / 10_000
        return [number] * count


@pytest.mark.parametrize("worked_s", [0.0, 0.001, TICK_S, TICK_S + TICK_S_PER_CELL])
def test_whatever_the_draw_took_up_to_a_tick_a_tick_has_passed(worked_s: float) -> None:
    clock = StoppedClock()
    since, clock.at = clock.at, clock.at + worked_s
    clock.pace.wait_until_tick(since=since, tick=tick_s(1))
    assert clock.at == pytest.approx(since + tick_s(1))


@pytest.mark.parametrize(("worked", "passed"), [(1.001, 2), (1.999, 2), (2.001, 3), (17.5, 18)])
def test_a_draw_that_took_longer_waits_for_a_whole_number_of_ticks(worked: float, passed: int) -> None:
    clock = StoppedClock()
    since, clock.at = clock.at, clock.at + worked * tick_s(100)
    clock.pace.wait_until_tick(since=since, tick=tick_s(100))
    assert clock.at == pytest.approx(since + passed * tick_s(100))


def test_a_sleep_that_ends_too_early_is_gone_on_with() -> None:
    clock = StoppedClock()
    short = Pace(clock.now, lambda seconds: clock.sleep(max(seconds / 2, 1e-6)))
    since = clock.at
    short.wait_until_tick(since=since, tick=tick_s(1))
    assert clock.at >= since + tick_s(1)
    assert len(clock.slept) > 2


def test_a_tick_leaves_room_for_the_largest_release() -> None:
    """Five times the 13 µs a number that drawing took where it was slowest."""
    assert tick_s(2**16) >= 2**16 * 3 * 13e-6


def test_a_node_releases_at_its_tick_whatever_the_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StoppedClock()
    noise, moments = SlowForLargeNoise(clock, [0, 3, -40, 7, -90]), []
    with stepped_room(tmp_path, noise=noise) as room:
        answering = room["brand"].node._answering
        draw = answering._draw

        def timed(plan: Plan, plan_hash: str, sums: Table) -> Envelope:
            began = clock.at
            envelope = draw(plan, plan_hash, sums)
            moments.append(clock.at - began)
            return envelope

        monkeypatch.setattr(answering, "_pace", clock.pace)
        monkeypatch.setattr(answering, "_draw", timed)
        for by, of, epsilon in (("", "", "1"), ("", "", "2"), ("colour", "", "1"), ("", "colour", "1")):
            room.ask("shop", "brand", by=by, of=of, epsilon=epsilon)
        room.ask("shop", "brand", by="colour", of="colour")
    assert moments == pytest.approx([tick_s(cells) for cells in (1, 1, 3, 3, 9)])
    assert noise.noise == []


@pytest.mark.parametrize("base", ["table", "match"])
def test_a_node_goes_on_from_its_sums_at_a_tick_whatever_they_took(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums over more people, or over fewer without a value, take longer: no reader of the clock learns how many."""
    clock, moments = StoppedClock(), []
    works = iter([0.0001, 0.009, 0.004])
    with stepped_room(tmp_path) as room:
        node = room["brand"].node
        answering, added_up = node._answering, "_table_sums" if base == "table" else "_send_rows"
        add, draw = getattr(answering, added_up), answering._draw

        def slowly(*arguments: Any) -> Any:
            began.append(clock.at)
            clock.at += next(works)
            return add(*arguments)

        def timed(*arguments: Any) -> Any:
            moments.append(clock.at - began[-1])
            return draw(*arguments)

        began: list[float] = []
        monkeypatch.setattr(answering, "_pace", clock.pace)
        monkeypatch.setattr(answering, added_up, slowly)
        monkeypatch.setattr(answering, "_draw", timed)
        for epsilon in ("1", "2", "3"):
            room.ask("shop", "brand", epsilon=epsilon, base=base)
        datasets = node.desk.contract.datasets
        capacities = {str(name): dataset.capacity for name, dataset in datasets.items()}
    numbers = capacities["brand"] + (capacities["shop"] if base == "match" else 0)
    assert moments == pytest.approx([sums_tick_s(numbers)] * 3)
