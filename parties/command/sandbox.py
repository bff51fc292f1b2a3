"""`cleanroom sandbox`: a whole room on one machine over the user's own files."""

import json
import os
from pathlib import Path
from typing import Any

import click

from cleanroom.errors import UsageError


@click.command()
@click.argument("room_file", metavar="ROOM.toml", type=click.Path(path_type=Path))
@click.option("--asker", required=True, help="The party that asks.")
@click.option("--owner", required=True, help="The party whose people are asked about.")
@click.option("--by", default="", metavar="COLUMN", help="A dimension of the asker to split by.")
@click.option("--of", "of", default="", metavar="COLUMN", help="A dimension of the owner: how people spread over it.")
@click.option("--sum", "total", default="", metavar="COLUMN", help="A measure of the owner: its clamped sum.")
@click.option(
    "--epsilon", required=True, metavar="E", help="What the question may cost, at delta 1e-9; 1 is ±11 on a count."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the answer as JSON; `-` for standard output."
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="Keys, ledgers, matches, answers; ROOM.state/ if left out."
)
def sandbox(
    room_file: Path,
    asker: str,
    owner: str,
    by: str,
    of: str,
    total: str,
    epsilon: str,
    json_file: Path | None,
    state: Path | None,
) -> None:
    """Run a whole room on this machine over the files that ROOM.toml names, and ask one question.

    Coordinator and nodes run as separate processes, exactly as they would at different companies. How many of the
    asker's people are also the owner's? Add --by to split them by a column of the asker, --of to see how they spread
    over a column of the owner, or --sum to add up a measure of the owner.

    State lives beside ROOM.toml and is never reset: budgets are spent for good, and the same question gives the same
    stored answer free of charge.
    """
    from parties.sandbox import SandboxQuestion, run_sandbox

    if of and total:
        raise UsageError("--of and --sum exclude each other: ask twice")
    question = SandboxQuestion(asker, owner, by, of, total, epsilon)
    answer = run_sandbox(room_file, question, state, progress=lambda text: click.echo(f"  {text}", err=True))
    show(answer, json_file)


def show(answer: dict[str, Any], json_file: Path | None) -> None:
    """Write the answer where it was asked for: a table for people, JSON for programs."""
    from rich.console import Console

    from cleanroom.report.answer import read_answer
    from cleanroom.report.sentence import caption, sentences
    from cleanroom.report.table import answer_table

    if json_file is not None and str(json_file) == "-":
        click.echo(json.dumps(answer, indent=2))
        return
    if json_file is not None:
        draft = json_file.with_name(f".{json_file.name}.{os.getpid()}")
        draft.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
        draft.replace(json_file)
    shown = read_answer(answer)
    console = Console()
    console.print(answer_table(shown))
    for sentence in sentences(shown):
        console.print(sentence, markup=False, highlight=False)
    console.print(caption(shown), markup=False, highlight=False)
