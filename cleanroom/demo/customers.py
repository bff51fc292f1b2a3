"""The demo's people: who they are, which shops they use, what they prefer there. Made from a seed and nothing else.

A person is a row number. Columns are numpy arrays over all people; a choice is the number of a declared value.
Every draw is a uniform number compared with whole percentages, so the planted probabilities hold exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanroom.demo.planted import MEMBERS, PREFERENCES, SHOPS, SPORT_PERCENT, Preference

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tastes:
    """What each person prefers at one shop, whether they use it or not."""

    category: Integers
    colour: Integers
    price_band: Integers


@dataclass(frozen=True, slots=True)
class Customers:
    """All people. `uses[shop]` marks that shop's own customers, `tastes[shop]` is what they prefer there."""

    emails: tuple[str, ...]
    sport: Integers
    uses: Mapping[str, NDArray[np.bool_]]
    tastes: Mapping[str, Tastes]


def make_customers(random: np.random.Generator) -> Customers:
    """Everybody, in an order that says nothing about anyone."""
    order = random.permutation(sum(MEMBERS.values()))
    groups = np.repeat(np.arange(len(MEMBERS)), list(MEMBERS.values()))[order]
    uses = {shop: np.isin(groups, [number for number, shops in enumerate(MEMBERS) if shop in shops]) for shop in SHOPS}
    people = len(order)
    sport = _choices(random, np.broadcast_to(np.array(SPORT_PERCENT), (people, len(SPORT_PERCENT))))
    tastes = {
        shop: Tastes(
            category=_preferred(random, planted.category, sport),
            colour=_preferred(random, planted.colour, sport),
            price_band=_preferred(random, planted.price_band, sport),
        )
        for shop, planted in PREFERENCES.items()
    }
    return Customers(_emails(people), sport, uses, tastes)


def _preferred(random: np.random.Generator, preference: Preference, sport: Integers) -> Integers:
    return _choices(random, np.array(preference.percent)[sport])


def _choices(random: np.random.Generator, percent: Integers) -> Integers:
    """One choice a row, with the probabilities of that row."""
    drawn = np.floor(random.random(len(percent)) * 100)[:, np.newaxis]
    chosen: Integers = np.sum(drawn >= np.cumsum(percent, axis=1), axis=1)
    return chosen


_FIRST = ("ada", "ben", "carla", "dmitri", "elif", "fatou", "george", "hana", "ivan", "jun", "kofi", "lena", "mara")
_LAST = ("okafor", "schmidt", "garcia", "tanaka", "novak", "rossi", "dubois", "haddad", "larsen", "silva", "kaur")


def _emails(people: int) -> tuple[str, ...]:
    """Distinct addresses at domains that are reserved for examples (RFC 2606)."""
    return tuple(
        f"{_FIRST[n % len(_FIRST)]}.{_LAST[n // len(_FIRST) % len(_LAST)]}{n}@example.{('com', 'org', 'net')[n % 3]}"
        for n in range(people)
    )
