"""What can be counted or added up, over whom, and how far one person can move it.

Over the *match*: the people that asker and owner share, split by a dimension of the asker. Over the *table*: all
people of the owner, split by another dimension of the owner; no match is needed. A quantity is one or more *parts*,
each noised with a scale of its own and each moved by one person in one cell by at most its sensitivity (in steps):

    count       one word, 1                        sum    one word, max(|low|, |high|) in steps
    histogram   a word for each declared value     mean   a count and a sum centred at the middle of the bounds
                and `other`, 1                     quantile   a word for each declared bin, 1

People without a value add nothing to a sum and are in no mean and no quantile. Rankings are read off a histogram; they
are no quantity of their own.
"""

from dataclasses import dataclass

from cleanroom.errors import UsageError
from cleanroom.ids import column_name

QUANTITIES = ("count", "histogram", "sum", "mean", "quantile")
BASES = ("match", "table")


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is added up per cell, and for everything but a count the owner's column it is about."""

    kind: str
    column: str = ""

    def __post_init__(self) -> None:
        if self.kind not in QUANTITIES:
            raise UsageError(f"a quantity is one of {', '.join(QUANTITIES)}")
        if (self.kind == "count") != (self.column == ""):
            raise UsageError("a count has no column; everything else has one of the owner's")
        if self.column != "":
            column_name(self.column)

    @property
    def role(self) -> str:
        """The role that the column must have: `dimension`, `measure`, or none for a count."""
        return {"count": "", "histogram": "dimension"}.get(self.kind, "measure")


@dataclass(frozen=True, slots=True)
class Part:
    """A vector of `words` numbers a group, of which one person moves one by at most `sensitivity` steps."""

    words: int
    sensitivity: int
