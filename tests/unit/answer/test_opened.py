"""What each kind of question adds to an answer: every released integer, what is read off them, and nothing else."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.answer.mean import mean
from cleanroom.answer.quantile import quantile
from cleanroom.answer.result import answer_body
from cleanroom.answer.view import USUAL_VIEW, View, parse_levels
from cleanroom.errors import UsageError
from cleanroom.privacy.interval import LEVEL, noise_interval
from cleanroom.question.compile import Standing, compile_plan
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import Quantity
from tests.unit.question.agreements import BRAND, RHO, contract, dataset, dimension, measure, plan, question

# Euros from -10 to 100 in half euros: the middle is 45 euros, 90 steps.
SPEND = measure(edges=(Decimal(0), Decimal(20), Decimal(50)))
COLUMNS = (dimension(), dimension("colour", ("red", "blue", "green")), SPEND)


def agreed(**more: Any) -> Contract:
    return contract({BRAND: dataset(BRAND, columns=COLUMNS, **more)})


def body(kind: str, numbers: list[int], *, view: View = USUAL_VIEW, by: str = "", **more: Any) -> dict[str, Any]:
    """The answer to a question of epsilon about 10."""
    terms = agreed(**more)
    name = {"count": "", "histogram": "colour"}.get(kind, "spend")
    asked = plan(terms, by=by, quantity=Quantity(kind, name), units=RHO)
    return answer_body(terms, asked, numbers, stored=False, seconds={}, view=view)


def test_a_mean_comes_with_the_two_integers_that_were_released() -> None:
    terms = agreed()
    asked = plan(terms, by="", quantity=Quantity("mean", "spend"), units=RHO)
    count_scale, sum_scale = asked.scales
    found = mean(
        centred_sum=-420, count=200, column=SPEND, scale_sum=sum_scale, scale_count=count_scale, law="gaussian"
    )
    (cell,) = body("mean", [200, -420])["cells"]
    assert cell == {
        "by": None,
        "of": None,
        "value": 43.95,
        "low": float(found.low),
        "high": float(found.high),
        "defined": True,
        "released": {
            "count": 200,
            "count_scale": float(count_scale),
            "sum": -420,
            "sum_scale": float(sum_scale),
            "step": 0.5,
            "middle": 45,
        },
    }


@pytest.mark.parametrize("numbers", [[0, 0], [-3, 100], [1, 0]])
def test_a_mean_of_perhaps_nobody_is_null_and_the_integers_stay(numbers: list[int]) -> None:
    (cell,) = body("mean", numbers)["cells"]
    assert (cell["value"], cell["low"], cell["high"], cell["defined"]) == (None, None, None, False)
    assert [cell["released"]["count"], cell["released"]["sum"]] == numbers


def test_means_stand_by_group_in_the_contract_s_order() -> None:
    cells = body("mean", [100, 1, 200, 2, 300, 3], by="tier")["cells"]
    assert [(cell["by"], cell["released"]["count"], cell["released"]["sum"]) for cell in cells] == [
        ("gold", 100, 1),
        ("silver", 200, 2),
        ("other", 300, 3),
    ]


def test_a_sum_has_its_whole_steps_beside_the_unit_and_what_is_possible() -> None:
    """Capacity is 1000 on either side: between -10,000 and 100,000 euros."""
    found = body("sum", [-7])
    assert found["cells"][0]["value"] == -3.5
    assert found["cells"][0]["released"]["sum"] == -7
    assert found["cells"][0]["released"]["step"] == 0.5
    assert found["question"]["possible"] == [-10_000, 100_000]


def test_quantiles_are_read_off_the_bins_at_the_usual_levels_or_at_others() -> None:
    found = body("quantile", [100, 200, 400, 100])
    assert [cell["of"] for cell in found["cells"]] == ["-10 to below 0", "0 to below 20", "20 to below 50", "50 to 100"]
    assert [cell["value"] for cell in found["cells"]] == [100, 200, 400, 100]
    assert [line["level"] for line in found["quantiles"]] == [0.25, 0.5, 0.75]
    assert list(found["quantiles"][0]) == ["by", "level", "value", "low", "high", "defined"]
    scale = plan(agreed(), by="", quantity=Quantity("quantile", "spend"), units=RHO).scales[0]
    median = quantile(
        [100, 200, 400, 100], order=Fraction(1, 2), column=SPEND, edges=SPEND.edges, scale=scale, law="gaussian"
    )
    line = found["quantiles"][1]
    assert (line["value"], line["low"], line["high"]) == tuple(
        float(number) for number in (median.value or 0, median.low, median.high)
    )
    other = body("quantile", [100, 200, 400, 100], view=View(levels=parse_levels("0.9")))
    assert [line["level"] for line in other["quantiles"]] == [0.9]
    assert other["cells"] == found["cells"]


def test_a_quantile_of_perhaps_nobody_is_null() -> None:
    lines = body("quantile", [0, 1, -1, 0])["quantiles"]
    assert [(line["value"], line["low"], line["high"], line["defined"]) for line in lines] == [
        (None,) * 3 + (False,)
    ] * 3


def test_a_ranking_stands_beside_the_cells_and_leaves_other_out() -> None:
    plain, ranked = body("histogram", [500, 300, 301, 900]), body("histogram", [500, 300, 301, 900], view=View(top=2))
    assert "ranking" not in plain
    assert ranked["cells"] == plain["cells"]
    assert [tuple(line.values()) for line in ranked["ranking"]] == [
        (None, "red", 1, 1, "certainly"),
        (None, "blue", 2, 3, "possibly"),
        (None, "green", 2, 3, "possibly"),
    ]
    assert list(ranked["ranking"][0]) == ["by", "of", "best_rank", "worst_rank", "in_top"]
    assert ranked["question"]["top"] == 2


def test_ties_stand_in_the_contract_s_order_whoever_is_ahead() -> None:
    for values in ([300, 301, 299, 0], [299, 300, 301, 0]):
        ranking = body("histogram", values, view=View(top=1))["ranking"]
        assert [line["of"] for line in ranking] == ["red", "blue", "green"]


@pytest.mark.parametrize(("value", "below"), [(19, True), (20, False), (-4, True)])
def test_a_noisy_count_is_under_the_display_threshold_and_still_there(value: int, *, below: bool) -> None:
    (cell,) = body("count", [value], display_threshold=20)["cells"]
    assert (cell["value"], cell["below_threshold"]) == (value, below)
    assert body("mean", [value, 0], display_threshold=20)["cells"][0]["below_threshold"] is below
    assert body("count", [value], display_threshold=20)["question"]["display_threshold"] == 20


def test_a_sum_is_never_under_a_threshold_of_people_and_without_one_nothing_is_said() -> None:
    found = body("sum", [3], display_threshold=20)
    assert "below_threshold" not in found["cells"][0]
    assert "display_threshold" not in found["question"]
    assert "below_threshold" not in body("count", [3])["cells"][0]


def test_an_answer_over_the_whole_table_names_the_owner_s_groups() -> None:
    terms = agreed()
    asked = compile_plan(terms, question(base="table", by="colour", quantity=Quantity("count"), units=RHO), Standing())
    found = answer_body(terms, asked, [1, 2, 3, 4], stored=False, seconds={})
    assert found["question"]["base"] == "table"
    assert [(cell["by"], cell["value"]) for cell in found["cells"]] == [
        ("red", 1),
        ("blue", 2),
        ("green", 3),
        ("other", 4),
    ]
    assert body("count", [1])["question"]["base"] == "match"


@pytest.mark.parametrize(
    ("text", "levels"),
    [("", (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))), (" 0.9 ,0.5", (Fraction(9, 10), Fraction(1, 2)))],
)
def test_levels_are_read_exactly(text: str, levels: tuple[Fraction, ...]) -> None:
    assert parse_levels(text) == levels


@pytest.mark.parametrize("text", ["0", "1", "50", "a half", "0.5,", "NaN", "Infinity", "-0.1", "0.1234567", "1e-300"])
def test_what_is_no_level_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"no level.*0\.5,0\.9"):
        parse_levels(text)


def test_a_level_is_asked_once_and_at_most_twenty_are() -> None:
    assert len(View(levels=tuple(Fraction(n, 21) for n in range(1, 21))).levels) == 20
    for levels in (tuple(Fraction(n, 22) for n in range(1, 22)), (Fraction(1, 2),) * 2, ()):
        with pytest.raises(UsageError, match="each once"):
            View(levels=levels)


@pytest.mark.parametrize(
    ("view", "quantity", "words"),
    [
        (View(top=1), Quantity("count"), "--of"),
        (View(top=4), Quantity("histogram", "colour"), "at most 3"),
        (View(levels=(Fraction(1, 3),)), Quantity("mean", "spend"), "--quantile"),
    ],
)
def test_what_cannot_be_read_off_an_answer_is_refused_before_it_is_paid_for(
    view: View, quantity: Quantity, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        view.check(agreed(), BRAND, quantity)


def test_the_longest_ranking_has_every_declared_value() -> None:
    View(top=3).check(agreed(), BRAND, Quantity("histogram", "colour"))


def test_a_ranking_holds_for_all_groups_at_once() -> None:
    """What tells two numbers apart in one group does not when there are two groups more that must hold as well."""
    scale = plan(agreed(), by="", quantity=Quantity("histogram", "colour"), units=RHO).scales[0]
    one, all_groups = (
        2 * noise_interval(scale, cells=4, level=level, law="gaussian").half_width
        for level in (LEVEL, 1 - (1 - LEVEL) / 3)
    )
    assert one < all_groups
    apart = [100 + one + 1, 100, 0, 0]
    alone = body("histogram", apart, view=View(top=1))["ranking"]
    grouped = body("histogram", apart * 3, by="tier", view=View(top=1))["ranking"]
    assert [line["in_top"] for line in alone][:2] == ["certainly", "certainly not"]
    assert [line["in_top"] for line in grouped][:2] == ["possibly", "possibly"]
