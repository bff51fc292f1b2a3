"""The prior guesses better than popularity, measured on customers that it was not learned from.

Half of the customers that two shops share are drawn as the ones whose histogram is asked for, at epsilon 1; the other
half are the new users. Log-loss is the mean of -log(probability of what the user turns out to have). Popularity is the
*exact* distribution of the first half over the owner's dimension, which no asker gets: a hard comparison. Gains are
medians over noise draws, in percent of popularity's loss; seeds make them the same every time.
"""

from collections.abc import Callable
from itertools import permutations
from statistics import mean, median

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from cleanroom.catalogue.catalogue import find
from cleanroom.privacy.law import Law
from parties.room_file import RoomFile, read_room_file
from tests.reference.drawn_noise import Noise
from tests.reference.planted_cells import split_or_not
from tests.reference.redrawn_answers import Seam
from tests.reference.shared_customers import SAMPLE, counted, shared, values_of

Floats = NDArray[np.float64]
DRAWS, FEW = 41, 5


@pytest.fixture(scope="module")
def terms() -> RoomFile:
    return read_room_file(SAMPLE)


def gains(terms: RoomFile, law: Law, asker: str, by: str, owner: str, of: str, draws: int) -> list[float]:
    """By how many percent the prior's loss is below popularity's, for each noise draw."""
    customers = shared(values_of(asker, by), values_of(owner, of))
    learned = np.random.default_rng(51).random(len(customers)) < 0.5
    exact = counted(customers[learned])
    entry, noise, found = find("prior"), Noise(law, 52), []
    seam, values = Seam(terms, asker, owner), {"by": by, "of": of}
    held_out = customers[~learned]
    popularity = popular(customers[learned], sorted(set(customers["of"])))
    usual = float(np.mean([-np.log(popularity[value]) for value in held_out["of"]]))
    for _ in range(draws):
        (_, lines), *_ = seam.finding(entry, values, split_or_not(exact), noise).files
        table = {(line["segment"], line["value"]): line["probability"] for line in lines}
        pairs = counted(held_out)
        loss = -sum(count * float(np.log(table[pair])) for pair, count in pairs.items()) / len(held_out)
        found.append(100 * (1 - loss / usual))
    return found


def popular(customers: pd.DataFrame, values: list[str]) -> dict[str, float]:
    """Exact shares; half a person more for each value, so that none is impossible."""
    counts = customers["of"].value_counts()
    weights = {value: float(counts.get(value, 0)) + 0.5 for value in values}
    return {value: weight / sum(weights.values()) for value, weight in weights.items()}


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_the_colour_of_a_bicycle_is_guessed_better_from_accessories(terms: RoomFile, law: Law) -> None:
    assert median(gains(terms, law, "accessories", "subcategory", "bikes", "colour", FEW)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_no_pair_is_guessed_worse_than_by_popularity(
    terms: RoomFile, law: Law, shown_at_the_end: Callable[[str], None]
) -> None:
    """On average over draws, and in all but a few draws for themselves. All pairs are printed at the end of the run.

    No answer at epsilon 1 holds it in every draw: of 1,556 people the average alone, for the whole budget, would be
    worse by more than 0.3% now and then.
    """
    columns = [(shop, name) for shop, data in terms.datasets.items() for name in data.dimensions()]
    every: list[list[float]] = []
    shown_at_the_end(
        f"log-loss against popularity, {law}, epsilon 1: mean, median [worst] of {DRAWS} draws, in percent less"
    )
    for (asker, by), (owner, of) in permutations(columns, 2):
        if asker == owner:
            continue
        found = gains(terms, law, asker, by, owner, of, DRAWS)
        shown_at_the_end(f"{asker}.{by} -> {owner}.{of}: {mean(found):.2f}, {median(found):.2f} [{min(found):.2f}]")
        every.append(found)
        if (asker, by, owner, of) == ("accessories", "subcategory", "bikes", "colour"):
            assert median(found) >= 2
    far = sum(gain < -0.3 for found in every for gain in found)
    shown_at_the_end(
        f"worse by more than 0.3%: {far} of {sum(map(len, every))} draws, the worst by {-min(map(min, every)):.2f}%"
    )
    assert min(map(mean, every)) >= -0.15
    assert min(map(median, every)) >= -0.15
    assert far <= 0.02 * sum(map(len, every))
