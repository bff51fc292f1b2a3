"""`cleanroom ask`: a question at one's own node, and the way every answer is shown."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cleanroom.client.door import ask_door, door_of
from cleanroom.errors import RefusedError, UsageError
from cleanroom.whole_file import write_output
from parties.command.entry import CSV, HOME, SOCKET, Ask, node_of
from parties.requests import check_price
from parties.sandbox import SandboxQuestion

if TYPE_CHECKING:
    from cleanroom.client.sheet import Sheet

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--owner", required=True, help="The party whose people are asked about."),
    click.option(
        "--by",
        default="",
        metavar="COLUMN",
        help="A dimension of the asker to split by; with --whole-table one of the owner.",
    ),
    click.option(
        "--of", "of", default="", metavar="COLUMN", help="A dimension of the owner: how people spread over it."
    ),
    click.option(
        "--top",
        type=click.IntRange(min=1),
        metavar="K",
        help="With --of: which values are certainly, possibly or certainly not among the K largest.",
    ),
    click.option("--sum", "total", default="", metavar="COLUMN", help="A measure of the owner: its clamped sum."),
    click.option(
        "--mean",
        default="",
        metavar="COLUMN",
        help="A measure of the owner: its mean over the people who have a value.",
    ),
    click.option(
        "--quantile",
        default="",
        metavar="COLUMN",
        help="A measure of the owner with declared edges: its quartiles, or what --at says.",
    ),
    click.option("--at", default="", metavar="LEVELS", help="With --quantile: which ones, such as 0.5,0.9."),
    click.option(
        "--whole-table",
        is_flag=True,
        help="Ask about all people of the owner, shared or not; nothing is matched.",
    ),
    click.option(
        "--epsilon", default="", metavar="E", help="What the question may cost, at delta 1e-9; 1 is ±11 on a count."
    ),
    click.option(
        "--accuracy",
        default="",
        metavar="N",
        help="How far noise may move a number, such as 50 for ±50 people at 95%; --epsilon is then the most.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Say what the question would cost, how exact it would be and who must agree. Nothing is asked.",
    ),
    click.option(
        "--guess",
        type=click.IntRange(min=1),
        metavar="N",
        help="With --dry-run: how many people you expect in all, to see how likely small numbers are.",
    ),
    click.option(
        "--again",
        is_flag=True,
        help="Ask anew, charged again, where the answer is stored: for a table that has changed since.",
    ),
    click.option(
        "--json",
        "json_file",
        type=click.Path(path_type=Path),
        help="Write the answer as JSON; `-` for standard output.",
    ),
    click.option(
        "--receipt",
        "receipt_file",
        type=click.Path(path_type=Path),
        help="Write the proof that the answer stands in the room's log, for anybody to check.",
    ),
)


def question_options(command: _Command) -> _Command:
    """The options by which every command takes a question."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def typed_question(
    asker: str,
    *,
    owner: str,
    by: str,
    of: str,
    top: int | None,
    total: str,
    mean: str,
    quantile: str,
    at: str,
    whole_table: bool,
    epsilon: str,
    accuracy: str,
    again: bool,
) -> SandboxQuestion:
    """The question that the options say; refuses two quantities, prices or levels that are none. Raises UsageError."""
    check_price(epsilon, accuracy)
    question = SandboxQuestion(
        asker=asker,
        owner=owner,
        by=by,
        of=of,
        total=total,
        epsilon=epsilon,
        mean=mean,
        quantile=quantile,
        at=at,
        top=top or 0,
        base="table" if whole_table else "match",
        again=again,
        accuracy=accuracy,
    )
    question.quantity()
    question.view()
    return question


def check_files(
    json_file: Path | None, receipt_file: Path | None, csv_file: Path | None = None, *, dry_run: bool
) -> None:
    """Refuse what cannot be written, before anything is asked; raises UsageError."""
    for option, file in (("--receipt", receipt_file), ("--csv", csv_file)):
        if file is not None and dry_run:
            raise UsageError(f"{option} belongs to an answer: a dry run has none")
    if str(json_file) == str(csv_file) == "-":
        raise UsageError("--json and --csv cannot both be written to standard output")
    for option, file in (("--json", json_file), ("--receipt", receipt_file), ("--csv", csv_file)):
        if file is None or (option != "--receipt" and str(file) == "-"):
            continue
        if (file.exists() and not file.is_file()) or not file.absolute().parent.is_dir():
            raise UsageError(
                f"{option}: {file} cannot be written: it is a folder or no file, or its folder does not exist"
            )


