"""What is claimed of the noise itself: its law, what it hides, what is charged for it, what intervals say of it.

The functions are those of the ordinary tests, with more samples.
"""

import math
from collections.abc import Iterator
from fractions import Fraction

from cleanroom.privacy import opendp_door
from cleanroom.privacy.accountant import ACCOUNTANTS, accountant
from cleanroom.privacy.noise import DiscreteNoise
from tests.audit.finding import Finding
from tests.reference.tail_laws import binomial_tails
from tests.statistical import test_accounting_against_another_library as accounting
from tests.statistical import test_interval_coverage as coverage
from tests.statistical import test_noise_follows_its_law as shape
from tests.statistical import test_release_hides_one_person as hiding

GAUSSIAN_RELEASES = 200_000
LAPLACE_RELEASES = 500_000
COVERED_RELEASES = 50_000


def findings() -> Iterator[Finding]:
    """T1, T4, T3, T7 and T8 of the privacy rules."""
    yield from _law()
    yield _mu()
    yield _epsilon()
    yield _reading()
    for name in ACCOUNTANTS:
        yield _coverage(name)


def _law() -> Iterator[Finding]:
    for law in shape.LAWS:
        faults = {
            f"{fault} at {scale}"
            for scale in shape.SCALES
            for fault in shape.faults(opendp_door.draw(law, shape.MANY, scale), law, scale)
        }
        yield Finding(
            f"noise follows the discrete {law} law",
            "shape, tail, centre, symmetry",
            ", ".join(sorted(faults)) or "no fault",
            f"{len(shape.SCALES)} × {shape.MANY:,}",
            len(shape.SCALES) * 4e-8,
            not faults,
        )


def _mu() -> Finding:
    low, high = hiding.measured_mu(DiscreteNoise(), GAUSSIAN_RELEASES)
    claimed = float(hiding.MOVED / hiding.GAUSSIAN_SCALE)
    return Finding(
        "a Gaussian release hides one person",
        f"mu ≤ {claimed:.3f}",
        f"mu ≥ {low:.3f} (and ≤ {high:.3f})",
        f"2 × {GAUSSIAN_RELEASES:,}",
        1e-7,
        low <= claimed <= high,
    )


def _epsilon() -> Finding:
    found = hiding.least_epsilon(DiscreteNoise(), LAPLACE_RELEASES)
    claimed = float(hiding.MOVED / hiding.LAPLACE_SCALE)
    return Finding(
        "a Laplace release hides one person",
        f"epsilon ≤ {claimed:.3f}",
        f"epsilon ≥ {found:.3f}",
        f"2 × {LAPLACE_RELEASES:,}",
        1e-6,
        0.9 * claimed < found <= claimed,
    )


def _reading() -> Finding:
    zcdp = accountant("zcdp")
    ratios = [
        float(accounting.our_epsilon(history, zcdp))
        / accounting.their_epsilon(history, accounting.gaussian, delta=float(zcdp.delta), truncated=1e-15)
        for history in accounting.random_histories()
    ]
    return Finding(
        "the epsilon shown covers what another library computes",
        "1 to 1.15 times it",
        f"{min(ratios):.4f} to {max(ratios):.4f} times it",
        f"{len(ratios)} histories",
        0.0,
        min(ratios) >= 1 and max(ratios) <= 1.15,
    )


def _coverage(name: str) -> Finding:
    """The case that is furthest from its probability, in standard errors."""
    of, furthest, passed = accountant(name), (0.0, "", 0.0, 0.0), True
    cases = {case: scale for case, (owner, scale) in coverage.SCALES.items() if owner == name}
    for case, scale in cases.items():
        interval = of.noise_interval(scale)
        claimed = float(interval.coverage)
        drawn = DiscreteNoise().draw(COVERED_RELEASES, Fraction(scale), of.law)
        held = sum(abs(number) <= interval.half_width for number in drawn)
        passed &= min(binomial_tails(held, COVERED_RELEASES, claimed)) >= coverage.FALSE_ALARM
        errors = (held / COVERED_RELEASES - claimed) / math.sqrt(claimed * (1 - claimed) / COVERED_RELEASES)
        furthest = max(furthest, (abs(errors), case, held / COVERED_RELEASES, claimed))
    errors, case, measured, claimed = furthest
    return Finding(
        f"a 95% interval holds the noise as often as its law says ({of.law})",
        f"{claimed:.4%} ({case})",
        f"{measured:.4%}, the furthest of all: {errors:.1f} standard errors",
        f"{len(cases)} × {COVERED_RELEASES:,}",
        len(cases) * 2 * coverage.FALSE_ALARM,
        passed,
    )
