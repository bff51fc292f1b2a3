"""One company's dataset as the contract describes it: who may be counted, in which columns, at which cost.

The *lineage* is the population that the budget protects; a new version of the same customers stays in it. Capacity
is what every match shows instead of the number of people. Caps are integers in units of 2^-40 rho.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.errors import UsageError
from cleanroom.ids import ColumnName, PartyName
from cleanroom.privacy.budget import check_delta
from cleanroom.question.columns import Column, Dimension, Measure, checked_text

MAX_CAPACITY = 1 << 23  # two lists share at most the 2^24 slots that the kernel takes
MAX_MATCHES = 1000
MAX_OVERLAP_DELTA = Fraction(1, 10**9)


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
    """A party's people. `cap_units` bounds the lineage, `consumer_caps` each asker; these add up to at most that."""

    owner: PartyName
    lineage: str
    key: tuple[str, ...]
    capacity: int
    columns: tuple[Column, ...]
    overlap: Overlap
    cap_units: int
    consumer_caps: Mapping[PartyName, int]

    def __post_init__(self) -> None:
        checked_text(self.lineage, f"{self.owner}: the lineage", 100)
        if not 1 <= len(self.key) <= 8:
            raise UsageError(f"{self.owner}: the match key has 1 to 8 source columns")
        for name in self.key:
            checked_text(name, f"{self.owner}: a key column")
        if type(self.capacity) is not int or not 100 <= self.capacity <= MAX_CAPACITY:
            raise UsageError(f"{self.owner}: capacity is a whole number from 100 to {MAX_CAPACITY}")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names) or len(names) > 200:
            raise UsageError(f"{self.owner}: at most 200 columns, each name once")
        if self.cap_units < 0 or any(cap < 0 for cap in self.consumer_caps.values()):
            raise UsageError(f"{self.owner}: a cap is not negative")
        if sum(self.consumer_caps.values()) > self.cap_units:
            raise UsageError(f"{self.owner}: the consumers' caps add up to more than the cap of the dataset")
        check_delta(self.overlap.delta, capacity=self.capacity)
        if self.owner in self.consumer_caps:
            raise UsageError(f"{self.owner}: the owner is not its own consumer")

    def column(self, name: str) -> Column | None:
        """The declared column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def dimensions(self) -> tuple[ColumnName, ...]:
        """Names of the dimensions, in the contract's order."""
        return tuple(column.name for column in self.columns if isinstance(column, Dimension))

    def measures(self) -> tuple[ColumnName, ...]:
        """Names of the measures, in the contract's order."""
        return tuple(column.name for column in self.columns if isinstance(column, Measure))
