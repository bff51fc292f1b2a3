"""Time and memory of a load, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parties.source.scratch import MEMORY_LIMIT_MB

_PROGRAM = """
import json, sys
from pathlib import Path
from tests.unit.source.tables import SourceFile, colour, load_table, price
table, report = load_table(SourceFile(Path(sys.argv[1])), [colour("last"), price("sum")])
peak_mb = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024
print(json.dumps([table.num_rows, report.rows_read, report.rows_rejected, peak_mb]))
"""


def _measured(path: Path) -> list[int]:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, str(path)], capture_output=True, check=True)
    return list(map(int, json.loads(done.stdout)))


def _duplicates(path: Path, rows: int) -> Path:
    block = b"person@example.com,Red,7/1/2018,12.50\n" * 10_000
    with path.open("wb") as file:
        file.write(b"email,colour,day,price\n")
        for _ in range(rows // 10_000):
            file.write(block)
    return path


def _customers(path: Path, people: int, rows_each: int) -> Path:
    with path.open("w") as file:
        file.write("email,colour,day,price\n")
        for row in range(people * rows_each):
            colour = "Red" if row % 3 else "Blue"
            day = f"{row % 12 + 1}/{row % 28 + 1}/2018"
            file.write(f"Person.{row % people}@Example.com,{colour},{day},{row % 999}.25\n")
    return path


def test_a_hundred_thousand_people_load_in_bounded_memory(tmp_path: Path) -> None:
    people, read, rejected, peak_mb = _measured(_customers(tmp_path / "shop.csv", 100_000, 4))
    assert (people, read, rejected) == (100_000, 400_000, 0)
    assert peak_mb < 600


def test_half_a_million_rows_of_one_person_are_one_person(tmp_path: Path) -> None:
    people, read, rejected, peak_mb = _measured(_duplicates(tmp_path / "shop.csv", 500_000))
    assert (people, read, rejected) == (1, 500_000, 0)
    assert peak_mb < 600


@pytest.mark.slow
def test_ten_million_rows_of_one_person_stay_within_the_memory_limit(tmp_path: Path) -> None:
    people, read, rejected, peak_mb = _measured(_duplicates(tmp_path / "shop.csv", 10_000_000))
    assert (people, read, rejected) == (1, 10_000_000, 0)
    # The database's own limit, and what the interpreter and its libraries take beside it.
    assert peak_mb < MEMORY_LIMIT_MB + 400
