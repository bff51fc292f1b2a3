"""Lift, response, prior and launch against real nodes: the estimates are what the two tables say, person by person.

The owner adds no noise here, so that estimates are exact; what is stated about noise stays what it would be.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import cleanroom
from cleanroom.client.room import Room
from tests.live_room import NoNoise, live_room, room_file
from tests.open_door import open_door

GROUPS, SAW = ("seen", "held-back"), ("mail@w1", "mail@w2", "video@w1")
SHOP, BRAND = range(300), range(100, 500)
SHARED = range(100, 300)


def group(person: int) -> str:
    return GROUPS[person % 2]


def saw(person: int) -> str:
    return (*SAW, "")[person % 4]


def colour(person: int) -> str:
    return "red" if person % 3 == 0 or (person % 2 == 0 and person % 5 == 0) else "blue"


def spent(person: int, week: int) -> int:
    """Whole euros; nobody buys in every week, and 100 is clamped to 50."""
    return 0 if (person + week) % 3 == 0 else 100 if person % 7 == 0 else (person * week) % 40


def dimension(name: str, *values: str) -> dict[str, Any]:
    return {"role": "dimension", "from": name, "reduce": "most_frequent", "values": list(values)}


def spend(week: int) -> dict[str, Any]:
    return {
        "role": "measure",
        "from": "euros",
        "reduce": "sum",
        "where": {"week": [str(week)]},
        "unit": "euros",
        "decimals": 0,
        "low": "0",
        "high": "50",
        "step": "1",
    }


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    shop = [{"email": f"p{person}@example.org", "ads": group(person), "saw": saw(person)} for person in SHOP]
    brand = [
        {"email": f"p{person}@example.org", "colour": colour(person), "week": str(week), "euros": str(amount)}
        for person in BRAND
        for week in (1, 2, 3)
        if (amount := spent(person, week)) or week == 3
    ]
    terms = {
        "shop": {"people": shop, "columns": {"ads": dimension("ads", *GROUPS), "saw": dimension("saw", *SAW)}},
        "brand": {
            "people": brand,
            "columns": {
                "colour": dimension("colour", "red", "blue"),
                **{f"spend_w{week}": spend(week) for week in (1, 2, 3)},
            },
        },
    }
    folder: Path = tmp_path_factory.mktemp("campaign")
    with (
        live_room(folder, room_file(folder, terms, capacity=700), noise={"brand": NoNoise()}) as live,
        open_door(live.parties["shop"], "asker") as node,
    ):
        yield cleanroom.connect(node)


def values_of(room: Room, question: str, **words: Any) -> list[float]:
    """The estimates; each lies in its interval."""
    found = room.ask(question, owner="brand", epsilon="8", **words).finding
    assert found is not None
    for row in found.rows:
        if row.value is not None:
            assert row.low is not None
            assert row.high is not None
            assert row.low <= row.value <= row.high
    return [float(row.value) for row in found.rows if row.value is not None]


def share(people: list[int], wanted: str) -> float:
    return 100 * sum(colour(person) == wanted for person in people) / len(people)


def test_lift_of_a_value_and_of_spend_is_the_difference_of_the_groups(room: Room) -> None:
    words = {"by": "ads", "test": "seen", "control": "held-back"}
    test, control = ([person for person in SHARED if group(person) == each] for each in GROUPS)
    shares = [share(test, "red"), share(control, "red")]
    assert values_of(room, "lift", **words, outcome="colour", value="red") == pytest.approx(
        [*shares, shares[0] - shares[1]]
    )
    means = [sum(min(spent(person, 2), 50) for person in each) / len(each) for each in (test, control)]
    assert values_of(room, "lift", **words, outcome="spend_w2") == pytest.approx([*means, means[0] - means[1]])
    assigned = [len(test) * share(test, "red") / 150, len(control) * share(control, "red") / 150]
    assert values_of(
        room, "lift", **words, outcome="colour", value="red", test_people="150", control_people="150"
    ) == pytest.approx([*assigned, assigned[0] - assigned[1]])


def test_response_adds_up_the_weeks_after_each_exposure(room: Room) -> None:
    totals = {"mail": 0, "video": 0}
    for person in SHARED:
        campaign, _, week = saw(person).partition("@w")
        if campaign:
            totals[campaign] += sum(min(spent(person, each), 50) for each in (1, 2, 3) if 0 <= each - int(week) <= 1)
    words = {"by": "saw", "weeks": ["spend_w1", "spend_w2", "spend_w3"], "lags": "1"}
    assert values_of(room, "response", **words) == [totals["mail"], totals["video"]]
    assert values_of(room, "response", **words, costs=["mail=1000", "video=500"]) == pytest.approx(
        [totals["mail"] / 1000, totals["video"] / 500]
    )


def test_launch_is_each_segment_s_share(room: Room) -> None:
    of_group = [[person for person in SHARED if saw(person) == each] for each in (*SAW, "")]
    assert values_of(room, "launch", by="saw", of="colour", value="blue") == pytest.approx(
        [share(people, "blue") for people in of_group]
    )


def test_prior_is_written_for_a_recommender_as_json_and_parquet(room: Room, tmp_path: Path) -> None:
    result = room.ask("prior", owner="brand", epsilon="8", by="ads", of="colour")
    written = {path.name: path for path in result.write_files(tmp_path)}
    assert set(written) == {"prior.json", "prior.parquet"}
    rows = pq.read_table(written["prior.parquet"]).to_pylist()
    assert len(rows) == 4 * 3
    assert {row["segment"] for row in rows} == {*GROUPS, "other", None}
    unknown = {row["value"]: row["probability"] for row in rows if row["segment"] is None}
    assert unknown["red"] == pytest.approx(share(list(SHARED), "red") / 100, abs=0.02)
    assert sum(unknown.values()) == pytest.approx(1)
