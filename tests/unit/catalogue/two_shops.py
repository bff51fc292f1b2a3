"""Terms for the catalogue's unit tests: a shop that asks and a brand that answers, without people."""

from pathlib import Path

from parties.room_file import RoomFile, read_room_file

_WEEK = """
[parties.brand.columns.spend_w0{week}]
role = "measure"
from = "price"
reduce = "sum"
where = {{ week = ["{week}"] }}
unit = "euros"
decimals = 2
low = "0"
high = "{high}"
step = "1"
"""

_TERMS = """
format = 1
room = "two-shops"
purpose = "test"

[match]
profile = "email-plain-v1"

[parties.shop]
key = ["email"]
capacity = 40000
budget = { epsilon = "100" }
overlap = { epsilon = "2", delta = "1e-9", matches = 6 }

[parties.shop.columns.segment]
role = "dimension"
from = "segment"
reduce = "most_frequent"
values = ["north", "south", "east"]

[parties.shop.columns.ads]
role = "dimension"
from = "ads"
reduce = "most_frequent"
values = ["seen", "held-back"]

[parties.shop.columns.saw]
role = "dimension"
from = "saw"
reduce = "most_frequent"
values = ["spring@w01", "spring@w02", "summer@w02", "summer@w04", "A3", "nothing"]

[parties.brand]
key = ["email"]
capacity = 40000
budget = { epsilon = "100" }
overlap = { epsilon = "2", delta = "1e-9", matches = 6 }

[parties.brand.columns.colour]
role = "dimension"
from = "colour"
reduce = "most_frequent"
values = ["red", "blue"]

[parties.brand.columns.spend]
role = "measure"
from = "price"
reduce = "sum"
unit = "euros"
decimals = 2
low = "0"
high = "200"
step = "0.5"

[parties.brand.columns.balance]
role = "measure"
from = "price"
reduce = "sum"
unit = "euros"
decimals = 2
low = "-100"
high = "100"
step = "1"

[parties.brand.columns.visits]
role = "measure"
reduce = "count"
unit = "visits"
decimals = 0
low = "0"
high = "9"
step = "1"
"""


def two_shops(folder: Path, weeks: int = 5) -> RoomFile:
    """The terms, read as a room file is."""
    measures = "".join(_WEEK.format(week=week, high=120 if week == 5 else 80) for week in range(1, weeks + 1))
    path = folder / "room.toml"
    path.write_text(_TERMS + measures, encoding="utf-8")
    return read_room_file(path)
