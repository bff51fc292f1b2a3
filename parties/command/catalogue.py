"""`cleanroom catalogue`: the questions that have a name, what each takes, and what it answers."""

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cleanroom.catalogue.entry import Entry


@click.command(short_help="List the questions that have a name.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def catalogue(as_json: bool) -> None:
    """List the questions that `cleanroom ask NAME` and `room.ask("NAME")` know."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from cleanroom.catalogue.catalogue import CATALOGUE

    if as_json:
        click.echo(json.dumps([_body(entry) for entry in CATALOGUE.values()], indent=2))
        return
    table = Table("question", "what it says", "options", show_lines=True)
    for entry in CATALOGUE.values():
        options = "\n".join(
            f"--{parameter.name.replace('_', '-')}{'' if parameter.required else ' (optional)'}: {parameter.says}"
            for parameter in entry.parameters
        )
        table.add_row(Text(entry.name), Text(f"{entry.says}\n\n“{entry.sentence}”"), Text(options))
    Console().print(table)
    click.echo("ask one with: cleanroom ask NAME --home FOLDER --owner PARTY --dry-run, then --epsilon E")


def _body(entry: "Entry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "says": entry.says,
        "sentence": entry.sentence,
        "parameters": [
            {name: getattr(parameter, name) for name in ("name", "says", "required", "default", "repeated")}
            for parameter in entry.parameters
        ],
    }
