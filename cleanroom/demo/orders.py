"""A shop's order lines, as its own shop system would export them: several lines a person, text and cents.

How a preference shows in the lines: the last line a person ordered has the preferred colour, and more than half of
the lines have the preferred category and price band. The other lines are whatever a customer also buys. So the
reductions that the room file declares (`last`, `most_frequent`) give back exactly what was planted.

Addresses are spelled as people type them: each line has capitals of its own.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleanroom.demo.customers import Customers, Integers
from cleanroom.demo.planted import BANDS, PREFERENCES

MAX_LINES = 6
FIRST_DAY = np.datetime64("2024-01-01")
_MAX_DAYS_BETWEEN_LINES = 90


def order_lines(random: np.random.Generator, customers: Customers, shop: str) -> tuple[pa.Table, Integers]:
    """Columns email, order_date, category, colour, price_band, amount; all text, in no order; and whose each is."""
    planted, tastes = PREFERENCES[shop], customers.tastes[shop]
    buyers = np.flatnonzero(customers.uses[shop])
    lines = 1 + np.floor(random.random(len(buyers)) * MAX_LINES).astype(np.int64)
    person = np.repeat(buyers, lines)
    place = np.arange(len(person)) - np.repeat(np.cumsum(lines) - lines, lines)
    last = place == np.repeat(lines, lines) - 1
    # Every second line and the last one: always more than half.
    most = (place % 2 == 0) | last

    category = np.where(most, tastes.category[person], _any(random, len(person), len(planted.category.values)))
    colour = np.where(last, tastes.colour[person], _any(random, len(person), len(planted.colour.values)))
    band = np.where(most, tastes.price_band[person], _any(random, len(person), len(BANDS)))
    lowest, highest = np.array(planted.cents)[band].T
    cents = lowest + np.floor(random.random(len(person)) * (highest - lowest + 1)).astype(np.int64)

    shuffled = random.permutation(len(person))
    table = {
        "email": _as_typed(random, customers.emails, person),
        "order_date": np.datetime_as_string(_days(random, lines, place), unit="D"),
        "category": np.array(planted.category.values)[category],
        "colour": np.array(planted.colour.values)[colour],
        "price_band": np.array(BANDS)[band],
        "amount": np.array([f"{amount // 100}.{amount % 100:02d}" for amount in cents.tolist()]),
    }
    lines_table = pa.table({name: pa.array(column[shuffled], pa.string()) for name, column in table.items()})
    return lines_table, person[shuffled]


def _any(random: np.random.Generator, count: int, values: int) -> Integers:
    return np.floor(random.random(count) * values).astype(np.int64)


def _days(random: np.random.Generator, lines: Integers, place: Integers) -> NDArray[np.datetime64]:
    """Strictly later from line to line of a person, so that the last line is the last."""
    waits = 1 + _any(random, len(place), _MAX_DAYS_BETWEEN_LINES)
    total = np.cumsum(waits)
    start = (np.cumsum(lines) - lines).repeat(lines)
    first = _any(random, len(lines), _MAX_DAYS_BETWEEN_LINES).repeat(lines)
    days: NDArray[np.datetime64] = FIRST_DAY + (first + total - total[start]).astype("timedelta64[D]")
    return days


def _as_typed(random: np.random.Generator, emails: tuple[str, ...], person: Integers) -> NDArray[np.str_]:
    style = _any(random, len(person), 3)
    spellings = (str.lower, str.upper, str.title)
    return np.array([spellings[s](emails[p]) for s, p in zip(style.tolist(), person.tolist(), strict=True)])
