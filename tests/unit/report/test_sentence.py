import bisect
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanroom.demo.questions import QUESTIONS, DemoQuestion
from cleanroom.demo.shops import write_shops
from cleanroom.privacy.accountant import ACCOUNTANTS, accountant
from cleanroom.report.answer import Answer, read_answer
from cleanroom.report.certainty import base_range, leaders, number_ranges, share_ranges
from cleanroom.report.figure import show_range
from cleanroom.report.forecast import forecast_lines
from cleanroom.report.sentence import caption, sentences
from cleanroom.report.table import answer_table, headers, rows
from tests.reference.demo_truth import cell_names, noisy_answer, people, scale_of, truth
from tests.reference.discrete_gaussian_law import probabilities

OVERLAP, COLOURS, PRICES, SPEND, CASUAL = QUESTIONS
RUNS = 300


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder: Path = tmp_path_factory.mktemp("demo")
    write_shops(folder)
    return people(folder)


def no_noise(cells: int, _: Fraction) -> list[int]:
    return [0] * cells


@cache
def law(scale: Fraction) -> tuple[list[int], list[float]]:
    """Values and cumulative probabilities; a wide law is drawn on its own grid of hundredths of sigma."""
    found = probabilities(scale)
    return list(found), list(itertools.accumulate(map(float, found.values())))


def seeded(generator: np.random.Generator) -> Callable[[int, Fraction], list[int]]:
    """Draws by inverting the law of the reference; sigma above 100 is drawn in steps of sigma / 100."""

    def draw(cells: int, scale: Fraction) -> list[int]:
        step = max(int(scale / 100), 1)
        values, cumulative = law(scale / step)
        drawn = (bisect.bisect_left(cumulative, generator.random()) for _ in range(cells))
        return [step * values[min(place, len(values) - 1)] for place in drawn]

    return draw


def seeded_laplace(generator: np.random.Generator) -> Callable[[int, Fraction], list[int]]:
    """Draws as the difference of two geometric ones."""

    def draw(cells: int, scale: Fraction) -> list[int]:
        stop = -math.expm1(-1 / float(scale))
        return [int(x) for x in generator.geometric(stop, cells) - generator.geometric(stop, cells)]

    return draw


def body(
    value: list[int],
    *,
    quantity: str = "histogram",
    sigma: float = 4.0,
    by: list[str] | None = None,
    pure: bool = False,
) -> dict[str, Any]:
    names = ["black", "red", "other"]
    cells = [
        {"by": group, "of": of if quantity == "histogram" else None}
        for group in (by or [None])  # type: ignore[list-item] # None is how "not asked" is written
        for of in (names if quantity == "histogram" else [None])
    ]
    return {
        "question": {
            "asker": "shoes",
            "owner": "bags",
            "by": "sport" if by else None,
            "quantity": quantity,
            "column": None if quantity == "count" else "colour" if quantity == "histogram" else "spend",
            "epsilon": 1.0,
            "delta": 0.0 if pure else 1e-9,
            **({"sigma": None, "laplace_scale": sigma} if pure else {"sigma": sigma}),
            "unit": "euros" if quantity == "sum" else "people",
            "analyst": "lena",
        },
        "interval": 0.95,
        "cells": [{**cell, "value": v, "low": v - 8, "high": v + 8} for cell, v in zip(cells, value, strict=True)],
        "spent": [
            {
                "party": "bags",
                "consumer": "shoes",
                "rho": None if pure else "0.01",
                "epsilon": 1.0,
                "delta": 0.0 if pure else 1e-9,
            }
        ],
    }


def said(*args: Any, **kwargs: Any) -> str:
    return " ".join(sentences(read_answer(body(*args, **kwargs))))


def test_a_clear_favourite_is_called_more_than_any_other() -> None:
    text = said([600, 300, 0])
    # Five statements at once: z = sqrt(2 ln(2 * 5 / 0.05)) = 3.2552, and 4 * z * sqrt(3) = 22.55.
    assert text.startswith("Between ")
    assert "% of the 877 to 923 customers that shoes shares with bags have colour black" in text
    assert "have colour black at bags, more than any other; the others: red " in text


def test_two_that_overlap_are_never_ranked() -> None:
    text = said([310, 300, 0])
    assert "black (" in text
    assert "cannot be told apart; further: other 0%" in text
    assert "more than any other" not in text


def test_those_that_cannot_be_told_apart_stand_in_the_contracts_order_whoever_is_ahead() -> None:
    assert said([310, 300, 0]).index("black (") < said([310, 300, 0]).index("red (")
    assert said([300, 310, 0]).index("black (") < said([300, 310, 0]).index("red (")


def test_a_group_that_the_noise_drowns_gets_no_share() -> None:
    assert "nothing can be said about shares" in said([2, 3, -4])


