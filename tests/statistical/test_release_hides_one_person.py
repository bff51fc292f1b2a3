"""How well releases tell two neighbouring tables apart, measured and held against what was charged for them.

A Gaussian release is mu-Gaussian-private with mu = sensitivity / sigma (Dong, Roth, Su, 2019): no threshold on what
is released separates the two tables better than normal laws that lie mu apart. mu is what is audited: a release that
lost half of its variance passes an audit of (epsilon, delta). One threshold, 20,000 releases a side, exact binomial
bounds of 1e-8 on each of four decisions: false alarms below 1e-7.

A Laplace release is epsilon-private with epsilon = sensitivity / scale: no event is e^epsilon times as likely on one
table as on the other. 50,000 releases a side, exact binomial bounds of 5e-7 on both: false alarms below 1e-6.
"""

import math
from fractions import Fraction
from statistics import NormalDist

import pytest

from cleanroom.privacy import opendp_door
from cleanroom.privacy.accountant import UNITS, Accountant, accountant
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import DiscreteNoise, NoiseSource, release
from tests.reference.tail_laws import clopper_pearson

GAUSSIAN_RELEASES, LAPLACE_RELEASES = 20_000, 50_000
GAUSSIAN_FALSE_ALARM, LAPLACE_FALSE_ALARM = 1e-8, 5e-7
MOVED = 10  # one person moves the number this far
GAUSSIAN_SCALE = Fraction(10)  # mu = 1
LAPLACE_SCALE = Fraction(5)  # epsilon = 2
ZCDP, PURE = accountant("zcdp"), accountant("pure")


class _Narrowed:
    """A source whose scale is too small by a factor."""

    def __init__(self, factor: float) -> None:
        self._factor = factor

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        return opendp_door.draw(law, count, Fraction(float(scale) * self._factor))


class _Nothing:
    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        return [0] * count


# As if one of two shares of the noise were missing.
WITHOUT_ONE_SHARE = _Narrowed(0.5**0.5)


def released(true_value: int, count: int, scale: Fraction, of: Accountant, source: NoiseSource) -> list[int]:
    """That many releases of one number."""
    found: list[int] = []
    while len(found) < count:
        cells = [true_value] * min(count - len(found), 2**16)
        found += release(cells, sensitivity=MOVED, scale=scale, accountant=of, tag="audit", source=source)
    return found


def measured_mu(source: NoiseSource, releases: int = GAUSSIAN_RELEASES) -> tuple[float, float]:
    """Lower and upper bounds on the mu between a table and the same table with one more person."""
    threshold = MOVED // 2
    low, high = {}, {}
    for true_value in (0, MOVED):
        numbers = released(true_value, releases, GAUSSIAN_SCALE, ZCDP, source)
        above = sum(number >= threshold for number in numbers)
        low[true_value], high[true_value] = clopper_pearson(above, releases, GAUSSIAN_FALSE_ALARM)
    quantile = NormalDist().inv_cdf
    floor, ceiling = 1e-12, 1 - 1e-12
    return (
        quantile(max(low[MOVED], floor)) - quantile(min(high[0], ceiling)),
        quantile(min(high[MOVED], ceiling)) - quantile(max(low[0], floor)),
    )


def least_epsilon(source: NoiseSource, releases: int = LAPLACE_RELEASES) -> float:
    """The epsilon that a Laplace release has at the least: "zero or less" is likely without the person only."""
    below = {
        true_value: sum(n <= 0 for n in released(true_value, releases, LAPLACE_SCALE, PURE, source))
        for true_value in (0, MOVED)
    }
    without, _ = clopper_pearson(below[0], releases, LAPLACE_FALSE_ALARM)
    _, with_the_person = clopper_pearson(below[MOVED], releases, LAPLACE_FALSE_ALARM)
    return math.log(without / with_the_person)


def test_a_gaussian_release_separates_neighbours_as_far_as_its_charge_says_and_no_further() -> None:
    at_least, at_most = measured_mu(DiscreteNoise())
    charged = Fraction(ZCDP.cost_units(MOVED, GAUSSIAN_SCALE), UNITS)
    assert at_least <= math.sqrt(2 * charged) == MOVED / GAUSSIAN_SCALE <= at_most


@pytest.mark.parametrize("source", [WITHOUT_ONE_SHARE, _Nothing()], ids=["half the variance", "no noise"])
def test_the_audit_of_gaussian_releases_rejects_a_release_with(source: NoiseSource) -> None:
    at_least, _ = measured_mu(source)
    assert at_least > MOVED / GAUSSIAN_SCALE


def test_a_laplace_release_shows_no_more_than_the_epsilon_charged() -> None:
    charged = Fraction(PURE.cost_units(MOVED, LAPLACE_SCALE), UNITS)
    assert charged == MOVED / LAPLACE_SCALE
    assert 0.9 * charged < least_epsilon(DiscreteNoise()) <= charged


@pytest.mark.parametrize("source", [_Narrowed(1 / 1.1), WITHOUT_ONE_SHARE], ids=["a tenth too little", "a share less"])
def test_the_audit_of_laplace_releases_rejects_a_release_with(source: NoiseSource) -> None:
    """A scale that is 1.1 times too small passes here less than once in ten million runs."""
    assert least_epsilon(source) > MOVED / LAPLACE_SCALE
