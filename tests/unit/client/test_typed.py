"""What is typed in Python arrives exactly as a person would have written it."""

from decimal import Decimal

import pytest

from cleanroom.client.typed import entry_words, plain_words, price
from cleanroom.errors import UsageError


@pytest.mark.parametrize(
    ("value", "text"),
    [("1", "1"), ("1e3", "1e3"), (1, "1"), (0.1, "0.1"), (1e-05, "0.00001"), (Decimal("0.50"), "0.50"), (None, "")],
)
def test_a_price_keeps_its_digits(value: str | float | Decimal | None, text: str) -> None:
    assert price("epsilon", value) == text


@pytest.mark.parametrize("value", [True, b"1", ["1"]])
def test_what_is_no_number_is_no_price(value: object) -> None:
    with pytest.raises(UsageError, match="epsilon is a number"):
        price("epsilon", value)  # type: ignore[arg-type] # what a notebook may hand over


def test_parameters_are_texts_numbers_lists_and_pairs() -> None:
    typed = {"of": "colour", "lags": 2, "weeks": ["w01", "w02"], "costs": {"spring": 1000, "fall": "1.5"}, "by": None}
    assert entry_words(typed) == {
        "of": "colour",
        "lags": "2",
        "weeks": ("w01", "w02"),
        "costs": ("spring=1000", "fall=1.5"),
    }
    for wrong in (True, b"x", object(), [1, 2]):
        with pytest.raises(UsageError, match="of is text, a number"):
            entry_words({"of": wrong})


def test_a_plain_question_counts_unless_it_says_what() -> None:
    assert plain_words({}) == (
        {"by": "", "quantity": "count", "column": "", "base": "match"},
        {"at": "", "top": 0},
    )
    plan, view = plain_words({"by": "tier", "quantile": "spend", "at": "0.9", "whole_table": True, "top": 3})
    assert plan == {"by": "tier", "quantity": "quantile", "column": "spend", "base": "table"}
    assert view == {"at": "0.9", "top": 3}


@pytest.mark.parametrize(
    "words", [{"whole_table": 1}, {"top": "3"}, {"by": 5}, {"of": ["a"]}, {"of": "a", "mean": "b"}]
)
def test_a_plain_question_of_other_kinds_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        plain_words(words)
