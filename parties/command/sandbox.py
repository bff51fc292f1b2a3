"""`cleanroom sandbox`: a whole room on one machine over the user's own files."""

from pathlib import Path

import click

from parties.command.ask import check_options, question_options, show


@click.command()
@click.argument("room_file", metavar="ROOM.toml", type=click.Path(path_type=Path))
@click.option("--asker", required=True, help="The party that asks.")
@question_options
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

    check_options(of, total, json_file)
    question = SandboxQuestion(asker, owner, by, of, total, epsilon)
    answer = run_sandbox(room_file, question, state, progress=lambda text: click.echo(f"  {text}", err=True))
    show(answer, json_file)
