from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.catalogue.catalogue import CATALOGUE, find
from cleanroom.catalogue.entry import Ask, Values, request
from cleanroom.catalogue.finding import Chart, Finding, Row
from cleanroom.errors import UsageError
from cleanroom.question.quantity import Quantity
from tests.reference.drawn_noise import NoNoise
from tests.reference.redrawn_answers import Seam
from tests.unit.catalogue.planted import ASKER, OWNER, sample
from tests.unit.catalogue.two_shops import two_shops

_ADS: Values = {"by": "ads", "test": "seen", "control": "held-back"}
QUESTIONS: list[tuple[str, Values]] = [
    ("overlap", {}),
    ("profile", {"of": "colour"}),
    ("index", {"of": "colour"}),
    ("reach", {}),
    ("flow", {"by": "segment", "of": "colour"}),
    ("lift", {**_ADS, "outcome": "colour", "value": "red"}),
    ("lift", {**_ADS, "outcome": "spend"}),
    ("lift", {**_ADS, "outcome": "spend", "test_people": "90", "control_people": "80"}),
    ("response", {"by": "saw", "weeks": tuple(f"spend_w0{week}" for week in range(1, 5)), "lags": "0-2"}),
    ("prior", {"by": "segment", "of": "colour"}),
    ("launch", {"by": "segment", "of": "colour", "value": "red"}),
]


def asks(entry: str, values: Values) -> tuple[Ask, ...]:
    return find(entry).asks(sample(), request(sample(), find(entry), ASKER, OWNER, values))


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_says_what_it_is_for(name: str) -> None:
    entry = CATALOGUE[name]
    assert entry.name == name
    assert entry.version >= 1
    assert entry.says.endswith(".")
    assert all(parameter.says for parameter in entry.parameters)


def test_a_name_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"no question `profil`; did you mean `profile`\? it has: overlap, profile"):
        find("profil")


def test_the_plans_of_each_entry_are_these() -> None:
    count, colour = Quantity("count"), Quantity("histogram", "colour")
    assert asks("overlap", {}) == (Ask("", count),)
    assert asks("profile", {"of": "colour"}) == (Ask("", colour),)
    assert asks("profile", {"of": "colour", "by": "helmet"}) == (Ask("helmet", colour),)
    assert asks("index", {"of": "colour"}) == (
        Ask("", colour, share=Fraction(2, 3)),
        Ask("", colour, base="table", share=Fraction(1, 3)),
    )
    assert asks("reach", {}) == (
        Ask("", count, share=Fraction(1, 2)),
        Ask("", count, base="table", share=Fraction(1, 2)),
    )
    assert asks("flow", {"by": "helmet", "of": "colour"}) == (Ask("helmet", colour),)


@pytest.mark.parametrize(("name", "values"), QUESTIONS)
def test_the_plans_of_a_question_cost_together_what_its_epsilon_says(tmp_path: Path, name: str, values: Values) -> None:
    terms = two_shops(tmp_path)
    made = find(name).asks(terms, request(terms, find(name), "shop", "brand", values))
    assert sum(ask.share for ask in made) == 1


def test_every_entry_is_among_these_questions() -> None:
    assert {name for name, _ in QUESTIONS} == set(CATALOGUE)


_SHARED = "customers that shop shares with brand"
BASES = {
    "overlap": "",
    "profile": _SHARED,
    "index": f"100 is the share among all customers of brand; compared with it are the {_SHARED}",
    "reach": "",
    "flow": f"{_SHARED} and that have the same segment at shop",
    "lift": f"{_SHARED}, each group's own",
    "response": _SHARED,
    "prior": f"{_SHARED} and that have the same segment at shop",
    "launch": f"{_SHARED}, each segment's own",
}


def test_every_finding_says_whose_base_it_uses(tmp_path: Path) -> None:
    seam, found = Seam(two_shops(tmp_path), "shop", "brand"), {}
    for name, values in reversed(QUESTIONS):
        asked = seam.finding(find(name), values, lambda ask: dict.fromkeys(seam.names(ask), 1000), NoNoise("gaussian"))
        found[name] = asked.base
    assert found == BASES


def test_what_flow_shows_does_not_change_its_plan() -> None:
    words = {"by": "helmet", "of": "colour"}
    assert asks("flow", {**words, "show": "people"}) == asks("flow", words)


@pytest.mark.parametrize(
    ("entry", "values", "says"),
    [
        ("profile", {}, "profile needs of: the owner's column"),
        ("profile", {"of": "color"}, "bikes has no dimension `color` .* did you mean `colour`"),
        ("profile", {"of": "bicycles"}, "`bicycles` is a measure"),
        ("profile", {"of": "colour", "by": "colour"}, "accessories has no dimension `colour`"),
        ("profile", {"of": "colour", "split": "helmet"}, "profile has no parameter `split`; its parameters: of, by"),
        ("profile", {"of": ("colour", "country")}, "profile takes one of; 2 were given"),
        ("index", {"of": "price"}, "`price` is a measure"),
        ("flow", {"of": "colour"}, "flow needs by"),
        (
            "flow",
            {"by": "helmet", "of": "colour", "show": "peopl"},
            "shares or people, not `peopl`; did you mean `people`",
        ),
        ("overlap", {"of": "colour"}, "overlap has no parameter `of`; its parameters: none"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line_before_anything_is_asked(
    entry: str, values: Values, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        asks(entry, values)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("asker", "owner", "says"),
    [
        ("accesories", OWNER, "did you mean `accessories`"),
        (ASKER, "bags", "parties: "),
        (ASKER, ASKER, "two different"),
    ],
)
def test_the_parties_are_two_of_the_room(asker: str, owner: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        request(sample(), find("overlap"), asker, owner, {})


def test_a_parameter_left_out_has_its_default() -> None:
    made = request(sample(), find("flow"), ASKER, OWNER, {"by": "helmet", "of": "colour"})
    assert (made.text("show"), made.texts("show"), made.texts("nothing")) == ("shares", ("shares",), ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": Fraction(1)},
        {"low": Fraction(2), "high": Fraction(1)},
        {"rank": (0, 1)},
        {"rank": (2, 1)},
    ],
)
def test_a_row_is_checked_when_it_is_made(wrong: dict[str, Fraction]) -> None:
    with pytest.raises(ValueError, match=r"interval|rank"):
        Row(**{"names": (("a", "b"),), "value": None, "low": None, "high": None, **wrong})  # type: ignore[arg-type]


ROW = Row((("people", "shared"),), Fraction(3), Fraction(1), Fraction(5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": ()},
        {"sentences": ()},
        {"level": Fraction(1)},
        {"covers": "everything"},
        {"unit": "%"},
        {"rows": (ROW, Row((("other", "shared"),), None, None, None))},
    ],
)
def test_a_finding_is_checked_when_it_is_made(wrong: dict[str, object]) -> None:
    right = {
        "entry": "overlap",
        "version": 1,
        "asker": "a",
        "owner": "b",
        "unit": "people",
        "base": "",
        "level": Fraction(95, 100),
        "at_once": True,
        "covers": "noise",
        "rows": (ROW,),
        "sentences": ("a shares 1 to 5 customers with b.",),
        "not_covered": (),
        "chart": Chart("bars"),
    }
    Finding(**right)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"."):
        Finding(**{**right, **wrong})  # type: ignore[arg-type]


def test_a_chart_is_of_a_kind_that_can_be_drawn() -> None:
    with pytest.raises(ValueError, match="bars, heat, index"):
        Chart("pie")
