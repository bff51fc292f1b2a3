"""The room's accountant: which law the noise has, what it costs, and how a cost reads as epsilon.

A contract names one of two; it is fixed when the room opens, and costs of the two are never added up:

- `zcdp`: discrete Gaussian noise; a unit is 2^-40 of rho (zero-concentrated differential privacy). A budget of
  epsilon at delta 1e-9 lasts for many answers. Epsilon is a reading of the sum of units, never something to add.
- `pure`: discrete Laplace noise; a unit is 2^-40 of epsilon itself, and delta is 0. Epsilons add, exactly. The
  better choice for a few answers (fewer than 14 counts for an epsilon of 1), and the one explained in a sentence.

Every vector that gets noise here is moved by one person in one cell, by at most an integer `sensitivity`: its L1
and its L2 sensitivity are that one number, whichever law asks. Costs are rounded up, purchases down; a noise scale is
a multiple of 1/1024 of at least 1 (`budget`). Both currencies add under adaptive choice of questions, so a ledger
that sums units and refuses above its cap is all the composition there is.

Nothing here depends on anyone's data.

Source for `pure`: Dwork, McSherry, Nissim, Smith, "Calibrating Noise to Sensitivity in Private Data Analysis" (2006),
with the geometric law of Ghosh, Roughgarden, Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms"
(2009): epsilon = sensitivity / scale. Sources for `zcdp` stand in `budget`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from cleanroom.errors import UsageError
from cleanroom.privacy import budget
from cleanroom.privacy.interval import LEVEL, NoiseInterval, largest_scale, noise_interval
from cleanroom.privacy.law import Law

UNITS = 2**40
ACCOUNTANTS = ("zcdp", "pure")


class Accountant(ABC):
    """One of the two ways to pay for answers; see the module for what a unit is."""

    __slots__ = ()

    name: ClassVar[str]
    law: ClassVar[Law]
    delta: ClassVar[Fraction]

    @abstractmethod
    def cost_units(self, sensitivity: int, scale: Fraction) -> int:
        """What one noisy vector costs, exact, rounded up; raises RefusedError for numbers outside the rules."""

    @abstractmethod
    def scale_for_units(self, units: int, sensitivity: int) -> Fraction:
        """The smallest allowed noise scale whose cost is at most `units`; raises RefusedError if there is none."""

    @abstractmethod
    def epsilon_view(self, units: int) -> Fraction:
        """The epsilon, at this accountant's `delta`, that `units` amount to; never too small. Raises UsageError."""

    @abstractmethod
    def units_for_epsilon(self, epsilon: Fraction) -> int:
        """The most units whose `epsilon_view` does not exceed `epsilon`; raises UsageError outside 0 to 100."""

    @abstractmethod
    def replace_one_units(self, units: int, *, centred: bool) -> int:
        """What a charge of `units` means against asker and coordinator together.

        Together they may know who is in the table; what stays protected is what a person's row says. The neighbour
        is then not the table with a person less but the one with that person's value replaced. `centred` says
        that the vector is a sum of values that may lie on both sides of zero, as values measured from the middle of
        their range do.
        """

    def noise_interval(self, scale: Fraction, *, level: Fraction = LEVEL, cells: int = 1) -> NoiseInterval:
        """The smallest interval that holds the noise of `cells` cells at once; errors as in `interval`."""
        return noise_interval(scale, level=level, cells=cells, law=self.law)

    def scale_for_half_width(self, half_width: int, *, level: Fraction = LEVEL, cells: int = 1) -> Fraction:
        """The largest allowed noise scale whose interval is at most `half_width` to either side.

        `half_width` is in steps of the released number. Raises UsageError, naming the nearest possible one, if
        even the smallest noise is wider.
        """
        return largest_scale(half_width, level=level, cells=cells, law=self.law)


@dataclass(frozen=True, slots=True)
class _ZeroConcentrated(Accountant):
    name: ClassVar[str] = "zcdp"
    law: ClassVar[Law] = "gaussian"
    delta: ClassVar[Fraction] = budget.DELTA

    def cost_units(self, sensitivity: int, scale: Fraction) -> int:
        """ceil(2^40 * sensitivity^2 / (2 scale^2))."""
        _check_sensitivity(sensitivity)
        return budget.cost_units(sensitivity**2, scale)

    def scale_for_units(self, units: int, sensitivity: int) -> Fraction:
        _check_sensitivity(sensitivity)
        return budget.scale_for_units(units, sensitivity**2)

    def epsilon_view(self, units: int) -> Fraction:
        """Rounded up to a millionth."""
        return budget.epsilon_view(units)

    def units_for_epsilon(self, epsilon: Fraction) -> int:
        return budget.units_for_epsilon(epsilon)

    def replace_one_units(self, units: int, *, centred: bool) -> int:
        """Twice for a count or a histogram: a person leaves one cell and enters another, so the square of the move
        is 1 + 1 instead of 1. Four times for a centred sum: a value goes from one end of its range to the other,
        twice as far as from the middle, and the cost grows with the square.
        """
        _check_units(units)
        return 4 * units if centred else 2 * units


@dataclass(frozen=True, slots=True)
class _Pure(Accountant):
    name: ClassVar[str] = "pure"
    law: ClassVar[Law] = "laplace"
    delta: ClassVar[Fraction] = Fraction(0)

    def cost_units(self, sensitivity: int, scale: Fraction) -> int:
        """ceil(2^40 * sensitivity / scale)."""
        _check_sensitivity(sensitivity)
        budget.check_scale(scale)
        return math.ceil(UNITS * sensitivity / scale)

    def scale_for_units(self, units: int, sensitivity: int) -> Fraction:
        _check_sensitivity(sensitivity)
        budget.check_purchase(units)
        # cost <= units, with scale = numerator / 1024, reads numerator >= 2^40 * 1024 * sensitivity / units.
        least = -(-UNITS * budget.SCALE_DENOMINATOR * sensitivity // units)
        return budget.purchased_scale(least)

    def epsilon_view(self, units: int) -> Fraction:
        """Exact."""
        _check_units(units)
        return Fraction(units, UNITS)

    def units_for_epsilon(self, epsilon: Fraction) -> int:
        budget.check_epsilon(epsilon)
        return budget.at_least_one_unit(math.floor(epsilon * UNITS))

    def replace_one_units(self, units: int, *, centred: bool) -> int:
        """Twice in both cases, since the cost grows with the move itself: a person who changes cells moves two
        cells by 1 each, and a centred value goes twice as far as from the middle.
        """
        _check_units(units)
        return 2 * units


_BY_NAME: dict[str, Accountant] = {each.name: each for each in (_ZeroConcentrated(), _Pure())}


def accountant(name: str) -> Accountant:
    """The accountant that a contract names; raises UsageError for any other name."""
    found = _BY_NAME.get(name)
    if found is None:
        raise UsageError(f"a room's accountant is one of {', '.join(ACCOUNTANTS)}")
    return found


def _check_sensitivity(sensitivity: int) -> None:
    budget.check_sensitivity(sensitivity**2 if type(sensitivity) is int and sensitivity > 0 else sensitivity)


def _check_units(units: int) -> None:
    if type(units) is not int or units < 0:
        raise UsageError("a budget is a whole number of units, not below 0")
