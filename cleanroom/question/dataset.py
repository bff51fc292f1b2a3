"""One company's dataset as the contract describes it: who may be counted, in which columns, at which cost.

The *lineage* is the population that the budget protects; a new version of the same customers stays in it. Capacity
is what every match shows instead of the number of people. Caps are integers in the room's units: 2^-40 of rho, or of
epsilon in a pure room. What is not granted here cannot be asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from cleanroom.errors import UsageError
from cleanroom.ids import ColumnName, PartyName
from cleanroom.nearest import listed, meant, quoted
from cleanroom.privacy.budget import check_delta
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Column, Dimension, Hidden, Measure, checked_text
from cleanroom.question.quantity import BASES, QUANTITIES

MAX_CAPACITY = 1 << 23  # two lists share at most the 2^24 slots that the kernel takes
MAX_MATCHES = 1000
MAX_OVERLAP_DELTA = Fraction(1, 10**9)
MAX_CELLS = 2**16
MAX_QUESTIONS = 1_000_000
DEFAULT_QUESTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the coordinator may learn of all overlaps of a lineage together: (epsilon, delta) over `matches` matches."""

    epsilon: Fraction
    delta: Fraction
    matches: int

    def __post_init__(self) -> None:
        if not Fraction(1, 100) <= self.epsilon <= 16:
            raise UsageError("overlap: epsilon is between 0.01 and 16")
        if not 0 < self.delta <= MAX_OVERLAP_DELTA:
            raise UsageError("overlap: delta is above 0 and at most 1e-9")
        if type(self.matches) is not int or not 1 <= self.matches <= MAX_MATCHES:
            raise UsageError(f"overlap: matches is a whole number from 1 to {MAX_MATCHES}")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A party's people. `cap_units` bounds the lineage, `consumer_caps` each asker; these add up to at most that.

    `questions` are the quantities that may be asked, over the match, the table, or both (`bases`), with at most `cells`
    numbers each and `questions_each` of them for one consumer in this room. Noisy counts below `display_threshold` are
    shown as such. A table older than `fresh_days` is not asked about (0: any age).
    """

    owner: PartyName
    lineage: str
    key: tuple[str, ...]
    capacity: int
    columns: tuple[Column, ...]
    overlap: Overlap
    cap_units: int
    consumer_caps: Mapping[PartyName, int]
    questions: tuple[str, ...] = QUANTITIES
    bases: tuple[str, ...] = BASES
    cells: int = MAX_CELLS
    questions_each: int = DEFAULT_QUESTIONS
    display_threshold: int = 0
    fresh_days: int = 0
    approval: Approval = field(default_factory=Approval)

    def __post_init__(self) -> None:
        checked_text(self.lineage, f"{self.owner}: the lineage", 100)
        if not 1 <= len(self.key) <= 8:
            raise UsageError(f"{self.owner}: the match key has 1 to 8 source columns")
        for name in self.key:
            checked_text(name, f"{self.owner}: a key column")
        if type(self.capacity) is not int or not 100 <= self.capacity <= MAX_CAPACITY:
            raise UsageError(f"{self.owner}: capacity is a whole number from 100 to {MAX_CAPACITY}")
        self._check_columns()
        self._check_questions()
        if self.cap_units < 0 or any(cap < 0 for cap in self.consumer_caps.values()):
            raise UsageError(f"{self.owner}: a cap is not negative")
        if sum(self.consumer_caps.values()) > self.cap_units:
            raise UsageError(f"{self.owner}: the consumers' caps add up to more than the cap of the dataset")
        check_delta(self.overlap.delta, capacity=self.capacity)
        if self.owner in self.consumer_caps:
            raise UsageError(f"{self.owner}: the owner is not its own consumer")

    def _check_columns(self) -> None:
        roles = [(column.name, type(column)) for column in self.columns]
        if len(set(roles)) != len(roles) or len(roles) > 200:
            raise UsageError(f"{self.owner}: at most 200 columns, each name once in a role")
        hidden = self.hidden()
        for column in self.columns:
            if isinstance(column, Hidden):
                continue
            if column.name in hidden:
                raise UsageError(f"{self.owner}: column {column.name} is hidden and has another role; choose one")
            for consumer in column.consumers or ():
                if consumer not in self.consumer_caps:
                    raise UsageError(
                        f"{self.owner}: columns.{column.name}: consumers: {quoted(consumer)} has no budget here;"
                        f" {meant(consumer, self.consumer_caps)}budgets: {listed(self.consumer_caps)}"
                    )

    def _check_questions(self) -> None:
        for what, chosen, known in (("questions", self.questions, QUANTITIES), ("bases", self.bases, BASES)):
            wrong = [name for name in chosen if name not in known]
            if not chosen or len(set(chosen)) != len(chosen) or wrong:
                which = f"; {quoted(wrong[0])} is none: {meant(wrong[0], known)}".rstrip(": ") if wrong else ""
                raise UsageError(f"{self.owner}: {what} are some of {', '.join(known)}, each once{which}")
        for name, value, low, high in (
            ("cells", self.cells, 1, MAX_CELLS),
            ("questions_each", self.questions_each, 1, MAX_QUESTIONS),
            ("display_threshold", self.display_threshold, 0, MAX_CAPACITY),
            ("fresh_days", self.fresh_days, 0, 36_500),
        ):
            if type(value) is not int or not low <= value <= high:
                raise UsageError(f"{self.owner}: {name} is a whole number from {low} to {high}")
        askable = {column.name for column in self.columns if not isinstance(column, Hidden)}
        unknown = sorted(set(self.approval.columns or ()) - askable)
        if unknown:
            raise UsageError(
                f"{self.owner}: approval: columns: there is no column {quoted(unknown[0])} that could be asked for;"
                f" {meant(unknown[0], sorted(askable))}columns: {listed(sorted(askable))}"
            )

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of that name, if there is one."""
        return next((one for one in self.columns if isinstance(one, Dimension) and one.name == name), None)

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, if there is one."""
        return next((one for one in self.columns if isinstance(one, Measure) and one.name == name), None)

    def dimensions(self) -> tuple[ColumnName, ...]:
        """Names of the dimensions, in the contract's order."""
        return tuple(column.name for column in self.columns if isinstance(column, Dimension))

    def measures(self, *, with_edges: bool = False) -> tuple[ColumnName, ...]:
        """Names of the measures, in the contract's order; all, or those that have edges for quantiles."""
        found = (column for column in self.columns if isinstance(column, Measure))
        return tuple(column.name for column in found if column.edges or not with_edges)

    def hidden(self) -> tuple[ColumnName, ...]:
        """Names of the columns that nobody may ask for."""
        return tuple(column.name for column in self.columns if isinstance(column, Hidden))
