"""`cleanroom party ledger`: what has been spent on this company's people, whether it adds up, and after a restore."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleanroom.errors import UsageError
from parties.command.party import HOME
from parties.home import Home

if TYPE_CHECKING:
    from parties.serve import Opened


@click.group()
def ledger() -> None:
    """Budgets: who has spent how much, does everything add up, and what to do after a restore from a backup."""


def _opened(home: Path) -> "Opened":
    from parties.serve import open_home

    if not Home(home).database_file.exists():
        raise UsageError(f"{home} has no ledger yet: its node has never been started")
    return open_home(Home(home))


@ledger.command()
@HOME
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(home: Path, as_json: bool) -> None:
    """Show what each consumer has spent and may still spend. Can be run beside a serving node."""
    from parties.ledger_view import ledger_view

    opened = _opened(home)
    try:
        body = ledger_view(opened.desk)
    finally:
        opened.desk.database.close()
    if as_json:
        click.echo(json.dumps(body, indent=2))
        return
    for line in _lines(body):
        click.echo(line)


_COLUMNS = ("consumer", "spent", "epsilon", "cap", "left", "with coordinator", "open", "set-ups")


def _lines(body: dict[str, Any]) -> list[str]:
    if body["restored"]:
        return [f"NOT SERVING: {body['restored']}", *_lines({**body, "restored": None})]
    rows = [_row(one, one["open"], one["setups"]["ready"] + one["setups"]["begun"]) for one in body["consumers"]]
    table = [_COLUMNS, *rows, ("together", *_row({"consumer": "", "with_coordinator": None, **body}, "", "")[1:])]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    matches = body["matches"]
    return [
        f"{body['party']}, people of lineage {body['lineage']}; {_unit(body['cap'])}",
        *("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table),
        f"matches {matches['done']} of {matches['most']}, ledger entries {body['entries']}",
    ]


def _unit(sum_: dict[str, Any]) -> str:
    return "pure epsilon" if sum_["rho"] is None else "rho, and epsilon at delta 1e-9"


def _amount(sum_: dict[str, Any]) -> str:
    """In the currency of the room's accountant: rho, or in a pure room epsilon."""
    return f"{float(sum_['epsilon'] if sum_['rho'] is None else sum_['rho']):.6f}"


def _row(one: dict[str, Any], waiting: object, setups: object) -> tuple[str, ...]:
    together = one["with_coordinator"]
    return (
        one["consumer"],
        _amount(one["spent"]),
        f"{one['spent']['epsilon']:.3f}",
        _amount(one["cap"]),
        _amount(one["left"]),
        _amount(together) if together else "",
        str(waiting),
        str(setups),
    )


@ledger.command("head")
@HOME
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file, to be given to the auditor.")
def head_command(home: Path, out: Path) -> None:
    """Sign what this ledger holds about each consumer of the room, for `cleanroom audit replay --ledger-head FILE`.

    Can be run beside a serving node. The auditor learns sums, which it can add up from the log anyway.
    """
    from cleanroom.ids import random_id
    from parties.heads import Heads

    if out.exists():
        raise UsageError(f"{out} exists already; choose a new file")
    opened = _opened(home)
    try:
        desk = opened.desk
        with desk.database.transaction():
            heads = [Heads(desk).export(consumer, random_id()) for consumer in sorted(desk.dataset.consumer_caps)]
    finally:
        opened.desk.database.close()
    out.write_bytes(b"".join(statement + b"\n" for statement in heads))
    click.echo(f"{len(heads)} heads in {out}")


@ledger.command()
@HOME
def verify(home: Path) -> None:
    """Walk the ledger's chains and compare them with everything this node signed; exit status 1 if one does not fit."""
    from parties.ledger_check import check_ledger

    opened = _opened(home)
    try:
        click.echo(check_ledger(opened.desk).line())
    finally:
        opened.desk.database.close()


@ledger.command()
@HOME
def replay(home: Path) -> None:
    """After a restore from a backup: book what this node signed for and forgot, so that it may serve again.

    The node must be stopped. What was forgotten is read from the coordinator's log and from receipts that peers showed;
    whatever is found counts as spent. Doing it again changes nothing.
    """
    from parties.cosigning import open_mirror, replay_check
    from parties.replay import Replay
    from parties.serve import connect
    from parties.setup_rows import SetupRows

    with Home(home).locked():
        opened = _opened(home)
        try:
            opened.desk.ledger.verify()
            client = connect(opened)
            mirror = open_mirror(opened.desk, opened.home.mirror_folder)
            try:
                mirror.catch_up(client, check=replay_check(opened.desk, mirror), now=int(opened.desk.clock()))
                done = Replay(opened.desk, SetupRows(opened.desk)).run(mirror)
            finally:
                mirror.close()
                client.close()
        finally:
            opened.desk.database.close()
    click.echo(done.line())
