"""Noise for simulations: the product's laws by a table, from a seed, so that a test is the same each time."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cleanroom.privacy.law import Law
from tests.reference.combined_law import one_noise


def drawn_noise(law: Law, scale: Fraction, shape: tuple[int, ...], *, seed: int) -> NDArray[np.int64]:
    """Independent draws; the law is cut where less than 1e-13 of it is left."""
    table = one_noise(law, scale)
    generator = np.random.default_rng(seed)
    drawn: NDArray[np.int64] = generator.choice(list(table), size=shape, p=list(table.values()))
    return drawn
