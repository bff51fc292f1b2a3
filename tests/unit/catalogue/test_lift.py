import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Ask
from cleanroom.catalogue.finding import Finding
from cleanroom.errors import UsageError
from cleanroom.privacy.combination import reach
from cleanroom.privacy.law import Law
from cleanroom.question.quantity import Quantity
from tests.reference.drawn_noise import Noise, NoNoise
from tests.reference.planted_cells import Key, table_of
from tests.reference.redrawn_answers import Seam
from tests.unit.catalogue.two_shops import two_shops

GROUPS = ("seen", "held-back", "other")
COLOURS = ("red", "blue", "other")
CONVERSION = {"by": "ads", "test": "seen", "control": "held-back", "outcome": "colour", "value": "red"}
SPEND = {"by": "ads", "test": "seen", "control": "held-back", "outcome": "spend"}
ASSIGNED = {"test_people": "10000", "control_people": "8000"}


@pytest.fixture(scope="module")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    return Seam(two_shops(tmp_path_factory.mktemp("lift")), "shop", "brand")


def converted(test: tuple[int, int], control: tuple[int, int]) -> dict[Key, int]:
    """(red, people) of each group, and a crowd of neither that must not matter."""
    rows = [(red, people - red - people // 4, people // 4) for red, people in (test, control)]
    return table_of(GROUPS, COLOURS, [*rows, (900, 1, 1)])


def lift(
    seam: Seam,
    values: Mapping[str, str],
    cells: Mapping[Key, int],
    counts: Mapping[Key, int] | None = None,
    *,
    noise: Noise | None = None,
    threshold: int = 0,
) -> Finding:
    entry = find("lift")
    return seam.finding(
        entry,
        values,
        lambda ask: counts or {} if ask.quantity.kind == "count" else cells,
        noise or NoNoise("gaussian"),
        threshold=threshold,
    )


def test_the_effect_is_test_less_control_in_percentage_points(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((3000, 10000), (2000, 10000)))
    test, control, effect = found.rows
    assert [row.value for row in found.rows] == pytest.approx([30, 20, 10])
    assert all(row.low < row.value < row.high for row in found.rows if row.low and row.value and row.high)
    assert effect.differs
    assert test.names == (("number", "test: ads seen"),)
    assert control.names == (("number", "control: ads held-back"),)
    assert effect.names == (("number", "effect: test less control, percentage points"),)
    assert found.covers == "noise and sampling"
    assert not found.at_once
    assert found.base == "customers that shop shares with brand, each group's own"
    assert found.sentences[0].endswith(
        " percentage points: more of the customers that shop shares with brand with ads seen have colour red at brand"
        " than of those with ads held-back."
    )
    assert "no longer alike" in " ".join(found.not_covered)


def percentage(found: Finding) -> dict[str, Any]:
    """The effect in percent of the control group's, as the file has it."""
    ((name, lines),) = found.files
    assert name == "lift"
    last: dict[str, Any] = lines[3]
    assert (last["number"], last["unit"]) == ("effect, % of the control group's", "%")
    return last


def test_the_file_has_the_effect_in_percent_beside_the_rows(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((3000, 10000), (2000, 10000)))
    assert [line["value"] for line in found.files[0][1]] == pytest.approx([30, 20, 10, 50])
    assert [line["unit"] for line in found.files[0][1]] == ["%", "%", "percentage points", "%"]
    relative = percentage(found)
    assert 30 < relative["low"] < 50 < relative["high"] < 75
    assert relative["differs"]


def test_the_interval_is_never_narrower_than_chance_alone_and_hardly_twice_as_wide(seam: Seam) -> None:
    """At ten thousand people a group noise is a tenth of chance; 1.96 deviations would be the naive half width."""
    effect = lift(seam, CONVERSION, converted((3000, 10000), (2000, 10000))).rows[2]
    naive = 100 * 1.96 * ((0.3 * 0.7 + 0.2 * 0.8) / 10000) ** 0.5
    assert effect.low is not None
    assert effect.high is not None
    assert 1.3 * naive <= float(effect.high - effect.low) / 2 <= 2.0 * naive


def test_an_effect_that_chance_may_have_made_is_not_told(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((210, 1000), (200, 1000)))
    assert not found.rows[2].differs
    assert not percentage(found)["differs"]
    assert found.sentences[0].startswith("No effect can be told: test less control is between -")
    assert not any(" more " in line or " fewer " in line or "That is" in line for line in found.sentences)


def test_equal_groups_never_differ_whatever_the_noise(seam: Seam) -> None:
    for seed in range(20):
        found = lift(seam, CONVERSION, converted((200, 1000), (200, 1000)), noise=Noise("laplace", seed))
        assert not found.rows[2].differs


def test_a_loss_is_said_as_a_loss(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((1000, 10000), (2000, 10000)))
    assert "fewer of the customers" in found.sentences[0]
    assert "-" not in found.sentences[0].partition(" percentage")[0]
    assert "% fewer than with ads held-back." in found.sentences[2]


def test_the_asker_s_own_numbers_of_people_are_the_base(seam: Seam) -> None:
    found = lift(seam, {**CONVERSION, **ASSIGNED}, converted((1500, 3000), (800, 3000)))
    assert [row.value for row in found.rows] == pytest.approx([15, 10, 5])
    assert found.base == "customers that shop assigned, each group's own"
    assert "no longer alike" not in " ".join(found.not_covered)


def test_more_people_than_were_assigned_are_no_effect_of_100_percent(seam: Seam) -> None:
    """A slip in two numbers: everything was cut at 100%, and the effect was 100 points with -100 to 100 beside it."""
    slip = {"test_people": "50", "control_people": "60"}
    found = lift(seam, CONVERSION | slip, converted((300, 1000), (200, 900)))
    assert all(row.value is row.low is None and not row.differs for row in found.rows)
    assert found.sentences == (
        "No effect of ads seen against ads held-back can be told: at least 969 of the customers that shop shares with"
        " brand have ads seen, and only 50 people are said to have been assigned to it; the same question with the"
        " right number costs nothing more.",
    )


def test_a_slip_in_one_number_leaves_the_other_group_s_share(seam: Seam) -> None:
    """30 of 1,000 have it, so 500 assigned would do for these; there are more of them at the owner all the same."""
    slip = {"test_people": "9000", "control_people": "500"}
    found = lift(seam, CONVERSION | slip, converted((3000, 4000), (30, 1000)))
    assert found.rows[0].value == pytest.approx(100 / 3)
    assert found.rows[1].value is found.rows[2].value is None
    assert "have ads held-back, and only 500 people" in found.sentences[0]


def test_those_with_the_outcome_alone_may_be_more_than_were_assigned(seam: Seam) -> None:
    """Noise below 0 in the group's other cells takes nothing from them."""
    cells = table_of(GROUPS, COLOURS, [(250, -90, -90), (200, 300, 100), (0, 0, 0)])
    slip = {"test_people": "200", "control_people": "800"}
    assert "of ads seen" in lift(seam, CONVERSION | slip, cells).sentences[0]
    assert "at least 2" in lift(seam, CONVERSION | slip, cells).sentences[0]


@pytest.mark.parametrize("law", ["gaussian", "laplace"])
def test_people_are_too_many_only_if_the_noise_cannot_have_made_them(seam: Seam, law: Law) -> None:
    """Two groups, each by its three cells and by one of them: four statements of 5% in all."""
    noise, cells = NoNoise(law), converted((300, 1000), (200, 1000))
    (ask,) = seam.asks(find("lift"), CONVERSION)
    scale = float(seam.answer(ask, {}, noise).scale)
    least = math.ceil(1000 - scale * math.sqrt(3) * reach(law, 0.05 / 4, equal_weights=3))
    assert 900 < least < 1000
    for people, told in ((least - 1, False), (least, True)):
        found = lift(seam, CONVERSION | {"test_people": str(people), "control_people": "1000"}, cells, noise=noise)
        assert (found.rows[0].value is not None) == (found.rows[2].value is not None) == told


@pytest.mark.parametrize(("outcome", "steps", "people"), [("spend", 400_000, 1000), ("balance", -100_000, 1000)])
def test_an_amount_takes_as_many_people_as_have_the_most_each(
    seam: Seam, outcome: str, steps: int, people: int
) -> None:
    """200,000 euros of at most 200 each, or -100,000 of at least -100: a thousand people, less the noise."""
    sums = table_of(GROUPS, (None,), [(steps,), (steps // 10,), (0,)])
    for assigned, told in ((people, True), (people * 9 // 10, False)):
        values = SPEND | {"outcome": outcome, "test_people": str(assigned), "control_people": "8000"}
        found = lift(seam, values, sums)
        assert (found.rows[0].value is not None) == told
        assert told or f"only {assigned} people" in found.sentences[0]


def test_the_effect_is_the_difference_of_the_two_numbers_that_are_shown(seam: Seam) -> None:
    """Noise leaves -12 of 5,000: that is shown as 0%, and the effect is the other group's 8% with it."""
    found = lift(seam, CONVERSION, converted((-12, 5000), (400, 5000)))
    assert [row.value for row in found.rows] == [0, 8, -8]
    assert percentage(found)["value"] == -100


def test_spend_is_per_person_and_who_has_none_counts_as_0(seam: Seam) -> None:
    """Sums are in steps of half a euro; people in the group, with spend or without, are what it is divided by."""
    sums = table_of(GROUPS, (None,), [(400_000,), (200_000,), (7,)])
    counts = table_of(GROUPS, (None,), [(10_000,), (8_000,), (9,)])
    found = lift(seam, SPEND, sums, counts)
    assert [row.value for row in found.rows] == pytest.approx([20.0, 12.5, 7.5])
    assert percentage(found)["value"] == pytest.approx(60.0)
    assert found.unit == "euros per person"
    assert found.sentences[0].endswith(
        " euros per person: the customers that shop shares with brand with ads seen have more spend at brand than those"
        " with ads held-back."
    )
    assert lift(seam, SPEND | ASSIGNED, sums).rows[2].value == pytest.approx(7.5)


def test_the_interval_of_spend_holds_chance_at_the_largest_variance_of_its_mean(seam: Seam) -> None:
    """Bhatia and Davis: a mean of 20 within 0 to 200 has a variance of at most 20 * 180."""
    sums = table_of(GROUPS, (None,), [(400_000,), (320_000,), (0,)])
    effect = lift(seam, SPEND | ASSIGNED, sums).rows[2]
    naive = 1.96 * (20 * 180 / 10000 + 20 * 180 / 8000) ** 0.5
    assert effect.low is not None
    assert effect.high is not None
    assert 1.3 * naive <= float(effect.high - effect.low) / 2 <= 2.0 * naive


def test_values_below_0_have_no_percentage(seam: Seam) -> None:
    sums = table_of(GROUPS, (None,), [(-100_000,), (50_000,), (0,)])
    found = lift(seam, SPEND | ASSIGNED | {"outcome": "balance"}, sums)
    assert found.rows[2].value == pytest.approx(-16.25)
    assert percentage(found)["value"] is None
    assert not percentage(found)["differs"]


def test_a_histogram_costs_all_units_and_a_sum_leaves_a_quarter_for_the_count(seam: Seam) -> None:
    entry = find("lift")
    asks = {
        name: seam.asks(entry, values)
        for name, values in {"value": CONVERSION, "sum": SPEND, "assigned": SPEND | ASSIGNED}.items()
    }
    assert asks["value"] == (Ask("ads", Quantity("histogram", "colour")),)
    assert asks["sum"] == (
        Ask("ads", Quantity("sum", "spend"), share=Fraction(3, 4)),
        Ask("ads", Quantity("count"), share=Fraction(1, 4)),
    )
    assert asks["assigned"] == (Ask("ads", Quantity("sum", "spend")),)


def test_a_group_under_the_threshold_is_not_shown_and_has_no_effect(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((3, 5000), (200, 5000)), threshold=20)
    assert found.rows[0].value is found.rows[0].low is found.rows[2].value is None
    assert found.rows[1].value == 4
    assert found.sentences == (
        "No effect of ads seen against ads held-back can be told: a group, or those in it with colour red at brand, are"
        " under 20.",
    )


def test_under_the_threshold_is_said_of_noisy_numbers(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((3, 5000), (200, 5000)), threshold=20)
    assert "the true one may be 20 or more." in found.not_covered[-1]


@pytest.mark.parametrize(("outcome", "steps"), [("spend", "0.5 euros"), ("balance", "1 euros"), ("visits", "")])
def test_amounts_between_the_agreed_steps_are_rounded_and_the_finding_says_so(
    seam: Seam, outcome: str, steps: str
) -> None:
    """10,000 people with 24 cents each have spent 0.00 per person here: the interval is about rounded amounts."""
    found = lift(seam, SPEND | ASSIGNED | {"outcome": outcome}, table_of(GROUPS, (None,), [(9,), (9,), (9,)]))
    assert [line for line in found.not_covered if "steps" in line] == (
        [f"Amounts between the agreed steps: each person's is rounded to a multiple of {steps} before it is added up."]
        if steps
        else []
    )


def test_a_group_of_which_perhaps_nobody_has_it_is_not_told_from_0(seam: Seam) -> None:
    """All rows are drawn against a line at 0, and what is not grey is said to differ from it."""
    found = lift(seam, CONVERSION, converted((300, 5000), (3, 5000)))
    assert found.chart.reference == found.rows[1].low == 0
    assert [row.differs for row in found.rows] == [True, False, True]


def test_groups_as_small_as_the_noise_say_nothing(seam: Seam) -> None:
    found = lift(seam, CONVERSION, converted((5, 20), (2, 20)))
    assert found.rows[2].value is None
    assert not found.rows[2].differs
    assert found.sentences[0].endswith("a group is as small as the noise.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": "nothing"}, "shop has no dimension `nothing`"),
        ({"test": "sen"}, "did you mean `seen`"),
        ({"control": "seen"}, "test and control are both `seen`"),
        ({"value": "green"}, "brand's colour has no declared value `green`"),
        ({"value": ""}, "whose share is compared; one of red, blue, other"),
        ({"outcome": "spend"}, "is a measure"),
        ({"test_people": "100"}, "given together"),
        ({"test_people": "100", "control_people": "0"}, "whole numbers from 1"),
        ({"test_people": "1e3", "control_people": "5"}, "whole numbers from 1"),
    ],
)
def test_a_wrong_parameter_is_named_in_one_line(seam: Seam, change: dict[str, str], message: str) -> None:
    entry = find("lift")
    with pytest.raises(UsageError, match=message) as caught:
        seam.asks(entry, CONVERSION | change)
    assert "\n" not in str(caught.value)