def test_a_negative_cell_is_no_negative_share() -> None:
    assert "-" not in said([600, 300, -9]).replace("e-09", "")


def test_every_group_of_the_asker_has_its_own_base() -> None:
    running, yoga = sentences(read_answer(body([600, 300, 0, 20, 400, 0], by=["running", "yoga"])))
    assert "that shoes shares with bags and that have sport running at shoes have colour black" in running
    assert "have colour red at bags, more than any other" in yoga


def test_an_overlap_is_said_as_a_range_of_people() -> None:
    assert said([500], quantity="count") == "shoes shares 492 to 508 customers with bags."


def test_an_overlap_below_the_noise_starts_at_nobody() -> None:
    assert said([3], quantity="count") == "shoes shares 0 to 11 customers with bags."


def test_sums_that_overlap_have_no_largest() -> None:
    text = said([5000, 5010], quantity="sum", by=["running", "yoga"])
    assert text.endswith("is not known: running and yoga cannot be told apart.")
    assert "running has the largest total spend at bags." in said([5100, 5000], quantity="sum", by=["running", "yoga"])


def test_the_caption_names_the_level_the_noise_and_the_cost() -> None:
    line = caption(read_answer(body([600, 300, 0])))
    assert "probability 95% or more over the noise that bags added" in line
    assert "Cost shoes epsilon 1 of its budget at bags (delta 1e-09)." in line


def test_the_caption_says_that_the_threshold_is_applied_to_noisy_numbers() -> None:
    """Such as 12 of 35: the level is that of the intervals, and "under 20" has none."""
    line = "Whether a number is under 20 is judged with its noise: the true one may be 20 or more."
    assert caption(read_answer(small([600, 12, -3]))).endswith(line)
    assert "judged" not in caption(read_answer(body([600, 300, 0])))


def test_the_caption_of_a_pure_room_speaks_of_epsilon_alone() -> None:
    line = caption(read_answer(body([600, 300, 0], pure=True)))
    assert line.endswith("Cost shoes epsilon 1 of its budget at bags.")
    assert "rho" not in line
    assert "delta" not in line


def test_a_pure_room_says_wider_ranges_for_the_same_scale() -> None:
    """Five statements on a base of three cells: with u = 1.3, 6 u + 3 ln(1 - u^2 / 3) = 5.3 = ln(2 * 5 / 0.05), and
    4 * 6 * sqrt(3) = 41.6; Gaussian noise took 22.6.
    """
    text = said([600, 300, 0], pure=True)
    assert "% of the 858 to 942 customers that shoes shares with bags have colour black" in text
    assert said([500], quantity="count", pure=True) == "shoes shares 488 to 512 customers with bags."


def test_simultaneous_ranges_are_wider_than_the_interval_of_one_number() -> None:
    one, many = (
        read_answer(body([500], quantity="count")),
        read_answer(body([500] * 3, quantity="count", by=["a", "b", "c"])),
    )
    assert number_ranges(one)[0].low > number_ranges(many)[0].low


def test_the_sentence_of_the_demo_says_what_was_planted(tables: dict[str, pd.DataFrame]) -> None:
    """Running and hiking customers have a planted favourite; football customers have three equal ones.

    Noise is frozen by its seed; over fresh noise this would fail when a statement outside the 95% level is drawn.
    """
    answer = read_answer(noisy_answer(COLOURS, truth(tables, COLOURS), seeded(np.random.default_rng(7))))
    running, football, yoga, hiking, other = sentences(answer, COLOURS.wording)
    assert running.startswith("Between ")
    assert "sportswear shares with bags and that buy mostly running from sportswear prefer black bags, more" in running
    assert "black (" in football
    assert "cannot be told apart" in football
    assert "prefer sand bags, more than any other" in yoga
    assert "prefer green bags, more than any other" in hiking
    assert "nothing can be said about shares" in other


def test_the_ranges_of_the_demo_hold_the_planted_probabilities_of_large_groups(tables: dict[str, pd.DataFrame]) -> None:
    """Planted 44% of running customers prefer black. The sample of about 560 people is itself within 7 points of it
    with probability 99.9%, the noise within the range with 95% or more; both are frozen by their seeds."""
    answer = read_answer(noisy_answer(COLOURS, truth(tables, COLOURS), seeded(np.random.default_rng(7))))
    black = share_ranges(answer, answer.groups()[0])[0]
    assert black.low - 7 <= 44 <= black.high + 7


