"""`cleanroom room`: the agreement as a file."""

import os
from pathlib import Path

import click

from cleanroom.errors import UsageError
from cleanroom.ids import AnalystName, analyst_name
from cleanroom.wire.contract_file import contract_bytes, contract_hash
from parties.command.party import HOME
from parties.home import Home
from parties.room_file import read_room_file
from parties.settings import DEFAULT_TIMEOUT_S, Analyst, NodeSettings, write_settings


@click.group()
def room() -> None:
    """The room's terms: from one TOML file and the cards you trust to the contract everybody holds."""


@room.command()
@click.argument("file", type=click.Path(path_type=Path))
@HOME
def assemble(file: Path, home: Path) -> None:
    """Make this node's contract from the room file and the cards it trusts; compare the printed hash with partners.

    Also writes settings.toml (source and this user as asker and operator) if there is none yet.
    """
    folder = Home(home)
    card = folder.card()
    terms = read_room_file(file)
    if card.name not in terms.datasets:
        raise UsageError(f"{file} does not name {card.name}; parties: {', '.join(terms.datasets)}")
    if card.name not in terms.sources and not folder.settings_file.exists():
        raise UsageError(f"{file}: parties.{card.name}: `source` is missing: the table that this node reads")
    contract = terms.contract(folder.trusted_cards(), folder.coordinator())
    folder.contract_file.write_bytes(contract_bytes(contract))
    if not folder.settings_file.exists():
        me = Analyst(_user_name(), os.getuid(), frozenset({"asker", "operator"}))
        write_settings(folder.settings_file, NodeSettings(terms.sources[card.name], (me,), None, DEFAULT_TIMEOUT_S))
    click.echo(f"contract {folder.contract_file}")
    click.echo(f"hash     {contract_hash(contract).hex()}")


def _user_name() -> AnalystName:
    return analyst_name(os.environ.get("USER") or f"user-{os.getuid()}")
