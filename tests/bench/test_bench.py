"""The bench finishes, prints every row, and stays within its memory: small on every run, at full size when asked."""

import re
import subprocess
import sys

import pytest

from tests.bench.run import ROOT
from tests.bench.steps import STEP_NAMES

MOST_MEMORY_MIB = 1536
PROCESSES = ("coordinator", "shop", "brand")


def run_bench(people: int, *, timeout_s: float) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--people", str(people)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def number_in(table: str, row: str) -> float:
    found = re.search(rf"^\| \**{re.escape(row)}\** \| \**([0-9.,]+)\** \|", table, re.MULTILINE)
    assert found is not None, f"the table lacks the row {row}:\n{table}"
    return float(found[1].replace(",", ""))


def check_rows(table: str) -> None:
    for name in STEP_NAMES:
        assert number_in(table, name) >= 0.0
    steps = sum(number_in(table, name) for name in STEP_NAMES)
    assert steps == pytest.approx(number_in(table, "match, set-up and answer"), abs=0.01 * len(STEP_NAMES))
    for process in PROCESSES:
        assert 10 < number_in(table, process) < MOST_MEMORY_MIB
    for rate in (
        "identifiers hashed to the curve and masked",
        "entries appended to the log, each on disk before the next",
        "the same while heads are published and the folder is exported",
    ):
        assert number_in(table, rate) > 0


def cells_holding_the_truth(table: str) -> tuple[int, int]:
    found = re.search(r"intervals of (\d+) of (\d+) cells hold the truth", table)
    assert found is not None
    return int(found[1]), int(found[2])


def test_a_small_bench_prints_every_row_and_its_steps_add_up_to_the_total() -> None:
    table = run_bench(2_000, timeout_s=240)
    check_rows(table)
    # Every cell holds with probability 0.95 at least; 97 or fewer of 121 by chance has probability below 1e-7.
    holding, cells = cells_holding_the_truth(table)
    assert cells == 121
    assert holding > 97


@pytest.mark.slow
def test_two_hundred_thousand_people_a_side_match_and_answer_in_bounded_memory() -> None:
    table = run_bench(200_000, timeout_s=900)
    print(table)
    check_rows(table)
    holding, cells = cells_holding_the_truth(table)
    assert cells == 121
    assert holding > 97
