"""Two companies that share customers, made from a seed: order lines with an address and one of ten values.

`shop` asks and `brand` owns. Half of each company's people are the other's too. Each person has one value; the cross-
tab of the shared people is known, so that the answer can be held to it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

ASKER, OWNER, BY, OF = "shop", "brand", "tier", "colour"
DECLARED = 10
SHARED = 0.5
LINES_PER_PERSON = 1.5
SPARE_PLACES = 1_000


@dataclass(frozen=True, slots=True)
class Companies:
    """The room file and the exact cross-tab: rows are the asker's declared values and `other`, columns the owner's."""

    room_file: Path
    capacity: int
    order_lines: int
    truth: npt.NDArray[np.int64]


def capacity_of(people: int) -> int:
    """Five places of a hundred are for dummies, 1,000 at least."""
    return people + max(people // 20, SPARE_PLACES)


def make_companies(folder: Path, people: int, *, seed: int) -> Companies:
    """Write both tables (Parquet) and the room file."""
    random = np.random.default_rng(seed)
    shared = int(people * SHARED)
    numbers = {ASKER: np.arange(people), OWNER: np.arange(people - shared, 2 * people - shared)}
    values = {name: _values(random, people) for name in (ASKER, OWNER)}
    lines = 0
    for name, column in ((ASKER, BY), (OWNER, OF)):
        lines += _write(folder / f"{name}.parquet", random, numbers[name], values[name], column)
    room_file = folder / "bench.toml"
    room_file.write_text(tomli_w.dumps(_room(people)), encoding="utf-8")
    truth = np.zeros((DECLARED + 1, DECLARED + 1), dtype=np.int64)
    np.add.at(truth, (values[ASKER][people - shared :], values[OWNER][:shared]), 1)
    return Companies(room_file, capacity_of(people), lines, truth)


def _values(random: np.random.Generator, people: int) -> npt.NDArray[np.int64]:
    """0 … 9 are declared, some more common than others; 10 is a value that nobody declared."""
    weights = np.arange(DECLARED + 1, 0, -1, dtype=float)
    return random.choice(DECLARED + 1, size=people, p=weights / weights.sum())


def _name(value: int) -> str:
    return f"value-{value}" if value < DECLARED else "something else"


def _write(
    path: Path, random: np.random.Generator, numbers: npt.NDArray[np.int64], values: npt.NDArray[np.int64], column: str
) -> int:
    people = len(numbers)
    more = random.integers(0, people, size=int(people * (LINES_PER_PERSON - 1)))
    rows = random.permutation(np.concatenate([np.arange(people), more]))
    addresses = pa.array([f"person-{number}@example.org" for number in numbers.tolist()])
    names = pa.array([_name(value) for value in range(DECLARED + 1)])
    table = pa.table({"email": addresses.take(pa.array(rows)), column: names.take(pa.array(values[rows]))})
    pq.write_table(table, path)
    return len(rows)


def _room(people: int) -> dict[str, object]:
    return {
        "format": 1,
        "room": "bench",
        "purpose": "How long does it take?",
        "match": {"profile": "email-plain-v1"},
        "parties": {name: _party(name, column, people) for name, column in ((ASKER, BY), (OWNER, OF))},
    }


def _party(name: str, column: str, people: int) -> dict[str, object]:
    return {
        "source": f"{name}.parquet",
        "key": ["email"],
        "capacity": capacity_of(people),
        "budget": {"epsilon": "8"},
        "overlap": {"epsilon": "2", "delta": "1e-9", "matches": 6},
        "columns": {
            column: {
                "role": "dimension",
                "from": column,
                "reduce": "most_frequent",
                "values": [_name(value) for value in range(DECLARED)],
            }
        },
    }
