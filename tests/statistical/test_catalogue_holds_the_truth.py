"""Catalogue questions about real customers hold the truth as often as they say, noise drawn anew each time.

Truth is counted by pandas from both shops' tables; a stage column is planted at both, since the data have none. Every
statement of a finding must hold at once, and the level is 95%, so an honest program falls five standard errors below it
in fewer than 1 of 1e5 runs. Seeds are fixed: a result is the same each time. At epsilon 0.1 noise drowns small values.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Own
from cleanroom.catalogue.finding import Finding, Row
from cleanroom.ids import ColumnName
from cleanroom.question.columns import Dimension, Reduction
from parties.room_file import RoomFile, read_room_file
from tests.answers.shops import csv_frame
from tests.reference.redrawn_answers import RedrawnAnswers
from tests.reference.true_answer import Cells
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"
ACCOUNTANTS = ("zcdp", "pure")
STAGES = ("aware", "interested", "bought", "loyal")
FEW, MANY = 40, 200
PAIRS = [("accessories", "bikes"), ("bikes", "clothing")]


def least_held(draws: int) -> float:
    """Five standard errors below 95%."""
    return draws * 0.95 - 5 * math.sqrt(draws * 0.95 * 0.05)


@cache
def shops() -> tuple[RoomFile, dict[str, pd.DataFrame]]:
    """The sample's terms and tables, each with a planted column `stage`."""
    sites = shared_data("adventureworks/sites")
    terms = read_room_file(SAMPLE)
    frames = {str(name): csv_frame(sites / f"{name}.csv.gz", "email") for name in terms.datasets}
    stages = planted_stages(sorted({key for frame in frames.values() for key in frame["key"]}))
    stage = Dimension(ColumnName("stage"), Reduction("most_frequent", source="stage"), STAGES)
    datasets = {name: replace(one, columns=(*one.columns, stage)) for name, one in terms.datasets.items()}
    staged = {
        name: frame.assign(stage=[stages[name != "accessories"][key] for key in frame["key"]])
        for name, frame in frames.items()
    }
    return replace(terms, datasets=datasets), staged


