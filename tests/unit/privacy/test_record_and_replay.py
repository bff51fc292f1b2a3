"""The record-and-replay harness itself: it passes an honest pipeline and catches each way to cheat the noise."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.noise import DiscreteNoise
from tests.reference.record_replay import Recorder, Replayer

Table = list[tuple[str, int]]
Pipeline = Callable[[Table, Recorder | Replayer], list[int]]

CATEGORIES, CLAMP = ("red", "blue"), 10
PEOPLE: Table = [("red", 3), ("blue", 4), ("red", 100)]


ZCDP = accountant("zcdp")


def _sum_by_category(
    table: Table, release: Recorder | Replayer, *, clamp: int = CLAMP, sensitivity: int = CLAMP
) -> list[int]:
    sums = [sum(min(value, clamp) for name, value in table if name == category) for category in CATEGORIES]
    return release(
        sums, sensitivity=sensitivity, accountant=ZCDP, scale=Fraction(20), tag="sum", source=DiscreteNoise()
    )


def _honest(table: Table, release: Recorder | Replayer) -> list[int]:
    return _sum_by_category(table, release)


def _cells_from_the_data(table: Table, release: Recorder | Replayer) -> list[int]:
    cells = [sum(name == category for name, _ in table) for category in sorted({name for name, _ in table})]
    return release(cells, sensitivity=1, accountant=ZCDP, scale=Fraction(2), tag="cells", source=DiscreteNoise())


def _one_release_a_person(table: Table, release: Recorder | Replayer) -> list[int]:
    for _ in table:
        noisy = _sum_by_category(table, release)
    return noisy


def _scale_from_the_data(table: Table, release: Recorder | Replayer) -> list[int]:
    scale = Fraction(len(table))
    return release([len(table)], sensitivity=1, accountant=ZCDP, scale=scale, tag="count", source=DiscreteNoise())


# Each cheat beside the category of the person who gives it away.
CHEATS: dict[str, tuple[Pipeline, str]] = {
    "no clamp": (lambda table, release: _sum_by_category(table, release, clamp=10**9), "red"),
    "too small a sensitivity": (lambda table, release: _sum_by_category(table, release, sensitivity=1), "red"),
    "cells taken from the data": (_cells_from_the_data, "green"),
    "one release a person": (_one_release_a_person, "green"),
    "a scale taken from the data": (_scale_from_the_data, "green"),
    "a true number beside the noise": (lambda table, release: [*_sum_by_category(table, release), len(table)], "green"),
}


def replay(pipeline: Pipeline, table: Table, neighbour: Table) -> None:
    recorder = Recorder()
    answer = pipeline(table, recorder)
    replayer = Replayer(recorder.records)
    assert pipeline(neighbour, replayer) == answer
    replayer.assert_finished()


@pytest.mark.parametrize("person", [("red", 0), ("red", 10**6), ("blue", 10), ("green", 5)], ids=str)
def test_an_honest_pipeline_passes_with_one_person_more_or_less(person: tuple[str, int]) -> None:
    replay(_honest, PEOPLE, [*PEOPLE, person])
    replay(_honest, [*PEOPLE, person], PEOPLE)


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_pipeline_is_caught_with(cheat: str) -> None:
    pipeline, category = CHEATS[cheat]
    with pytest.raises(AssertionError):
        replay(pipeline, PEOPLE, [*PEOPLE, (category, 10**6)])
    with pytest.raises(AssertionError):
        replay(pipeline, [*PEOPLE, (category, 10**6)], PEOPLE)
