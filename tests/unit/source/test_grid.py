"""Clamping and rounding onto whole steps, exactly, against Python's decimals."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import UsageError
from cleanroom.question.columns import Measure
from parties.source.grid import require_exact_grid, whole_steps
from parties.source.scratch import scratch_database
from tests.unit.source.tables import HEADER, OPAQUE, load, price, write

_AMOUNTS = st.decimals(min_value=-(10**18) + 1, max_value=10**18 - 1, places=9)


@pytest.fixture(name="work_directory", scope="module")
def _work_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grid")


@settings(max_examples=25, deadline=None)
@given(
    amounts=st.lists(st.one_of(_AMOUNTS, st.decimals(-50, 50, places=3)), min_size=1, max_size=30),
    step=st.sampled_from(["1", "0.5", "0.001", "0.000000001", "3", "0.7", "2.5", "1000000000"]),
    bounds=st.tuples(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31)).filter(lambda pair: pair[0] < pair[1]),
)
def test_steps_agree_with_exact_decimals(
    work_directory: Path, amounts: list[Decimal], step: str, bounds: tuple[int, int]
) -> None:
    low, high = (Decimal(bound) * Decimal(step) for bound in bounds)
    measure = price(low=str(low), high=str(high), step=step)
    with scratch_database(work_directory) as connection:
        connection.execute("CREATE TABLE made (person BIGINT, amount DECIMAL(38, 9))")
        connection.executemany(
            "INSERT INTO made VALUES (?, ?::DECIMAL(38, 9))", [[*pair] for pair in enumerate(map(str, amounts))]
        )
        found = whole_steps(connection, connection.sql("SELECT * FROM made"), measure).to_pylist()
    for row in found:
        amount = amounts[row["person"]]
        assert row["units"] == _exact(amount, measure)
        assert row["clamped"] == (not measure.low <= amount <= measure.high)


def _exact(amount: Decimal, measure: Measure) -> int:
    with localcontext(prec=60):
        kept = min(max(amount, measure.low), measure.high)
        return int((kept / measure.step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@pytest.mark.parametrize(
    ("text", "steps", "clamped"),
    [("10.00", 10, 0), ("10.01", 10, 1), ("9.99", 10, 0), ("-10.00", -10, 0), ("-10.01", -10, 1),
     ("0.50", 0, 0), ("1.50", 2, 0), ("2.50", 2, 0), ("-0.50", 0, 0), ("-1.50", -2, 0), ("-2.50", -2, 0),
     ("2.51", 3, 0), ("2.49", 2, 0), ("-2.51", -3, 0)],
)  # fmt: skip
def test_an_amount_is_clamped_then_rounded_half_to_even(tmp_path: Path, text: str, steps: int, clamped: int) -> None:
    source = write(tmp_path, HEADER + f"p,x,1/1/2018,{text}\n".encode())
    people, report = load(source, [price(low="-10", high="10")], OPAQUE)
    assert people["price"] == {"p": steps}
    assert report.columns[0].clamped == clamped


def test_a_sum_is_exact_where_floats_are_not(tmp_path: Path) -> None:
    content = HEADER + b"p,x,1/1/2018,0.1\n" * 30 + b"p,x,1/1/2018,900000000000000\np,x,1/1/2018,-900000000000000\n"
    people, _ = load(write(tmp_path, content), [price(decimals=1, step="0.1")], OPAQUE)
    assert people["price"] == {"p": 30}


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [("0", "0.0000000002", "0.0000000001"), ("0", "1000000000000000000", "1000000000000000000")],
)
def test_a_grid_finer_or_larger_than_the_arithmetic_is_refused(low: str, high: str, step: str) -> None:
    with pytest.raises(UsageError, match=r"at most 9 decimals and are below 10\^18"):
        require_exact_grid(price(low=low, high=high, step=step))


def test_the_finest_and_the_largest_grid_are_accepted() -> None:
    require_exact_grid(price(low="0", high="0.000000002", step="0.000000001"))
    require_exact_grid(price(low="0", high="999999999999999999", step="999999999999999999"))
