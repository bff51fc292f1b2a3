"""The bound on weighted sums of noise against the exact laws of such sums, by convolution."""

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from cleanroom.privacy.combination import reach
from cleanroom.privacy.law import Law
from tests.reference import discrete_gaussian_law, discrete_laplace_law

SCALES = [Fraction(1), Fraction(3, 2), Fraction(6)]
ALPHAS = [0.05, 0.0025, 1e-6]
LAWS = pytest.mark.parametrize("law", ["gaussian", "laplace"])


def stretched(law: Law, scale: Fraction, weight: int) -> NDArray[np.float64]:
    """The law of `weight` times one draw on its whole grid, zero in the middle."""
    found = (discrete_gaussian_law if law == "gaussian" else discrete_laplace_law).probabilities(scale)
    widest = max(found)
    grid = np.zeros(2 * widest * abs(weight) + 1)
    for value, probability in found.items():
        grid[(value + widest) * abs(weight)] = float(probability)
    return grid


def beyond(law: Law, scale: Fraction, weights: tuple[int, ...], distance: float) -> float:
    """P(|sum w_i e_i| > distance), exactly up to what doubles hold."""
    total = np.ones(1)
    for weight in weights:
        total = np.convolve(total, stretched(law, scale, weight))
    values = np.abs(np.arange(len(total)) - len(total) // 2)
    return float(total[values > distance].sum())


@LAWS
@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("cells", [1, 2, 5])
def test_a_sum_of_cells_stays_within_its_reach(law: Law, scale: Fraction, alpha: float, cells: int) -> None:
    distance = float(scale) * math.sqrt(cells) * reach(law, alpha, equal_weights=cells)
    assert beyond(law, scale, (1,) * cells, distance) <= alpha
    assert beyond(law, scale, (1,) * cells, distance / 2) > alpha


@LAWS
@pytest.mark.parametrize("weights", [(1,), (1, 1), (3, -1, -1), (7, -3), (1, -9, -9)], ids=str)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_any_weighted_sum_stays_within_the_reach_of_any(law: Law, weights: tuple[int, ...], alpha: float) -> None:
    length = math.sqrt(sum(weight**2 for weight in weights))
    assert beyond(law, Fraction(2), weights, 2.0 * length * reach(law, alpha)) <= alpha


def test_the_gaussian_reach_is_hoeffdings() -> None:
    """Five statements at 95%: sqrt(2 ln(2 * 5 / 0.05)) = 3.2552."""
    assert round(reach("gaussian", 0.05 / 5), 4) == 3.2552
    assert reach("gaussian", 0.01) == reach("gaussian", 0.01, equal_weights=7)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_more_equal_cells_never_reach_further_than_other_weights(alpha: float) -> None:
    """Towards the Gaussian of the same variance, 2 s^2 a cell, whose reach is sqrt(2) times as far."""
    reaches = [reach("laplace", alpha), *(reach("laplace", alpha, equal_weights=cells) for cells in (2, 5, 20, 10**6))]
    assert reaches == sorted(reaches, reverse=True)
    assert math.isclose(reaches[-1], math.sqrt(2) * reach("gaussian", alpha), rel_tol=1e-3)
    assert reach("laplace", alpha, equal_weights=1) == math.log(2 / alpha)
