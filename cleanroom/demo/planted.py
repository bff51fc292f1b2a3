"""What is planted in the demo's shops: who shops where, and with which probability a customer prefers what.

Everything follows from the kind of sport a customer likes. The tables are whole percentages and are all there is to
know: a shared customer of that sport prefers that value with exactly that probability, independently of everyone
else. Running and hiking customers have a clear favourite colour of bag; football customers have three that nothing
but luck can tell apart, so a report that ranks them is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cleanroom.errors import UsageError

SHOPS = ("sportswear", "casualwear", "bags")
SPORTS = ("running", "football", "yoga", "hiking")
BANDS = ("low", "middle", "high")

# How many people shop at exactly these shops. Each shop has its own size and each pair its own overlap.
MEMBERS: Mapping[frozenset[str], int] = MappingProxyType(
    {
        frozenset({"sportswear"}): 2500,
        frozenset({"casualwear"}): 1500,
        frozenset({"bags"}): 700,
        frozenset({"sportswear", "casualwear"}): 700,
        frozenset({"sportswear", "bags"}): 900,
        frozenset({"casualwear", "bags"}): 400,
        frozenset({"sportswear", "casualwear", "bags"}): 700,
    }
)

SPORT_PERCENT = (35, 25, 25, 15)


@dataclass(frozen=True, slots=True)
class Preference:
    """P(value | sport) in percent: one row for each of SPORTS, one entry for each of `values`."""

    values: tuple[str, ...]
    percent: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if len(self.percent) != len(SPORTS) or any(len(row) != len(self.values) for row in self.percent):
            raise UsageError("a preference has a row for each sport and an entry for each value")
        if any(sum(row) != 100 or min(row) < 0 for row in self.percent):
            raise UsageError("the percentages of a row are not negative and add up to 100")


@dataclass(frozen=True, slots=True)
class Shop:
    """What a shop's customers prefer there, and the least and most cents that a piece of each price band costs."""

    category: Preference
    colour: Preference
    price_band: Preference
    cents: tuple[tuple[int, int], ...]


_SAME_SPORT = tuple(tuple(100 if row == column else 0 for column in range(4)) for row in range(4))

PREFERENCES: Mapping[str, Shop] = MappingProxyType(
    {
        "sportswear": Shop(
            category=Preference(SPORTS, _SAME_SPORT),
            colour=Preference(
                ("black", "blue", "white", "neon"),
                ((30, 20, 10, 40), (25, 40, 25, 10), (45, 15, 35, 5), (55, 30, 5, 10)),
            ),
            price_band=Preference(BANDS, ((20, 50, 30), (50, 40, 10), (30, 50, 20), (10, 40, 50))),
            cents=((1_000, 2_999), (3_000, 7_999), (8_000, 19_999)),
        ),
        "casualwear": Shop(
            category=Preference(
                ("t-shirts", "jeans", "hoodies", "shirts"),
                ((45, 25, 20, 10), (30, 15, 45, 10), (35, 30, 15, 20), (20, 20, 25, 35)),
            ),
            colour=Preference(
                ("black", "white", "blue", "beige"),
                ((35, 30, 25, 10), (30, 20, 40, 10), (15, 35, 10, 40), (20, 10, 30, 40)),
            ),
            price_band=Preference(BANDS, ((40, 45, 15), (60, 35, 5), (30, 45, 25), (25, 50, 25))),
            cents=((800, 2_499), (2_500, 5_999), (6_000, 14_999)),
        ),
        "bags": Shop(
            category=Preference(
                ("backpack", "tote", "duffel", "belt bag"),
                ((40, 10, 20, 30), (30, 5, 55, 10), (20, 50, 25, 5), (70, 5, 15, 10)),
            ),
            colour=Preference(
                ("black", "navy", "red", "green", "sand"),
                ((44, 20, 20, 8, 8), (30, 30, 30, 5, 5), (12, 12, 12, 22, 42), (15, 10, 10, 55, 10)),
            ),
            price_band=Preference(BANDS, ((30, 50, 20), (60, 30, 10), (35, 45, 20), (10, 40, 50))),
            cents=((1_500, 3_999), (4_000, 8_999), (9_000, 24_999)),
        ),
    }
)


def shared_members(first: str, second: str) -> int:
    """How many people shop at both, whatever else they do."""
    return sum(count for shops, count in MEMBERS.items() if {first, second} <= shops)


def planted_body(seed: int) -> dict[str, Any]:
    """Everything that is planted as one JSON value; percentages are exact."""
    return {
        "seed": seed,
        "members": [{"shops": sorted(shops), "people": count} for shops, count in MEMBERS.items()],
        "sport_percent": dict(zip(SPORTS, SPORT_PERCENT, strict=True)),
        "preferences_percent": {
            name: {column: _by_sport(getattr(shop, column)) for column in ("category", "colour", "price_band")}
            for name, shop in PREFERENCES.items()
        },
    }


def _by_sport(preference: Preference) -> dict[str, dict[str, int]]:
    return {
        sport: dict(zip(preference.values, row, strict=True))
        for sport, row in zip(SPORTS, preference.percent, strict=True)
    }
