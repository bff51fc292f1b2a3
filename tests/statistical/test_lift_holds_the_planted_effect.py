"""Lift's intervals hold an effect that was planted among AdventureWorks' customers, as often as they say.

Every draw assigns people to test and control anew, and draws the owner's noise anew; in one half of the cases who the
people are is redrawn as well. Of accessories' customers, some get a bicycle in black, or a dearer one, only if they are
in the test group. False alarms: five standard errors below 95%, below 1e-5 a case.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask
from cleanroom.catalogue.finding import Finding
from cleanroom.privacy.law import Law
from tests.reference.drawn_noise import Noise
from tests.reference.least_held import least_held
from tests.reference.planted_cells import Key
from tests.reference.redrawn_answers import Seam
from tests.reference.shared_customers import counted, steps_of, terms_with, values_of

ADS = """[columns.ads]
role = "dimension"
from = "ads"
reduce = "most_frequent"
values = ["seen", "held-back"]
"""
WORDS = {"by": "ads", "test": "seen", "control": "held-back"}
FEW, MANY = 20, 200
DEARER, MOST = 60, 400  # in steps of 10 dollars


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    return Seam(terms_with(tmp_path_factory.mktemp("lift"), {"accessories": ADS}), "accessories", "bikes")


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Everybody at accessories; what they do at bikes without and with the campaign. Not at bikes: no value."""
    luck = np.random.default_rng(11)
    found = pd.DataFrame(index=values_of("accessories", "country").index)
    found["without"] = values_of("bikes", "colour").reindex(found.index)
    found["spend_without"] = steps_of("bikes", "price").reindex(found.index)
    moved = pd.Series(luck.random(len(found)) < 0.12, index=found.index) & found["without"].notna()
    found["with"] = found["without"].mask(moved, "Black")
    found["spend_with"] = found["spend_without"].mask(moved, (found["spend_without"] + DEARER).clip(upper=MOST))
    return found


def drawn(people: pd.DataFrame, luck: np.random.Generator, *, redraw: bool) -> pd.DataFrame:
    """Who the people are, in which group, and what they then do."""
    crowd = people.iloc[luck.integers(0, len(people), len(people))] if redraw else people
    groups = luck.choice(["seen", "held-back", "other"], size=len(crowd), p=[0.45, 0.45, 0.1])
    seen = groups == "seen"
    return pd.DataFrame(
        {
            "group": groups,
            "colour": np.where(seen, crowd["with"], crowd["without"]),
            "spend": np.where(seen, crowd["spend_with"], crowd["spend_without"]).astype(float),
        }
    )


def truth_of(people: pd.DataFrame, outcome: str, *, assigned: bool) -> tuple[float, float]:
    """The mean with and without the campaign, in the unit of the finding, among the people that are its base."""
    base = people if assigned else people[people["without"].notna()]
    if outcome == "colour":
        return 100 * float((base["with"] == "Black").mean()), 100 * float((base["without"] == "Black").mean())
    return 10 * float(base["spend_with"].fillna(0).mean()), 10 * float(base["spend_without"].fillna(0).mean())


def exact(table: pd.DataFrame, ask: Ask) -> Mapping[Key, int]:
    at_bikes = table[table["colour"].notna()]
    if ask.quantity.kind == "sum":
        return {(str(group), None): int(total) for group, total in at_bikes.groupby("group")["spend"].sum().items()}
    if ask.quantity.kind == "count":
        return {(str(group), None): int(count) for group, count in at_bikes.groupby("group").size().items()}
    return counted(at_bikes, "group", "colour")


def finding(seam: Seam, table: pd.DataFrame, noise: Noise, outcome: str, *, assigned: bool) -> Finding:
    values = WORDS | ({"outcome": "colour", "value": "Black"} if outcome == "colour" else {"outcome": "price"})
    if assigned:
        sizes = table["group"].value_counts()
        values |= {"test_people": str(sizes["seen"]), "control_people": str(sizes["held-back"])}
    return seam.finding(find("lift"), values, lambda ask: exact(table, ask), noise)


def held(
    seam: Seam, people: pd.DataFrame, law: Law, outcome: str, *, assigned: bool, redraw: bool, draws: int
) -> tuple[list[float], float]:
    """How often test, control, effect and percentage hold the truth, and how often an effect was told."""
    test, control = truth_of(people, outcome, assigned=assigned)
    truths = [test, control, test - control, 100 * test / control - 100]
    luck, noise = np.random.default_rng(21), Noise(law, 22)
    right, told = [0] * 4, 0
    for _ in range(draws):
        found = finding(seam, drawn(people, luck, redraw=redraw), noise, outcome, assigned=assigned)
        for at, (line, truth) in enumerate(zip(found.files[0][1], truths, strict=True)):
            assert line["low"] is not None, "so many people are enough for an interval, however wide"
            right[at] += line["low"] <= truth <= line["high"]
        told += bool(found.rows[2].differs)
    return [each / draws for each in right], told / draws


def check(
    seam: Seam, people: pd.DataFrame, law: Law, outcome: str, *, assigned: bool, redraw: bool, draws: int
) -> None:
    rates, told = held(seam, people, law, outcome, assigned=assigned, redraw=redraw, draws=draws)
    print(f"lift {outcome} {law} assigned={assigned} people redrawn={redraw}: {rates}, told {told:.2f}")
    assert min(rates) >= least_held(draws)
    assert told >= (0.9 if outcome == "colour" else 0.0)


@pytest.mark.parametrize("outcome", ["colour", "price"])
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_a_planted_effect_is_inside(seam: Seam, people: pd.DataFrame, law: Law, outcome: str) -> None:
    check(seam, people, law, outcome, assigned=outcome == "colour", redraw=False, draws=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("redraw", [False, True], ids=["assignment", "people and assignment"])
@pytest.mark.parametrize("assigned", [False, True], ids=["shared", "assigned"])
@pytest.mark.parametrize("outcome", ["colour", "price"])
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_a_planted_effect_is_inside_over_200_draws(
    seam: Seam, people: pd.DataFrame, law: Law, outcome: str, assigned: bool, redraw: bool
) -> None:
    check(seam, people, law, outcome, assigned=assigned, redraw=redraw, draws=MANY)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_without_a_planted_effect_one_is_told_no_more_often_than_the_level_says(
    seam: Seam, people: pd.DataFrame, law: Law
) -> None:
    same = people.assign(**{"with": people["without"], "spend_with": people["spend_without"]})
    rates, told = held(seam, same, law, "colour", assigned=False, redraw=False, draws=MANY)
    assert min(rates) >= least_held(MANY)
    assert told <= 1 - least_held(MANY)
