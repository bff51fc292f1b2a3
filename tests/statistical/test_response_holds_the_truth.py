"""Response's totals hold what AdventureWorks' customers bought after a seeded campaign, as often as they say.

Who saw which campaign in which month is drawn once from a seed (the data have none); what they bought at bikes in the
six months of 2019 is theirs. The truth is added up person by person from order lines, without any cells. False alarms:
five standard errors below 95%, below 1e-5 a case.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask
from cleanroom.privacy.law import Law
from tests.reference.drawn_noise import Noise
from tests.reference.least_held import least_held
from tests.reference.planted_cells import Key
from tests.reference.redrawn_answers import Seam
from tests.reference.shared_customers import rows_of, terms_with

MONTHS = tuple(range(1, 7))
VALUES = tuple(f"{campaign}@m{month}" for campaign in ("mail", "video", "search") for month in (1, 2, 3))
SAW = f"""[columns.saw]
role = "dimension"
from = "saw"
reduce = "most_frequent"
values = {list(VALUES)}
""".replace("'", '"')
SPEND = "\n".join(
    f"""[columns.spend_m{month}]
role = "measure"
from = "list_price"
reduce = "sum"
where = {{ month = ["{month}"] }}
unit = "dollars"
decimals = 4
low = "0"
high = "1000"
step = "10"
"""
    for month in MONTHS
)
COSTS = {"mail": 200_000, "video": 350_000, "search": 500_000}
LAGS = (0, 2)


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    terms = terms_with(tmp_path_factory.mktemp("response"), {"accessories": SAW, "bikes": SPEND})
    return Seam(terms, "accessories", "bikes")


@pytest.fixture(scope="module")
def bought() -> pd.DataFrame:
    """One row for each shared customer and month of purchase: what was seen, and clamped dollars."""
    luck = np.random.default_rng(31)
    customers = pd.Index(sorted(set(rows_of("accessories")["key"])))
    seen = pd.Series(luck.choice([*VALUES, "other"], size=len(customers)), index=customers, name="saw")
    lines = rows_of("bikes")
    days = pd.to_datetime(lines["order_date"], format="%m/%d/%Y")
    lines = lines.assign(month=days.dt.month, dollars=lines["list_price"].astype(float))[days.dt.year == 2019]
    spent = lines.groupby(["key", "month"])["dollars"].sum().clip(upper=1000).reset_index()
    spent["steps"] = (spent["dollars"] / 10).round().astype(int)
    return spent.merge(seen, left_on="key", right_index=True)


def exact(bought: pd.DataFrame, ask: Ask) -> Mapping[Key, int]:
    month = int(ask.quantity.column.removeprefix("spend_m"))
    sums = bought[bought["month"] == month].groupby("saw")["steps"].sum()
    return {(str(value), None): int(total) for value, total in sums.items()}


def truth_of(bought: pd.DataFrame) -> dict[str, int]:
    """Dollars after each campaign, person by person."""
    totals = dict.fromkeys(COSTS, 0)
    for saw, month, steps in zip(bought["saw"], bought["month"], bought["steps"], strict=True):
        campaign, _, week = str(saw).partition("@m")
        if campaign in totals and LAGS[0] <= month - int(week) <= LAGS[1]:
            totals[campaign] += 10 * int(steps)
    return totals


def check(seam: Seam, bought: pd.DataFrame, law: Law, *, costs: bool, draws: int) -> None:
    truth = {name: Fraction(total, COSTS[name] if costs else 1) for name, total in truth_of(bought).items()}
    order = sorted(truth, key=lambda name: -truth[name])
    assert min(truth.values()) > 0
    values: dict[str, str | tuple[str, ...]] = {
        "by": "saw",
        "weeks": tuple(f"spend_m{month}" for month in MONTHS),
        "lags": f"{LAGS[0]}-{LAGS[1]}",
        "costs": tuple(f"{name}={cost}" for name, cost in COSTS.items()) if costs else (),
    }
    entry = find("response")
    cells = {ask.quantity: exact(bought, ask) for ask in seam.asks(entry, values)}
    noise, right, widths = Noise(law, 32), 0, []
    for _ in range(draws):
        found = seam.finding(entry, values, lambda ask: cells[ask.quantity], noise, epsilon="4")
        good = True
        for row in found.rows:
            ((_, name),) = row.names
            assert row.low is not None
            assert row.high is not None
            assert row.rank is not None
            good &= row.low <= truth[name] <= row.high
            good &= row.rank[0] <= order.index(name) + 1 <= row.rank[1]
            widths.append(float((row.high - row.low) / truth[name]))
        right += good
    print(f"response {law} costs={costs}: all at once {right / draws}, width {np.median(widths):.2f} of the truth")
    assert right / draws >= least_held(draws)


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_what_was_bought_after_a_campaign_is_inside(seam: Seam, bought: pd.DataFrame, law: Law) -> None:
    check(seam, bought, law, costs=law == "laplace", draws=200)


@pytest.mark.slow
@pytest.mark.parametrize("costs", [False, True], ids=["totals", "returns"])
@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_what_was_bought_after_a_campaign_is_inside_over_5000_draws(
    seam: Seam, bought: pd.DataFrame, law: Law, costs: bool
) -> None:
    """So many tell intervals that are 30% too narrow: they hold in 91.5% of the draws, which 200 cannot tell."""
    check(seam, bought, law, costs=costs, draws=5000)