@pytest.mark.parametrize("name", ACCOUNTANTS)
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_all_ranges_of_an_answer_hold_the_truth_at_once(
    tables: dict[str, pd.DataFrame], question: DemoQuestion, name: str
) -> None:
    """At least 95% of 300 answers are right in every cell, share and base, and never name a false winner.

    The seed is fixed. Over fresh noise a coverage of exactly 95% would fall below the bound, 5 standard errors
    lower, in fewer than 1 of 1e5 runs.
    """
    exact, of = truth(tables, question), accountant(name)
    draw = (seeded_laplace if of.law == "laplace" else seeded)(np.random.default_rng(11))
    held = sum(_holds(question, exact, noisy_answer(question, exact, draw, of)) for _ in range(RUNS))
    assert held >= RUNS * 0.95 - 5 * (RUNS * 0.95 * 0.05) ** 0.5


def _holds(question: DemoQuestion, exact: list[int], answer_body: dict[str, Any]) -> bool:
    answer = read_answer(answer_body)
    right = all(r.low <= t <= r.high for r, t in zip(number_ranges(answer), exact, strict=True))
    if question.quantity != "histogram":
        return right
    places = {cell: place for place, cell in enumerate(answer.cells)}
    for group in answer.groups():
        true = [exact[places[cell]] for cell in group]
        base, shares = base_range(answer, group), share_ranges(answer, group)
        right &= base.low <= sum(true) <= base.high
        if sum(true):
            right &= all(s.low <= 100 * t / sum(true) <= s.high for s, t in zip(shares, true, strict=True))
            first = leaders(shares)
            right &= len(first) > 1 or true[first[0]] == max(true)
    return right


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_without_noise_every_range_holds_the_exact_numbers(
    tables: dict[str, pd.DataFrame], question: DemoQuestion
) -> None:
    exact = truth(tables, question)
    assert len(exact) == len(cell_names(question))
    assert _holds(question, exact, noisy_answer(question, exact, no_noise))


def test_a_question_costs_the_noise_that_its_epsilon_buys() -> None:
    """Epsilon 1 at delta 1e-9 is a noise scale of just below 6 people."""
    assert 5 < scale_of(COLOURS) < 6
    assert scale_of(SPEND) > 399 * scale_of(COLOURS)


def test_the_json_may_go_through_text_without_changing_a_sentence(tables: dict[str, pd.DataFrame]) -> None:
    answer = noisy_answer(CASUAL, truth(tables, CASUAL), no_noise)
    assert sentences(read_answer(json.loads(json.dumps(answer)))) == sentences(read_answer(answer))


def test_other_is_never_first_and_who_is_smaller_than_it_is_not_more_than_any_other() -> None:
    text = said([300, 100, 900])
    assert "have colour black at bags, more than any other value that is named; the others: red" in text
    assert "cannot be told apart" not in said([300, 100, 310])
    assert "more than any other;" in said([900, 100, 300])


def test_the_group_of_all_others_has_no_largest_sum() -> None:
    assert "running has the largest total" in said([5100, 4000, 9000], quantity="sum", by=["running", "yoga", "other"])
    assert "largest" not in said([5100, 9000], quantity="sum", by=["running", "other"])


@pytest.mark.parametrize(("value", "words"), [(-50, "have 0 euros"), (3, "have 0 to 14 euros"), (95, "84 to 100")])
def test_a_sum_is_said_within_what_the_bounds_allow(value: int, words: str) -> None:
    """sigma 4: sqrt(2 ln(2 / 0.05)) * 4 = 10.9."""
    found = body([value], quantity="sum")
    found["question"]["possible"] = [0, 100]
    assert words in " ".join(sentences(read_answer(found)))


def small(value: list[int], **more: Any) -> dict[str, Any]:
    """An answer under a contract that shows numbers of people from 20 on."""
    found = body(value, **more)
    found["question"]["display_threshold"] = 20
    for cell in found["cells"]:
        cell["below_threshold"] = cell["value"] < 20
    return found


def test_cells_under_the_display_threshold_are_said_as_such() -> None:
    count = read_answer(small([12], quantity="count"))
    assert sentences(count) == ("shoes shares under 20 customers with bags.",)
    (text,) = sentences(read_answer(small([600, 12, -3])))
    assert "red under 20, other under 20." in text
    (text,) = sentences(read_answer(small([19, 12, 300])))
    assert "no value that is named reaches 20 people" in text
    assert rows(count) == (("under 20", ""),)


def test_over_a_whole_table_the_base_is_the_owner_s() -> None:
    found = body([600, 300, 0])
    found["question"]["base"] = "table"
    (text,) = sentences(read_answer(found))
    assert "of the 877 to 923 customers that bags has have colour black at bags" in text
    count = body([500], quantity="count")
    count["question"]["base"] = "table"
    assert sentences(read_answer(count)) == ("bags has 492 to 508 customers.",)
    assert "missing from its table" in caption(read_answer(count))


