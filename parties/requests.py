"""What arrives at an asker's door, as a question: words checked one by one, and units bought by epsilon or accuracy.

Nothing in a request can name the asker: that is this node's party, and the analyst is whoever the system says.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cleanroom.answer.view import View, parse_levels
from cleanroom.errors import UsageError
from cleanroom.ids import AnalystName, PartyName, party_name
from cleanroom.nearest import quoted
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.budget import parse_epsilon
from cleanroom.question.accuracy import PricedTerms, parse_accuracy, units_for_accuracy
from cleanroom.question.compile import Question, check_question
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import BASES, Quantity
from cleanroom.question.shape import Questioned

A_PRICE = "say what the question may cost, --epsilon 1; with --accuracy 50 as well it costs no more than that takes"
SHARE_OF_EPSILON = "share divides what an epsilon buys; an accuracy buys what it needs: leave one of the two out"
_SHARE = re.compile(r"1|([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", re.ASCII)
_TEXTS = ("owner", "by", "quantity", "column", "epsilon", "accuracy", "at")


def check_price(epsilon: str, accuracy: str) -> None:
    """At least one of the two, each a number; raises UsageError that says what was typed wrong."""
    if not epsilon and not accuracy:
        raise UsageError(A_PRICE)
    if accuracy:
        with at_option("--accuracy"):
            parse_accuracy(accuracy)
    if epsilon:
        with at_option("--epsilon"):
            parse_epsilon(epsilon)


def parse_share(text: str) -> Fraction:
    """Which part of the units that epsilon buys one plan may cost, above 0 and at most 1; raises UsageError.

    Several plans of one question whose shares add up to 1 cost together what epsilon says: a unit is what adds up, and
    each part is rounded down.
    """
    share = Fraction(text) if _SHARE.fullmatch(text) else None
    if share is None or share > 1:
        raise UsageError(f"share {quoted(text)} is no part of a whole; write a fraction of whole numbers, such as 1/2")
    return share


@contextmanager
def at_option(option: str) -> Iterator[None]:
    """Say of what is refused inside where it was typed."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None


def question_of(
    contract: Contract, asker: PartyName, analyst: AnalystName, request: dict[str, Any], *, looking: bool = False
) -> Question:
    """The question that a request asks; raises UsageError.

    Who asks by accuracy must say as well which epsilon it may cost at most, unless they are only `looking`: nobody
    spends what they have not been shown.
    """
    texts = {name: request.get(name, "") for name in _TEXTS}
    texts |= {"base": request.get("base", "match"), "share": request.get("share", "1")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise UsageError(f"{', '.join(texts)} are texts")
    if texts["base"] not in BASES:
        raise UsageError(f"base is one of {', '.join(BASES)}")
    check_price(texts["epsilon"], texts["accuracy"])
    share = parse_share(texts["share"])
    if share != 1 and texts["accuracy"]:
        raise UsageError(SHARE_OF_EPSILON)
    question = Question(
        asker=asker,
        owner=party_name(texts["owner"]),
        analyst=analyst,
        by=texts["by"],
        quantity=Quantity(texts["quantity"], texts["column"]),
        units=1,
        base=texts["base"],
    )
    if texts["accuracy"]:
        check_question(contract, replace(question, units=2))  # names first: a measure that is not there has no unit
        units = units_asked_for(contract, question, texts["accuracy"], most=texts["epsilon"], looking=looking)
        return replace(question, units=units)
    bought = accountant(contract.accountant).units_for_epsilon(parse_epsilon(texts["epsilon"]))
    return replace(question, units=math.floor(bought * share))


def units_asked_for(terms: PricedTerms, question: Questioned, accuracy: str, *, most: str, looking: bool) -> int:
    """What an accuracy costs; raises UsageError where it is more than the epsilon `most`, or nothing was said of it."""
    with at_option("--accuracy"):
        units = units_for_accuracy(terms, question, parse_accuracy(accuracy))
        prices = accountant(terms.accountant)
        price = f"{math.ceil(prices.epsilon_view(units) * 1000) / 1000:g}"
        costs = f"±{accuracy} costs epsilon {price} at {question.owner}"
        if not most and not looking:
            raise UsageError(f"{costs}; add --epsilon {price} to say that it may, or look first: --dry-run")
        if most and units > prices.units_for_epsilon(parse_epsilon(most)):
            raise UsageError(f"{costs}, more than the {most} that --epsilon allows; nothing was asked")
        return units


def checked_again(request: dict[str, Any]) -> bool:
    """Whether a new answer is wanted where one is stored; raises UsageError."""
    again = request.get("again", False)
    if type(again) is not bool:
        raise UsageError("again is true or false")
    return again


def view_of(request: dict[str, Any]) -> View:
    """What is to be read off the answer; raises UsageError."""
    levels, top = request.get("at", ""), request.get("top", 0)
    if not isinstance(levels, str) or type(top) is not int:
        raise UsageError("at is text, top a whole number")
    return View(levels=parse_levels(levels), top=top)
