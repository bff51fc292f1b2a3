"""The interval shown beside a number holds the noise as often as it says.

Exact binomial tails at 1e-8 on both sides, for eight cases: false alarms below 2e-7.
"""

from fractions import Fraction

import pytest

from cleanroom.privacy.budget import scale_for_units, units_for_epsilon
from cleanroom.privacy.interval import noise_interval
from cleanroom.privacy.noise import DiscreteGaussian, release
from tests.reference.tail_laws import binomial_tails

RELEASES = 2000
FALSE_ALARM = 1e-8


@pytest.mark.parametrize(
    "scale",
    [Fraction(1), Fraction(3, 2), Fraction(10), Fraction(5000), Fraction(10**6)]
    + [scale_for_units(units_for_epsilon(Fraction(epsilon)), 1) for epsilon in (1, 4)],
    ids=str,
)
def test_one_number_is_covered_as_often_as_its_interval_says(scale: Fraction) -> None:
    found = noise_interval(scale)
    released = release([0] * RELEASES, sensitivity_l2_squared=1, scale=scale, tag="zero", source=DiscreteGaussian())
    covered = sum(abs(number) <= found.half_width for number in released)
    assert min(binomial_tails(covered, RELEASES, float(found.coverage))) >= FALSE_ALARM


def test_all_cells_of_a_histogram_are_covered_at_once_as_often_as_said() -> None:
    cells = 20
    found = noise_interval(Fraction(3), cells=cells)
    source = DiscreteGaussian()
    covered = 0
    for _ in range(RELEASES):
        released = release([0] * cells, sensitivity_l2_squared=1, scale=Fraction(3), tag="zeros", source=source)
        covered += all(abs(number) <= found.half_width for number in released)
    assert min(binomial_tails(covered, RELEASES, float(found.coverage))) >= FALSE_ALARM
