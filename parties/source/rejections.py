"""Rows that could not be read: how many, and where the first of them are.

An operator mends a table by row number and reason. The row's content is never kept, shown or logged.
Row 1 is the header of a CSV file, as a spreadsheet counts; the first row of a Parquet table is row 1.
"""

from dataclasses import dataclass, field

from cleanroom.errors import SourceError

MAX_SHOWN = 20
TOLERATED_ROWS = 20
TOLERATED_SHARE = 10  # one row in this many


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row that was left out: its number and the reason, never its values."""

    row: int
    reason: str


@dataclass(slots=True)
class RowCount:
    """Rows read so far, good and rejected together; a reader owns it while it runs."""

    read: int = 0
    rejected: int = 0
    shown: list[Rejection] = field(default_factory=list)

    def reject(self, row: int, reason: str) -> None:
        """Count one row as read and rejected; only the first 20 keep their number and reason."""
        self.read += 1
        self.rejected += 1
        if len(self.shown) < MAX_SHOWN:
            self.shown.append(Rejection(row, reason))

    def accept(self, rows: int) -> None:
        """Count rows as read and good."""
        self.read += rows

    def require_few_rejections(self, name: str) -> None:
        """Raise SourceError if every row was rejected, or above 20 rows more than one in ten."""
        too_many = self.rejected > TOLERATED_ROWS and self.rejected * TOLERATED_SHARE > self.read
        if self.rejected and (too_many or self.rejected == self.read):
            first = self.shown[0]
            raise SourceError(
                f"{name}: too many rows cannot be read (at most one in {TOLERATED_SHARE} may be bad); "
                f"the first is row {first.row}: {first.reason}"
            )
