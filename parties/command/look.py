"""`cleanroom settings` and `cleanroom budget`: what owners allow and what is left, as the own node knows it."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from parties.command.entry import HOME, SOCKET, node_of

_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command()
@HOME
@SOCKET
@_JSON
def settings(home: Path | None, socket: Path | None, *, as_json: bool) -> None:
    """Show all owners' rules at once: columns, values, bounds, thresholds, budgets, and what your company may ask."""
    from cleanroom.client.room_pages import settings_page

    body = _said("settings", home, socket)
    _show(body, settings_page(body), as_json=as_json)


@click.command()
@HOME
@SOCKET
@_JSON
def budget(home: Path | None, socket: Path | None, *, as_json: bool) -> None:
    """Show what your company has left at every owner, by the owner's last receipt, or the cap before the first."""
    from cleanroom.client.room_pages import budget_page

    body = _said("budget", home, socket)
    _show(body, budget_page(body), as_json=as_json)


def _said(command: str, home: Path | None, socket: Path | None) -> dict[str, object]:
    from cleanroom.client.door import ask_door, door_of

    return ask_door(door_of(node_of(home, socket)), {"command": command})


def _show(body: dict[str, object], page: Iterable[object], *, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        click.echo(json.dumps(body, indent=2))
        return
    console = Console(emoji=False)
    for part in page:
        console.print(part, markup=False, highlight=False)
