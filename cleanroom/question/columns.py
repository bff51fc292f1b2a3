"""Person-level columns: what a company says it knows about a person, one value a person.

A source table has many rows per person (order lines). The contract says how they become one value: which source
column, which reduction, over which rows, and how ties end. A *dimension* takes one of the values declared in the
contract, or `other`; a *measure* is a number clamped to declared bounds; a *hidden* column is named so that everybody
knows it is there, and cannot be asked for. One name may be a dimension and a measure. Anything not declared cannot be
asked for. `consumers` names those who may ask for a column; None means everybody who has a budget at the owner.

Tie rules: `last` takes the greatest date, then the smallest text in code-point order; `most_frequent` takes the
greatest count, then the smallest text in code-point order. Empty text is missing: missing dimension is `other`,
missing measure adds nothing to a sum.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from cleanroom.errors import UsageError
from cleanroom.ids import ColumnName, PartyName
from cleanroom.nearest import meant, quoted

OTHER = "other"
MAX_DECLARED_VALUES = 254
MAX_EDGES = 253
_MAX_UNITS = 2**31
_MAX_DIGITS = 20  # before and after the point: a billion digits would be written out before they are refused

DIMENSION_REDUCTIONS = ("last", "most_frequent", "any")
MEASURE_REDUCTIONS = ("sum", "max", "count", "last")


def checked_text(text: object, what: str, limit: int = 200) -> str:
    """Printable text in NFC, 1 to `limit` characters, no surrounding blanks; raises UsageError."""
    if not isinstance(text, str) or not 1 <= len(text) <= limit:
        raise UsageError(f"{what} must be text of 1 to {limit} characters")
    if text != unicodedata.normalize("NFC", text) or text != text.strip() or not text.isprintable():
        raise UsageError(f"{what} must be printable text in normal form NFC without surrounding blanks")
    return text


@dataclass(frozen=True, slots=True)
class Reduction:
    """How the rows of one person become one value.

    `source` is the source column (empty for `count` and `any`, which look at rows only); `order_by` and
    `date_format` (strptime) are given for `last` alone; `where` keeps the rows whose column holds one of the
    listed texts, all conditions together.
    """

    kind: str
    source: str = ""
    order_by: str = ""
    date_format: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in {*DIMENSION_REDUCTIONS, *MEASURE_REDUCTIONS}:
            known = ", ".join((*DIMENSION_REDUCTIONS, *MEASURE_REDUCTIONS[:3]))
            raise UsageError(
                f"there is no reduction {quoted(self.kind)}; {meant(self.kind, known.split(', '))}reductions: {known}"
            )
        if (self.source == "") != (self.kind in {"count", "any"}):
            raise UsageError("a source column is given for every reduction but count and any")
        missing = [name for name, text in (("order_by", self.order_by), ("date_format", self.date_format)) if not text]
        if self.kind == "last" and missing:
            raise UsageError(
                f"`last` goes by a date: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            )
        if self.kind != "last" and len(missing) < 2:
            raise UsageError(f"order_by and date_format are for `last` alone; the reduction is {quoted(self.kind)}")
        if self.kind == "any" and not self.where:
            raise UsageError("`any` asks whether a row passes `where`, so it needs one")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One of the declared values, or `other`. Leaf numbers: 0 none, 1… declared in order, then `other`."""

    name: ColumnName
    reduction: Reduction
    values: tuple[str, ...]
    consumers: tuple[PartyName, ...] | None = None

    def __post_init__(self) -> None:
        if self.reduction.kind not in DIMENSION_REDUCTIONS:
            raise UsageError(f"dimension {self.name}: the reduction is one of {', '.join(DIMENSION_REDUCTIONS)}")
        if not 1 <= len(self.values) <= MAX_DECLARED_VALUES:
            raise UsageError(f"dimension {self.name}: declare 1 to {MAX_DECLARED_VALUES} values")
        for value in self.values:
            checked_text(value, f"dimension {self.name}: a declared value")
        if len(set(self.values)) != len(self.values) or OTHER in self.values:
            raise UsageError(f"dimension {self.name}: declared values are distinct, and `{OTHER}` is added by itself")
        if self.reduction.kind == "any" and self.values != ("yes", "no"):
            raise UsageError(f'dimension {self.name}: `any` has the values ["yes", "no"]')

    @property
    def cells(self) -> tuple[str, ...]:
        """Every declared value and `other`, in the order of leaves and words."""
        return (*self.values, OTHER)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of `unit`, read with `decimals` digits after the point, clamped to [low, high], in steps of `step`.

    Per person the reduced value is clamped, then rounded half to even onto the grid of `step` before anything is
    summed; bounds are multiples of the step. Arithmetic is on whole steps from there on. `edges` are the inner
    boundaries of the bins in which a quantile is looked for: bin i holds edges[i-1] <= value < edges[i].
    """

    name: ColumnName
    reduction: Reduction
    unit: str
    decimals: int
    low: Decimal
    high: Decimal
    step: Decimal
    edges: tuple[Decimal, ...] = ()
    consumers: tuple[PartyName, ...] | None = None

    def __post_init__(self) -> None:
        if self.reduction.kind not in MEASURE_REDUCTIONS:
            raise UsageError(f"measure {self.name}: the reduction is one of {', '.join(MEASURE_REDUCTIONS)}")
        checked_text(self.unit, f"measure {self.name}: the unit", 30)
        if type(self.decimals) is not int or not 0 <= self.decimals <= 9:
            raise UsageError(f"measure {self.name}: decimals is a whole number from 0 to 9")
        for bound in (self.low, self.high, self.step):
            if not bound.is_finite():
                raise UsageError(f"measure {self.name}: low, high and step are finite numbers")
            exponent = bound.as_tuple().exponent
            if bound.adjusted() >= _MAX_DIGITS or not isinstance(exponent, int) or exponent < -_MAX_DIGITS:
                raise UsageError(
                    f"measure {self.name}: low, high and step have at most {_MAX_DIGITS} digits before the point"
                    " and after it"
                )
        if not self.step > 0:
            raise UsageError(f"measure {self.name}: step is above 0; it is {self.step:f}")
        if not self.low < self.high:
            raise UsageError(f"measure {self.name}: low is below high; low is {self.low:f} and high is {self.high:f}")
        if self.sensitivity > _MAX_UNITS:
            raise UsageError(f"measure {self.name}: bounds are within 2^31 steps of zero")
        for side, bound in (("low", self.low), ("high", self.high)):
            if bound % self.step:
                below = bound // self.step * self.step - (self.step if bound < 0 else 0)
                raise UsageError(
                    f"measure {self.name}: low and high are multiples of step; {side} {bound:f} is none of"
                    f" {self.step:f}, the nearest are {below:f} and {below + self.step:f}"
                )
        if len(self.edges) > MAX_EDGES:
            raise UsageError(f"measure {self.name}: at most {MAX_EDGES} edges")
        if not all(edge.is_finite() and self.low < edge <= self.high for edge in self.edges):
            raise UsageError(f"measure {self.name}: edges lie above low and not above high")
        if any(edge % self.step for edge in self.edges) or list(self.edges) != sorted(set(self.edges)):
            raise UsageError(f"measure {self.name}: edges are ascending multiples of step, each once")

    @property
    def low_units(self) -> int:
        """The lower clamp in whole steps."""
        return int(self.low / self.step)

    @property
    def high_units(self) -> int:
        """The upper clamp in whole steps."""
        return int(self.high / self.step)

    @property
    def sensitivity(self) -> int:
        """The most that one person moves a sum, in whole steps: max(|low|, |high|)."""
        return max(abs(self.low_units), abs(self.high_units))

    @property
    def middle_units(self) -> int:
        """The middle of the clamps in whole steps, rounded down: what a centred sum takes off every person."""
        return (self.low_units + self.high_units) // 2

    @property
    def centred_sensitivity(self) -> int:
        """The most that one person moves a centred sum, in whole steps: half the range, rounded up."""
        return self.high_units - self.middle_units

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins, lowest first; one more than there are edges."""
        texts = [format(bound, "f") for bound in (self.low, *self.edges, self.high)]
        last = len(texts) - 2
        return tuple(f"{texts[i]} to {'' if i == last else 'below '}{texts[i + 1]}" for i in range(last + 1))


@dataclass(frozen=True, slots=True)
class Hidden:
    """A column that is there and that nobody may ask for."""

    name: ColumnName


Column = Dimension | Measure | Hidden
Asked = Dimension | Measure


def granted(column: Asked, consumer: str) -> bool:
    """Whether that consumer may ask for the column."""
    return column.consumers is None or consumer in column.consumers


def stored_name(column: Asked, columns: Sequence[Column]) -> str:
    """What a column is called in the owner's table of people, where one name can be a dimension and a measure."""
    twice = isinstance(column, Measure) and sum(other.name == column.name for other in columns) > 1
    return f"{column.name} as measure" if twice else column.name
