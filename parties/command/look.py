"""`cleanroom settings` and `cleanroom budget`: what owners allow and what is left, as the own node knows it."""

from collections.abc import Iterable
from pathlib import Path

import click

from parties.command.ask import written_json
from parties.command.entry import HOME, JSON, SOCKET, node_of


@click.command(short_help="Show what owners allow your company.")
@HOME
@SOCKET
@JSON
def settings(home: Path | None, socket: Path | None, json_file: Path | None) -> None:
    """Show all owners' rules at once: columns, values, bounds, thresholds, budgets, and what your company may ask."""
    from cleanroom.client.room_pages import settings_page

    body = _said("settings", home, socket)
    _show(body, settings_page(body), json_file)


@click.command(short_help="Show what your company has left at every owner.")
@HOME
@SOCKET
@JSON
def budget(home: Path | None, socket: Path | None, json_file: Path | None) -> None:
    """Show what your company has left at every owner, by the owner's last receipt, or the cap before the first."""
    from cleanroom.client.room_pages import budget_page

    body = _said("budget", home, socket)
    _show(body, budget_page(body), json_file)


def _said(command: str, home: Path | None, socket: Path | None) -> dict[str, object]:
    from cleanroom.client.door import ask_door, door_of

    return ask_door(door_of(node_of(home, socket)), {"command": command})


def _show(body: dict[str, object], page: Iterable[object], json_file: Path | None) -> None:
    from rich.console import Console

    if written_json(body, json_file):
        return
    console = Console(emoji=False)
    for part in page:
        console.print(part, markup=False, highlight=False)
