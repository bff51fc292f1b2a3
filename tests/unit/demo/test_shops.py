import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanroom.demo.campaign import EXPOSURES, WEEKS, bought_percent, planted_effect, planted_spend
from cleanroom.demo.planted import PREFERENCES, SHOPS, SPORTS, Preference, shared_members
from cleanroom.demo.questions import QUESTIONS
from cleanroom.demo.room_terms import CAPACITIES
from cleanroom.demo.shops import SEED, write_shops
from cleanroom.errors import UsageError
from cleanroom.ids import PartyName
from cleanroom.privacy.overlap import shared_dummies
from parties.room_file import read_room_file
from tests.reference.demo_truth import people


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("demo")
    write_shops(written)
    return written


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return people(folder)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_shops(tmp_path)
    assert digests(tmp_path) == digests(folder)


def test_another_seed_makes_other_people_buy(folder: Path, tmp_path: Path) -> None:
    write_shops(tmp_path, SEED + 1)
    assert digests(tmp_path)["shops/bags.csv"] != digests(folder)["shops/bags.csv"]
    assert digests(tmp_path)["room.toml"] == digests(folder)["room.toml"]


def test_the_room_file_is_one_that_a_room_accepts(folder: Path) -> None:
    room = read_room_file(folder / "room.toml")
    assert set(room.datasets) == set(SHOPS)
    for question in QUESTIONS:
        if question.by:
            assert question.by in room.datasets[PartyName(question.asker)].dimensions()
        if question.column:
            people = room.datasets[PartyName(question.owner)]
            assert question.column in (*people.dimensions(), *people.measures())


def test_every_shop_has_room_for_the_dummies_that_hide_an_overlap(
    folder: Path, tables: dict[str, pd.DataFrame]
) -> None:
    for shop, dataset in read_room_file(folder / "room.toml").datasets.items():
        terms = dataset.overlap
        dummies = shared_dummies(terms.epsilon, terms.delta, matches=terms.matches)
        assert len(tables[shop]) + dummies <= CAPACITIES[shop] == dataset.capacity


def test_sizes_and_overlaps_are_those_planted(tables: dict[str, pd.DataFrame]) -> None:
    assert {shop: len(table) for shop, table in tables.items()} == {
        "sportswear": 4800,
        "casualwear": 3300,
        "bags": 2700,
    }
    for first in SHOPS:
        for second in SHOPS:
            assert len(tables[first].index.intersection(tables[second].index)) == shared_members(first, second)


def test_addresses_of_one_person_differ_only_in_capitals(folder: Path) -> None:
    emails = pd.read_csv(folder / "shops" / "bags.csv")["email"]
    assert emails.nunique() > emails.str.lower().nunique() == 2700


@pytest.mark.parametrize("owner", ["casualwear", "bags"])
@pytest.mark.parametrize("column", ["category", "colour", "price_band"])
def test_shared_customers_prefer_what_is_planted(tables: dict[str, pd.DataFrame], owner: str, column: str) -> None:
    """Counts lie within Hoeffding's bound; a seed that were redrawn would fail in 1 of 1e6 runs of each cell."""
    planted: Preference = getattr(PREFERENCES[owner], column)
    shared = tables["sportswear"][["category"]].rename(columns={"category": "sport"}).join(tables[owner], how="inner")
    for row, sport in enumerate(SPORTS):
        preferred = shared[shared["sport"] == sport][column]
        slack = math.sqrt(len(preferred) * math.log(2e6) / 2)
        for value, percent in zip(planted.values, planted.percent[row], strict=True):
            assert abs((preferred == value).sum() - len(preferred) * percent / 100) <= slack


def test_what_is_planted_is_written_beside_the_shops(folder: Path) -> None:
    body = json.loads((folder / "planted.json").read_text())
    assert body["seed"] == SEED
    assert body["preferences_percent"]["bags"]["colour"]["running"]["black"] == 44


def test_a_preference_that_does_not_add_up_to_100_percent_is_refused() -> None:
    with pytest.raises(UsageError, match="add up to 100"):
        Preference(("a", "b"), ((50, 51), (50, 50), (50, 50), (50, 50)))


def test_spend_is_text_with_two_decimals(folder: Path) -> None:
    amounts = pd.read_csv(folder / "shops" / "bags.csv", dtype=str)["amount"]
    assert bool(np.all(amounts.str.fullmatch(r"[0-9]+\.[0-9]{2}")))


def campaign(folder: Path) -> pd.DataFrame:
    """Who is a customer of advertiser and seller: what they saw ("" for nothing), and what they spent in each week."""
    ads = pd.read_csv(folder / "shops" / "sportswear.csv", dtype=str, keep_default_na=False)
    bags = pd.read_csv(folder / "shops" / "bags.csv", dtype=str, keep_default_na=False)
    saw = ads.assign(email=ads["email"].str.lower()).groupby("email")["saw"].agg(["nunique", "first"])
    assert set(saw["nunique"]) == {1}
    bags = bags.assign(email=bags["email"].str.lower(), amount=bags["amount"].astype(float))
    weeks = bags[bags["item"] == "bottle"].pivot_table(index="email", columns="week", values="amount", aggfunc="sum")
    everybody = pd.DataFrame(index=pd.Index(bags["email"].unique(), name="email")).join(weeks).fillna(0.0)
    return saw[["first"]].rename(columns={"first": "saw"}).join(everybody, how="inner")


def test_bottles_are_bought_as_often_as_is_planted(folder: Path) -> None:
    """Hoeffding's bound, as above; nobody buys two bottles in a week."""
    shared = campaign(folder)
    assert set(shared[list(WEEKS)].to_numpy().ravel()) == {0.0, 30.0}
    for exposure in (*EXPOSURES, ""):
        people = shared[shared["saw"] == exposure]
        slack = math.sqrt(len(people) * math.log(2e6) / 2)
        bought = (people[list(WEEKS)].sum(axis=1) > 0).sum()
        assert len(people) > 100
        assert abs(bought - len(people) * bought_percent(exposure) / 100) <= slack


def test_half_of_the_advertiser_s_customers_are_held_back(folder: Path) -> None:
    ads = pd.read_csv(folder / "shops" / "sportswear.csv", dtype=str, keep_default_na=False)
    assert set(ads["saw"]) == {*EXPOSURES, ""}
    assert ((ads["ads"] == "seen") == (ads["saw"] != "")).all()
    seen = ads[ads["ads"] == "seen"]["email"].str.lower().nunique()
    assert abs(seen - 2400) <= math.sqrt(4800 * math.log(2e6) / 2)


def test_the_planted_effect_is_what_the_weekly_chances_come_to() -> None:
    """Mail: 1 - 0.70 0.80 0.95 = 46.8% buy within the weeks; video: 1 - 0.88 0.92 0.95; no ad: 1 - 0.95^3."""
    assert float(planted_effect()) == pytest.approx((46.8 + 23.088) / 2 - 14.2625)
    assert [planted_spend("mail"), planted_spend("video")] == [Fraction(15), Fraction(6)]


def test_ads_and_bottles_leave_what_people_prefer_as_it_was(folder: Path) -> None:
    bags = pd.read_csv(folder / "shops" / "bags.csv", dtype=str, keep_default_na=False)
    bottles = bags[bags["item"] == "bottle"]
    assert len(bottles) > 300
    assert set(bottles["colour"]) | set(bottles["category"]) | set(bottles["price_band"]) == {""}
    assert set(bags[bags["item"] == "bag"]["week"]) == {""}
