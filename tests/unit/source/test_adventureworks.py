"""Three shops of public sample data: the people are the true customers, and every value is pandas' value."""

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from cleanroom.ids import column_name
from cleanroom.question.columns import Asked, Column, Dimension, Measure, Reduction
from parties.source.key_rule import KeyRule
from parties.source.load import load_people
from parties.source.report import SourceReport
from parties.source.source_file import SourceFile
from tests.reference.people_by_pandas import reduced_people
from tests.shared_data import shared_data

_BY_DAY = ("order_date", "%m/%d/%Y")
_COLOURS = ("Black", "Blue", "Multi", "NA", "Red", "Silver", "White", "Yellow")


def _columns() -> list[Asked]:
    def name(text: str) -> Dimension:
        rules = {
            "last_colour": Reduction("last", "colour", *_BY_DAY),
            "usual_colour": Reduction("most_frequent", "colour"),
            "country": Reduction("most_frequent", "country_code"),
            "bought_red": Reduction("any", where={"colour": ("Red",)}),
        }
        values = {"country": ("AU", "CA", "DE", "FR", "GB"), "bought_red": ("yes", "no")}.get(text, _COLOURS[:-1])
        return Dimension(column_name(text), rules[text], values)

    def amount(text: str, rule: Reduction, decimals: int, high: int, step: str) -> Measure:
        return Measure(column_name(text), rule, "USD", decimals, Decimal(0), Decimal(high), Decimal(step))

    return [
        *map(name, ("last_colour", "usual_colour", "country", "bought_red")),
        amount("spent", Reduction("sum", "list_price"), 4, 3000, "0.01"),
        amount("dearest", Reduction("max", "list_price"), 4, 3000, "5"),
        amount("newest_price", Reduction("last", "list_price", *_BY_DAY), 4, 3000, "5"),
        amount("red_lines", Reduction("count", where={"colour": ("Red", "Black")}), 0, 3, "1"),
    ]


def _load(shop: str, key: KeyRule, columns: Sequence[Column]) -> tuple[pa.Table, SourceReport]:
    source = SourceFile(shared_data(f"adventureworks/sites/{shop}.csv.gz"))
    with tempfile.TemporaryDirectory() as work_directory:
        return load_people(source, key, columns, work_directory=Path(work_directory))


@pytest.mark.parametrize(("shop", "customers"), [("bikes", 8790), ("accessories", 14285), ("clothing", 6451)])
@pytest.mark.parametrize("profile", ["email-plain-v1", "email-uid2-v1"])
def test_by_email_the_people_are_the_true_customers(shop: str, customers: int, profile: str) -> None:
    table, report = _load(shop, KeyRule(("email",), profile, ""), [])
    keys = table.column("key").to_pylist()
    assert len(keys) == len(set(keys)) == report.people == customers
    assert keys == sorted(keys)
    assert (report.rows_rejected, report.unparsable_keys, report.crowded_keys) == (0, 0, 0)


@pytest.mark.parametrize(("shop", "customers"), [("bikes", 8790), ("accessories", 14285), ("clothing", 6451)])
def test_by_name_and_postal_code_the_people_are_the_true_customers(shop: str, customers: int) -> None:
    key = KeyRule(("first_name", "last_name", "postal_code"), "opaque-v1", "")
    assert _load(shop, key, [])[1].people == customers


def test_shared_telephone_numbers_are_reported_to_the_operator() -> None:
    # The data's README: 90 strings are shared by some 8,600 of the buyers.
    assert _load("accessories", KeyRule(("phone",), "opaque-v1", ""), [])[1].crowded_keys == 90


@pytest.mark.parametrize("shop", ["bikes", "clothing"])
def test_every_reduction_gives_what_pandas_gives(shop: str) -> None:
    table, report = _load(shop, KeyRule(("email",), "email-plain-v1", ""), _columns())
    path = shared_data(f"adventureworks/sites/{shop}.csv.gz")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).assign(
        key=lambda rows: rows["email"].str.strip().str.lower()
    )
    keys = [key.decode() for key in table.column("key").to_pylist()]
    for column in _columns():
        found = dict(zip(keys, table.column(column.name).to_pylist(), strict=True))
        assert found == reduced_people(frame, column), column.name
    assert all((column.bad_numbers, column.bad_dates) == (0, 0) for column in report.columns)


def test_columns_have_the_kinds_that_matching_and_answering_expect() -> None:
    table, _ = _load("clothing", KeyRule(("email",), "email-plain-v1", ""), _columns())
    assert table.column("key").type == pa.large_binary()
    assert [table.column(column.name).type for column in _columns()] == [pa.uint8()] * 4 + [pa.int64()] * 4
    assert 0 not in table.column("last_colour").to_pylist()
