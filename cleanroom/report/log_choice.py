"""Which rows of a room's history an auditor wants to see: by party, analyst, dataset, time and kind.

A name that stands nowhere in the log is a mistake and is said, with the names that do: an empty page would be read as
"nothing happened".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.report.log_rows import LogRow
from cleanroom.report.visible import visible

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """Empty is everything. `since` and `until` are days, or moments in UTC, and belong to the choice themselves."""

    party: str = ""
    analyst: str = ""
    dataset: str = ""
    since: str = ""
    until: str = ""
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment and _MOMENT.fullmatch(moment) is None:
                raise UsageError(f"--{name} is a day such as 2026-11-23, or a moment such as 2026-11-23T09:00:00Z")

    def of(self, rows: Iterable[LogRow]) -> tuple[LogRow, ...]:
        """The rows that are wanted; raises UsageError for a name that the log does not know."""
        found = tuple(rows)
        _known("party", self.party, (name for row in found for name in _parties(row)))
        _known("analyst", self.analyst, (row.analyst for row in found))
        _known("dataset", self.dataset, (name for row in found for name in row.datasets))
        return tuple(row for row in found if self._wants(row))

    def _wants(self, row: LogRow) -> bool:
        return (
            (not self.party or self.party in _parties(row))
            and (not self.analyst or self.analyst == row.analyst)
            and (not self.dataset or self.dataset in row.datasets)
            and (not self.kinds or row.kind in self.kinds or row.outcome in self.kinds)
            and row.at[: len(self.since)] >= self.since
            and (not self.until or row.at[: len(self.until)] <= self.until)
        )

    def words(self) -> str:
        """What was chosen, for whoever reads only a part; '' for everything."""
        parts = [(name, getattr(self, name)) for name in ("party", "analyst", "dataset", "since", "until")]
        chosen = [f"{name} {value}" for name, value in parts if value]
        return ", ".join([*chosen, *([f"only {', '.join(self.kinds)}"] if self.kinds else [])])


def _parties(row: LogRow) -> tuple[str, ...]:
    return tuple(name for name in (row.by, *row.about.split(", ")) if name)


def _known(what: str, wanted: str, names: Iterable[str]) -> None:
    if not wanted:
        return
    known = sorted({visible(name) for name in names if name})
    if wanted not in known:
        raise UsageError(
            f"--{what}: the log knows no {what} {quoted(wanted)}; {meant(wanted, known)}it knows: {listed(known)}"
        )
