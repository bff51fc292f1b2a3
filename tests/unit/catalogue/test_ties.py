"""Values that are equal in truth are never ranked: not in a sentence, not in a place, not by being marked as different.

Noise is drawn anew each time. Statements hold with 95% or more, so an honest program would rank a tie in fewer than 5%
of the findings; five standard errors above that happen in fewer than 1 of 1e5 runs. In fact it hardly ever does.
"""

import math
import re

import pytest

from cleanroom.catalogue.finding import Finding, Row
from tests.unit.catalogue.planted import Planted

DRAWS, FEW_DRAWS = 60, 30
RANKING = re.compile(r"\b(more|most|less|least|fewer|first|highest|largest|lowest|best|top|ahead|leads?)\b")
UNKNOWN = re.compile(r"(the largest part|Which value has the highest index) is not known")
LAWS = ("zcdp", "pure")


def ranking_words(finding: Finding) -> list[str]:
    """The words that rank, but where a sentence says that the ranking is not known."""
    return RANKING.findall(UNKNOWN.sub("", " ".join(finding.sentences)))


def overlapping(rows: list[Row]) -> bool:
    """Whether the places of any two rows overlap, so that none is above another."""
    ranks = [row.rank for row in rows if row.rank is not None]
    assert len(ranks) == len(rows)
    return all(one[0] <= other[1] for one in ranks for other in ranks)


def most_wrong(draws: int = DRAWS) -> float:
    return draws * 0.05 + 5 * math.sqrt(draws * 0.05 * 0.95)


def wrong(planted: Planted, tied: slice, *, words: bool = True, epsilon: str = "1") -> int:
    """In how many findings the rows of `tied` are told apart somewhere."""
    findings = [planted.asked(epsilon) for _ in range(DRAWS)]
    return sum(
        not overlapping(list(found.rows[tied]))
        or any(row.differs for row in found.rows[tied])
        or bool(words and ranking_words(found))
        for found in findings
    )


@pytest.mark.parametrize("room_accountant", LAWS)
@pytest.mark.parametrize("epsilon", ["1", "0.1"])
@pytest.mark.parametrize("people", [2000, 60])
def test_equal_shares_are_not_ranked(room_accountant: str, epsilon: str, people: int) -> None:
    planted = Planted("profile", {"of": "colour"}, [people] * 3 + [0, 0, 9], room_accountant=room_accountant)
    assert wrong(planted, slice(0, 3), epsilon=epsilon) <= most_wrong()


def test_equal_shares_are_not_ranked_in_any_group() -> None:
    planted = Planted("profile", {"of": "colour", "by": "helmet"}, [400, 400, 30, 30, 30, 10] * 3)
    for group in range(3):
        assert wrong(planted, slice(6 * group, 6 * group + 2)) <= most_wrong()


@pytest.mark.parametrize("room_accountant", LAWS)
@pytest.mark.parametrize("people", [900, 40])
def test_an_index_of_100_is_told_apart_from_nothing(room_accountant: str, people: int) -> None:
    match = [people, 2 * people, people, people, 3 * people, people]
    planted = Planted("index", {"of": "colour"}, match, [2 * n for n in match], room_accountant=room_accountant)
    assert wrong(planted, slice(0, 5)) <= most_wrong()


@pytest.mark.parametrize("room_accountant", LAWS)
def test_of_two_values_with_the_same_high_index_none_is_the_highest(room_accountant: str) -> None:
    planted = Planted(
        "index",
        {"of": "colour"},
        [1800, 900, 300, 300, 300, 100],
        [2000, 1000, 1200, 1200, 1200, 400],
        room_accountant=room_accountant,
    )
    for found in (planted.asked() for _ in range(DRAWS)):
        assert all(row.differs for row in found.rows[:5])
        assert overlapping(list(found.rows[:2]))
        assert overlapping(list(found.rows[2:5]))
        assert "highest index is not known: Black and Red cannot be told apart" in found.sentences[1]


@pytest.mark.parametrize("room_accountant", LAWS)
@pytest.mark.parametrize("scale", [40, 1])
def test_stages_that_have_nothing_to_do_with_each_other_are_not_said_to(room_accountant: str, scale: int) -> None:
    cells = [scale * row * column for row in (10, 6, 4, 2, 1, 1, 3) for column in (9, 7, 3, 1, 1, 2)]
    planted = Planted("flow", {"by": "country", "of": "colour"}, cells, room_accountant=room_accountant)
    findings = [planted.asked() for _ in range(FEW_DRAWS)]
    told = sum(any(row.differs for row in found.rows) or bool(ranking_words(found)) for found in findings)
    assert told <= most_wrong(FEW_DRAWS)


def test_numbers_that_are_not_compared_have_no_place() -> None:
    for found in (
        Planted("overlap", {}, [500]).asked(people=2000),
        Planted("reach", {}, [500], [900]).asked(people=2000),
        Planted("flow", {"by": "helmet", "of": "colour"}, [100] * 18).asked(),
    ):
        assert [row.rank for row in found.rows] == [None] * len(found.rows)
        assert not ranking_words(found) or "more that bikes has" in found.sentences[0]


def test_what_is_plainly_different_is_ranked() -> None:
    """So the tests above do not hold because nothing is ever said."""
    found = Planted("profile", {"of": "colour"}, [900, 500, 200, 100, 20, 9]).asked()
    assert [row.rank for row in found.rows[:3]] == [(1, 1), (2, 2), (3, 3)]
    assert all(row.differs for row in found.rows[:3])
    assert "have colour Black at bikes, more than any other" in found.sentences[0]
    found = Planted("index", {"of": "colour"}, [900, 500, 500, 100, 100, 9], [1000, 1000, 1000, 1000, 1000, 50]).asked()
    assert found.rows[0].rank == (1, 1)
    assert found.sentences[1] == "Of the values that are named, Black has the highest index."
    found = Planted("flow", {"by": "helmet", "of": "colour"}, [900, 20, 20, 20, 20, 20, *[100] * 12]).asked()
    assert found.rows[0].differs
    assert "have helmet yes at accessories have colour Black at bikes more often than the others" in found.sentences[1]
