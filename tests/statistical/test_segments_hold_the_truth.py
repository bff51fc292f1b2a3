"""The shares of prior and launch hold AdventureWorks' true shares, and launch's places the true ones, all at once.

The truth is pandas' crosstab of the customers that two shops share. False alarms: five standard errors below 95%,
below 1e-5 a case.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.finding import Finding
from cleanroom.privacy.law import Law
from parties.room_file import read_room_file
from tests.reference.drawn_noise import Noise
from tests.reference.least_held import least_held
from tests.reference.planted_cells import Key, split_or_not
from tests.reference.redrawn_answers import Seam
from tests.reference.shared_customers import SAMPLE, counted, shared, values_of

WORDS = {"by": "subcategory", "of": "colour"}


@pytest.fixture(scope="module")
def seam() -> Seam:
    return Seam(read_room_file(SAMPLE), "accessories", "bikes")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return shared(values_of("accessories", "subcategory"), values_of("bikes", "colour"))


def findings(seam: Seam, customers: pd.DataFrame, name: str, law: Law, draws: int) -> list[Finding]:
    entry, cells, noise = find(name), counted(customers), Noise(law, 41)
    values = WORDS | ({"value": "Black"} if name == "launch" else {})
    return [seam.finding(entry, values, split_or_not(cells), noise) for _ in range(draws)]


def shares_hold(found: Finding, truth: Mapping[Key, float]) -> bool:
    return all(
        row.low is not None
        and row.high is not None
        and row.low <= 100 * truth.get((row.names[0][1], row.names[1][1]), 0.0) <= row.high
        for row in found.rows
    )


def launch_holds(found: Finding, truth: dict[str, float], average: float) -> bool:
    """Shares, index and places."""
    order = sorted((name for name in truth if name != "other"), key=lambda name: -truth[name])
    good = True
    for row, line in zip(found.rows, found.files[0][1], strict=True):
        ((_, name),) = row.names
        assert row.low is not None
        assert row.high is not None
        good &= row.low <= 100 * truth[name] <= row.high
        good &= line["index_low"] - 1e-9 <= 100 * truth[name] / average <= line["index_high"] + 1e-9
        if row.rank is not None:
            good &= row.rank[0] <= order.index(name) + 1 <= row.rank[1]
    return good


def check(seam: Seam, customers: pd.DataFrame, name: str, law: Law, draws: int) -> None:
    people = Counter(customers["by"].astype(str))
    truth = {(by, of): count / people[str(by)] for (by, of), count in counted(customers).items()}
    average = float((customers["of"] == "Black").mean())
    found = findings(seam, customers, name, law, draws)
    if name == "launch":
        right = [launch_holds(each, {by: truth.get((by, "Black"), 0.0) for by in people}, average) for each in found]
    else:
        right = [shares_hold(each, truth) for each in found]
    told = np.mean([np.mean([row.differs for row in each.rows]) for each in found])
    print(f"{name} {law}: all at once {np.mean(right)}, rows told from the average {told:.2f}")
    assert np.mean(right) >= least_held(draws)
    assert told > 0.1


@pytest.mark.parametrize("name", ["prior", "launch"])
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_shares_and_places_are_right_at_once(seam: Seam, customers: pd.DataFrame, name: str, law: Law) -> None:
    check(seam, customers, name, law, 20)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "draws"), [("prior", 200), ("launch", 5000)])
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_shares_and_places_are_right_at_once_over_many_draws(
    seam: Seam, customers: pd.DataFrame, name: str, draws: int, law: Law
) -> None:
    """Intervals 30% too narrow hold in 84% of prior's draws and in 93% of launch's, which takes more to be told."""
    check(seam, customers, name, law, draws)
