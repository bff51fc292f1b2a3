"""Asking by accuracy: how many units a question needs so that noise alone moves a number by no more than was said.

`50` means that the 95% interval of each number is at most 50 to either side: people for counts, the column's unit for
a sum, people in a bin for a quantile. A mean has no accuracy that could be promised beforehand: its interval depends
on how many people it is a mean of.
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from cleanroom.errors import RefusedError, UsageError
from cleanroom.nearest import quoted
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.budget import MAX_EPSILON, what_is_wrong
from cleanroom.question.columns import Measure
from cleanroom.question.shape import Questioned, Terms, find_column, parts_of

MAX_ACCURACY = 10**12
_TEXT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,6})?", re.ASCII)


class PricedTerms(Terms, Protocol):
    """Terms that name their accountant: a contract, or a room file that will become one."""

    @property
    def accountant(self) -> str: ...


def parse_accuracy(text: str) -> Decimal:
    """Plain digits with at most six decimals, above 0; raises UsageError that says what was typed wrong."""
    accuracy = Decimal(text) if _TEXT.fullmatch(text) else None
    if accuracy is None or not 0 < accuracy <= MAX_ACCURACY:
        wrong = what_is_wrong(text, most=Fraction(MAX_ACCURACY))
        raise UsageError(
            f"accuracy {quoted(text)} {wrong}; write how far noise may move a number, such as 50 for ±50 people"
        )
    return accuracy


def number_unit(terms: Terms, question: Questioned) -> tuple[Decimal, str]:
    """What one whole step of a question's numbers is, and in which unit; raises UsageError for unknown columns."""
    if question.quantity.kind != "sum":
        return Decimal(1), "people"
    column = find_column(terms, question.owner, question.quantity.column, "measure")
    return (column.step, column.unit) if isinstance(column, Measure) else (Decimal(1), "people")


def units_for_accuracy(terms: PricedTerms, question: Questioned, accuracy: Decimal) -> int:
    """The cost of the most noise whose 95% interval is at most `accuracy`; raises UsageError."""
    if question.quantity.kind == "mean":
        raise UsageError(
            "accuracy cannot be promised for a mean: its interval depends on how many people there are;"
            " ask with an epsilon, and look first: --dry-run"
        )
    prices = accountant(terms.accountant)
    step, unit = number_unit(terms, question)
    (part,) = parts_of(terms, question)
    narrowest = prices.noise_interval(Fraction(1)).half_width
    dearest = prices.scale_for_units(prices.units_for_epsilon(MAX_EPSILON), part.sensitivity)
    nearest = max(narrowest, prices.noise_interval(dearest).half_width)
    half_width = int(accuracy / step)
    if half_width < nearest:
        raise UsageError(
            f"no question has an accuracy of ±{accuracy:f} {unit}: less noise than ±{nearest * step:f} {unit} is never"
            f" drawn, or costs more than epsilon {MAX_EPSILON}; ask for {nearest * step:f} or more"
        )
    try:
        return prices.cost_units(part.sensitivity, prices.scale_for_half_width(half_width))
    except RefusedError as refusal:
        raise UsageError(str(refusal)) from None
