import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Values, request
from cleanroom.catalogue.finding import Finding
from cleanroom.errors import UsageError
from cleanroom.privacy.combination import reach
from cleanroom.privacy.law import Law
from tests.reference.drawn_noise import Noise, NoNoise
from tests.reference.planted_cells import Key
from tests.reference.redrawn_answers import Seam
from tests.unit.catalogue.two_shops import two_shops

SAW = ("spring@w01", "spring@w02", "summer@w02", "summer@w04", "A3", "nothing", "other")
WEEKS = tuple(f"spend_w0{week}" for week in range(1, 5))
WORDS: dict[str, str | tuple[str, ...]] = {"by": "saw", "weeks": WEEKS, "lags": "1"}
# Powers of ten by exposure, times the purchase week: every sum says which cells are in it.
SPENT: dict[str, dict[Key, int]] = {
    week: {(value, None): 10**place * (10 + at) for place, value in enumerate(SAW)} for at, week in enumerate(WEEKS)
}
SPENT["spend_w05"] = {}


def everywhere(amount: int, weeks: tuple[str, ...]) -> dict[str, dict[Key, int]]:
    """The same in every cell."""
    return {week: {(value, None): amount for value in SAW} for week in weeks}


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    return Seam(two_shops(tmp_path_factory.mktemp("response")), "shop", "brand")


def response(
    seam: Seam,
    values: Values,
    spent: Mapping[str, Mapping[Key, int]] | None = None,
    noise: Noise | None = None,
    epsilon: str = "100",
) -> Finding:
    entry, cells = find("response"), spent if spent is not None else SPENT
    noise = noise or NoNoise("gaussian")
    return seam.finding(entry, values, lambda ask: cells[ask.quantity.column], noise, epsilon=epsilon)


def test_exposure_by_purchase_week_is_summed_over_the_allowed_lags(seam: Seam) -> None:
    spring = (10 + 11) + 10 * (11 + 12)
    summer = 100 * (11 + 12) + 1000 * 13
    assert [row.value for row in response(seam, WORDS).rows] == [spring, summer]
    own_week = response(seam, WORDS | {"lags": "0"})
    assert [row.value for row in own_week.rows] == [10 + 110, 1100 + 13000]
    later = response(seam, WORDS | {"lags": "1-2"})
    assert [row.value for row in later.rows] == [11 + 12 + 10 * (12 + 13), 100 * (12 + 13)]
    assert [row.names for row in later.rows] == [(("campaign", "spring"),), (("campaign", "summer"),)]


def test_only_weeks_that_an_exposure_reaches_are_paid_for_in_equal_shares(seam: Seam) -> None:
    entry = find("response")
    asks = seam.asks(entry, WORDS | {"lags": "1-1"})
    assert [ask.quantity.column for ask in asks] == ["spend_w02", "spend_w03"]
    assert [ask.share for ask in asks] == [Fraction(1, 2)] * 2
    assert {ask.by for ask in asks} == {"saw"}


def test_a_value_that_does_not_say_so_itself_can_be_translated(seam: Seam) -> None:
    found = response(seam, WORDS | {"lags": "0", "exposure": ("A3=autumn@w03", "nothing=spring@spend_w04")})
    assert [row.value for row in found.rows] == [10 + 110 + 1300000, 1100 + 13000, 120000]
    assert any("other" in line and "no campaign and week" in line for line in found.not_covered)
    assert any("a multiple of 1 euros before it is added up" in line for line in found.not_covered)


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_noise_is_that_of_all_sums_together_and_both_campaigns_hold_at_once(seam: Seam, law: Law) -> None:
    entry, wide = find("response"), everywhere(5000, WEEKS)
    noise = NoNoise(law)
    scale = float(seam.answer(seam.asks(entry, WORDS)[0], {}, noise, epsilon="4").scale)
    for row, cells in zip(response(seam, WORDS, wide, noise, "4").rows, (4, 3), strict=True):
        far = scale * math.sqrt(cells) * reach(law, 0.025, equal_weights=cells)
        assert row.high is not None
        assert row.value == 5000 * cells
        assert far <= float(row.high - row.value) <= 1.1 * far


def test_weeks_with_unlike_bounds_are_weighted_by_their_noise(seam: Seam) -> None:
    weeks = (*WEEKS[:3], "spend_w05")
    values = WORDS | {"weeks": weeks, "exposure": ("summer@w04=summer@w05",), "lags": "0"}
    wide = everywhere(10**6, weeks)
    spring, summer = response(seam, values, wide, NoNoise("gaussian"), "4").rows
    assert spring.low is not None
    assert summer.low is not None
    assert spring.value is not None
    assert summer.value is not None
    widths = float(summer.value - summer.low) / float(spring.value - spring.low)
    assert widths == pytest.approx(math.sqrt((1 + 1.5**2) / 2), rel=0.1)


def test_a_total_is_within_what_the_agreed_bounds_allow(seam: Seam) -> None:
    nothing: dict[str, dict[Key, int]] = {week: {} for week in WEEKS}
    found = response(seam, WORDS, nothing, NoNoise("gaussian"), "1")
    assert all(row.value == row.low == 0 and not row.differs for row in found.rows)
    assert "spring and summer cannot be told apart from nothing." in found.sentences


