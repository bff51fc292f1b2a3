"""Every number of an answer is the exact number that pandas computes, plus exactly the noise that was drawn for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cleanroom.ids import PartyName
from cleanroom.privacy.budget import parse_epsilon, scale_for_units, units_for_epsilon
from cleanroom.question.columns import Measure
from parties.room_file import read_room_file
from tests.answers.shops import csv_frame, frame, shop, shop_rows
from tests.live_room import LiveRoom, RecordingNoise, live_room, quantity_of, room_file, values
from tests.reference.true_answer import true_parts
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"


@dataclass(frozen=True)
class Known:
    """A running room, the noise each party draws, and what only the test knows: both tables."""

    room: LiveRoom
    noise: dict[str, RecordingNoise]
    frames: dict[str, pd.DataFrame]

    def check(
        self, asker: str, owner: str, *, by: str = "", base: str = "match", epsilon: str = "1", **column: Any
    ) -> None:
        """Ask, and hold every released number to truth plus noise, and the noise to the plan; zero tolerance."""
        drawn = self.noise[owner].draws
        before = len(drawn)
        answer = self.room.ask(asker, owner, by=by, base=base, epsilon=epsilon, **column)
        contract, quantity = self.room.contract, quantity_of(**column)
        parts = true_parts(contract, self.frames, asker, owner, by, quantity, base)
        assert len(drawn) == before + len(parts), "one draw for each part of the question"
        assert answer["question"]["base"] == base
        measure = contract.datasets[PartyName(owner)].measure(quantity.column) if quantity.role == "measure" else None
        share = units_for_epsilon(parse_epsilon(epsilon)) // len(parts)
        moves = one_person_moves(measure, quantity.kind)
        for (count, scale, noise), truth, released, most in zip(
            drawn[before:], parts, released_numbers(answer), moves, strict=True
        ):
            expected = [exact + extra for exact, extra in zip(truth.values(), noise, strict=True)]
            assert released == expected
            assert list(values(answer)) == list(truth)
            assert count == len(truth)
            assert scale == scale_for_units(share, most**2)
        step = measure.step if measure is not None and quantity.kind == "sum" else Decimal(1)
        assert answer["question"]["sigma"] == float(drawn[before][1] * Fraction(step))
        if quantity.kind == "sum":
            shown = [Decimal(str(value)) for value in values(answer).values()]
            assert shown == [step * units for units in released_numbers(answer)[0]]


def one_person_moves(measure: Measure | None, kind: str) -> list[int]:
    """How far one person moves each part, in steps, by hand: bounds and their middle, not the product's arithmetic."""
    if measure is None or kind == "quantile":
        return [1]
    low, high = int(measure.low / measure.step), int(measure.high / measure.step)
    return [max(abs(low), abs(high))] if kind == "sum" else [1, -(-(high - low) // 2)]


def released_numbers(answer: dict[str, Any]) -> list[list[int]]:
    """The raw signed integers that the owner released, part by part."""
    cells = answer["cells"]
    kind = answer["question"]["quantity"]
    if kind == "mean":
        return [[cell["released"][name] for cell in cells] for name in ("count", "sum")]
    return [[cell["released"]["sum"] if kind == "sum" else cell["value"] for cell in cells]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    folder = tmp_path_factory.mktemp("small")
    rows = {"shop": shop_rows(range(60), seed=1), "brand": shop_rows(range(25, 95), seed=2)}
    noise = {name: RecordingNoise() for name in rows}
    room = live_room(folder, room_file(folder, {name: shop(table) for name, table in rows.items()}), noise=noise)
    with room:
        yield Known(room, noise, {name: frame(table) for name, table in rows.items()})


DIMENSIONS = ("tier", "colour", "returned", "size")
BEFORE_MEANS: list[dict[str, str]] = [{}, {"of": "tier"}, {"of": "colour"}, {"total": "spend"}, {"total": "orders"}]
# `dearest` has bounds above 0 and hardly anybody has a value; `size` is a dimension and a measure at once.
LATER: list[dict[str, str]] = [
    {"of": "size"},
    {"total": "size"},
    {"total": "dearest"},
    {"mean": "spend"},
    {"mean": "dearest"},
    {"mean": "size"},
    {"quantile": "spend"},
    {"quantile": "dearest"},
    {"quantile": "size"},
]


@pytest.mark.parametrize(("asker", "owner"), [("shop", "brand"), ("brand", "shop")])
@pytest.mark.parametrize("by", ["", *DIMENSIONS])
@pytest.mark.parametrize("question", [*BEFORE_MEANS, *LATER], ids=str)
def test_every_cell_is_truth_plus_the_noise_that_was_drawn(
    small: Known, asker: str, owner: str, by: str, question: dict[str, str]
) -> None:
    small.check(asker, owner, by=by, **question)


@pytest.mark.parametrize("by", ["", *DIMENSIONS])
@pytest.mark.parametrize("question", [*BEFORE_MEANS, *LATER], ids=str)
def test_every_cell_over_the_whole_table_is_truth_plus_the_noise_that_was_drawn(
    small: Known, by: str, question: dict[str, str]
) -> None:
    small.check("shop", "brand", by=by, base="table", **question)


def test_more_budget_buys_less_noise_and_the_same_truth(small: Known) -> None:
    small.check("shop", "brand", by="tier", of="colour", epsilon="12.5")
    small.check("shop", "brand", by="tier", of="colour", epsilon="0.01")


@pytest.fixture(scope="module")
def adventureworks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    sites = shared_data("adventureworks/sites")
    terms = read_room_file(SAMPLE)
    noise = {str(name): RecordingNoise() for name in terms.datasets}
    room = live_room(tmp_path_factory.mktemp("adventureworks"), terms, noise=noise)
    with room:
        frames = {name: csv_frame(sites / f"{name}.csv.gz", "truth_customer_key") for name in noise}
        yield Known(room, noise, frames)


def test_real_customers_are_counted_exactly_before_the_noise(adventureworks: Known) -> None:
    adventureworks.check("accessories", "bikes")
    adventureworks.check("accessories", "bikes", by="country", of="colour")
    adventureworks.check("accessories", "bikes", by="subcategory", total="price")
    adventureworks.check("accessories", "bikes", by="helmet", total="bicycles", epsilon="0.5")
    adventureworks.check("accessories", "bikes", by="country", mean="price")
    adventureworks.check("accessories", "bikes", by="helmet", quantile="price")


def test_all_real_customers_of_a_shop_are_counted_exactly_before_the_noise(adventureworks: Known) -> None:
    adventureworks.check("clothing", "bikes", base="table")
    adventureworks.check("clothing", "bikes", base="table", by="country", of="colour")
    adventureworks.check("clothing", "bikes", base="table", by="colour", total="bicycles")
    adventureworks.check("clothing", "bikes", base="table", by="country", mean="price")
    adventureworks.check("clothing", "bikes", base="table", by="colour", quantile="price")


@pytest.mark.slow
def test_real_customers_are_counted_exactly_in_every_pair_and_direction(adventureworks: Known) -> None:
    adventureworks.check("bikes", "accessories", by="colour", of="subcategory")
    adventureworks.check("bikes", "accessories", by="colour", total="order_lines")
    adventureworks.check("bikes", "accessories", of="helmet")
    adventureworks.check("bikes", "clothing", by="country", of="subcategory")
    adventureworks.check("clothing", "bikes", by="subcategory", of="country")
    adventureworks.check("clothing", "bikes", total="price")
    adventureworks.check("accessories", "clothing", by="subcategory", total="items")
    adventureworks.check("clothing", "accessories", by="country", of="country")
    adventureworks.check("bikes", "accessories", by="colour", mean="order_lines")
    adventureworks.check("accessories", "clothing", by="country", mean="items")
    adventureworks.check("clothing", "bikes", by="subcategory", quantile="price")
    adventureworks.check("bikes", "accessories", by="colour", quantile="order_lines")


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["bikes", "accessories", "clothing"])
def test_every_question_over_every_whole_real_table_is_exact(adventureworks: Known, owner: str) -> None:
    asker = next(name for name in adventureworks.frames if name != owner)
    dataset = adventureworks.room.contract.datasets[PartyName(owner)]
    for by in ("", *dataset.dimensions()):
        adventureworks.check(asker, owner, base="table", by=by, epsilon="0.1")
        for of in dataset.dimensions():
            adventureworks.check(asker, owner, base="table", by=by, of=of, epsilon="0.1")
        for name in dataset.measures():
            adventureworks.check(asker, owner, base="table", by=by, total=name, epsilon="0.1")
            adventureworks.check(asker, owner, base="table", by=by, mean=name, epsilon="0.1")
        for name in dataset.measures(with_edges=True):
            adventureworks.check(asker, owner, base="table", by=by, quantile=name, epsilon="0.1")
