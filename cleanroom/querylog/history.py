"""What happened in a room, read from its log: one record a question, one a match, and every stop, term and incident.

A question is what was asked under one plan's hash and everything that its owner said about it: approvals, refusals,
the debit, the release or the void. What anybody else says about it is no part of it and stands among the strays, where
an auditor will look at it. Records come in the order of their first entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cleanroom.errors import CleanroomError
from cleanroom.querylog.event import Event, read_event
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan

Outcome = Literal["answered", "voided", "refused", "charged", "approved", "asked"]

_OF_QUESTION = ("question.approved", "question.refused", "budget.debit", "answer.released", "budget.voided")
_OF_MATCH = ("match.opened", "match.debit", "match.placed", "match.aborted")
_STOPS = ("room.paused", "room.resumed", "room.closed")
_TERMS = ("room.opened", "contract.signed", "member.joined", "key.rotated")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and its owner's words about it, oldest first; `plan` is None where the log has none that fits."""

    subject: str
    asker: str
    owner: str
    plan: Plan | None
    events: tuple[Event, ...]

    def of(self, kind: str) -> tuple[Event, ...]:
        """Its events of one kind."""
        return tuple(event for event in self.events if event.kind == kind)

    @property
    def asked(self) -> Event | None:
        """The asker's signed question."""
        return next(iter(self.of("question.asked")), None)

    @property
    def outcome(self) -> Outcome:
        """How far it came: `charged` is paid for and neither answered nor voided yet."""
        kinds = {event.kind for event in self.events}
        known: tuple[tuple[str, Outcome], ...] = (
            ("answer.released", "answered"),
            ("budget.voided", "voided"),
            ("budget.debit", "charged"),
            ("question.refused", "refused"),
            ("question.approved", "approved"),
        )
        return next((outcome for kind, outcome in known if kind in kinds), "asked")


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """A match between two parties: opened, debited by each, then placed by the coordinator or aborted."""

    subject: str
    events: tuple[Event, ...]

    @property
    def outcome(self) -> str:
        """How far it came."""
        kinds = {event.kind for event in self.events}
        for kind in ("match.aborted", "match.placed", "match.debit", "match.opened"):
            if kind in kinds:
                return "debited" if kind == "match.debit" else kind.removeprefix("match.")
        return ""


@dataclass(frozen=True, slots=True)
class History:
    """Every event, and the records that they make up; each event is in exactly one record, or a stray."""

    events: tuple[Event, ...]
    questions: tuple[AskedQuestion, ...]
    matches: tuple[MatchRecord, ...]
    stops: tuple[Event, ...]
    terms: tuple[Event, ...]
    incidents: tuple[Event, ...]
    strays: tuple[Event, ...]


def read_history(entries: Iterable[bytes], terms: Mapping[str, Contract]) -> History:
    """The history in a whole log; `terms` are contracts of signed agreements by their hash in hex."""
    events = tuple(read_event(index, entry, terms) for index, entry in enumerate(entries))
    groups: dict[str, list[Event]] = {"question": [], "match": [], "stop": [], "term": [], "incident": [], "": []}
    for event in events:
        groups[_group(event)].append(event)
    questions, strays = _questions(groups["question"])
    return History(
        events=events,
        questions=questions,
        matches=tuple(MatchRecord(subject, tuple(found)) for subject, found in _by_subject(groups["match"]).items()),
        stops=tuple(groups["stop"]),
        terms=tuple(groups["term"]),
        incidents=tuple(groups["incident"]),
        strays=tuple(sorted((*groups[""], *strays), key=lambda event: event.index)),
    )


def _group(event: Event) -> str:
    if not event.believed:
        return ""
    if event.kind == "question.asked" or event.kind in _OF_QUESTION:
        return "question"
    for kinds, name in ((_OF_MATCH, "match"), (_STOPS, "stop"), (_TERMS, "term"), (("incident",), "incident")):
        if event.kind in kinds:
            return name
    return ""


def _by_subject(events: Sequence[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.subject, []).append(event)
    return found


def _questions(events: Sequence[Event]) -> tuple[tuple[AskedQuestion, ...], list[Event]]:
    questions, strays = [], []
    for subject, found in _by_subject(events).items():
        plan, first = _plan(subject, found)
        owner = plan.owner if plan is not None else next((one.actor for one in found if one.kind in _OF_QUESTION), "")
        asker = plan.asker if plan is not None else next((one.text("consumer") for one in found), "")
        own = tuple(one for one in found if one is first or (one.kind in _OF_QUESTION and one.actor == owner))
        places = {one.index for one in own}
        strays += [one for one in found if one.index not in places]
        if own:
            questions.append(AskedQuestion(subject, asker, owner, plan, own))
    return tuple(sorted(questions, key=lambda question: question.events[0].index)), strays


def _plan(subject: str, events: Sequence[Event]) -> tuple[Plan | None, Event | None]:
    """The first signed question whose plan is the one that this hash names, asked by who signed it."""
    for event in events:
        if event.kind != "question.asked":
            continue
        try:
            plan = Plan.from_body(event.body.get("plan"))
            if (plan.hash(), plan.asker) == (subject, event.actor):
                return plan, event
        except (CleanroomError, ValueError):
            continue
    return None, None
