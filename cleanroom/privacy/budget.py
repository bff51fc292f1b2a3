"""The currency of privacy: what a noisy answer costs, and what a wished-for epsilon buys.

The currency is rho of zero-concentrated differential privacy, counted in whole units of 2^-40. A cost is
rounded up and a purchase rounded down, so the ledger only ever errs towards more privacy. Costs of questions
add, whatever the asker chose after seeing earlier answers; epsilon at a fixed delta is a way to read a sum
of units, never something to add up.

A noise scale is a multiple of 1/1024 of at least 1: a double holds it exactly, so the number in the signed
plan, the number charged and the number the sampler uses are one number.

Nothing here depends on anyone's data.

Sources: Bun and Steinke, "Concentrated Differential Privacy" (2016), Proposition 1.6 (cost of Gaussian
noise) and Lemma 1.7 (costs add); Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy"
(2020), Theorem 4 (the same cost for the discrete law) and section 2.3 (reading as epsilon); Whitehouse et
al., "Fully Adaptive Composition in Differential Privacy" (2023) (costs add under adaptive choice).
"""

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import NoReturn

from cleanroom.errors import RefusedError, UsageError
from cleanroom.nearest import quoted
from cleanroom.privacy import opendp_door

UNITS_PER_RHO = 2**40
SCALE_DENOMINATOR = 1024
MIN_SCALE = Fraction(1)
MAX_SCALE = Fraction(2**40)
MAX_SENSITIVITY_L2_SQUARED = 2**124
MAX_EPSILON = Fraction(100)
DELTA = Fraction(1, 10**9)

_EPSILON_STEP = Fraction(1, 10**6)
_MAX_DECIMALS = 6
_EPSILON_TEXT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?", re.ASCII)
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
_NOT_PLAIN = (
    (re.compile(r"[0-9]+,[0-9]*|,[0-9]+", re.ASCII), "has a comma where a point belongs"),
    (re.compile(r"[+-]?[0-9.]+[eE][+-]?[0-9]+", re.ASCII), "has an exponent"),
    (re.compile(r"-.*", re.DOTALL), "is not above 0"),
    (re.compile(r"", re.ASCII), "is empty"),
)


def parse_epsilon(text: str) -> Fraction:
    """Read an epsilon as a person types it: plain digits with at most six decimals, above 0, at most 100.

    Raises UsageError for anything else: signs, exponents, blanks, "inf" and "nan" among them.
    """
    epsilon = Fraction(text) if _EPSILON_TEXT.fullmatch(text) else None
    if epsilon is None or not 0 < epsilon <= MAX_EPSILON:
        raise UsageError(
            f"epsilon {quoted(text)} {what_is_wrong(text, most=MAX_EPSILON)}; write a plain decimal above 0 and at most"
            f" {MAX_EPSILON}, such as 1 or 0.5"
        )
    return epsilon


def what_is_wrong(text: str, *, most: Fraction) -> str:
    """Why a text is not a plain decimal above 0 and at most `most` with at most six decimals."""
    if _PLAIN.fullmatch(text):
        too_fine = len(text.partition(".")[2]) > _MAX_DECIMALS
        return f"has more than {_MAX_DECIMALS} decimals" if too_fine else _on_which_side(text, most)
    for pattern, wrong in _NOT_PLAIN:
        if pattern.fullmatch(text):
            return wrong
    return "is not a number"


def _on_which_side(text: str, most: Fraction) -> str:
    return f"is above {most}" if text.strip("0.") else "is not above 0"


def check_delta(delta: Fraction, *, capacity: int) -> None:
    """Refuse a delta that could hide handing over whole people: above 1 / (10 * capacity).

    `capacity` is the number of people the contract declares for the dataset. Raises UsageError.
    """
    if capacity < 1:
        raise UsageError("a dataset's capacity must be at least 1 person")
    if not 0 < delta * 10 * capacity <= 1:
        raise UsageError(
            f"delta must be above 0 and at most 1/{10 * capacity}, one tenth of one in the declared capacity"
        )


def check_scale(scale: Fraction) -> None:
    """Refuse, with RefusedError, a noise scale that is not a multiple of 1/1024 between 1 and 2^40."""
    if type(scale) is not Fraction or not MIN_SCALE <= scale <= MAX_SCALE:
        _refuse("noise-scale", "the noise scale is outside 1 to 2^40", "use a scale of at least 1")
    if SCALE_DENOMINATOR % scale.denominator:
        _refuse("noise-scale", "the noise scale is not a multiple of 1/1024", "round it up to the next 1/1024")


