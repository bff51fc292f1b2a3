"""Means, quantiles and rankings hold the truth as often as they say, over many releases, at ordinary sizes (T8).

The unit tests add up every possible draw at the smallest scales; here the noise is drawn, from seeds, so that
a result is the same each time. An honest program would fall five standard errors below 95% with probability 3e-6 or so.
A release that is undefined says nothing that could be wrong; in these cases hardly any is.
"""

import math
from decimal import Decimal
from fractions import Fraction
from statistics import fmean

import numpy as np
import pytest

from cleanroom.answer.mean import mean
from cleanroom.answer.quantile import quantile
from cleanroom.answer.top_k import top_k
from cleanroom.privacy.law import Law
from tests.reference.drawn_noise import Noise
from tests.reference.least_held import least_held
from tests.unit.answer.measures import measure

RELEASES = 2000
FEW = 200
LAWS: tuple[Law, ...] = ("gaussian", "laplace")
SCALES = [Fraction(1), Fraction(11, 2), Fraction(40)]
NORMAL = 1.959964
COLUMN = measure("0", "200")


def means(law: Law, scale: Fraction, releases: int, people: int, theta: int) -> tuple[float, float]:
    """Share of releases whose interval holds the mean, and its width against value +/- 1.96 standard deviations.

    The naive interval is the delta method's, sqrt(var X + ratio^2 var Y) / N. For Laplace the normal factor is the one
    that is too large or too small at this level by a tenth, depending on which noise weighs more.
    """
    scale_sum = scale * 100
    deviation = float(scale) * (1.0 if law == "gaussian" else math.sqrt(2.0))
    noise = Noise(law, 1).draw(scale, releases)
    more = Noise(law, 2).draw(scale_sum, releases)
    held, widths = 0, []
    for x, y in zip(more.tolist(), noise.tolist(), strict=True):
        found = mean(
            centred_sum=people * theta + x,
            count=people + y,
            column=COLUMN,
            scale_sum=scale_sum,
            scale_count=scale,
            law=law,
        )
        held += found.low <= 100 + theta <= found.high
        if found.value is not None:
            naive = 2 * NORMAL * deviation * math.hypot(100, float(found.value) - 100) / (people + y)
            widths.append(float(found.high - found.low) / naive)
    assert len(widths) >= 0.99 * releases
    return held / releases, fmean(widths)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize(("people", "theta"), [(40, 20), (400, -75), (400, 0)])
def test_the_mean_is_inside_and_the_interval_hardly_wider_than_a_naive_one(
    law: Law, scale: Fraction, people: int, theta: int
) -> None:
    held, ratio = means(law, scale, RELEASES, int(people * scale), theta)
    assert held >= least_held(RELEASES)
    assert 0.9 <= ratio <= 1.2


def quantiles(law: Law, scale: Fraction, releases: int, order: Fraction, crowd: int) -> tuple[float, float]:
    """Share of releases whose interval holds the quantile, and how many of the twenty bins it spans on average.

    The fullest bin has `crowd` scales of people: where that is few, every edge is near the noise.
    """
    bins = 20
    middle = np.exp(-0.5 * ((np.arange(bins) - 8.5) / 4) ** 2)
    counts = np.round(middle * crowd * float(scale)).astype(int)
    truth = int(np.searchsorted(np.cumsum(counts), math.ceil(order * int(counts.sum()))))
    held, spans = 0, []
    for draw in Noise(law, 3).draw(scale, (releases, bins)):
        found = quantile(
            (counts + draw).tolist(),
            order=order,
            column=COLUMN,
            edges=[Decimal(10 * edge) for edge in range(1, bins)],
            scale=scale,
            law=law,
        )
        held += found.low <= 10 * truth < found.high
        spans.append(float(found.high - found.low) / 10)
    return held / releases, fmean(spans)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("order", [Fraction(1, 2), Fraction(9, 10)], ids=str)
@pytest.mark.parametrize(("crowd", "bins"), [(4, 12), (120, 2)])
def test_the_quantile_is_inside_and_few_bins_are_named(law: Law, order: Fraction, crowd: int, bins: int) -> None:
    held, span = quantiles(law, Fraction(11, 2), FEW, order, crowd)
    assert held >= least_held(FEW)
    assert span <= bins


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("order", [Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)], ids=str)
@pytest.mark.parametrize("crowd", [4, 120])
def test_the_quantile_is_inside_over_2000_releases(law: Law, scale: Fraction, order: Fraction, crowd: int) -> None:
    held, _ = quantiles(law, scale, RELEASES, order, crowd)
    assert held >= least_held(RELEASES)


def rankings(law: Law, scale: Fraction, releases: int) -> tuple[float, float]:
    """Share of releases in which every interval, rank and place in the top 3 is right; share of cells told for sure."""
    names = [f"cell {place}" for place in range(9)] + ["other"]
    counts = [int(float(scale) * times) for times in (100, 90, 60, 58, 58, 30, 20, 5, 0, 70)]
    order = sorted(range(9), key=lambda place: -counts[place])
    right, told = 0, []
    for draw in Noise(law, 4).draw(scale, (releases, 10)).tolist():
        noisy = [count + noise for count, noise in zip(counts, draw, strict=True)]
        found = {cell.name: cell for cell in top_k(names, noisy, k=3, scale=scale, law=law).cells}
        right += all(
            cell.low <= count <= cell.high for cell, count in zip((found[name] for name in names), counts, strict=True)
        ) and all(
            (found[names[place]].best or 0) <= rank <= (found[names[place]].worst or 0)
            and found[names[place]].in_top != ("certainly not" if rank <= 3 else "certainly")
            for rank, place in enumerate(order, start=1)
        )
        told.append(sum(cell.in_top in ("certainly", "certainly not") for cell in found.values()) / 9)
    return right / releases, fmean(told)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_all_ranks_are_right_at_once_and_most_cells_are_told(law: Law, scale: Fraction) -> None:
    right, told = rankings(law, scale, RELEASES)
    assert right >= least_held(RELEASES)
    assert told >= 0.5