def planted_stages(people: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Accessories' stage, and that of both others: as at accessories for three people in ten, else by chance.

    Bikes and clothing have one stage for a person, so most combinations of theirs occur for nobody.
    """
    luck = np.random.default_rng(5)
    names = [*STAGES, "left"]
    first = luck.choice(names, len(people), p=[0.4, 0.25, 0.2, 0.1, 0.05])
    chance = luck.choice(names, len(people), p=[0.3, 0.3, 0.2, 0.15, 0.05])
    second = np.where(luck.random(len(people)) < 0.3, first, chance)
    return dict(zip(people, first, strict=True)), dict(zip(people, second, strict=True))


@cache
def counted(room_accountant: str) -> RedrawnAnswers:
    terms, frames = shops()
    return RedrawnAnswers(terms, frames, room_accountant, seed=len(room_accountant))


def inside(row: Row, truth: Fraction) -> bool:
    """Whether the row's interval holds the truth; a row that says nothing says nothing wrong."""
    return row.low is None or row.high is None or row.low <= truth <= row.high


def check_said(findings: Sequence[Finding], epsilon: str, *, least: int) -> None:
    """At epsilon 1 so many rows of each finding say something; silence would hold the truth as well."""
    for finding in findings:
        assert epsilon != "1" or sum(row.low is not None for row in finding.rows) >= least


def right_order(rows: tuple[Row, ...], truths: list[Fraction]) -> bool:
    """Every place that a row may have in truth is one of its places; equal ones may stand either way."""
    ranked = [(row.rank, truth) for row, truth in zip(rows, truths, strict=True) if row.rank is not None]
    return all(
        rank[0] <= 1 + sum(other >= truth for _, other in ranked) - 1
        and 1 + sum(other > truth for _, other in ranked) <= rank[1]
        for rank, truth in ranked
    )


def shares(cells: Cells) -> list[Fraction]:
    """Percent of its group, cell by cell; of nobody, none."""
    groups: dict[str | None, int] = {}
    for (by, _), people in cells.items():
        groups[by] = groups.get(by, 0) + people
    return [Fraction(100 * people, groups[by]) if groups[by] else Fraction(0) for (by, _), people in cells.items()]


def overlap(draws: int, accountant: str, epsilon: str, asker: str, owner: str) -> int:
    seam, entry = counted(accountant), find("overlap")
    (ask,) = seam.asks(entry, asker, owner, {})
    (truth,) = seam.truth(asker, owner, ask).values()
    findings = [seam.finding(entry, asker, owner, {}, epsilon=epsilon, own=Own(people=9000)) for _ in range(draws)]
    check_said(findings, epsilon, least=1)
    return sum(inside(finding.rows[0], Fraction(truth)) for finding in findings)


def profile(draws: int, accountant: str, epsilon: str, asker: str, owner: str) -> int:
    seam, entry = counted(accountant), find("profile")
    values = {"of": "subcategory" if owner == "clothing" else "colour", "by": "country"}
    (ask,) = seam.asks(entry, asker, owner, values)
    truths = shares(seam.truth(asker, owner, ask))

    def holds(finding: Finding) -> bool:
        size = len(finding.rows) // 7
        return all(map(inside, finding.rows, truths)) and all(
            right_order(finding.rows[start : start + size], truths[start : start + size])
            for start in range(0, len(truths), size)
        )

    findings = [seam.finding(entry, asker, owner, values, epsilon=epsilon) for _ in range(draws)]
    check_said(findings, epsilon, least=len(truths))
    return sum(map(holds, findings))


def index(draws: int, accountant: str, epsilon: str, asker: str, owner: str) -> int:
    seam, entry = counted(accountant), find("index")
    values = {"of": "subcategory" if owner == "clothing" else "colour"}
    match, table = (shares(seam.truth(asker, owner, ask)) for ask in seam.asks(entry, asker, owner, values))
    there = [everywhere > 0 for everywhere in table]
    truths = [100 * here / (everywhere or 1) for here, everywhere in zip(match, table, strict=True)]
    assert sum(there) >= 5

    def holds(finding: Finding) -> bool:
        """A value that nobody has at the owner has no index, and none may be claimed."""
        right = all(
            inside(row, truth) and (truth != 100 or not row.differs) if exists else row.low is None
            for row, truth, exists in zip(finding.rows, truths, there, strict=True)
        )
        assert epsilon != "1" or any(row.differs for row in finding.rows)
        return right and right_order(finding.rows[:-1], truths[:-1])

    return sum(holds(seam.finding(entry, asker, owner, values, epsilon=epsilon)) for _ in range(draws))


def reach(draws: int, accountant: str, epsilon: str, asker: str, owner: str) -> int:
    seam, entry = counted(accountant), find("reach")
    _, frames = shops()
    everybody = {name: set(frames[name]["key"]) for name in (asker, owner)}
    own = len(everybody[asker])
    together = Fraction(len(everybody[asker] | everybody[owner]))
    findings = [seam.finding(entry, asker, owner, {}, epsilon=epsilon, own=Own(people=own)) for _ in range(draws)]
    check_said(findings, epsilon, least=2)
    return sum(inside(found.rows[0], together) and inside(found.rows[1], together - own) for found in findings)


def flow(draws: int, accountant: str, epsilon: str, asker: str, owner: str) -> int:
    seam, entry = counted(accountant), find("flow")
    values = {"by": "stage", "of": "stage"}
    (ask,) = seam.asks(entry, asker, owner, values)
    cells = seam.truth(asker, owner, ask)
    truths, people = shares(cells), sum(cells.values())
    overall = {of: Fraction(100 * sum(n for (_, to), n in cells.items() if to == of), people) for _, of in cells}

    def holds(finding: Finding) -> bool:
        assert epsilon != "1" or any(row.differs for row in finding.rows), "the planted flow is plain enough to be seen"
        return all(
            inside(row, truth) and (not row.differs or truth != overall[of])
            for row, truth, (_, of) in zip(finding.rows, truths, cells, strict=True)
        )

    return sum(holds(seam.finding(entry, asker, owner, values, epsilon=epsilon)) for _ in range(draws))


ENTRIES = (overlap, profile, index, reach, flow)
Question = Callable[[int, str, str, str, str], int]


@pytest.mark.parametrize("question", ENTRIES, ids=lambda question: question.__name__)
def test_a_finding_holds_the_truth(question: Question) -> None:
    assert question(FEW, "zcdp", "1", *PAIRS[0]) >= least_held(FEW)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=" asks ".join)
@pytest.mark.parametrize("room_accountant", ACCOUNTANTS)
@pytest.mark.parametrize("epsilon", ["1", "0.1"])
@pytest.mark.parametrize("question", ENTRIES, ids=lambda question: question.__name__)
def test_a_finding_holds_the_truth_over_200_draws(
    question: Question, epsilon: str, room_accountant: str, pair: tuple[str, str]
) -> None:
    assert question(MANY, room_accountant, epsilon, *pair) >= least_held(MANY)