def check_sensitivity(sensitivity_l2_squared: int | Fraction) -> None:
    """Refuse, with RefusedError, a squared L2 sensitivity that is not exact, not positive, or above 2^124."""
    if type(sensitivity_l2_squared) not in (int, Fraction):
        _refuse("sensitivity", "the squared sensitivity is not an exact number", "give an integer or a fraction")
    if not 0 < sensitivity_l2_squared <= MAX_SENSITIVITY_L2_SQUARED:
        _refuse("sensitivity", "the squared sensitivity is outside 0 to 2^124", "declare narrower clamps")


def cost_units(sensitivity_l2_squared: int | Fraction, scale: Fraction) -> int:
    """The cost, in units of 2^-40 rho, of one noisy vector: Delta^2 / (2 sigma^2), exact, rounded up.

    `sensitivity_l2_squared` is Delta^2: how far one person can move the vector, squared (1 for a count; 1
    for a histogram where a person is in one cell; c if in up to c cells). `scale` is sigma in steps of the
    vector. Raises RefusedError for a scale or sensitivity outside the rules.
    """
    check_sensitivity(sensitivity_l2_squared)
    check_scale(scale)
    return math.ceil(UNITS_PER_RHO * Fraction(sensitivity_l2_squared) / (2 * scale**2))


def scale_for_units(units: int, sensitivity_l2_squared: int | Fraction) -> Fraction:
    """The smallest allowed noise scale whose cost is at most `units`; never below 1.

    Raises RefusedError if there is nothing to spend or no allowed scale is large enough.
    """
    check_sensitivity(sensitivity_l2_squared)
    check_purchase(units)
    # cost <= units, with scale = numerator / 1024, reads numerator^2 >= 2^39 * 1024^2 * Delta^2 / units.
    least_square = math.ceil(Fraction(UNITS_PER_RHO // 2 * SCALE_DENOMINATOR**2) * sensitivity_l2_squared / units)
    return purchased_scale(math.isqrt(least_square - 1) + 1)


def check_purchase(units: int) -> None:
    """Refuse, with RefusedError, to buy noise for nothing."""
    if type(units) is not int or units < 1:
        _refuse("budget", "there is no budget to spend on this answer", "ask with a larger epsilon")


def purchased_scale(least_numerator: int) -> Fraction:
    """The smallest allowed scale of at least `least_numerator` / 1024; raises RefusedError above the largest."""
    numerator = max(least_numerator, SCALE_DENOMINATOR)
    if numerator > MAX_SCALE * SCALE_DENOMINATOR:
        _refuse("budget", "this budget is too small for any noise scale", "ask with a larger epsilon")
    return Fraction(numerator, SCALE_DENOMINATOR)


@lru_cache(maxsize=4096)
def epsilon_view(units: int, delta: Fraction = DELTA) -> Fraction:
    """The epsilon at `delta` that `units` of 2^-40 rho amount to, rounded up to a millionth.

    A reading for people. Raises UsageError for negative units or a delta not strictly between 0 and 1.
    """
    if type(units) is not int or units < 0:
        raise UsageError("a budget is a whole number of units, not below 0")
    _check_probability(delta)
    if units == 0:
        return Fraction(0)
    epsilon = opendp_door.zcdp_epsilon(Fraction(units, UNITS_PER_RHO), delta)
    return math.ceil(epsilon / _EPSILON_STEP) * _EPSILON_STEP


@lru_cache(maxsize=256)
def units_for_epsilon(epsilon: Fraction, delta: Fraction = DELTA) -> int:
    """What an epsilon at `delta` buys: the largest number of units whose `epsilon_view` does not exceed it.

    Raises UsageError if the epsilon is not above 0 and at most 100, or buys less than one unit.
    """
    _check_probability(delta)
    check_epsilon(epsilon)
    affordable, excessive = 0, 1
    while epsilon_view(excessive, delta) <= epsilon:
        affordable, excessive = excessive, 2 * excessive
    while excessive - affordable > 1:
        middle = (affordable + excessive) // 2
        if epsilon_view(middle, delta) <= epsilon:
            affordable = middle
        else:
            excessive = middle
    return at_least_one_unit(affordable)


def check_epsilon(epsilon: Fraction) -> None:
    """Refuse, with UsageError, an epsilon that is not above 0 and at most 100."""
    if not 0 < epsilon <= MAX_EPSILON:
        raise UsageError(f"epsilon must be above 0 and at most {MAX_EPSILON}")


def at_least_one_unit(affordable: int) -> int:
    """What an epsilon bought, unless that is nothing; raises UsageError."""
    if affordable == 0:
        raise UsageError("this epsilon buys less than the smallest unit of the ledger; give a larger one")
    return affordable


def _check_probability(delta: Fraction) -> None:
    if not 0 < delta < 1:
        raise UsageError("delta must be strictly between 0 and 1")


def _refuse(rule: str, explanation: str, advice: str) -> NoReturn:
    raise RefusedError(rule, "every node", explanation, advice)
