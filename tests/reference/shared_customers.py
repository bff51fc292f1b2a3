"""AdventureWorks' customers one row each, by pandas: what is true of those that two shops share."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cleanroom.ids import party_name
from cleanroom.question.columns import Dimension, Measure
from parties.room_file import RoomFile, read_room_file
from tests.answers.shops import csv_frame
from tests.reference.people_by_pandas import reduced_people
from tests.reference.planted_cells import Key
from tests.shared_data import shared_data

SAMPLE = Path(__file__).parents[1] / "samples" / "adventureworks.toml"


@lru_cache(maxsize=3)
def rows_of(shop: str) -> pd.DataFrame:
    """The shop's order lines, as texts, with the address as `key`."""
    return csv_frame(shared_data(f"adventureworks/sites/{shop}.csv.gz"), "email")


@lru_cache(maxsize=32)
def values_of(shop: str, name: str) -> "pd.Series[str]":
    """A dimension's value or `other` of every customer."""
    column = read_room_file(SAMPLE).datasets[party_name(shop)].dimension(name)
    assert isinstance(column, Dimension)
    found = reduced_people(rows_of(shop), column)
    return pd.Series({key: column.cells[(leaf or 0) - 1] for key, leaf in found.items()})


@lru_cache(maxsize=8)
def steps_of(shop: str, name: str) -> "pd.Series[int]":
    """A measure in whole steps of every customer that has a value."""
    column = read_room_file(SAMPLE).datasets[party_name(shop)].measure(name)
    assert isinstance(column, Measure)
    found = reduced_people(rows_of(shop), column)
    return pd.Series({key: steps for key, steps in found.items() if steps is not None})


def shared(first: "pd.Series[str]", second: "pd.Series[str]") -> pd.DataFrame:
    """Columns `by` and `of` for everybody in both."""
    return pd.DataFrame({"by": first, "of": second}).dropna()


def counted(customers: pd.DataFrame, by: str = "by", of: str = "of") -> dict[Key, int]:
    """People in each pair of values."""
    found: Counter[Key] = Counter(zip(customers[by].astype(str), customers[of].astype(str), strict=True))
    return dict(found)


def terms_with(folder: Path, more: Mapping[str, str]) -> RoomFile:
    """The sample's terms with a further columns' text for some parties, as a room file has them."""
    text = SAMPLE.read_text(encoding="utf-8")
    for shop, columns in more.items():
        text += "".join(f"\n[parties.{shop}.columns.{each}" for each in columns.split("[columns.")[1:])
    path = folder / "room.toml"
    path.write_text(text, encoding="utf-8")
    return read_room_file(path)
