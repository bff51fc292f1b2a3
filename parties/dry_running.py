"""A dry run at an asker's own node: the gate's decision from the contract and from what this node knows of itself.

Nothing is sent, logged, reserved or read from the table of people, here or at the owner: it is a look into this node's
contract, receipts and own questions. What has been spent at the owner is what its last receipt says and, on top of
that, the questions of ours that it has not answered yet.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cleanroom.answer.forecast import NewMatch, forecast_body, together_body
from cleanroom.errors import RefusedError, UsageError
from cleanroom.ids import PartyName
from cleanroom.querylog.consumer_chain import ConsumerEntry, spent_units
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.compile import Question, Standing, check_question, compile_plan
from cleanroom.question.dry_run import MAX_TOGETHER, OwnRecord, dry_run
from cleanroom.question.plan import Plan
from parties.desk import Desk
from parties.door import Progress
from parties.inquiry import gone_on_with, standing_of
from parties.node import Node
from parties.receipts import Receipts
from parties.requests import checked_again, question_of, view_of
from parties.settings import Analyst

PLAN_WORDS = frozenset({"by", "quantity", "column", "base", "share"})


def dry_run_command(node: Node) -> Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]:
    """What the door does for `dry-run`."""

    def command(analyst: Analyst, request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        desk, again, guess = node.desk, checked_again(request), _guess(request)
        question = question_of(desk.contract, desk.name, analyst.name, request, looking=True)
        view = view_of(request)

        def look() -> dict[str, Any]:
            found = dry_run(
                desk.contract,
                question,
                own_record(desk, question.owner),
                today=desk.today(),
                standing=desk.stops.standing(),
                guess=guess,
            )
            if found.price is not None:
                view.check(desk.contract, question.owner, question.quantity)
            stored = _is_charged(node, question, again=again)
            return forecast_body(found, stored=stored, match=None if stored else _new_match(node, question))

        return node.call(look)

    return command


def together_command(node: Node) -> Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]:
    """What the door does for `dry-run-together`: several plans of one question at one owner, one after the other.

    Each is decided as if those before it had been answered, so what fits one by one and not together is refused.
    """

    def command(analyst: Analyst, request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        desk, again, view = node.desk, checked_again(request), view_of(request)
        questions = [question_of(desk.contract, desk.name, analyst.name, one, looking=True) for one in _plans(request)]
        guess = _guess(request)

        def look() -> dict[str, Any]:
            record, found, stored, match = own_record(desk, questions[0].owner), [], [], None
            standing, today = desk.stops.standing(), desk.today()
            for place, question in enumerate(questions):
                one = dry_run(desk.contract, question, record, today=today, standing=standing, guess=guess)
                if one.price is not None:
                    view.check(desk.contract, question.owner, question.quantity)
                before = not again and question in questions[:place]
                free = before or _is_charged(node, question, again=again)
                if one.price is not None and not free:
                    units = one.price.units
                    record = replace(
                        record,
                        units=record.units + units,
                        units_today=record.units_today + units,
                        questions=record.questions + 1,
                    )
                found.append(one)
                stored.append(free)
                match = match or (None if free else _new_match(node, question))
            return together_body(found, stored, match=match)

        return node.call(look)

    return command


def _plans(request: dict[str, Any]) -> list[dict[str, Any]]:
    """One request a plan: its own words, and the owner and the price that they share."""
    plans = request.get("plans")
    if not isinstance(plans, list) or not 1 <= len(plans) <= MAX_TOGETHER:
        raise UsageError(f"plans is a list of 1 to {MAX_TOGETHER} plans")
    if not all(isinstance(plan, dict) and set(plan) <= PLAN_WORDS for plan in plans):
        raise UsageError(f"a plan has some of {', '.join(sorted(PLAN_WORDS))}")
    return [{name: text for name, text in request.items() if name not in PLAN_WORDS} | plan for plan in plans]


def _guess(request: dict[str, Any]) -> int | None:
    guess = request.get("guess")
    if guess is not None and type(guess) is not int:
        raise UsageError("guess is a whole number of people")
    return guess


def own_record(desk: Desk, owner: PartyName) -> OwnRecord:
    """What this node knows of its own standing at `owner`, under the room's present name; nothing for a stranger."""
    if owner not in desk.contract.datasets:
        return OwnRecord()
    entries, as_of = _receipt(desk, owner)
    waiting = _unanswered(desk, owner)
    booked = {entry.subject for entry in entries if entry.kind == "reserve"}
    unbooked = [plan for plan in waiting if plan.hash() not in booked]
    today = [entry for entry in entries if entry.at[:10] == desk.today() or entry.kind == "voided"]
    more = sum(plan.cost_units for plan in unbooked)
    return OwnRecord(
        units=spent_units(entries) + more,
        units_today=spent_units(today) + more,
        questions=len(booked) + len(unbooked),
        open_questions=len(waiting),
        as_of=as_of,
    )


def _receipt(desk: Desk, owner: PartyName) -> tuple[tuple[ConsumerEntry, ...], str]:
    """The entries of our chain that the owner has shown, and when it signed its last word on them."""
    receipts = Receipts(desk)
    newest = receipts.newest(owner)
    if newest is None:
        return (), ""
    return receipts.entries(owner), str(peek_statement(newest)["at"])


def _unanswered(desk: Desk, owner: PartyName) -> list[Plan]:
    """Our own questions in this room that the owner may have taken up and has not answered.

    What waits for an approver has reserved nothing.
    """
    rows = desk.database.all(
        "SELECT plan FROM question WHERE owner = 0 AND peer = ?"
        " AND state NOT IN ('answered', 'refused', 'failed', 'pending')",
        owner,
    )
    bodies = [peek_statement(row[0]) for row in rows]
    return [Plan.from_body(body.get("plan")) for body in bodies if body.get("room") == desk.contract.room]


def _is_charged(node: Node, question: Question, *, again: bool) -> bool:
    """Whether asking this would go on with a question that is charged already: answered, or on its way in an open room.

    One on its way is in `own_record`: it would be counted twice, and refused for a budget that holds it.
    """
    try:
        check_question(node.desk.contract, question)
    except UsageError:
        return False
    standing = _current(node, question)
    if standing is None:
        return False
    plan = compile_plan(node.desk.contract, question, standing)
    known = gone_on_with(node.asking.repeats(replace(plan, repeat=0)), again=again)
    if known is None or known.state in ("pending", "refused", "failed"):
        return False
    return known.state == "answered" or node.desk.stops.standing().state == "open"


def _new_match(node: Node, question: Question) -> NewMatch | None:
    """Which match would have to be made first; None where one is there, under way, not needed, or nothing is asked."""
    desk = node.desk
    if question.base == "table" or question.owner not in desk.contract.datasets:
        return None
    if desk.stops.standing().state != "open" or node.matching.usable(question.owner) is not None:
        return None
    try:
        node.matching.check_limit(question.owner)
        left = True
    except RefusedError:
        left = False
    return NewMatch(desk.ledger.matches(desk.dataset.lineage), desk.dataset.overlap.matches, left=left)


def _current(node: Node, question: Question) -> Standing | None:
    if question.base == "table":
        return Standing()
    match = node.matching.usable(question.owner)
    setup = node.setups.usable(match.id, question.by) if match is not None and match.state == "ready" else None
    if match is None or setup is None or setup.state != "ready":
        return None
    return standing_of(match, setup)
