"""What this company's approvers see and decide: at the running node's door, or in the home when no node runs.

Who decides is whom the operating system says (the peer's user id at the door, one's own in the home), looked up in
the node's settings under the role `approver`; no name or role is ever read from a request.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleanroom.client.door import ask_door
from cleanroom.errors import UsageError
from cleanroom.report.question_words import budget, differences, facts, headline
from parties.beside import Doer, at_the_node
from parties.desk import Desk
from parties.door import Progress
from parties.home import Home
from parties.node import Node
from parties.pending import SHORT_ID, Pending, Waiting
from parties.settings import Analyst, read_settings

Command = Callable[[Analyst, dict[str, Any], Progress], dict[str, Any]]
ROLE = "approver"
VERBS = ("list", "show", "approve", "deny")
COVERED_S, WAKE_S = 5.0, 0.2
UNSERVED, BESIDE = "no node ran", "beside a node"
"""What `at_home` says of an approval in place of the question's state when no node has taken it up yet."""
_SAID = ("kind", "at", "approver", "reason", "rule", "explanation", "advice")


def decide_or_show(desk: Desk, verb: str, request: dict[str, Any], approver: Analyst) -> dict[str, Any]:
    """One command inside the caller's transaction, as JSON; raises UsageError or RefusedError."""
    pending = Pending(desk)
    if verb == "list":
        return {"pending": [_line(desk, one) for one in pending.listed()]}
    identifier, reason = request.get("id"), request.get("reason", "")
    if not isinstance(identifier, str):
        raise UsageError("id is text")
    if verb == "show":
        return _page(desk, pending, pending.find(identifier))
    decide = pending.approve if verb == "approve" else pending.deny
    return _line(desk, decide(identifier, approver.name, reason))


def _line(desk: Desk, one: Waiting) -> dict[str, Any]:
    return {
        "id": one.plan_hash[:SHORT_ID],
        "plan": one.plan_hash,
        "asker": one.plan.asker,
        "asks": headline(desk.contract, one.plan),
        "reasons": list(one.reasons),
        "since": _written(one.since),
    }


def _page(desk: Desk, pending: Pending, one: Waiting) -> dict[str, Any]:
    before = pending.last_approved(one.plan.asker)
    if before is not None and before.plan_hash == one.plan_hash:
        before = None
    spent = desk.ledger.spent(desk.dataset.lineage, one.plan.asker)
    return {
        **_line(desk, one),
        "state": one.state,
        "purpose": desk.contract.purpose,
        "facts": {fact.name: fact.says for fact in facts(desk.contract, one.plan)},
        "budget": budget(desk.contract, one.plan, spent),
        "last_approved": None if before is None else _decisions(pending, before)[0] | {"plan": before.plan_hash},
        "differs": [] if before is None else list(differences(desk.contract, one.plan, before.plan)),
        "decisions": _decisions(pending, one),
    }


def _decisions(pending: Pending, one: Waiting) -> list[dict[str, str]]:
    return [{name: str(body[name]) for name in _SAID if name in body} for body in pending.decisions(one.plan_hash)]


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def approval_commands(node: Node) -> dict[str, tuple[str, Command]]:
    """What a running node does for its approvers, in its worker."""

    def command(verb: str) -> Command:
        def run(approver: Analyst, request: dict[str, Any], _progress: Progress) -> dict[str, Any]:
            answer = node.call(lambda: decide_or_show(node.desk, verb, request, approver))
            if verb == "approve":
                after = _after(node, lambda: decide_or_show(node.desk, "show", {"id": answer["plan"]}, approver))
                answer |= {name: after[name] for name in ("state", "decisions")}
            return answer

        return run

    return {f"approvals-{verb}": (ROLE, command(verb)) for verb in VERBS}


def _after(node: Node, show: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What became of an approval, once the log has covered it; as it stands when that takes too long."""
    end = time.monotonic() + COVERED_S
    while True:
        shown = node.call(show)
        if shown["state"] != "approved" or time.monotonic() > end:
            return shown
        with node.changed:
            node.changed.wait(WAKE_S)


def at_door(door: Path, verb: str, **words: str) -> dict[str, Any]:
    """One command at a serving node whose home is not ours to read."""
    return ask_door(door, _request(verb, words))


def _request(verb: str, words: dict[str, str]) -> dict[str, Any]:
    return {"command": f"approvals-{verb}", **words}


def at_home(home: Home, verb: str, **words: str) -> dict[str, Any]:
    """One command for the approver who typed it.

    Raises one of our errors, and then nothing was changed; but UnavailableError when a node went away in the middle.
    """

    def alone(desk: Desk) -> dict[str, Any]:
        approver = read_settings(home.settings_file).require(os.getuid(), ROLE)
        with desk.database.transaction():
            return decide_or_show(desk, verb, words, approver)

    answer, doer = at_the_node(home, _request(verb, words), alone, time.time)
    if verb == "approve" and doer is not Doer.NODE:
        answer["state"] = UNSERVED if doer is Doer.ALONE else BESIDE
    return answer
