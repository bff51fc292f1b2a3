"""`cleanroom demo`: three shops, one command, the first private answer."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Where it all goes."
)
def demo(folder: Path) -> None:
    """Make three shops, match them, ask, print the answer and write a report."""
    raise NotImplementedError(folder)
