"""What is planted of a campaign: the sportswear shop advertises a water bottle that the bag shop sells.

Half of the sportswear shop's customers, drawn by lot, see an ad for it: by mail or as a video, in the first or the
second week. The other half is held back. Everybody who shops at the bag shop may buy one bottle a week, at one price;
how likely that is follows from what they saw, in the week of the ad and in the next one, and from nothing else. Ads
leave no trace in what people otherwise buy.

So the effect is known exactly: `planted_effect` is how many more of those who saw an ad buy a bottle within the three
weeks, and `planted_spend` what a person who saw an ad spends on bottles in its week and the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleanroom.demo.customers import Customers, Integers

ADVERTISER, SELLER = "sportswear", "bags"
GROUPS = ("seen", "held-back")
WEEKS = ("w1", "w2", "w3")
EXPOSURES = ("mail@w1", "mail@w2", "video@w1", "video@w2")
FIRST_MONDAY = np.datetime64("2026-03-02")
CENTS = 3_000
COSTS = MappingProxyType({"mail": 2_000, "video": 4_000})

USUAL_PERCENT = 5
"""Who buys a bottle in a week without an ad."""
AD_PERCENT: Mapping[str, tuple[int, int]] = MappingProxyType({"mail": (30, 20), "video": (12, 8)})
"""Who does in the week of an ad, and in the week after it."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """`saw` is a place in EXPOSURES for each person, -1 for who was held back; `buys` has a row for each week."""

    saw: Integers
    buys: NDArray[np.bool_]


def make_campaign(random: np.random.Generator, customers: Customers) -> Campaign:
    """Who saw what is drawn by lot, and only among the advertiser's customers."""
    people = len(customers.emails)
    lot = np.floor(random.random(people) * 2 * len(EXPOSURES)).astype(np.int64)
    saw = np.where(customers.uses[ADVERTISER] & (lot < len(EXPOSURES)), lot, -1)
    percent = np.array([[_percent(exposure, week) for exposure in (*EXPOSURES, "")] for week in WEEKS])
    buys = np.floor(random.random((len(WEEKS), people)) * 100) < percent[:, saw]
    return Campaign(saw, buys & customers.uses[SELLER])


def _percent(exposure: str, week: str) -> int:
    """P(a bottle in that week | the ad seen), in percent."""
    if not exposure:
        return USUAL_PERCENT
    creative, _, start = exposure.partition("@")
    lag = WEEKS.index(week) - WEEKS.index(start)
    return AD_PERCENT[creative][lag] if lag in (0, 1) else USUAL_PERCENT


def with_ads(table: pa.Table, campaign: Campaign, person: Integers) -> pa.Table:
    """The advertiser's lines with two columns more; `person` says whose a line is."""
    saw = campaign.saw[person]
    groups = np.where(saw >= 0, *GROUPS)
    return table.append_column("ads", pa.array(groups, pa.string())).append_column(
        "saw", pa.array(np.array([*EXPOSURES, ""])[saw], pa.string())
    )


def with_bottles(random: np.random.Generator, table: pa.Table, campaign: Campaign, customers: Customers) -> pa.Table:
    """The seller's lines and those of the bottles among them, in no order; a bottle has no colour, band or category."""
    table = table.append_column("item", pa.array(["bag"] * len(table), pa.string()))
    table = table.append_column("week", pa.array([""] * len(table), pa.string()))
    week, person = np.nonzero(campaign.buys)
    days = FIRST_MONDAY + (7 * week + np.floor(random.random(len(week)) * 7).astype(np.int64)).astype("timedelta64[D]")
    bottles = {
        "email": np.array(customers.emails)[person],
        "order_date": np.datetime_as_string(days, unit="D"),
        **{name: np.full(len(week), "") for name in ("category", "colour", "price_band")},
        "amount": np.full(len(week), f"{CENTS // 100}.{CENTS % 100:02d}"),
        "item": np.full(len(week), "bottle"),
        "week": np.array(WEEKS)[week],
    }
    lines = pa.table({name: pa.array(column, pa.string()) for name, column in bottles.items()})
    return pa.concat_tables([table, lines.select(table.column_names)]).take(random.permutation(len(table) + len(lines)))


def bought_percent(exposure: str) -> Fraction:
    """Who buys at least one bottle within the weeks, in percent, exactly."""
    none = Fraction(1)
    for week in WEEKS:
        none *= 1 - Fraction(_percent(exposure, week), 100)
    return 100 * (1 - none)


def planted_effect() -> Fraction:
    """In percentage points: buyers among those who saw an ad, each ad equally likely, less those held back."""
    return sum(map(bought_percent, EXPOSURES), Fraction(0)) / len(EXPOSURES) - bought_percent("")


def planted_spend(creative: str) -> Fraction:
    """Euros that a shared customer who saw it spends on bottles in the week of the ad and the next."""
    return Fraction(sum(AD_PERCENT[creative]) * CENTS, 100 * 100)


def campaign_body() -> dict[str, Any]:
    """What is planted, for planted.json."""
    return {
        "advertiser": ADVERTISER,
        "seller": SELLER,
        "price_euros": CENTS // 100,
        "costs_euros": dict(COSTS),
        "buys_in_a_week_percent": {
            "no ad": USUAL_PERCENT,
            **{name: {"week of the ad": now, "week after": then} for name, (now, then) in AD_PERCENT.items()},
        },
        "buys_in_three_weeks_percent": {
            exposure or "no ad": float(bought_percent(exposure)) for exposure in (*EXPOSURES, "")
        },
        "effect_percentage_points": float(planted_effect()),
        "spend_in_two_weeks_euros": {creative: float(planted_spend(creative)) for creative in AD_PERCENT},
    }
