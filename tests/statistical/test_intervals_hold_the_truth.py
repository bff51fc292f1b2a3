"""Reported intervals hold the true number as often as the law of the noise says, through the whole stack.

One match, one set-up, and many plans that differ in their repeat counter alone: each is charged, logged and drawn anew
by the product's own sampler. What is true comes from outside: planted people, or the shops' published overlaps.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from pathlib import Path

import pytest

from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.question.quantity import Quantity
from parties.room_file import read_room_file
from tests.answers.shops import frame, shop, shop_rows
from tests.live_room import LiveRoom, live_room, room_file, values, with_budget
from tests.reference.tail_laws import binomial_tails
from tests.reference.true_answer import true_answer
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
