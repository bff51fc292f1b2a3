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
from cleanroom.question.accuracy import parse_accuracy, units_for_accuracy
from cleanroom.question.compile import Question, check_question
from cleanroom.question.contract import Contract
from cleanroom.question.quantity import BASES, Quantity

ONE_OF_TWO = "say what the question may cost, --epsilon 1, or how exact it must be, --accuracy 50: one of the two"
SHARE_OF_EPSILON = "share divides what an epsilon buys; an accuracy buys what it needs: leave one of the two out"
_SHARE = re.compile(r"1|([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", re.ASCII)
_TEXTS = ("owner", "by", "quantity", "column", "epsilon", "accuracy", "at")


def check_price(epsilon: str, accuracy: str) -> None:
    """Exactly one of the two, and a number; raises UsageError that says what was typed wrong."""
    if bool(epsilon) == bool(accuracy):
        raise UsageError(ONE_OF_TWO)
    with at_option("--accuracy" if accuracy else "--epsilon"):
        if accuracy:
            parse_accuracy(accuracy)
        else:
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


def question_of(contract: Contract, asker: PartyName, analyst: AnalystName, request: dict[str, Any]) -> Question:
    """The question that a request asks; raises UsageError."""
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
        return replace(question, units=_units_for(contract, question, texts["accuracy"]))
    bought = accountant(contract.accountant).units_for_epsilon(parse_epsilon(texts["epsilon"]))
    return replace(question, units=math.floor(bought * share))


def _units_for(contract: Contract, question: Question, accuracy: str) -> int:
    check_question(contract, replace(question, units=2))  # names first: a measure that is not there has no unit
    with at_option("--accuracy"):
        return units_for_accuracy(contract, question, parse_accuracy(accuracy))


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
