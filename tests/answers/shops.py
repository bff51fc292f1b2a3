"""Two small shops, drawn from a seed, with everything that real tables have: repeats, spellings, gaps and outliers.

`person` is who a row is about and never a column of the room: the oracle joins on it, the product on the address.
"""

import random
from pathlib import Path
from typing import Any

import pandas as pd

from tests.live_room import Rows

Row = dict[str, str]

TIER = {"role": "dimension", "from": "tier", "reduce": "most_frequent", "values": ["gold", "silver", "Ärmel"]}
COLOUR = {
    "role": "dimension",
    "from": "colour",
    "reduce": "last",
    "order_by": "day",
    "date_format": "%Y-%m-%d",
    "values": ["red", "NA", "007"],
}
RETURNED = {"role": "dimension", "reduce": "any", "where": {"state": ["returned"]}, "values": ["yes", "no"]}
SPEND = {
    "role": "measure",
    "from": "price",
    "reduce": "sum",
    "unit": "euro",
    "decimals": 2,
    "low": "-20",
    "high": "50",
    "step": "0.5",
}
ORDERS = {"role": "measure", "reduce": "count", "unit": "orders", "low": "0", "high": "3", "step": "1"}
# Bounds far from 0, an odd number of steps between them, and most people without a value.
DEAREST = {
    "role": "measure",
    "from": "price",
    "reduce": "max",
    "where": {"state": ["returned"]},
    "unit": "euro",
    "decimals": 2,
    "low": "0.7",
    "high": "50",
    "step": "0.1",
    "edges": ["0.8", "10", "49.9", "50"],
}
# A name that is a dimension and a measure at once.
SIZE = {
    "role": ["dimension", "measure"],
    "from": "size",
    "reduce": "last",
    "order_by": "day",
    "date_format": "%Y-%m-%d",
    "values": ["38", "40"],
    "unit": "sizes",
    "decimals": 0,
    "low": "36",
    "high": "43",
    "step": "1",
    "edges": ["39", "41"],
}
COLUMNS: dict[str, Any] = {
    "tier": TIER,
    "colour": COLOUR,
    "returned": RETURNED,
    "spend": SPEND | {"edges": ["-19.5", "0", "0.5", "20"]},
    "orders": ORDERS,
    "dearest": DEAREST,
    "size": SIZE,
    "margin": {"role": "hidden"},
}


SIZES = ("38", "40", "XL", "42", "", "99", "36.5")


def person_rows(person: int, luck: random.Random) -> list[Row]:
    """One to four order lines of a person, the address spelled in more than one way."""
    address = f"person{person}@example.org"
    spellings = (address, address.upper(), f"  {address} ")
    return [
        {
            "person": str(person),
            "email": luck.choice(spellings),
            "tier": luck.choice(("gold", "silver", "Ärmel", "bronze", "")),
            "colour": luck.choice(("red", "NA", "007", "7", "")),
            "day": luck.choice(("2024-01-31", "2024-02-29", "2024-03-01", "not a day")),
            "state": luck.choice(("kept", "returned")),
            "price": luck.choice(("0.25", "0.75", "-3.10", "-30", "49.99", "1000000", "NaN", "")),
            "size": SIZES[(5 * person + line) % len(SIZES)],
            "margin": f"canary {person}",
        }
        for line in range(luck.randint(1, 4))
    ]


def shop_rows(people: range, seed: int) -> list[Row]:
    """The table of a shop with these people, rows in no order."""
    luck = random.Random(seed)  # noqa: S311 # a table that is the same in every run
    rows = [row for person in people for row in person_rows(person, luck)]
    luck.shuffle(rows)
    return rows


def shop(rows: Rows) -> dict[str, Any]:
    """A party of a room file."""
    return {"people": rows, "columns": COLUMNS}


def frame(rows: Rows) -> pd.DataFrame:
    """The oracle's view of the rows."""
    table = pd.DataFrame([dict(row) for row in rows], dtype=object)
    return table.assign(key=table["person"])


def csv_frame(path: Path, key: str) -> pd.DataFrame:
    """The oracle's view of a file, with the column that says who a row is about."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.assign(key=table[key])
