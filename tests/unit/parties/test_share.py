"""A share divides what epsilon buys, exactly: plans whose shares add up to one cost together no more than it says."""

from fractions import Fraction

import pytest

from cleanroom.errors import UsageError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.privacy.accountant import accountant
from parties.requests import parse_share, question_of
from tests.unit.question.agreements import contract

ASKER, ANN = PartyName("shop"), analyst_name("ann")
COUNT = {"owner": "brand", "quantity": "count", "epsilon": "1"}


def units(*, looking: bool = False, **more: str) -> int:
    return question_of(contract(), ASKER, ANN, {**COUNT, **more}, looking=looking).units


def test_shares_that_add_up_to_one_cost_together_what_epsilon_buys_at_most() -> None:
    bought = accountant("zcdp").units_for_epsilon(Fraction(1))
    assert units() == units(share="1") == bought
    for shares in (("1/2", "1/2"), ("2/3", "1/3"), ("1/7",) * 7):
        assert bought - len(shares) < sum(units(share=share) for share in shares) <= bought


def test_a_share_is_a_fraction_above_zero_and_at_most_one() -> None:
    assert parse_share("999999/999999") == 1
    assert parse_share("1/999999") == Fraction(1, 999999)
    for text in ("", "0", "0/1", "2", "3/2", "-1/2", "1/0", "0.5", "1/1000000", " 1/2", "1/2/3", "½", "\u0661/\u0662"):
        with pytest.raises(UsageError, match="such as 1/2"):
            parse_share(text)


def test_an_accuracy_is_not_shared() -> None:
    with pytest.raises(UsageError, match="leave one of the two out"):
        units(share="1/2", epsilon="", accuracy="50")


def test_who_asks_by_accuracy_says_what_it_may_cost_or_is_told_and_spends_nothing() -> None:
    """±50 people cost epsilon 0.212; looking costs nothing, so there it may be left out."""
    cost = units(looking=True, epsilon="", accuracy="50")
    assert accountant("zcdp").units_for_epsilon(Fraction("0.211")) < cost
    assert cost == units(epsilon="0.212", accuracy="50") == units(epsilon="20", accuracy="50")
    with pytest.raises(UsageError) as unsaid:
        units(epsilon="", accuracy="50")
    said = "--accuracy: ±50 costs epsilon 0.212 at brand; add --epsilon 0.212 to say that it may, or look first"
    assert str(unsaid.value).startswith(said)
    for looking in (False, True):
        with pytest.raises(UsageError, match=r"costs epsilon 0\.212 at brand, more than the 0\.211 that --epsilon"):
            units(looking=looking, epsilon="0.211", accuracy="50")