def test_a_clear_winner_is_named_and_ties_are_not(seam: Seam) -> None:
    found = response(seam, WORDS)
    assert [row.rank for row in found.rows] == [(2, 2), (1, 1)]
    assert found.sentences[0].startswith("summer was followed by ")
    assert "euros at brand, more than any other; the others: spring " in found.sentences[0]


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_planted_ties_are_ties_whatever_the_noise(seam: Seam, law: Law) -> None:
    """Three cells in summer, four in spring, and the same total in truth."""
    tied: dict[str, dict[Key, int]] = {
        week: {(value, None): 30_000 if value.startswith("spring") else 40_000 for value in SAW} for week in WEEKS
    }
    for seed in range(100):
        found = response(seam, WORDS, tied, Noise(law, seed), "4")
        assert [row.rank for row in found.rows] == [(1, 2), (1, 2)]
        assert found.sentences[0].startswith(
            "Which campaign was followed by most euros at brand is not known: spring ("
        )
        costs = response(seam, WORDS | {"costs": ("summer=120000", "spring=120000")}, tied, Noise(law, seed), "4")
        assert [row.rank for row in costs.rows] == [(1, 2), (1, 2)]
        assert not any(row.differs for row in costs.rows)
        assert costs.sentences[1] == "spring and summer cannot be told apart from the cost."


def test_costs_make_totals_a_return(seam: Seam) -> None:
    spring, summer = (row.value for row in response(seam, WORDS).rows)
    assert spring is not None
    assert summer is not None
    found = response(seam, WORDS | {"costs": ("spring=1000", "summer=10.5")})
    assert [row.value for row in found.rows] == [spring / 1000, summer / Fraction("10.5")]
    assert found.unit == "times the cost"
    assert found.chart.reference == 1
    assert all(row.differs for row in found.rows)
    assert "times its cost at brand, more than any other" in found.sentences[0]
    assert found.sentences[1] == ("summer was followed by more than it cost; spring was followed by less than it cost.")


def test_the_file_has_every_exposure_and_purchase_week_with_its_own_interval(seam: Seam) -> None:
    ((name, lines),) = response(seam, WORDS).files
    assert name == "response"
    assert len(lines) == 4 * 4
    assert lines[0] == {
        "campaign": "spring",
        "exposure_week": "spend_w01",
        "purchase_week": "spend_w01",
        "lag": 0,
        "counted": True,
        "value": 10.0,
        "low": lines[0]["low"],
        "high": lines[0]["high"],
    }
    assert sum(line["value"] for line in lines if line["counted"]) == 251 + 15300
    assert lines[0]["low"] < 10 < lines[0]["high"]


def test_exposures_followed_for_a_shorter_time_are_named(seam: Seam) -> None:
    assert any("summer@w04" in line for line in response(seam, WORDS).not_covered)
    assert not any("summer@w04" in line for line in response(seam, WORDS | {"lags": "0"}).not_covered)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "nothing"}, "shop has no dimension"),
        ({"by": "segment"}, "no value of shop's segment says campaign and week"),
        ({"weeks": ("spend_w01", "colour")}, "`colour` is a dimension"),
        ({"weeks": ("spend_w01", "spend_w01")}, "each once"),
        ({"weeks": ("spend_w01", "visits")}, "they have one unit"),
        ({"weeks": ("spend_w01", "spend_w02")}, "`summer@w04` was in week `w04`, which is none of weeks"),
        ({"lags": "3-1"}, "lags are weeks after the exposure"),
        ({"lags": "53"}, "at most 52"),
        ({"lags": "-1"}, "lags are weeks after the exposure"),
        ({"lags": "4-4"}, "no week of `weeks` is within the allowed lags of any exposure to spring"),
        ({"exposure": ("A3",)}, "value=campaign@week"),
        ({"exposure": ("nothin=autumn@w03",)}, "did you mean `nothing`"),
        ({"costs": ("spring=5",)}, "missing: summer"),
        ({"costs": ("spring=0", "summer=1")}, "campaign=number above 0"),
        ({"costs": ("spring=1e999999999", "summer=1")}, "campaign=number above 0"),
        ({"costs": ("sprng=5",)}, "`sprng=5` names none; did you mean `spring`[?] campaigns: spring, summer"),
        ({"costs": ("5",)}, "`5` names none; campaigns: spring, summer"),
        ({"costs": ("spring=1", "summer=1", "spring=1000000")}, "the costs of `spring` are given twice"),
        ({"exposure": ("A3=spring@w01", "A3=summer@w01")}, "exposure of `A3` is given twice"),
        ({"exposure": ("A3=spring@w01", "A3=spring@w01")}, "exposure of `A3` is given twice"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(seam: Seam, change: Values, message: str) -> None:
    entry = find("response")
    with pytest.raises(UsageError, match=message) as caught:
        seam.asks(entry, {**WORDS, **change})
    assert "\n" not in str(caught.value)


def test_more_weeks_than_a_question_has_plans_are_refused_in_the_words_of_who_asked(tmp_path: Path) -> None:
    """Lags of 52 weeks after w01, w02 and w04 reach 56 weeks, and one week more for each that A3 is later than w04."""
    terms, entry = two_shops(tmp_path, 70), find("response")
    words = WORDS | {"weeks": tuple(f"spend_w0{week}" for week in range(1, 71)), "lags": "52"}
    most = request(terms, entry, "shop", "brand", words | {"exposure": ("A3=spring@w012",)})
    assert len(entry.asks(terms, most)) == 64
    more = request(terms, entry, "shop", "brand", words | {"exposure": ("A3=spring@w013",)})
    with pytest.raises(UsageError, match="65 weeks are within the allowed lags, and a question asks of at most 64; "):
        entry.asks(terms, more)
