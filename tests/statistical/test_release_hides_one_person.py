"""How well releases tell two neighbouring tables apart, measured and held against mu = Delta / sigma.

A Gaussian release is mu-Gaussian-private (Dong, Roth, Su, 2019): no threshold on what is released separates
the two tables better than normal laws that lie mu apart. One threshold, 20,000 releases a side, exact
binomial bounds of 1e-8 on each of four decisions: false alarms below 1e-7.
"""

from fractions import Fraction
from statistics import NormalDist

import pytest

from cleanroom.privacy import opendp_door
from cleanroom.privacy.noise import DiscreteGaussian, NoiseSource, release
from tests.reference.tail_laws import clopper_pearson

RELEASES = 20_000
FALSE_ALARM = 1e-8
SCALE = Fraction(10)
MOVED = 10  # one person moves the number this far: mu = 1


class _WithoutOneShare:
    """A source that lost half of its variance, as if one of two shares of the noise were missing."""

    def draw(self, count: int, scale: Fraction) -> list[int]:
        return opendp_door.gaussian_noise(count, Fraction(float(scale) * 0.5**0.5))


class _Nothing:
    def draw(self, count: int, scale: Fraction) -> list[int]:
        return [0] * count


def measured_mu(source: NoiseSource) -> tuple[float, float]:
    """Lower and upper bounds on the mu between a table and the same table with one more person."""
    threshold = MOVED // 2
    low, high = {}, {}
    for true_value in (0, MOVED):
        released = release(
            [true_value] * RELEASES, sensitivity_l2_squared=MOVED**2, scale=SCALE, tag="audit", source=source
        )
        above = sum(number >= threshold for number in released)
        low[true_value], high[true_value] = clopper_pearson(above, RELEASES, FALSE_ALARM)
    quantile = NormalDist().inv_cdf
    floor, ceiling = 1e-12, 1 - 1e-12
    return (
        quantile(max(low[MOVED], floor)) - quantile(min(high[0], ceiling)),
        quantile(min(high[MOVED], ceiling)) - quantile(max(low[0], floor)),
    )


def test_a_release_separates_neighbours_as_far_as_its_charge_says_and_no_further() -> None:
    at_least, at_most = measured_mu(DiscreteGaussian())
    assert at_least <= MOVED / SCALE <= at_most


@pytest.mark.parametrize("source", [_WithoutOneShare(), _Nothing()], ids=["half the variance", "no noise"])
def test_the_audit_rejects_a_release_with(source: NoiseSource) -> None:
    at_least, _ = measured_mu(source)
    assert at_least > MOVED / SCALE
