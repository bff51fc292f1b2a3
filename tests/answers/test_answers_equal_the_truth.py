"""Every number of an answer is the exact number that pandas computes, plus exactly the noise that was drawn for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cleanroom.privacy.budget import parse_epsilon, scale_for_units, units_for_epsilon
from cleanroom.question.columns import Measure
from cleanroom.question.quantity import Quantity
from parties.room_file import read_room_file
from tests.answers.shops import csv_frame, frame, shop, shop_rows
from tests.live_room import LiveRoom, RecordingNoise, live_room, room_file
from tests.live_room import values as cells_of
from tests.reference.true_answer import true_answer
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"


@dataclass(frozen=True)
class Known:
    """A running room, the noise each party draws, and what only the test knows: both tables."""

    room: LiveRoom
    noise: dict[str, RecordingNoise]
    frames: dict[str, pd.DataFrame]

    def check(self, asker: str, owner: str, *, by: str = "", of: str = "", total: str = "", epsilon: str = "1") -> None:
        """Ask, and hold the answer to truth plus noise, and the noise to the plan; zero tolerance."""
        drawn = self.noise[owner].draws
        before = len(drawn)
        answer = self.room.ask(asker, owner, by=by, of=of, total=total, epsilon=epsilon)
        assert len(drawn) == before + 1, "one question is one draw"
        count, scale, noise = drawn[-1]
        contract = self.room.contract
        quantity = Quantity("histogram", of) if of else Quantity("sum", total) if total else Quantity("count")
        truth = true_answer(contract, self.frames, asker, owner, by, quantity)
        column = next((one for name, one in _columns(contract, owner) if name == quantity.column), None)
        step, most = Decimal(1), 1
        if isinstance(column, Measure):
            step, most = column.step, int(max(abs(column.low), abs(column.high)) / column.step)
        expected = {cell: step * (exact + extra) for (cell, exact), extra in zip(truth.items(), noise, strict=True)}
        assert {cell: Decimal(str(value)) for cell, value in cells_of(answer).items()} == expected
        assert list(cells_of(answer)) == list(truth)
        assert count == len(truth)
        assert scale == scale_for_units(units_for_epsilon(parse_epsilon(epsilon)), most**2)
        assert answer["question"]["sigma"] == float(scale) * float(step)


def _columns(contract: Any, party: str) -> list[tuple[str, Any]]:
    return [(column.name, column) for column in contract.datasets[party].columns]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    folder = tmp_path_factory.mktemp("small")
    rows = {"shop": shop_rows(range(60), seed=1), "brand": shop_rows(range(25, 95), seed=2)}
    noise = {name: RecordingNoise() for name in rows}
    room = live_room(folder, room_file(folder, {name: shop(table) for name, table in rows.items()}), noise=noise)
    with room:
        yield Known(room, noise, {name: frame(table) for name, table in rows.items()})


DIMENSIONS = ("tier", "colour", "returned")


@pytest.mark.parametrize(("asker", "owner"), [("shop", "brand"), ("brand", "shop")])
@pytest.mark.parametrize("by", ["", *DIMENSIONS])
@pytest.mark.parametrize("question", [{}, {"of": "tier"}, {"of": "colour"}, {"total": "spend"}, {"total": "orders"}])
def test_every_cell_is_truth_plus_the_noise_that_was_drawn(
    small: Known, asker: str, owner: str, by: str, question: dict[str, str]
) -> None:
    small.check(asker, owner, by=by, **question)


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
