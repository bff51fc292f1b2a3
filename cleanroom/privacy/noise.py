"""Noise: the one place where an exact sum becomes an answer that may leave its owner.

Every noisy number of the system passes `release`, once, at the owner's own node. What is released is the
raw signed sum plus a draw of the law that the room's accountant pays for, discrete Gaussian or discrete
Laplace; nothing is rounded, clamped or hidden afterwards.
The asker learns the noisy vector and the law of the noise. Nobody learns the noise.

Rules kept here, each before anything is drawn: the scale is a multiple of 1/1024 of at least 1; a vector has
1 to 65,536 cells; every cell is an `int` (never a bool) below 2^62 in size; the noise library's own price
for this noise does not exceed what the ledger charges for it. Left out: whether the sensitivity is true. The
owner's gate computes it from the contract, and the record-and-replay tests hold it to the data.

`NoiseSource` exists so that tests can freeze the noise. A source is always an argument given by the caller;
nothing here reads a setting or the environment, and this package holds one source, the real one.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NoReturn, Protocol

from cleanroom.errors import RefusedError, StateError
from cleanroom.privacy import opendp_door
from cleanroom.privacy.accountant import UNITS, Accountant
from cleanroom.privacy.budget import check_scale
from cleanroom.privacy.law import Law

MAX_CELLS = 2**16
MAX_MAGNITUDE = 2**62

# Relative slack for the handful of upward float roundings inside the noise library's own privacy map.
_FLOAT_ROUNDING = Fraction(1, 2**48)


class NoiseSource(Protocol):
    """Something that draws integer noise: the real sampler, or a test's frozen one."""

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """Draw `count` independent integers of `law` with parameter `scale`."""


class DiscreteNoise:
    """The product's noise: Canonne, Kamath, Steinke (2020), exact sampling from the system's randomness."""

    __slots__ = ()

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """Draw `count` integers of the discrete `law` with parameter `scale`.

        Raises RefusedError for a count outside 1 to 65,536 or a scale outside the rules, StateError if the
        sampler returns anything but that many integers below 2^62 in size.
        """
        _check_cells(count)
        check_scale(scale)
        noise = opendp_door.draw(law, count, scale)
        _check_noise(noise, count)
        return noise


def release(
    vector: Sequence[int],
    *,
    sensitivity: int,
    scale: Fraction,
    accountant: Accountant,
    tag: str,
    source: NoiseSource,
) -> list[int]:
    """Add one draw of noise to each cell of `vector` and return the noisy vector.

    The price is `accountant.cost_units(sensitivity, scale)`, which the caller has charged already; one person
    moves one cell by at most `sensitivity`. `tag` names the release in contract words; the record-and-replay tests
    compare tags, lengths, sensitivities, scales and laws on neighbouring data. Call it once per answer: two
    draws for one sum can be averaged.

    Raises RefusedError for a vector, scale or sensitivity outside the rules, before drawing; StateError if
    the noise library prices the noise above the charge or the source returns something else than noise.
    """
    if not tag:
        _refuse("release-tag", "a release has no name", "name it in contract words")
    _check_cells(len(vector))
    if not all(type(cell) is int and abs(cell) < MAX_MAGNITUDE for cell in vector):
        _refuse("cell-value", "a cell is not an integer below 2^62 in size", "declare narrower clamps")
    _check_price(accountant, sensitivity, scale)
    noise = source.draw(len(vector), scale, accountant.law)
    _check_noise(noise, len(vector))
    return [cell + drawn for cell, drawn in zip(vector, noise, strict=True)]


def _check_price(accountant: Accountant, sensitivity: int, scale: Fraction) -> None:
    """A new version of the sampler that means another thing by `scale` must stop here."""
    charged = Fraction(accountant.cost_units(sensitivity, scale), UNITS)
    if opendp_door.price(accountant.law, sensitivity, scale) > charged * (1 + _FLOAT_ROUNDING):
        raise StateError("the noise library prices this noise above the ledger's charge; nothing was drawn")


def _check_cells(count: int) -> None:
    if type(count) is not int or not 1 <= count <= MAX_CELLS:
        _refuse("cell-count", f"a release has 1 to {MAX_CELLS} cells", "ask for fewer categories")


def _check_noise(noise: list[int], count: int) -> None:
    if len(noise) != count or not all(type(drawn) is int and abs(drawn) < MAX_MAGNITUDE for drawn in noise):
        raise StateError("the noise source did not return one bounded integer per cell; nothing was released")


def _refuse(rule: str, explanation: str, advice: str) -> NoReturn:
    raise RefusedError(rule, "every node", explanation, advice)