def estimated(quantity: str, lines: list[dict[str, Any]], **question: Any) -> Answer:
    """A mean's or a quantile's answer."""
    found = body([30], quantity="count")
    found["question"] |= {"quantity": quantity, "column": "price", "unit": "euros", "possible": [0, 400], **question}
    if quantity == "mean":
        found["cells"] = lines
    else:
        found["question"] |= {"unit": "people", "column_unit": "euros"}
        found["quantiles"] = lines
    return read_answer(found)


def test_a_mean_is_said_as_a_range_with_its_level() -> None:
    line = {"by": None, "value": 12.7, "low": 12.1004, "high": 13.3996, "defined": True}
    answer = estimated("mean", [line])
    assert sentences(answer) == (
        "The mean price at bags of the customers that shoes shares with bags is between 12.1 and 13.4 euros (95%).",
    )
    assert caption(answer).startswith("Each interval holds for itself")
    assert rows(answer) == (("12.7", "12.1 to 13.4"),)


def test_a_level_is_never_rounded_up_to_certainty() -> None:
    mean = {"by": None, "value": 12.7, "low": 12.1, "high": 13.4, "defined": True}
    answer = replace(estimated("mean", [mean]), level=Fraction("0.999"))
    count = replace(read_answer(body([30], quantity="count")), level=Fraction("0.999"))
    question = {"asker": "shoes", "owner": "bags", "by": None, "quantity": "count", "column": None, "base": "match"}
    noise = {"numbers": 1, "of": "people", "sigma": 4.0, "unit": "people", "half_width": 8}
    cost = {"epsilon": 1.0, "delta": 0.0, "rho": None}
    forecast = forecast_lines({"question": question, "cost": cost, "interval": 0.999, "noise": [noise], "numbers": 1})
    texts = (
        *sentences(answer),
        caption(answer),
        *headers(answer),
        str(answer_table(count).caption),
        *itertools.islice(forecast, 4),
    )
    assert sum("99.9%" in text for text in texts) == 5
    assert not any("100%" in text for text in texts)


def test_a_mean_outside_the_bounds_is_shown_at_the_bound() -> None:
    line = {"by": None, "value": 433.7, "low": 390, "high": 400, "defined": True}
    assert rows(estimated("mean", [line])) == (("400", "390 to 400"),)


def test_an_undefined_mean_or_quantile_cannot_be_told() -> None:
    nothing = {"by": None, "value": None, "low": None, "high": None, "defined": False}
    answer = estimated("mean", [nothing])
    assert sentences(answer)[0].endswith("cannot be told: too few people for this noise.")
    assert rows(answer) == (("cannot be told", ""),)
    answer = estimated("quantile", [{**nothing, "level": 0.5}])
    assert sentences(answer)[0].endswith("no quantile can be told: too few people for this noise.")


def test_quantiles_say_which_part_has_at_most_how_much() -> None:
    lines = [
        {"by": None, "level": level, "value": low, "low": low, "high": high, "defined": True}
        for level, low, high in ((0.25, 100, 200), (0.5, 250, 250), (0.9, 300, 400))
    ]
    (text,) = sentences(estimated("quantile", lines))
    assert text == (
        "Of the customers that shoes shares with bags and that have a price at bags, a quarter have at most 100 to 200"
        " euros (95%), half have at most 250 euros (95%), 90% have at most 300 to 400 euros (95%)."
    )


@pytest.mark.parametrize(
    ("places", "text"),
    [
        (("certainly", "certainly not"), "the top 1 of colour at bags certainly is black."),
        (("possibly", "possibly"), "the top 1 of colour at bags cannot be told: black and red cannot be told apart."),
    ],
)
def test_a_ranking_names_ties_as_ties(places: tuple[str, str], text: str) -> None:
    found = body([600, 300, 0])
    found["question"]["top"] = 1
    found["ranking"] = [
        {"by": None, "of": of, "best_rank": 1, "worst_rank": 2, "in_top": place}
        for of, place in zip(("black", "red"), places, strict=True)
    ]
    answer = read_answer(found)
    assert " ".join(sentences(answer)).endswith(text)
    assert rows(answer)[0][-2:] == ("1 to 2", places[0])
    assert rows(answer)[2][-2:] == ("", "")


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        ("12.1004", "13.3996", ("12.1", "13.4")),
        ("1234.5", "3456.7", ("1,234", "3,457")),
        ("-0.00051", "0.00049", ("-0.0006", "0.0005")),
        ("7", "7", ("7", "7")),
        ("-13.36", "-12.01", ("-13.4", "-12")),
    ],
)
def test_a_range_is_rounded_outward(low: str, high: str, shown: tuple[str, str]) -> None:
    assert show_range(Fraction(low), Fraction(high)) == shown
