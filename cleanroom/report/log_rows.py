"""A room's history as rows for people: who asked what about whose people, when, what for, and what became of it.

One row a question, one a match, one for every stop, change of terms, incident and stray entry. Words come from the
entries, and from the contract that they name where it was given; whoever shows them makes them harmless (`visible`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from cleanroom.answer.result import epsilon_number
from cleanroom.errors import CleanroomError
from cleanroom.privacy.accountant import ACCOUNTANTS, accountant
from cleanroom.querylog.consumer_chain import parse_units
from cleanroom.querylog.event import UNCHECKED, Event
from cleanroom.querylog.history import AskedQuestion, History, MatchRecord
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import split_party

Kind = Literal["question", "match", "stop", "terms", "incident", "stray"]
KINDS: tuple[Kind, ...] = ("question", "match", "stop", "terms", "incident", "stray")
_QUANTITIES = {"count": "how many people", "histogram": "spread over", "quantile": "quantiles of"}


@dataclass(frozen=True, slots=True)
class LogRow:
    """One record; texts that do not apply are ''. `entries` are indexes in the log, `units` what the debit says."""

    entries: tuple[int, ...]
    kind: Kind
    outcome: str
    at: str
    by: str
    about: str
    analyst: str = ""
    datasets: tuple[str, ...] = ()
    says: str = ""
    purpose: str = ""
    approved_by: str = ""
    refused_by: str = ""
    reason: str = ""
    units: int | None = None
    epsilon: float | None = None
    subject: str = ""
    doubt: str = ""


def log_rows(history: History, terms: Mapping[str, Contract]) -> tuple[LogRow, ...]:
    """All rows in the order of their first entries."""
    rows = [
        *(_question(question, terms) for question in history.questions),
        *(_match(match) for match in history.matches),
        *(_plain("stop", event, event.text("reason")) for event in history.stops),
        *(_plain("terms", event, "") for event in history.terms),
        *(_plain("incident", event, f"a message {event.text('message')} was refused") for event in history.incidents),
        *(_plain("stray", event, "an entry that belongs to nothing") for event in history.strays),
    ]
    return tuple(sorted(rows, key=lambda row: row.entries))


def _question(question: AskedQuestion, terms: Mapping[str, Contract]) -> LogRow:
    plan, first = question.plan, question.events[0]
    contract = terms.get(first.contract)
    approvals, refusals, debits = (
        question.of(kind) for kind in ("question.approved", "question.refused", "budget.debit")
    )
    units, epsilon = _price(debits[0], contract) if debits else (None, None)
    reasons = [event.text("reason") for event in approvals] + [
        f"{event.text('explanation')} (rule {event.text('rule')}); {event.text('advice')}" for event in refusals
    ]
    dataset = debits[0].text("lineage") if debits else ""
    if not dataset and contract is not None and plan is not None and plan.owner in contract.datasets:
        dataset = contract.datasets[plan.owner].lineage
    return LogRow(
        entries=tuple(event.index for event in question.events),
        kind="question",
        outcome=question.outcome,
        at=first.at,
        by=question.asker,
        about=question.owner,
        analyst=plan.analyst if plan is not None else "",
        datasets=(dataset,) if dataset else (),
        says=question_says(plan) if plan is not None else "a question whose plan is not in the log",
        purpose=contract.purpose if contract is not None else "",
        approved_by=", ".join(event.text("approver") for event in approvals),
        refused_by=", ".join(dict.fromkeys(event.actor for event in refusals)),
        reason="; ".join(reasons),
        units=units,
        epsilon=epsilon,
        subject=question.subject,
        doubt=_doubts(question.events),
    )


def question_says(plan: Plan) -> str:
    """A plan in a few words."""
    kind = plan.quantity.kind
    numbers = _QUANTITIES.get(kind, f"{kind} of") + (f" {plan.quantity.column}" if plan.quantity.column else "")
    split = f" by {split_party(plan)}'s {plan.by}" if plan.by else ""
    over = f"people shared with {plan.owner}" if plan.base == "match" else f"all people of {plan.owner}"
    again = f", asked anew ({plan.repeat})" if plan.repeat else ""
    return f"{numbers}{split}, {over}{again}"


def _price(debit: Event, contract: Contract | None) -> tuple[int | None, float | None]:
    """What a debit says in units, and how they read as epsilon; None for what cannot be read."""
    try:
        units = parse_units(debit.text("units"))
    except CleanroomError:
        return None, None
    return units, epsilon_of(units, debit.text("accountant") or (contract.accountant if contract is not None else ""))


def epsilon_of(units: int, name: str) -> float | None:
    """Units as epsilon under the accountant of this name; None where there is none, or above what a budget can be."""
    if name not in ACCOUNTANTS or not 0 <= units <= _most_units(name):
        return None
    return epsilon_number(units, accountant(name))


@lru_cache(maxsize=len(ACCOUNTANTS))
def _most_units(name: str) -> int:
    return accountant(name).units_for_epsilon(Fraction(100))


def _match(match: MatchRecord) -> LogRow:
    first, names = match.events[0], list(dict.fromkeys(_pair(match)))
    return LogRow(
        entries=tuple(event.index for event in match.events),
        kind="match",
        outcome=match.outcome,
        at=first.at,
        by=names[0] if names else "",
        about=", ".join(names[1:]),
        datasets=tuple(dict.fromkeys(event.text("lineage") for event in match.events if event.kind == "match.debit")),
        says=f"{names[0]}'s people matched with theirs, the overlap hidden by {_dummies(match)} dummies"
        if names
        else "",
        subject=match.subject,
        doubt=_doubts(match.events),
    )


def _dummies(match: MatchRecord) -> str:
    stated = {str(event.body.get("dummies")) for event in match.events if event.kind == "match.debit"}
    return " or ".join(sorted(stated)) or "no stated number of"


def _pair(match: MatchRecord) -> Iterator[str]:
    for event in match.events:
        if event.kind == "match.opened":
            yield from (event.text("initiator"), event.text("responder"))
        elif event.kind == "match.debit":
            yield from (event.actor, event.text("peer"))


def _plain(kind: Kind, event: Event, says: str) -> LogRow:
    return LogRow(
        entries=(event.index,),
        kind=kind,
        outcome=event.kind,
        at=event.at,
        by=event.actor,
        about=event.text("sender"),
        says=says,
        subject=event.subject,
        doubt=_doubts((event,)),
    )


def _doubts(events: tuple[Event, ...]) -> str:
    """Without any agreement everything is unchecked: that is said once, above all rows."""
    found = [f"entry {event.index}: {event.doubt}" for event in events if event.doubt not in ("", UNCHECKED)]
    return "; ".join(found)