@click.command(cls=Ask, options_metavar="[NAME] [OPTIONS]")
@HOME
@SOCKET
@question_options
@CSV
def ask(
    home: Path | None,
    socket: Path | None,
    json_file: Path | None,
    receipt_file: Path | None,
    csv_file: Path | None,
    *,
    dry_run: bool,
    guess: int | None,
    **typed: Any,
) -> None:
    """Ask one question at your own company's node.

    How many of our people are also the owner's? Add --by to split them by a column of ours, --of to see how they
    spread over a column of the owner, --sum, --mean or --quantile for a measure of the owner. With --whole-table the
    question is about all people of the owner, as a base to compare with. The same question again gives the same
    stored answer free of charge, until --again asks for a new one. Look first with --dry-run: it costs nothing.
    No number is shown before the answer's receipt was checked: that it stands in the room's log, cosigned.

    With a NAME of `cleanroom catalogue` first, such as `cleanroom ask overlap --help`, it is that question instead.
    """
    check_files(json_file, receipt_file, csv_file, dry_run=dry_run)
    check_guess(guess, dry_run=dry_run)
    question = typed_question("", **typed)
    door = door_of(node_of(home, socket))
    if dry_run:
        show_dry_run(ask_door(door, {**question.request(), "command": "dry-run", "guess": guess}), json_file)
        return
    with told_what_was_charged():
        answer = ask_door(door, question.request(), progress=lambda text: click.echo(f"  {text}", err=True))
    show(answer, json_file, receipt_file, csv_file)


@contextmanager
def told_what_was_charged() -> Iterator[None]:
    """Whoever stops a question by Ctrl-C is told what may have been spent, and that it is not lost."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note("it may have been charged; ask the same without --again: what was answered costs nothing")
        raise


def show(
    answer: dict[str, Any], json_file: Path | None, receipt_file: Path | None, csv_file: Path | None = None
) -> None:
    """Check its receipt, then write the answer where it was asked for: a table for people, JSON for programs.

    Raises PeerError when the receipt does not hold; nothing was shown by then.
    """
    from rich.console import Console

    from cleanroom.client.result_sheet import answer_sheet
    from cleanroom.querylog.receipt import check_receipt
    from cleanroom.report.answer import read_answer
    from cleanroom.report.sentence import caption, sentences
    from cleanroom.report.table import answer_table

    receipt = check_receipt(answer)
    answer["receipt"] |= {"index": receipt.index, "log_size": receipt.size}
    if receipt_file is not None:
        write_output(receipt_file, receipt.file())
    shown = read_answer(answer)
    taken = [written_json(answer, json_file), csv_file is not None and written_csv(answer_sheet(shown), csv_file)]
    if any(taken):
        return
    console = Console(emoji=False)
    console.print(answer_table(shown))
    for sentence in sentences(shown):
        console.print(sentence, markup=False, highlight=False)
    console.print(caption(shown), markup=False, highlight=False)
    if answer["stored"]:
        console.print("This is the stored answer of a question asked before: nothing new was spent.", highlight=False)
    for total in answer.get("total", []):
        if total["consumer"] == answer["question"]["asker"]:
            adding = "" if total["rho"] is None else f" (rho {total['rho']} of {total['cap']}; it is rho that adds up)"
            console.print(
                f"In all {total['consumer']} has spent epsilon {total['epsilon']:g} of {total['cap_epsilon']:g} at"
                f" {total['party']}{adding}.",
                markup=False,
                highlight=False,
            )


def check_guess(guess: int | None, *, dry_run: bool) -> None:
    """Refuse a guess that nothing would be done with; raises UsageError."""
    if guess is not None and not dry_run:
        raise UsageError("--guess belongs to --dry-run: an answer needs no guess")


def show_dry_run(body: dict[str, Any], json_file: Path | None) -> None:
    """Write a dry run where it was asked for, then fail as the question itself would; raises RefusedError."""
    from cleanroom.report.forecast import forecast_lines

    if not written_json(body, json_file):
        for line in forecast_lines(body):
            click.echo(line)
    if body["refusal"] is not None:
        raise RefusedError(**body["refusal"])


def written_csv(sheet: "Sheet", csv_file: Path | None) -> bool:
    """Write the numbers where they were asked for; whether that was standard output."""
    if csv_file is None:
        return False
    if str(csv_file) == "-":
        click.echo(sheet.to_csv(), nl=False)
        return True
    write_output(csv_file, sheet.to_csv().encode("utf-8"))
    return False


def written_json(body: dict[str, Any], json_file: Path | None) -> bool:
    """Write the JSON where it was asked for; whether that was standard output, which then belongs to programs."""
    text = json.dumps(body, indent=2)
    if json_file is None:
        return False
    if str(json_file) == "-":
        click.echo(text)
        return True
    write_output(json_file, f"{text}\n".encode())
    return False
