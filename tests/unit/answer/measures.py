"""A measure to take means and quantiles of."""

from decimal import Decimal

from cleanroom.ids import ColumnName
from cleanroom.question.columns import Measure, Reduction


def measure(low: str = "0", high: str = "100", step: str = "1") -> Measure:
    """A sum of amounts, clamped to these bounds."""
    return Measure(
        ColumnName("spend"), Reduction("sum", source="amount"), "EUR", 2, Decimal(low), Decimal(high), Decimal(step)
    )
