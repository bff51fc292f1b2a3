"""An answer as this room of the house reads it: the stable JSON, checked once, as values.

Numbers are exact from here on (`Fraction`), in the unit that the question states. Nothing here has ever seen a true
value: an answer holds noisy numbers and the law of their noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from cleanroom.errors import UsageError
from cleanroom.privacy.law import Law

QUANTITIES = ("count", "histogram", "sum")


@dataclass(frozen=True, slots=True)
class Cell:
    """One noisy number with the interval of its own noise; `by` and `of` are None where not asked."""

    by: str | None
    of: str | None
    value: Fraction
    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Spent:
    """What this answer, or all answers so far, cost: epsilon at `delta`, a reading of rho.

    In a pure room `rho` is None, `delta` is 0, and epsilon is the cost itself.
    """

    party: str
    consumer: str
    rho: str | None
    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Who asked whom for what, and every cell.

    `scale` is that of the noise's `law`, in `unit`; `level` is each interval's own.
    """

    asker: str
    owner: str
    by: str | None
    quantity: str
    column: str | None
    unit: str
    epsilon: float
    delta: float
    law: Law
    scale: Fraction
    level: Fraction
    cells: tuple[Cell, ...]
    spent: tuple[Spent, ...]
    total: tuple[Spent, ...]

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise UsageError(f"an answer's quantity is one of {', '.join(QUANTITIES)}")
        if not self.cells or not self.scale > 0 or not 0 < self.level < 1:
            raise UsageError("an answer has cells, a noise scale above 0 and an interval level between 0 and 1")

    def groups(self) -> tuple[tuple[Cell, ...], ...]:
        """The cells of each value of the asker's column, in the answer's order; one group if there is no column."""
        return tuple(tuple(cells) for _, cells in groupby(self.cells, key=lambda cell: cell.by))


def read_answer(body: Mapping[str, Any]) -> Answer:
    """The values of an answer's JSON; raises UsageError if a field is missing or of another kind."""
    try:
        question = body["question"]
        return Answer(
            asker=_text(question["asker"]),
            owner=_text(question["owner"]),
            by=_text_or_none(question["by"]),
            quantity=_text(question["quantity"]),
            column=_text_or_none(question["column"]),
            unit=_text(question["unit"]),
            epsilon=float(question["epsilon"]),
            delta=float(question["delta"]),
            law="gaussian" if question["sigma"] is not None else "laplace",
            scale=_number(question["sigma"] if question["sigma"] is not None else question["laplace_scale"]),
            level=_number(body["interval"]),
            cells=tuple(_cell(cell) for cell in body["cells"]),
            spent=tuple(_spent(line) for line in body["spent"]),
            total=tuple(_spent(line) for line in body.get("total", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError("this is not an answer of the clean room: a field is missing or of another kind") from error


def _cell(body: Mapping[str, Any]) -> Cell:
    return Cell(
        by=_text_or_none(body["by"]),
        of=_text_or_none(body["of"]),
        value=_number(body["value"]),
        low=_number(body["low"]),
        high=_number(body["high"]),
    )


def _spent(body: Mapping[str, Any]) -> Spent:
    return Spent(
        party=_text(body["party"]),
        consumer=_text(body["consumer"]),
        rho=_text_or_none(body["rho"]),
        epsilon=float(body["epsilon"]),
        delta=float(body["delta"]),
    )


def _number(value: object) -> Fraction:
    """Exactly the digits that the JSON shows; a float is read by its shortest decimal text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return Fraction(repr(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
