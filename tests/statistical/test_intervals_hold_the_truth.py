"""Reported intervals hold the true number as often as the law of the noise says, through the whole stack.

One match, one set-up, and many plans that differ in their repeat counter alone: each is charged, logged and drawn anew
by the product's own sampler. What is true comes from outside: planted people, or the shops' published overlaps.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from cleanroom.answer.view import USUAL_VIEW, View
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.question.columns import Measure
from cleanroom.question.quantity import Quantity
from parties.room_file import read_room_file
from tests.answers.shops import frame, shop, shop_rows
from tests.live_room import LiveRoom, live_room, room_file, values, with_budget
from tests.reference.tail_laws import binomial_tails
from tests.reference.true_answer import Cells, true_answer, true_parts
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"
STANDARD_ERRORS = 5
ZCDP = accountant("zcdp")
SCALE = ZCDP.scale_for_units(ZCDP.units_for_epsilon(parse_epsilon("1")), 1)


def least_accepted(intervals: int, coverage: Fraction) -> int:
    """The fewest intervals that may hold the truth: five standard errors below what the law says."""
    error = sqrt(float(coverage * (1 - coverage)) / intervals)
    return int(intervals * (float(coverage) - STANDARD_ERRORS * error))


def check(noise: list[int], held: int) -> None:
    """Held as often as the law says, and the noise centred and as wide as it; `noise` is value minus truth.

    Above, five standard errors end beyond certainty, so what would be too wide is caught by the second and third
    rule. False alarms: coverage as the test below computes, mean 6e-7, variance 6e-6 at 200 numbers and 3e-6 at 432
    (a chi-square of as many degrees of freedom, less one).
    """
    count, sigma = len(noise), float(SCALE)
    assert held >= least_accepted(count, ZCDP.noise_interval(SCALE).coverage)
    mean = sum(noise) / count
    assert abs(mean) <= STANDARD_ERRORS * sigma / sqrt(count)
    variance = sum((one - mean) ** 2 for one in noise) / (count - 1)
    assert abs(variance / sigma**2 - 1) <= STANDARD_ERRORS * sqrt(2 / (count - 1))


@pytest.mark.parametrize(("intervals", "rate"), [(200, 3e-6), (432, 3e-6)])
def test_an_honest_node_fails_these_tests_as_rarely_as_they_say(intervals: int, rate: float) -> None:
    coverage = ZCDP.noise_interval(SCALE).coverage
    lower, _ = binomial_tails(least_accepted(intervals, coverage) - 1, intervals, float(coverage))
    assert lower <= rate


def test_intervals_hold_planted_truth_as_often_as_the_law_says(tmp_path: Path) -> None:
    """36 answers of 12 cells each, drawn independently: 432 intervals. False-alarm rate below 1e-5 in all."""
    rows = {"shop": shop_rows(range(60), seed=3), "brand": shop_rows(range(20, 90), seed=4)}
    terms = room_file(tmp_path, {name: shop(table) for name, table in rows.items()})
    with live_room(tmp_path, terms) as room:
        frames = {name: frame(table) for name, table in rows.items()}
        truth = true_answer(room.contract, frames, "shop", "brand", "returned", Quantity("histogram", "tier"))
        noise, held = [], 0
        for repeat in range(36):
            answer = room.ask("shop", "brand", by="returned", of="tier", repeat=repeat)
            assert not answer["stored"]
            noise += [value - truth[cell] for cell, value in values(answer).items()]
            held += sum(cell["low"] <= truth[cell["by"], cell["of"]] <= cell["high"] for cell in answer["cells"])
    check(noise, held)


@pytest.fixture(scope="module")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRoom]:
    shared_data("adventureworks/sites")
    terms = with_budget(read_room_file(SAMPLE), "100")
    with live_room(tmp_path_factory.mktemp("intervals"), terms) as room:
        yield room


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asker", "owner"), [("accessories", "bikes"), ("accessories", "clothing"), ("bikes", "clothing")]
)
def test_intervals_hold_the_overlap_of_real_customers_as_often_as_the_law_says(
    adventureworks: LiveRoom, asker: str, owner: str
) -> None:
    """200 counts a pair. False-alarm rate below 1e-5 a pair."""
    answers = json.loads(shared_data("adventureworks/answers.json").read_text(encoding="utf-8"))
    truth = answers["pairs"][f"{asker}&{owner}"]
    noise, held = [], 0
    for repeat in range(200):
        answer = adventureworks.ask(asker, owner, repeat=repeat)
        (cell,) = answer["cells"]
        assert not answer["stored"]
        assert cell["high"] - cell["value"] == cell["value"] - cell["low"] == ZCDP.noise_interval(SCALE).half_width
        noise.append(cell["value"] - truth)
        held += cell["low"] <= truth <= cell["high"]
    check(noise, held)


# ---- means, quantiles and rankings, over the match and over the whole table ------------------------------------------

KINDS = [
    pytest.param(Quantity("mean", "spend"), "match", id="mean over the match"),
    pytest.param(Quantity("mean", "dearest"), "table", id="mean over the table, bounds above 0"),
    pytest.param(Quantity("quantile", "spend"), "table", id="quantiles over the table"),
    pytest.param(Quantity("quantile", "size"), "match", id="quantiles over the match"),
    pytest.param(Quantity("histogram", "tier"), "table", id="ranking over the table"),
]


def hold_the_truth(folder: Path, quantity: Quantity, base: str, answers: int) -> None:
    """Ask so often, by two groups and all others; nothing that is claimed is wrong more often than in 5% of answers.

    Intervals hold with 95% or more, so fewer than five standard errors below that fails an honest node in less than
    1 of 1e5 runs; a ranking holds for all groups at once.
    """
    rows = {"shop": shop_rows(range(300), seed=3), "brand": shop_rows(range(100, 420), seed=4)}
    terms = room_file(folder, {name: shop(table) for name, table in rows.items()}, capacity=700)
    words: dict[str, Any] = {quantity.kind if quantity.kind != "histogram" else "of": quantity.column}
    with live_room(folder, with_budget(terms, "100"), noise={}) as room:
        frames = {name: frame(table) for name, table in rows.items()}
        parts = true_parts(room.contract, frames, "shop", "brand", "returned", quantity, base)
        column = room.contract.datasets[PartyName("brand")].measure(quantity.column)
        # One level only: quantiles of one group at several levels share their noise, and err together.
        view = {"histogram": View(top=2), "quantile": View(levels=(Fraction(1, 2),))}.get(quantity.kind, USUAL_VIEW)
        right: list[bool] = []
        for repeat in range(answers):
            answer = room.ask("shop", "brand", by="returned", base=base, view=view, epsilon="2", repeat=repeat, **words)
            assert not answer["stored"]
            if quantity.kind == "mean":
                right += [mean_holds(cell, column, parts) for cell in answer["cells"]]
            elif quantity.kind == "quantile":
                right += [quantile_holds(line, column, parts[0]) for line in answer["quantiles"]]
            else:
                right.append(all(rank_holds(line, parts[0]) for line in answer["ranking"]))
    assert sum(right) >= least_accepted(len(right), Fraction(95, 100))


def mean_holds(cell: dict[str, Any], column: Measure | None, parts: tuple[Cells, ...]) -> bool:
    """The interval holds the mean of the clamped values; nothing is claimed of an undefined one.

    A defined mean of nobody is wrong; the count's interval makes it as rare as any other error.
    """
    assert column is not None
    people, centred = (part[cell["by"], None] for part in parts)
    if not cell["defined"] or not people:
        return not cell["defined"]
    middle = (column.low + column.high) / column.step // 2
    exact = (Fraction(centred, people) + Fraction(middle)) * Fraction(column.step)
    return Fraction(str(cell["low"])) <= exact <= Fraction(str(cell["high"]))


def quantile_holds(line: dict[str, Any], column: Measure | None, truth: Cells) -> bool:
    """The bin of the exact quantile lies between the two edges."""
    assert column is not None
    people = [count for (by, _), count in truth.items() if by == line["by"]]
    if not line["defined"] or not sum(people):
        return not line["defined"]
    bounds = [column.low, *column.edges, column.high]
    wanted = Fraction(str(line["level"])) * sum(people)
    place = next(at for at in range(len(people)) if sum(people[: at + 1]) >= wanted)
    return bool(Decimal(str(line["low"])) <= bounds[place] and bounds[place + 1] <= Decimal(str(line["high"])))


def rank_holds(line: dict[str, Any], truth: Cells) -> bool:
    """The value can be ranked where it is said to be: equal numbers may stand in either order."""
    rivals = [count for (by, of), count in truth.items() if by == line["by"] and of not in ("other", line["of"])]
    mine = truth[line["by"], line["of"]]
    best, worst = 1 + sum(count > mine for count in rivals), 1 + sum(count >= mine for count in rivals)
    possible = line["best_rank"] <= worst and best <= line["worst_rank"]
    return possible and not (line["in_top"] == "certainly" and best > 2)


@pytest.mark.parametrize(("quantity", "base"), KINDS)
def test_a_few_answers_of_every_kind_hold_the_truth(tmp_path: Path, quantity: Quantity, base: str) -> None:
    hold_the_truth(tmp_path, quantity, base, 20)


@pytest.mark.slow
@pytest.mark.parametrize(("quantity", "base"), KINDS)
def test_answers_of_every_kind_hold_the_truth_as_often_as_they_say(
    tmp_path: Path, quantity: Quantity, base: str
) -> None:
    hold_the_truth(tmp_path, quantity, base, 100)
