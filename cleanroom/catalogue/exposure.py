"""Which weeks' spend may answer which exposure: campaign and week of each of the asker's values, purchase weeks, lags.

A declared value such as `spring@w02` says that a person saw the campaign `spring` in the week `w02`; where the values
say it otherwise, `exposure` translates one of them (`A2=spring@w02`). A value that names no week, `other` among them,
is nobody's exposure and is left out. The owner has one measure a purchase week, in order of time; the week `w02` is the
one whose name is `w02` or ends in `_w02` or `-w02`. A purchase in week p answers an exposure in week e if p - e is one
of the allowed lags; 0 is the exposure's own week.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cleanroom.catalogue.checked import declared
from cleanroom.catalogue.entry import Request
from cleanroom.errors import UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.columns import OTHER
from cleanroom.question.dry_run import MAX_TOGETHER
from cleanroom.question.shape import Terms, find_column, partition_cells

MOST_LAGS = 52


@dataclass(frozen=True, slots=True)
class Windows:
    """What is added up. `exposures` is (value, campaign, place of its week), in the contract's order.

    `weeks` are the owner's measures in order of time; `lags` are the first and the last one allowed.
    """

    by: str
    weeks: tuple[str, ...]
    exposures: tuple[tuple[str, str, int], ...]
    lags: tuple[int, int]

    @property
    def campaigns(self) -> tuple[str, ...]:
        """Each once, in the order of their first value in the contract."""
        return tuple(dict.fromkeys(campaign for _, campaign, _ in self.exposures))

    @property
    def asked(self) -> tuple[str, ...]:
        """The weeks that some exposure reaches: nothing is paid for the others."""
        reached = {place for value, _, _ in self.exposures for place in self.reached(value)}
        return tuple(week for place, week in enumerate(self.weeks) if place in reached)

    def reached(self, value: str) -> tuple[int, ...]:
        """The places of the weeks that answer one exposure."""
        (start,) = (place for each, _, place in self.exposures if each == value)
        first, last = self.lags
        return tuple(range(start + first, min(start + last, len(self.weeks) - 1) + 1))

    def cells(self, campaign: str) -> tuple[tuple[str, str], ...]:
        """(value of `by`, week) of everything that is added up for a campaign."""
        return tuple(
            (value, self.weeks[place])
            for value, each, _ in self.exposures
            if each == campaign
            for place in self.reached(value)
        )

    def cut_short(self) -> tuple[str, ...]:
        """Exposures whose last lags lie beyond the last week, so that they are followed for a shorter time."""
        return tuple(value for value, _, place in self.exposures if place + self.lags[1] >= len(self.weeks))


def windows(terms: Terms, request: Request) -> Windows:
    """The request, checked against the terms; raises UsageError in one line."""
    by = request.text("by")
    names = [str(name) for name in partition_cells(terms, request.asker, by)]
    weeks = tuple(week.strip() for text in request.texts("weeks") for week in text.split(",") if week.strip())
    for week in weeks:
        find_column(terms, request.owner, week, "measure")
    if not weeks or len(set(weeks)) != len(weeks):
        raise UsageError("response: weeks are the owner's measures in order of time, each once")
    units = {column.unit for week in weeks if (column := terms.datasets[request.owner].measure(week))}
    if len(units) > 1:
        raise UsageError(f"response: weeks are added up, so they have one unit; theirs are {listed(sorted(units))}")
    told = _translated(request, names, by)
    exposures = []
    for name in names:
        campaign, at, week = told.get(name, name).rpartition("@")
        if at and campaign and name != OTHER:
            exposures.append((name, campaign, _place(week, weeks, name)))
    if not exposures:
        raise UsageError(
            f"response: no value of {request.asker}'s {by} says campaign and week like `spring@w02`; translate them"
            f" with exposure, such as {names[0]}=spring@{weeks[0].rpartition('_')[2]}"
        )
    found = Windows(by, weeks, tuple(exposures), _lags(request.text("lags")))
    for campaign in found.campaigns:
        if not found.cells(campaign):
            raise UsageError(f"response: no week of `weeks` is within the allowed lags of any exposure to {campaign}")
    if len(found.asked) > MAX_TOGETHER:
        raise UsageError(
            f"response: {len(found.asked)} weeks are within the allowed lags, and a question asks of at most"
            f" {MAX_TOGETHER}; give fewer weeks or lags"
        )
    return found


def _translated(request: Request, names: Sequence[str], by: str) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for text in request.texts("exposure"):
        name, equals, meaning = text.partition("=")
        if not equals or "@" not in meaning:
            raise UsageError(f"response: exposure is written as value=campaign@week; {quoted(text)} is not")
        value = declared(name, names, f"exposure: {request.asker}'s {by}")
        if value in told:
            raise UsageError(f"response: exposure of {quoted(value)} is given twice; give it once")
        told[value] = meaning
    return told


def _place(week: str, weeks: Sequence[str], name: str) -> int:
    """Which of the weeks is meant."""
    found = [place for place, each in enumerate(weeks) if each == week or each.endswith((f"_{week}", f"-{week}"))]
    if len(found) != 1 or not week:
        raise UsageError(
            f"response: {quoted(name)} was in week {quoted(week)}, which is {'none' if not found else 'several'} of"
            f" weeks; {meant(week, weeks)}weeks: {listed(weeks)}"
        )
    return found[0]


def _lags(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    ends = (first, last) if dash else ("0", first)
    numbers = [int(end) if end.isascii() and end.isdecimal() and len(end) < 4 else MOST_LAGS + 1 for end in ends]
    if not 0 <= numbers[0] <= numbers[1] <= MOST_LAGS:
        raise UsageError(
            f"response: lags are weeks after the exposure, such as 2 (from its own week to the second after it) or 1-3;"
            f" at most {MOST_LAGS}; {quoted(text)} is not"
        )
    return numbers[0], numbers[1]
