"""The audit's own parts: it sees what it looks for, prints every line, and fails when one fails."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cleanroom.privacy.law import Law
from tests.audit import __main__ as audit
from tests.audit.finding import HEAD, Finding, all_hold
from tests.audit.release_time import WITHOUT_A_TICK, rank_correlation, ranks, time_of_release_against_noise

HOLDS, FAILS = (Finding("a claim", "at most 1", "2", "1,000", 1e-6, passed) for passed in (True, False))


@dataclass
class SlowForLargeNoise:
    """Every other draw is large, and is given out only after a lot of work."""

    drawn: int = 0

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """Large or small."""
        self.drawn += 1
        size = 10 ** (self.drawn % 2 * 3)
        assert sum(range(size * 1000)) >= 0
        return [size + self.drawn] * count


def test_the_clock_shows_a_draw_that_takes_longer_for_larger_noise(tmp_path: Path) -> None:
    found = time_of_release_against_noise(tmp_path, 100, pace=WITHOUT_A_TICK, source=SlowForLargeNoise())
    assert not found.passed


@pytest.mark.slow
def test_the_products_tick_hides_how_long_a_draw_took(tmp_path: Path) -> None:
    """2,000 releases; an honest node fails once in a million."""
    assert time_of_release_against_noise(tmp_path, 2000).passed


def test_equal_values_share_a_rank() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [1.5, 0.0, 1.5, 3.0]


def test_ranks_that_agree_correlate_fully() -> None:
    rising = np.array([1.0, 2.0, 4.0, 8.0])
    assert rank_correlation(rising, rising**3) == pytest.approx(1)
    assert rank_correlation(rising, -rising) == pytest.approx(-1)


def test_one_claim_that_fails_fails_the_audit_and_hides_no_other_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.audit.noise.findings", lambda: iter([HOLDS, FAILS, HOLDS]))
    monkeypatch.setattr("tests.audit.rooms.findings", lambda _: iter([HOLDS]))
    assert audit.main() == 1
    printed = capsys.readouterr().out
    assert printed.startswith(HEAD)
    assert (printed.count("| holds |"), printed.count("**FAILS**")) == (3, 1)
    assert all_hold([HOLDS, HOLDS])


def test_an_audit_that_measured_nothing_does_not_hold() -> None:
    assert not all_hold([])
    assert all_hold([HOLDS])
