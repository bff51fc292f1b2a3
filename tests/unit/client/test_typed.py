"""What is typed in Python arrives exactly as a person would have written it."""

from decimal import Decimal

import numpy as np
import pytest

from cleanroom.client.typed import entry_words, plain_words, price
from cleanroom.errors import UsageError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(("1", "1"), ("1e3", "1e3"), (1, "1"), (0.1, "0.1"), (1e-05, "0.00001"), (Decimal("0.50"), "0.50")),
        *((None, ""), (np.float64(0.1), "0.1"), (np.int64(3), "3"), (np.uint8(3), "3"), (10**5000, "1" + 5000 * "0")),
    ],
    ids=lambda value: str(type(value)),  # a number's own digits may be too many to be printed
)
def test_a_price_keeps_its_digits(value: str | float | Decimal | None, text: str) -> None:
    """A number out of a data frame once ended in an error of the decimal library's."""
    assert price("epsilon", value) == text


@pytest.mark.parametrize("value", [True, np.True_, b"1", ["1"], np.array([1])])
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
    assert entry_words({"lags": np.int64(2), "costs": {"spring": np.float64(0.1)}}) == {
        "lags": "2",
        "costs": ("spring=0.1",),
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
