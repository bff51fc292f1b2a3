"""Does the time at which a release is ready say anything about its noise? T9 of the privacy rules.

The owner's own draw, called many times for one plan, timed up to the moment at which the release is handed to be sealed
(sealing takes ten times as long as drawing, and would only hide what is looked for); the rank correlation (Spearman) of
how long it took with how large the noise was. Noises are independent of each other and of whatever else
slows a machine down, so without a connection every order of the ranks is equally likely, and the correlation times the
root of (calls - 1) is all but normal.
"""

import itertools
import math
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cleanroom.privacy.noise import DiscreteNoise, NoiseSource
from cleanroom.wire.messages import Envelope
from parties.pace import Pace
from tests.live_room import RecordingNoise
from tests.simulation.stepped_room import stepped_room

FALSE_ALARM = 1e-6
WITHOUT_A_TICK = Pace(now=itertools.count(0.0, 1e6).__next__, sleep=lambda _: None)


@dataclass(frozen=True, slots=True)
class Correlation:
    """Of so many calls; `most` is exceeded on either side once in a million where there is no connection."""

    calls: int
    found: float
    seconds_a_call: float

    @property
    def most(self) -> float:
        """The quantile."""
        return NormalDist().inv_cdf(1 - FALSE_ALARM / 2) / math.sqrt(self.calls - 1)

    @property
    def passed(self) -> bool:
        """Whether there may be no connection."""
        return abs(self.found) <= self.most


def ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places in ascending order from 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: npt.NDArray[np.float64] = (ends - (counts + 1) / 2)[inverse]
    return means


def rank_correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Spearman's."""
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def time_of_release_against_noise(
    folder: Path, calls: int, *, pace: Pace | None = None, source: NoiseSource | None = None
) -> Correlation:
    """Measure; `pace` and `source` take the place of the product's own."""
    noise = RecordingNoise(source or DiscreteNoise())
    with stepped_room(folder, noise=noise) as room:
        plan = room.ask("shop", "brand", epsilon="0.01").plan
        answering = room["brand"].node._answering
        if pace is not None:
            answering._pace = pace
        sums = [[0] * plan.words for _ in range(plan.leaves)]
        noise.draws.clear()
        post, seconds = answering._desk.post, []
        write, began = post.write, 0.0

        def handed_over(*arguments: Any) -> list[Envelope]:
            seconds.append(time.perf_counter() - began)
            return sealed

        sealed = write(plan.asker, "question.release", plan.hash(), {}, bytes(8))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(post, "write", handed_over)
            for _ in range(calls):
                began = time.perf_counter()
                answering._draw(plan, plan.hash(), sums)
    sizes = [abs(drawn[0]) for _, _, drawn in noise.draws]
    found = rank_correlation(np.array(seconds), np.array(sizes, dtype=np.float64))
    return Correlation(calls, found, sum(seconds) / calls)
