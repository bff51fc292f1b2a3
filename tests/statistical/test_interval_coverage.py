"""The interval shown beside a number holds the noise as often as it says, under both laws.

Exact binomial tails at 1e-8 on both sides, further out than five standard errors, for sixteen cases: false alarms
below 4e-7.
"""

from fractions import Fraction

import pytest

from cleanroom.privacy.accountant import ACCOUNTANTS, accountant
from cleanroom.privacy.noise import DiscreteNoise, release
from tests.reference.tail_laws import binomial_tails

RELEASES = 2000
FALSE_ALARM = 1e-8
SCALES = {
    f"{name} {label}": (name, scale)
    for name in ACCOUNTANTS
    for label, scale in [
        *((str(scale), Fraction(scale)) for scale in ("1", "3/2", "10", "5000", "1000000")),
        *(
            (
                f"at epsilon {epsilon}",
                accountant(name).scale_for_units(accountant(name).units_for_epsilon(Fraction(epsilon)), 1),
            )
            for epsilon in ("1/8", "1")
        ),
    ]
}


@pytest.mark.parametrize("case", SCALES)
def test_one_number_is_covered_as_often_as_its_interval_says(case: str) -> None:
    name, scale = SCALES[case]
    of = accountant(name)
    found = of.noise_interval(scale)
    zeros = [0] * RELEASES
    released = release(zeros, sensitivity=1, scale=scale, accountant=of, tag="zero", source=DiscreteNoise())
    covered = sum(abs(number) <= found.half_width for number in released)
    assert min(binomial_tails(covered, RELEASES, float(found.coverage))) >= FALSE_ALARM


@pytest.mark.parametrize("name", ACCOUNTANTS)
def test_all_cells_of_a_histogram_are_covered_at_once_as_often_as_said(name: str) -> None:
    of, zeros, scale = accountant(name), [0] * 20, Fraction(3)
    found = of.noise_interval(scale, cells=len(zeros))
    source = DiscreteNoise()
    covered = 0
    for _ in range(RELEASES):
        released = release(zeros, sensitivity=1, scale=scale, accountant=of, tag="zeros", source=source)
        covered += all(abs(number) <= found.half_width for number in released)
    assert min(binomial_tails(covered, RELEASES, float(found.coverage))) >= FALSE_ALARM


@pytest.mark.parametrize(("name", "other"), [("zcdp", "laplace"), ("pure", "gaussian")])
def test_an_interval_of_the_wrong_law_is_noticed(name: str, other: str) -> None:
    """At scale 10 the laws' widths differ by half: 20 and 30 steps."""
    of, scale = accountant(name), Fraction(10)
    drawn = DiscreteNoise().draw(RELEASES, scale, "laplace" if other == "laplace" else "gaussian")
    found = of.noise_interval(scale)
    covered = sum(abs(number) <= found.half_width for number in drawn)
    assert min(binomial_tails(covered, RELEASES, float(found.coverage))) < FALSE_ALARM
