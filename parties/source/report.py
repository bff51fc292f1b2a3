"""What one load found, for the operator of the node that made it and for nobody else.

Exact counts, so it never leaves the node and is part of no answer. It holds row numbers, reasons and the
contract's own names of columns and values; it holds no identifier and no value of the table.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cleanroom.nearest import listed, quoted
from parties.source.rejections import Rejection

_REJECTED = "rows rejected"
_NO_KEY = "rows left out because their match key cannot be read"
_NO_OPT_OUT = "rows of the opt-out list whose match key cannot be read"
_CROWDED = "match keys with more than"
_NO_NUMBER = "rows whose number cannot be read"
_NO_DATE = "rows whose date cannot be read"
_UNUSED = "nobody has the declared value"
_ABSENT = "no row has what `where` asks for"
_OUTSIDE = "people outside the declared values, counted as other"
_CLAMPED = "people clamped to the declared bounds"
_TELLING = (_REJECTED, _NO_KEY, _NO_OPT_OUT, _CROWDED, _NO_NUMBER, _NO_DATE, _UNUSED, _ABSENT)
_USUAL = re.compile(rf"([0-9,]+) (?:{_OUTSIDE}|{_CLAMPED})")


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One person-level column: people without a value, outside the declared values, clamped; rows unreadable.

    `unused` are declared values that nobody has where somebody has an undeclared one, `absent` texts of `where` that no
    row holds: words of the contract, which is where a typing error in them has to be mended.
    """

    name: str
    missing: int = 0
    outside: int = 0
    clamped: int = 0
    bad_numbers: int = 0
    bad_dates: int = 0
    unused: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def line(self) -> str:
        """The counts that are not zero, in one line."""
        findings = (
            (self.missing, "people without a value"),
            (self.outside, _OUTSIDE),
            (self.clamped, _CLAMPED),
            (self.bad_numbers, _NO_NUMBER),
            (self.bad_dates, _NO_DATE),
        )
        found = [f"{count:,} {what}" for count, what in findings if count]
        spelled = "is it spelled as in the table?"
        if self.unused:
            found.append(f"{_UNUSED} {listed(map(quoted, self.unused))}: {spelled}")
        if self.absent:
            found.append(f"{_ABSENT}, {listed(map(quoted, self.absent))}: {spelled}")
        return f"column {self.name}: {'; '.join(found) or 'nothing to report'}"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One table: rows read and rejected, keys unparsable, opted out, kept or suspicious, and every column.

    `crowded_keys` are match keys with more rows than `crowded_above`, a sign of a shared telephone, a placeholder
    address or a test account: many people counted as one.
    """

    rows_read: int
    rows_rejected: int
    rejections: tuple[Rejection, ...]
    unparsable_keys: int
    people: int
    opted_out_people: int
    opt_out_unparsable: int
    crowded_keys: int
    crowded_above: int
    columns: tuple[ColumnReport, ...]

    def lines(self) -> tuple[str, ...]:
        """The report as text for the operator, the most important first."""
        shown = [f"  row {rejection.row}: {rejection.reason}" for rejection in self.rejections]
        if self.rows_rejected > len(shown):
            shown.append(f"  and {self.rows_rejected - len(shown):,} more")
        return (
            f"{self.people:,} people from {self.rows_read:,} rows",
            f"{self.rows_rejected:,} {_REJECTED}",
            *shown,
            f"{self.unparsable_keys:,} {_NO_KEY}",
            f"{self.opted_out_people:,} people left out because they opted out",
            f"{self.opt_out_unparsable:,} {_NO_OPT_OUT}",
            f"{self.crowded_keys:,} {_CROWDED} {self.crowded_above:,} rows: may be shared by many",
            *(column.line() for column in self.columns),
        )


def worth_a_look(lines: Sequence[str]) -> Iterator[str]:
    """Of a report's lines those that often mean that terms do not fit the table: answers would be plausible and wrong.

    Values outside the declared ones and values beyond the bounds are usual, and become telling when most people have
    such a one. Who has no value, or opted out, tells nothing.
    """
    people = _whole(lines[0].split(" ")[0])
    for line in lines[1:]:
        found = not line.startswith(("  ", "0 ")) and any(words in line for words in _TELLING)
        if found or any(2 * _whole(count) > people for count in _USUAL.findall(line)):
            yield line


def _whole(text: str) -> int:
    return int(text.replace(",", ""))
