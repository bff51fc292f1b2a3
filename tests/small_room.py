"""A room file over two small tables written for a test."""

import csv
from collections.abc import Sequence
from pathlib import Path

PARTY = """
[parties.{name}]
source = "{name}.csv"
key = ["email"]
capacity = {capacity}
budget = {{ epsilon = "{budget}" }}
overlap = {{ epsilon = "8", delta = "1e-9", matches = 3 }}

[parties.{name}.columns.colour]
role = "dimension"
from = "colour"
reduce = "most_frequent"
values = ["red", "blue"]

[parties.{name}.columns.spend]
role = "measure"
from = "spend"
reduce = "sum"
unit = "euros"
decimals = 2
low = "0"
high = "100"
step = "0.5"
"""


def room_text(names: Sequence[str] = ("shop", "brand"), *, capacity: int = 400, budget: str = "20") -> str:
    """A room of these parties, one dimension and one measure each."""
    head = 'format = 1\nroom = "small"\npurpose = "A test"\n\n[match]\nprofile = "email-plain-v1"\n'
    return head + "".join(PARTY.format(name=name, capacity=capacity, budget=budget) for name in names)


def write_table(path: Path, people: range, *, colours: Sequence[str] = ("red", "blue", "green")) -> None:
    """One row a person: person i has colour i mod len(colours) and spends i mod 7 euros and a half."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "colour", "spend"])
        for number in people:
            writer.writerow([f"person{number}@example.com", colours[number % len(colours)], f"{number % 7}.50"])


def write_room(folder: Path, *, capacity: int = 400, budget: str = "20") -> Path:
    """shop: people 0-199, brand: people 100-299, so 100 in common; returns the room file."""
    write_table(folder / "shop.csv", range(200))
    write_table(folder / "brand.csv", range(100, 300))
    room = folder / "room.toml"
    room.write_text(room_text(capacity=capacity, budget=budget), encoding="utf-8")
    return room
