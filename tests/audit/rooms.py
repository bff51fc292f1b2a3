"""What is claimed of real nodes: how many canaries an asker finds, and what the time of a release says."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

from tests.audit.finding import Finding
from tests.audit.one_run import ALPHA, SEATS, canaries, false_alarm
from tests.audit.release_time import FALSE_ALARM, time_of_release_against_noise
from tests.reference.tail_laws import clopper_pearson

CANARIES = (50, 100)
SCALE = Fraction(2)
CALLS = 2000


def findings(folder: Path) -> Iterator[Finding]:
    """T5 and T9 of the privacy rules."""
    with canaries(folder / "canaries", *CANARIES) as room:
        for seat in SEATS:
            found = room.guess(seat, SCALE)
            low, _ = clopper_pearson(found.right, found.canaries, ALPHA)
            at_least = 2 * NormalDist().inv_cdf(max(low, 0.5))
            yield Finding(
                f"canaries found by the {seat}" if seat == "asker" else f"canaries found: {seat}",
                f"mu ≤ {2 * NormalDist().inv_cdf(found.chance):.3f}, at most {found.most} of {found.canaries} right",
                f"{found.right} right, mu ≥ {at_least:.3f}",
                f"{found.canaries:,}",
                false_alarm(seat, found.canaries, SCALE),
                found.passed,
            )
    time = time_of_release_against_noise(folder / "time", CALLS)
    yield Finding(
        "the time of a release says nothing of its noise",
        f"rank correlation within ± {time.most:.3f}",
        f"{time.found:+.3f} at {1000 * time.seconds_a_call:.1f} ms a release",
        f"{time.calls:,}",
        FALSE_ALARM,
        time.passed,
    )
