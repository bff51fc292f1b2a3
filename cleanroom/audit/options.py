"""Options that several commands of an auditor have, under one name each."""

from pathlib import Path

import click

LOG_FOLDER = click.argument("log", type=click.Path(path_type=Path))
AGREEMENTS = click.option(
    "--agreement",
    "agreements",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A signed agreement; of several, the one in force comes last.",
)
KEPT = click.option(
    "--kept",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="NOTE",
    help="A head of this log from elsewhere: an older copy's `checkpoint`, or a party's receipt; may be repeated.",
)
HOME = click.option(
    "--home", type=click.Path(path_type=Path), required=True, help="Your folder, made by `cleanroom audit init`."
)
FORMER = click.option(
    "--former",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Where the room's log began anew after a stolen key: the log before; of several, the newest last.",
)
