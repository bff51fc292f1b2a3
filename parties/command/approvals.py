"""`cleanroom party approvals`: what other companies ask that a person of this one must agree to first."""

import json
from pathlib import Path
from typing import Any

import click

from cleanroom.errors import UsageError
from parties.approving import BESIDE, UNSERVED, at_door, at_home
from parties.command.standing import DOOR, HOME_OR_DOOR
from parties.home import Home

JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
REASON = click.option("--reason", required=True, help="Why, in one line; it stands in the room's log under your name.")
ID = click.argument("identifier", metavar="ID")


@click.group()
def approvals() -> None:
    """Questions that need approval: `list` them, `show` one in words, then `approve` or `deny` it.

    Only users with the role `approver` in this node's settings may; the node may run or not. A question is named by the
    first digits of its id. Nothing is read and nothing spent before it is approved; after a week it is refused.
    """


def _ask(home: Path | None, socket: Path | None, verb: str, **words: str) -> dict[str, Any]:
    if home is not None and socket is None:
        return at_home(Home(home), verb, **words)
    if socket is not None and home is None:
        return at_door(socket, verb, **words)
    raise UsageError("say where your node is: --home FOLDER or --socket FILE")


@approvals.command("list")
@HOME_OR_DOOR
@DOOR
@JSON
def list_command(home: Path | None, socket: Path | None, as_json: bool) -> None:
    """List the questions that wait for a decision, oldest first."""
    body = _ask(home, socket, "list")
    if as_json:
        click.echo(json.dumps(body, indent=2))
        return
    for one in body["pending"]:
        click.echo(f"{one['id']}  {one['since']}  {one['asker']}: {one['asks']}")
    if not body["pending"]:
        click.echo("nothing waits for approval")


@approvals.command()
@ID
@HOME_OR_DOOR
@DOOR
@JSON
def show(identifier: str, home: Path | None, socket: Path | None, as_json: bool) -> None:
    """Say in words what is asked, what it costs and leaves, why it needs approval, and what is new about it."""
    body = _ask(home, socket, "show", id=identifier)
    if as_json:
        click.echo(json.dumps(body, indent=2))
        return
    where = f"--home {home}" if home is not None else f"--socket {socket}"
    for line in _lines(body, where):
        click.echo(line)


def _lines(body: dict[str, Any], where: str) -> list[str]:
    before = body["last_approved"]
    new = "everything: no question of this asker was approved here before"
    lines = [
        ("question", body["plan"]),
        ("waits", f"since {body['since']}" if body["state"] == "pending" else f"no longer: it is {body['state']}"),
        ("purpose", body["purpose"]),
        *body["facts"].items(),
        ("budget", body["budget"]),
        *(("approval", reason) for reason in body["reasons"]),
        *(("new", text) for text in (body["differs"] if before else [new])),
    ]
    if before:
        lines.append(("compared", f"with {before['plan'][:12]}, {_decision(before)}"))
    lines += [("decided", _decision(said)) for said in body["decisions"]]
    if body["state"] == "pending":
        words = f"cleanroom party approvals approve {body['id']} {where} --reason WHY"
        lines.append(("next", f"{words}   (or deny)"))
    return [f"{name:<9} {text}" for name, text in lines]


def _decision(said: dict[str, str]) -> str:
    if said["kind"] == "question.approved":
        return f"approved by {said['approver']}, {said['at']}: {said['reason']}"
    return f"refused, {said['at']}: {said['explanation']} (rule {said['rule']})"


_AFTER = {
    UNSERVED: "no node runs here: when one does, every rule is checked again, then it is charged and answered",
    BESIDE: "a node runs here and nobody was at its door (it starts or ends, or its door is full): it finds this in its"
    " folder, checks every rule again, then charges and answers",
    "approved": "the log has not covered the approval yet: when it has, every rule is checked again, then it is charged"
    " and answered",
}


@approvals.command()
@ID
@HOME_OR_DOOR
@DOOR
@REASON
def approve(identifier: str, home: Path | None, socket: Path | None, reason: str) -> None:
    """Agree to one question, once: every rule is checked again, then it is charged and answered as any other."""
    body = _ask(home, socket, "approve", id=identifier, reason=reason)
    click.echo(f"approved  {body['id']} of {body['asker']}: {body['asks']}")
    state = body.get("state", "")
    if state == "refused":
        click.echo(f"but       every rule was checked again: {_decision(body['decisions'][-1])}")
    else:
        click.echo(f"next      {_AFTER.get(state, 'every rule was checked again; it is charged and answered now')}")


@approvals.command()
@ID
@HOME_OR_DOOR
@DOOR
@REASON
def deny(identifier: str, home: Path | None, socket: Path | None, reason: str) -> None:
    """Refuse one question; its asker is shown your name and reason, and nothing is charged."""
    body = _ask(home, socket, "deny", id=identifier, reason=reason)
    click.echo(f"denied    {body['id']} of {body['asker']}: {body['asks']}")
