"""One person more or less moves each part of a question in one cell, by at most what is charged for that part.

Tables as they come from the reading of a file, and the sums that the noise is added to, over the whole table and slot
by slot, for terms and people of every kind: bounds above 0 and below, an odd number of steps between them, edges at
either end, values outside the bounds, texts that are no numbers, people without a value, a thousand rows of one person,
nobody. What is charged is written down here by hand, and not taken from the product. Zero tolerance.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from cleanroom.errors import SourceError, StateError
from cleanroom.ids import AnalystName, ColumnName
from cleanroom.question.columns import Dimension, Hidden, Measure, Reduction
from cleanroom.question.compile import Question
from cleanroom.question.dataset import Dataset
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import shape
from parties.source.key_rule import KeyRule
from parties.source.load import load_people
from parties.source.source_file import SourceFile
from parties.source.table_file import text_batches
from parties.values import contributions, packed_values, table_sums
from tests.live_room import write_csv
from tests.unit.question.agreements import BRAND, SHOP, contract, dataset

KINDS = ("count", "histogram", "sum", "mean", "quantile")
KEY = KeyRule(("email",), "email-plain-v1", "")
SLOTS = 64
NAME = ColumnName("spend")

HUGE = "999999999999999999"
AMOUNTS = ("", "0", "-0", "3", "5", "7", "-7", "10", "11", HUGE, f"-{HUGE}", "NaN", "inf", "x")
a_row = st.fixed_dictionaries(
    {
        "spend": st.sampled_from(AMOUNTS),
        "tier": st.sampled_from(["gold", "silver", "other", "never declared", ""]),
        "state": st.sampled_from(["kept", "returned"]),
    }
)
rows_of_a_person = st.lists(a_row, min_size=1, max_size=4)
everybody_else = st.lists(rows_of_a_person, min_size=1, max_size=6)


@st.composite
def terms(draw: st.DrawFn) -> Dataset:
    """`spend` is a dimension and a measure at once, with any bounds; `tier` splits; `margin` is hidden."""
    low = draw(st.integers(-12, 12))
    high = low + draw(st.integers(1, 13))
    edges = sorted(draw(st.sets(st.integers(low + 1, high), max_size=4)))
    kind = draw(st.sampled_from(["sum", "max", "count"]))
    where = draw(st.sampled_from([{}, {"state": ("returned",)}]))
    source = "" if kind == "count" else "spend"
    measure = Measure(
        name=NAME,
        reduction=Reduction(kind, source=source, where=where),
        unit="euros",
        decimals=0,
        low=Decimal(low),
        high=Decimal(high),
        step=Decimal(1),
        edges=tuple(map(Decimal, edges or [high])),
    )
    twin = Dimension(NAME, Reduction("most_frequent", source="spend"), ("3", "5", "7"))
    tier = Dimension(ColumnName("tier"), Reduction("most_frequent", source="tier"), ("gold", "silver"))
    return dataset(BRAND, columns=(tier, twin, measure, Hidden(ColumnName("margin"))))


def charged_for(measure: Measure, kind: str) -> tuple[int, ...]:
    """What one person is charged as moving, part by part: by the words of the design, in whole numbers."""
    low, high = int(measure.low), int(measure.high)
    if kind == "sum":
        return (max(abs(low), abs(high)),)
    return (1, -((low - high) // 2)) if kind == "mean" else (1,)


def people_of(folder: Path, name: str, rows: list[dict[str, str]], agreed: Dataset) -> pa.Table:
    """The table as a node reads it."""
    source = SourceFile(write_csv(folder / name, rows))
    (folder / "work").mkdir(exist_ok=True)
    table, _ = load_people(source, KEY, agreed.columns, work_directory=folder / "work")
    return table


def question_of(kind: str, *, base: str, by: str) -> Question:
    """The question as it is asked."""
    quantity = Quantity(kind, "" if kind == "count" else NAME)
    return Question(SHOP, BRAND, AnalystName("ann"), by, quantity, 2**30, base)


def slot_sums(packed: bytes, words: int, width: int) -> list[list[int]]:
    """Slot by slot the words as signed numbers."""
    numbers = [int.from_bytes(packed[at : at + width], "little", signed=True) for at in range(0, len(packed), width)]
    return [numbers[at : at + words] for at in range(0, len(numbers), words)]


def by_part(vector: list[list[int]], lengths: list[int]) -> list[list[int]]:
    """Groups of words taken apart into the parts of the question."""
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    return [
        [word for group in vector for word in group[start : start + length]]
        for start, length in zip(starts, lengths, strict=True)
    ]


def assert_close(before: list[list[int]], after: list[list[int]], lengths: list[int], charged: tuple[int, ...]) -> None:
    """Same length, at most one cell of a part moved, and no further than charged."""
    for part, other, most in zip(by_part(before, lengths), by_part(after, lengths), charged, strict=True):
        assert len(part) == len(other)
        moved = [abs(one - two) for one, two in zip(part, other, strict=True)]
        assert sum(distance > 0 for distance in moved) <= 1
        assert sum(moved) <= most


def rows_of(people: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    """Rows with an address for each person."""
    return [{"email": f"p{number}@example.org", **row} for number, rows in enumerate(people) for row in rows]


LOW_ABOVE_ZERO: Mapping[str, Any] = {"low": Decimal(5), "high": Decimal(10), "edges": (Decimal(10),)}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(agreed=terms(), others=everybody_else, person=rows_of_a_person, repeats=st.sampled_from([1, 1, 250]))
def test_one_person_moves_every_part_by_at_most_what_is_charged(
    agreed: Dataset, others: list[list[dict[str, str]]], person: list[dict[str, str]], repeats: int
) -> None:
    measure = agreed.measure(NAME)
    assert measure is not None
    agreement = contract({BRAND: agreed})
    with tempfile.TemporaryDirectory() as name:
        without = people_of(Path(name), "without.csv", rows_of(others), agreed)
        present = people_of(Path(name), "with.csv", rows_of([*others, person * repeats]), agreed)
    assert present.num_rows == without.num_rows + 1
    assert present.schema == without.schema
    for kind in KINDS:
        charged = charged_for(measure, kind)
        for base, by in (("match", ""), ("table", ""), ("table", "tier"), ("table", NAME)):
            asked = question_of(kind, base=base, by=by)
            form = shape(agreement, asked, (Fraction(2),) * len(charged))
            lengths = [part.words for part in form.parts]
            assert [part.sensitivity for part in form.parts] == list(charged)
            before, after = (
                table_sums(table, agreed, by=by, quantity=asked.quantity, leaves=form.leaves, words=form.words).tolist()
                for table in (without, present)
            )
            assert_close(before, after, lengths, charged)
            assert not any(after[0])
            if base == "match":
                check_slots(without, present, agreed, kind, form.words, form.bits // 8, lengths, charged, before[1])


def check_slots(
    without: pa.Table,
    present: pa.Table,
    agreed: Dataset,
    kind: str,
    words: int,
    width: int,
    lengths: list[int],
    charged: tuple[int, ...],
    sums: list[int],
) -> None:
    """The vector that is masked: a row a slot, zero where nobody is, each row within the charge, adding up to the sums.

    The new person has the last slot; the others keep theirs.
    """
    quantity = question_of(kind, base="match", by="").quantity
    rows = []
    for table in (without, present):
        keys = table.column("key").to_pylist()
        slots = np.array([3 * int(key.decode()[1:].split("@")[0]) for key in keys], dtype=np.uint32)
        packed = packed_values(table, slots, agreed, quantity=quantity, words=words, width=width, slots=SLOTS)
        assert len(packed) == SLOTS * words * width
        rows.append(slot_sums(packed, words, width))
    assert [sum(column) for column in zip(*rows[0], strict=True)] == sums
    assert sum(one != other for one, other in zip(*rows, strict=True)) <= 1
    for row in rows[1]:
        for part, most in zip(by_part([row], lengths), charged, strict=True):
            assert sum(map(abs, part)) <= most
            assert sum(map(bool, part)) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_without_a_value_is_in_no_mean_and_no_quantile(tmp_path: Path, kind: str) -> None:
    """Bounds from 5 to 10: a missing value is not 0, not 5 and not the middle."""
    spend = Measure(NAME, Reduction("sum", source="spend"), "euros", 0, step=Decimal(1), **LOW_ABOVE_ZERO)
    agreed = dataset(BRAND, columns=(spend, Dimension(NAME, Reduction("most_frequent", source="spend"), ("7",))))
    nothing = [[{"spend": text}] for text in ("", "NaN", "many", "1e3")]
    people = people_of(tmp_path, "a.csv", rows_of([[{"spend": "7"}], *nothing]), agreed)
    words = {"histogram": 2, "mean": 2, "quantile": 2}.get(kind, 1)
    quantity = question_of(kind, base="table", by="").quantity
    sums = table_sums(people, agreed, by="", quantity=quantity, leaves=16, words=words)[1].tolist()
    # One person has 7, which is 0 more than the middle, and in the first bin; four have nothing.
    assert sums == {"count": [5], "histogram": [1, 4], "sum": [7], "mean": [1, 0], "quantile": [1, 0]}[kind]


@pytest.mark.parametrize(("low", "high", "value"), [(5, 10, 0), (5, 10, 4), (5, 10, 11), (-10, -5, 0), (-10, -5, -4)])
@pytest.mark.parametrize("kind", ["sum", "mean", "quantile"])
def test_a_value_outside_the_bounds_never_leaves_the_reading_of_a_table(
    low: int, high: int, value: int, kind: str
) -> None:
    """Were the stored table changed, a person could move a number further than charged: refused before any noise."""
    spend = Measure(
        NAME, Reduction("count"), "euros", 0, Decimal(low), Decimal(high), Decimal(1), edges=(Decimal(high),)
    )
    agreed = dataset(BRAND, columns=(spend,))
    people = pa.table({NAME: pa.array([low, value], pa.int64())})
    words = 1 if kind == "sum" else 2
    if kind == "sum" and min(low, 0) <= value <= max(high, 0):
        return  # between 0 and the bounds: a sum moves by less than charged
    with pytest.raises(StateError, match="declared"):
        contributions(people, agreed, Quantity(kind, NAME), words=words)


def test_a_hidden_column_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The column is in the file and in the contract; the reader is asked for other columns only."""
    asked: list[set[str]] = []

    def watched(path: Path, columns: Mapping[str, str], count: Any) -> Any:
        asked.append(set(columns))
        return text_batches(path, columns, count)

    monkeypatch.setattr("parties.source.load.text_batches", watched)
    tier = Dimension(ColumnName("tier"), Reduction("most_frequent", source="tier"), ("gold",))
    agreed = dataset(BRAND, columns=(tier, Hidden(ColumnName("margin"))))
    rows = [{"email": "a@example.org", "tier": "gold", "margin": "CANARY"}]
    table = people_of(tmp_path, "a.csv", rows, agreed)
    assert asked == [{"email", "tier"}]
    assert table.column_names == ["key", "tier"]
    assert "CANARY" not in str(table.to_pydict())


def test_a_hidden_column_need_not_be_in_the_file(tmp_path: Path) -> None:
    tier = Dimension(ColumnName("tier"), Reduction("most_frequent", source="tier"), ("gold",))
    agreed = dataset(BRAND, columns=(tier, Hidden(ColumnName("margin"))))
    table = people_of(tmp_path, "a.csv", [{"email": "a@example.org", "tier": "gold"}], agreed)
    assert table.column_names == ["key", "tier"]
    colour = Dimension(ColumnName("colour"), Reduction("most_frequent", source="colour"), ("red",))
    missing = replace(agreed, columns=(*agreed.columns, colour))
    with pytest.raises(SourceError, match="colour"):
        people_of(tmp_path, "b.csv", [{"email": "a@example.org", "tier": "gold"}], missing)
