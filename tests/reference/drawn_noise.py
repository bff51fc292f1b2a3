"""Noise for simulations: the product's laws from a seed, so that a test is the same each time."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cleanroom.privacy.law import Law
from tests.reference.combined_law import one_noise

_EXACT_UP_TO = 64


class Noise:
    """Draws of either law from one seed; above scale 64 a rounded continuous law, which nobody could tell apart.

    The exact law is cut where less than 1e-13 of it is left.
    """

    def __init__(self, law: Law, seed: int) -> None:
        self.law: Law = law
        self._luck = np.random.default_rng(seed)

    def draw(self, scale: Fraction, shape: int | tuple[int, ...]) -> NDArray[np.int64]:
        """Independent draws."""
        if scale <= _EXACT_UP_TO:
            values, below = _table(self.law, scale)
            return values[np.searchsorted(below, self._luck.random(shape), side="right")]
        kind = self._luck.normal if self.law == "gaussian" else self._luck.laplace
        return np.round(kind(0.0, float(scale), shape)).astype(np.int64)


class NoNoise(Noise):
    """The stated scale, and nothing drawn."""

    def __init__(self, law: Law) -> None:
        super().__init__(law, 0)

    def draw(self, scale: Fraction, shape: int | tuple[int, ...]) -> NDArray[np.int64]:
        return np.zeros(shape, dtype=np.int64)


@lru_cache(maxsize=64)
def _table(law: Law, scale: Fraction) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Every outcome, and the chance of it or a smaller one."""
    table = one_noise(law, scale)
    below = np.cumsum(list(table.values()))
    return np.array(list(table), dtype=np.int64), below / below[-1]
