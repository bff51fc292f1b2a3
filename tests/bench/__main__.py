"""The command behind `scripts/bench`."""

import sys
import tempfile
from pathlib import Path

import click

from cleanroom.errors import CleanroomError
from tests.bench.run import measure
from tests.bench.tables import markdown


@click.command()
@click.option("--people", default=200_000, show_default=True, type=click.IntRange(1_000, 5_000_000), help="A company.")
@click.option("--epsilon", default="1", show_default=True, help="What the question costs, at delta 1e-9.")
@click.option("--seed", default=1, show_default=True, help="Of the made-up people; keys and noise are never seeded.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep tables, logs and state in this empty folder; otherwise they are deleted.",
)
def bench(people: int, epsilon: str, seed: int, folder: Path | None) -> None:
    """Match two made-up companies as real processes, ask one cross-tab, and print what it took as Markdown."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise click.UsageError(f"{folder} is not empty")
        _bench(folder, people, seed, epsilon)
    else:
        with tempfile.TemporaryDirectory(prefix="cleanroom-bench-") as temporary:
            _bench(Path(temporary), people, seed, epsilon)


def _bench(folder: Path, people: int, seed: int, epsilon: str) -> None:
    measured = measure(
        folder, people, seed=seed, epsilon=epsilon, progress=lambda text: click.echo(f"  {text}", err=True)
    )
    click.echo(markdown(measured))


if __name__ == "__main__":
    try:
        bench()
    except CleanroomError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
