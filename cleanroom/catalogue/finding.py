"""What came out of a catalogue question: a table of estimates with intervals, sentences, and what is not covered.

A finding is arithmetic on noisy numbers that owners released, and on the asker's own numbers; nothing in it has seen a
true value of an owner. Rules of every finding:

- An estimate stands with the interval [low, high] that holds the truth with `level` or more, over what `covers` says;
  `at_once` says whether all intervals do so together, or each for itself.
- A row that cannot be told apart from what it is compared with says so (`differs`), whatever its estimate looks like;
  what that is, the finding says in words (`compared`).
- Ranks are ranges; rows whose ranges overlap cannot be told apart, and their order in the table is the contract's.
- A percentage names its base.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

COVERS = ("noise", "noise and sampling")
CHARTS = ("bars", "heat", "index")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result table.

    `names` are column label and value, in the table's order. `value` is the estimate, None where it cannot be told;
    the interval is None where nothing at all can be said. `differs` is False where the row cannot be told apart from
    what it is compared with, and None where it is compared with nothing, such as what the contract does not name.
    `rank` is the best and the worst place that it may have; None where nothing is ranked. `unit` is the row's own where
    it is not that of the finding.
    """

    names: tuple[tuple[str, str], ...]
    value: Fraction | None
    low: Fraction | None
    high: Fraction | None
    differs: bool | None = True
    rank: tuple[int, int] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("an interval's lower end is not above its upper one")
        if self.rank is not None and not 1 <= self.rank[0] <= self.rank[1]:
            raise ValueError("a rank goes from the best place, 1 or more, to the worst")


@dataclass(frozen=True, slots=True)
class Compared:
    """What `differs` is measured against, in words.

    `what` goes on after "differs from". `remark` stands beside a row that does not, in a table; short, as lines are.
    `tied` goes on after "cannot be told apart from" where rows are compared with one another; elsewhere it is `what`.
    """

    what: str
    remark: str
    tied: str = ""

    def __post_init__(self) -> None:
        if not self.what or not self.remark:
            raise ValueError("what rows are compared with has a name and a remark")

    @property
    def alike(self) -> str:
        """What grey rows cannot be told apart from."""
        return self.tied or self.what


@dataclass(frozen=True, slots=True)
class Chart:
    """How the rows are best drawn; the drawer is elsewhere.

    `reference` is the line of what rows are compared with: 100 for an index, 0 for no effect. Where it is an estimate
    itself, `around` is the interval in which it lies, and rows are compared with that.
    """

    kind: str
    reference: Fraction | None = None
    around: tuple[Fraction, Fraction] | None = None

    def __post_init__(self) -> None:
        if self.kind not in CHARTS:
            raise ValueError(f"a chart is one of {', '.join(CHARTS)}")


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to a catalogue question; see the module.

    `entry` and `version` are the catalogue's. `unit` is that of the rows: "people", "%", "index", "dollars", "dollars
    per person". `base` says in words of whom a percentage is. The first sentence is the answer. `not_covered` is what
    the numbers do not say. `compared` is None where nothing is compared. `declared_rows` says that the rows are values
    of the contract, in its order. `files` are exports for programs: name and JSON-able value.
    """

    entry: str
    version: int
    asker: str
    owner: str
    unit: str
    base: str
    level: Fraction
    at_once: bool
    covers: str
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    not_covered: tuple[str, ...]
    chart: Chart
    compared: Compared | None = None
    declared_rows: bool = True
    files: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not self.rows or not self.sentences or not 0 < self.level < 1:
            raise ValueError("a finding has rows, sentences and a level between 0 and 1")
        if len({tuple(label for label, _ in row.names) for row in self.rows}) != 1:
            raise ValueError("the rows of a finding are named by the same columns")
        if self.covers not in COVERS:
            raise ValueError(f"an interval covers {' or '.join(COVERS)}")
        if self.unit == "%" and not self.base:
            raise ValueError("a percentage says of whom it is")
        if self.compared is None and any(row.differs is False and row.low is not None for row in self.rows):
            raise ValueError("a row that cannot be told apart is compared with something")

    def unit_of(self, row: Row) -> str:
        """The unit of a row's numbers."""
        return row.unit or self.unit
