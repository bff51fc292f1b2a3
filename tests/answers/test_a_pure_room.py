"""A room that pays in pure epsilon, through real nodes: charges add up exactly, and the law is the one paid for."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.accountant import UNITS, accountant
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.report.answer import read_answer
from cleanroom.report.sentence import caption, sentences
from tests.answers.shops import shop, shop_rows
from tests.live_room import RecordingNoise, live_room, room_file

PURE = accountant("pure")


def test_ten_tenths_are_answered_from_a_budget_of_one_and_the_eleventh_is_refused(tmp_path: Path) -> None:
    rows = {"shop": shop_rows(range(60), seed=3), "brand": shop_rows(range(20, 90), seed=4)}
    terms = room_file(tmp_path, {name: shop(table) for name, table in rows.items()}, budget="1.0", accountant="pure")
    noise = RecordingNoise()
    with live_room(tmp_path, terms, noise={"brand": noise}) as room:
        answers = [room.ask("shop", "brand", epsilon="0.1", repeat=repeat) for repeat in range(10)]
        with pytest.raises(RefusedError) as refused:
            room.ask("shop", "brand", epsilon="0.1", repeat=10)
        assert refused.value.rule == "budget"
        assert "delta" not in str(refused.value)
        left = PURE.units_for_epsilon(Fraction(1)) - sum(_units(answer) for answer in answers)
        assert 0 <= left < _units(answers[0])
    scale = PURE.scale_for_units(PURE.units_for_epsilon(Fraction(1, 10)), 1)
    assert [(cells, drawn_at) for cells, drawn_at, _ in noise.draws] == [(1, scale)] * 10
    assert set(noise.laws) == {"laplace"}
    shown = answers[0]
    assert shown["question"]["sigma"] is shown["spent"][0]["rho"] is None
    assert shown["question"]["laplace_scale"] == float(scale)
    assert shown["question"]["delta"] == shown["spent"][0]["delta"] == 0
    (cell,) = shown["cells"]
    assert cell["high"] - cell["value"] == PURE.noise_interval(scale).half_width
    said = [caption(read_answer(shown)), *sentences(read_answer(shown))]
    assert not any(word in sentence for sentence in said for word in ("rho", "delta"))


def _units(answer: dict[str, Any]) -> int:
    """The cost in whole units: a pure epsilon is shown exactly, as a double can hold it."""
    units = Fraction(answer["spent"][0]["epsilon"]) * UNITS
    assert units.denominator == 1
    return int(units)


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "nan", "1e308", "inf", "1e-9", "0.000000001"])
def test_an_epsilon_that_is_no_plain_amount_is_refused_wherever_one_is_read(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="write a plain decimal above 0 and at most 100"):
        parse_epsilon(text)
    people = shop(shop_rows(range(5), seed=3))
    for name in ("zcdp", "pure"):
        with pytest.raises(UsageError, match="epsilon"):
            room_file(tmp_path, {"shop": people, "brand": people}, budget=text, accountant=name)
