"""`cleanroom sandbox`: a whole room on one machine over the user's own files."""

from pathlib import Path
from typing import Any

import click

from parties.command.ask import (
    check_files,
    check_guess,
    question_options,
    show,
    show_dry_run,
    told_what_was_charged,
    typed_question,
)
from parties.command.entry import CSV, Plain


@click.command(cls=Plain, short_help="Ask one question in a room of your own files.")
@click.argument("room_file", metavar="ROOM.toml", type=click.Path(path_type=Path))
@click.option("--asker", required=True, help="The party that asks.")
@question_options
@CSV
@click.option(
    "--state", type=click.Path(path_type=Path), help="Keys, ledgers, matches, answers; ROOM.state/ if left out."
)
def sandbox(
    room_file: Path,
    asker: str,
    json_file: Path | None,
    receipt_file: Path | None,
    csv_file: Path | None,
    state: Path | None,
    *,
    dry_run: bool,
    guess: int | None,
    **typed: Any,
) -> None:
    """Run a whole room on this machine over the files that ROOM.toml names, and ask one question.

    Coordinator and nodes run as separate processes, exactly as they would at different companies. How many of the
    asker's people are also the owner's? Add --by to split them by a column of the asker, --of to see how they spread
    over a column of the owner, --sum, --mean or --quantile for a measure of the owner. With --whole-table the
    question is about all people of the owner, as a base to compare with.

    State lives beside ROOM.toml and is never reset: budgets are spent for good, and the same question gives the same
    stored answer free of charge, until --again asks for a new one. With --dry-run nothing is started: price
    and rules follow from ROOM.toml, what is left from the asker's own receipts where the room has been run before.
    """
    from parties.dry_sandbox import dry_run_of_file
    from parties.sandbox import run_sandbox

    check_files(json_file, receipt_file, csv_file, dry_run=dry_run)
    check_guess(guess, dry_run=dry_run)
    question = typed_question(asker, **typed)
    if dry_run:
        show_dry_run(dry_run_of_file(room_file, question, state, guess=guess), json_file)
        return
    with told_what_was_charged():
        answer = run_sandbox(room_file, question, state, progress=lambda text: click.echo(f"  {text}", err=True))
    show(answer, json_file, receipt_file, csv_file)
