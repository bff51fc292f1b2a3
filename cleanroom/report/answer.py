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
from cleanroom.question.quantity import BASES, QUANTITIES


@dataclass(frozen=True, slots=True)
class Cell:
    """One noisy number with the interval of its own noise; `by` and `of` are None where not asked.

    `below` says that it is a number of people under the contract's display threshold, to be shown as such.
    """

    by: str | None
    of: str | None
    value: Fraction
    low: Fraction
    high: Fraction
    below: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, or the quantile at `level`: the estimate, and between which numbers the truth is; None if undefined."""

    by: str | None
    level: Fraction | None
    value: Fraction | None
    low: Fraction | None
    high: Fraction | None
    below: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a value may stand in its group: at best `lowest`, at worst `highest`; 1 is the largest.

    `in_top` is "certainly", "possibly" or "certainly not".
    """

    by: str | None
    of: str
    lowest: int
    highest: int
    in_top: str


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

    `scale` is that of the noise's `law`, in `unit`, for a mean that of its number of people; `level` is each
    interval's own. `base` is "match" or "table". A mean has `estimates` and no cells, a quantile both: its cells are
    the bins, and `column_unit` is what its estimates are in. `possible` are the ends between which the truth lies
    whatever the data. `threshold` is under how many people a number is shown as such, 0 for none; `top` the ranking's
    length.
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
    base: str = "match"
    column_unit: str = ""
    possible: tuple[Fraction, Fraction] | None = None
    threshold: int = 0
    estimates: tuple[Estimate, ...] = ()
    top: int = 0
    ranking: tuple[Rank, ...] = ()

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise UsageError(f"an answer's quantity is one of {', '.join(QUANTITIES)}")
        if self.base not in BASES:
            raise UsageError(f"an answer's base is one of {', '.join(BASES)}")
        if not (self.cells or self.estimates) or not self.scale > 0 or not 0 < self.level < 1:
            raise UsageError("an answer has cells, a noise scale above 0 and an interval level between 0 and 1")

    @property
    def splitter(self) -> str:
        """The party whose column `by` is: the asker over a match, the owner over its table."""
        return self.asker if self.base == "match" else self.owner

    def groups(self) -> tuple[tuple[Cell, ...], ...]:
        """The cells of each value of the column that splits, in the answer's order; one group without one."""
        return tuple(tuple(cells) for _, cells in groupby(self.cells, key=lambda cell: cell.by))


def read_answer(body: Mapping[str, Any]) -> Answer:
    """The values of an answer's JSON; raises UsageError if a field is missing or of another kind."""
    try:
        question, mean = body["question"], body["question"]["quantity"] == "mean"
        unit = _text(question["unit"])
        return Answer(
            asker=_text(question["asker"]),
            owner=_text(question["owner"]),
            by=_text_or_none(question["by"]),
            quantity=_text(question["quantity"]),
            column=_text_or_none(question["column"]),
            unit=unit,
            epsilon=float(question["epsilon"]),
            delta=float(question["delta"]),
            law="gaussian" if question["sigma"] is not None else "laplace",
            scale=_number(question["sigma"] if question["sigma"] is not None else question["laplace_scale"]),
            level=_number(body["interval"]),
            cells=() if mean else tuple(_cell(cell) for cell in body["cells"]),
            spent=tuple(_spent(line) for line in body["spent"]),
            total=tuple(_spent(line) for line in body.get("total", ())),
            base=_text(question.get("base", "match")),
            column_unit=_text(question.get("column_unit", unit)),
            possible=_ends(question["possible"]) if "possible" in question else None,
            threshold=_count(question.get("display_threshold", 0)),
            estimates=tuple(_estimate(line) for line in (body["cells"] if mean else body.get("quantiles", ()))),
            top=_count(question.get("top", 0)),
            ranking=tuple(_rank(line) for line in body.get("ranking", ())),
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
        below=_flag(body.get("below_threshold", False)),
    )


def _estimate(body: Mapping[str, Any]) -> Estimate:
    """A mean's cell or a line of the quantiles; all three numbers or none."""
    defined = _flag(body["defined"])
    if not defined and any(body[name] is not None for name in ("value", "low", "high")):
        raise ValueError("an undefined number has a value")
    value, low, high = (_number(body[name]) if defined else None for name in ("value", "low", "high"))
    return Estimate(
        by=_text_or_none(body["by"]),
        level=_number(body["level"]) if "level" in body else None,
        value=value,
        low=low,
        high=high,
        below=_flag(body.get("below_threshold", False)),
    )


def _rank(body: Mapping[str, Any]) -> Rank:
    return Rank(
        by=_text_or_none(body["by"]),
        of=_text(body["of"]),
        lowest=_count(body["best_rank"]),
        highest=_count(body["worst_rank"]),
        in_top=_text(body["in_top"]),
    )


def _ends(value: Any) -> tuple[Fraction, Fraction]:
    low, high = value
    return _number(low), _number(high)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a whole number")
    return value


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise TypeError("not true or false")
    return value


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
