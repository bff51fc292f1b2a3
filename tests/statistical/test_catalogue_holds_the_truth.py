"""Catalogue questions about real customers hold the truth as often as they say, noise drawn anew each time.

Truth is counted by pandas from both shops' tables; a stage column is planted at both, since the data have none. Every
statement of a finding must hold at once, and the level is 95%, so an honest program falls five standard errors below it
in fewer than 1 of 1e5 runs. Seeds are fixed: a result is the same each time. At epsilon 0.1 noise drowns small values.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask, Own, Values
from cleanroom.catalogue.finding import Finding, Row
from cleanroom.ids import ColumnName
from cleanroom.privacy.law import Law
from cleanroom.question.columns import Dimension, Reduction
from parties.room_file import RoomFile, read_room_file
from tests.answers.shops import csv_frame
from tests.reference.drawn_noise import Noise
from tests.reference.least_held import least_held
from tests.reference.redrawn_answers import Seam
from tests.reference.true_answer import Cells, true_answer
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"
LAWS: tuple[Law, ...] = ("gaussian", "laplace")
STAGES = ("aware", "interested", "bought", "loyal")
FEW, MANY = 40, 200
PAIRS = [("accessories", "bikes"), ("bikes", "clothing")]


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
def seam_of(asker: str, owner: str) -> Seam:
    return Seam(shops()[0], asker, owner)


@cache
def true_cells(seam: Seam, ask: Ask) -> Cells:
    """Counted by pandas."""
    terms, frames = shops()
    return true_answer(terms, frames, seam.asker, seam.owner, ask.by, ask.quantity, ask.base)


@dataclass(frozen=True)
class Draws:
    """So many times one company asks another, at an epsilon, with noise drawn anew for each."""

    count: int
    seam: Seam
    noise: Noise
    epsilon: str

    def truths(self, name: str, values: Values) -> list[Cells]:
        """The exact cells of each plan."""
        return [true_cells(self.seam, ask) for ask in self.seam.asks(find(name), values)]

    def findings(self, name: str, values: Values, *, least: int = 0, own: Own | None = None) -> list[Finding]:
        """At epsilon 1, `least` rows of each finding say something; silence would hold the truth as well."""
        found = []
        for _ in range(self.count):
            one = self.seam.finding(
                find(name),
                values,
                lambda ask: true_cells(self.seam, ask),
                self.noise,
                epsilon=self.epsilon,
                own=own,
            )
            assert self.epsilon != "1" or sum(row.low is not None for row in one.rows) >= least
            found.append(one)
        return found


def inside(row: Row, truth: Fraction) -> bool:
    """Whether the row's interval holds the truth; a row that says nothing says nothing wrong."""
    return row.low is None or row.high is None or row.low <= truth <= row.high


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


def a_column(draws: Draws) -> str:
    return "subcategory" if draws.seam.owner == "clothing" else "colour"


def overlap(draws: Draws) -> int:
    ((truth,),) = (cells.values() for cells in draws.truths("overlap", {}))
    findings = draws.findings("overlap", {}, least=1, own=Own(people=9000))
    return sum(inside(finding.rows[0], Fraction(truth)) for finding in findings)


def profile(draws: Draws) -> int:
    values = {"of": a_column(draws), "by": "country"}
    (truths,) = map(shares, draws.truths("profile", values))

    def holds(finding: Finding) -> bool:
        size = len(finding.rows) // 7
        return all(map(inside, finding.rows, truths)) and all(
            right_order(finding.rows[start : start + size], truths[start : start + size])
            for start in range(0, len(truths), size)
        )

    return sum(map(holds, draws.findings("profile", values, least=len(truths))))


def index(draws: Draws) -> int:
    values = {"of": a_column(draws)}
    match, table = map(shares, draws.truths("index", values))
    there = [everywhere > 0 for everywhere in table]
    truths = [100 * here / (everywhere or 1) for here, everywhere in zip(match, table, strict=True)]
    assert sum(there) >= 5

    def holds(finding: Finding) -> bool:
        """A value that nobody has at the owner has no index, and none may be claimed."""
        right = all(
            inside(row, truth) and (truth != 100 or not row.differs) if exists else row.low is None
            for row, truth, exists in zip(finding.rows, truths, there, strict=True)
        )
        assert draws.epsilon != "1" or any(row.differs for row in finding.rows)
        return right and right_order(finding.rows[:-1], truths[:-1])

    return sum(map(holds, draws.findings("index", values)))


def reach(draws: Draws) -> int:
    _, frames = shops()
    first, second = (set(frames[name]["key"]) for name in (draws.seam.asker, draws.seam.owner))
    own, together = len(first), Fraction(len(first | second))
    findings = draws.findings("reach", {}, least=2, own=Own(people=own))
    return sum(inside(found.rows[0], together) and inside(found.rows[1], together - own) for found in findings)


def flow(draws: Draws) -> int:
    values = {"by": "stage", "of": "stage"}
    (cells,) = draws.truths("flow", values)
    truths, people = shares(cells), sum(cells.values())
    overall = {of: Fraction(100 * sum(n for (_, to), n in cells.items() if to == of), people) for _, of in cells}

    def holds(finding: Finding) -> bool:
        assert draws.epsilon != "1" or any(row.differs for row in finding.rows), (
            "the planted flow is plain enough to be seen"
        )
        return all(
            inside(row, truth) and (not row.differs or truth != overall[of])
            for row, truth, (_, of) in zip(finding.rows, truths, cells, strict=True)
        )

    return sum(map(holds, draws.findings("flow", values)))


ENTRIES = (overlap, profile, index, reach, flow)
Question = Callable[[Draws], int]


def check(question: Question, draws: int, law: Law, epsilon: str, pair: tuple[str, str]) -> None:
    held = question(Draws(draws, seam_of(*pair), Noise(law, 1), epsilon))
    assert held / draws >= least_held(draws)


@pytest.mark.parametrize("question", ENTRIES, ids=lambda question: question.__name__)
def test_a_finding_holds_the_truth(question: Question) -> None:
    check(question, FEW, "gaussian", "1", PAIRS[0])


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=" asks ".join)
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("epsilon", ["1", "0.1"])
@pytest.mark.parametrize("question", ENTRIES, ids=lambda question: question.__name__)
def test_a_finding_holds_the_truth_over_200_draws(
    question: Question, epsilon: str, law: Law, pair: tuple[str, str]
) -> None:
    check(question, MANY, law, epsilon, pair)
