"""`cleanroom ask ENTRY`: a question of the catalogue, whose parameters are its options.

The name comes first: `cleanroom ask index --home accessories --owner bikes --of colour --epsilon 1`. Everything behind
it is what an analyst's program does as well (`cleanroom.client`); here it is typed and printed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleanroom.errors import UsageError

if TYPE_CHECKING:
    from cleanroom.catalogue.entry import Entry, Parameter
    from cleanroom.client.forecast import Forecast
    from cleanroom.client.result import Result

HOME = click.option("--home", type=click.Path(path_type=Path), help="The folder of your company's node, which serves.")
SOCKET = click.option(
    "--socket", type=click.Path(path_type=Path), help="Instead of --home: the node's socket, if it is elsewhere."
)
_OWNER = click.option("--owner", required=True, help="The party whose people are asked about.")
_PRICES = (
    click.option("--epsilon", metavar="E", help="What all of it may cost together; without it, you are told first."),
    click.option(
        "--accuracy",
        metavar="N",
        help="How far noise may move a number, where there is one plan; --epsilon is then the most.",
    ),
)
_WAYS = (
    click.option(
        "--dry-run",
        is_flag=True,
        help="Say what the question would cost, how exact it would be and who must agree. Nothing is asked.",
    ),
    click.option(
        "--guess", type=click.IntRange(min=1), metavar="N", help="With --dry-run: how many people you expect in all."
    ),
    click.option("--again", is_flag=True, help="Ask anew, charged again, where the answer is stored."),
)
CSV = click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path), help="Write the numbers as CSV; `-` for standard output."
)
JSON = click.option(
    "--json",
    "json_file",
    is_flag=False,
    flag_value="-",
    type=click.Path(path_type=Path),
    metavar="[FILE]",
    help="Write it as JSON for programs, to standard output where no file is named.",
)
_FILES = (
    click.option(
        "--report",
        "report_file",
        type=click.Path(path_type=Path),
        help="Write one page with answer, chart, table, cost and receipt, which loads nothing when it is opened.",
    ),
    click.option(
        "--json", "json_file", type=click.Path(path_type=Path), help="Write all of it as JSON; `-` for standard output."
    ),
    CSV,
    click.option(
        "--receipt",
        "receipt_file",
        type=click.Path(path_type=Path),
        help="Write the proof that the answer stands in the room's log; of several answers, FILE.2 and so on as well.",
    ),
    click.option(
        "--files",
        "files_folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Write what the question exports for other programs into this folder, as JSON and Parquet.",
    ),
)


_OF_NAMED = ("--report", "--files")
_NAMED = "belongs to a question that has a name, such as cleanroom ask profile; cleanroom catalogue lists them"


class Plain(click.Command):
    """A plain question; whoever types an option of questions that have a name is told so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As ever, but for such an option."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in _OF_NAMED:
                raise
            raise UsageError(f"{error.option_name} {_NAMED}") from None


class Ask(Plain):
    """`ask` with options is a plain question; with a name first it is that question of the catalogue."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that is meant; raises UsageError for a name that the catalogue lacks."""
        if not args or args[0].startswith("-"):
            return super().make_context(info_name, args, parent, **extra)
        from cleanroom.catalogue.catalogue import find

        entry = find(args[0])
        return entry_command(entry).make_context(f"{info_name} {entry.name}", args[1:], parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As ever; whoever typed the name behind the options is told where it belongs."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "unexpected extra argument" not in error.message:
                raise
            first = "the name of a question comes first, as in cleanroom ask overlap --home FOLDER"
            raise UsageError(f"{error.message.rstrip('.')}: {first}") from None


def entry_command(entry: "Entry") -> click.Command:
    """The command of one question of the catalogue."""

    def run(**typed: Any) -> None:
        ask_entry(entry, **typed)

    command: Any = run
    parameters = tuple(_option(parameter) for parameter in entry.parameters)
    for option in reversed((HOME, SOCKET, _OWNER, *parameters, *_PRICES, *_WAYS, *_FILES)):
        command = option(command)
    says = f"{entry.says}\n\nIt answers, for example: {entry.sentence}"
    return click.command(entry.name, help=says)(command)


def _option(parameter: "Parameter") -> Any:
    says = parameter.says[:1].upper() + parameter.says[1:]
    default = f"; {parameter.default} if left out" if parameter.default else ""
    return click.option(
        f"--{parameter.name.replace('_', '-')}",
        f"parameter_{parameter.name}",
        required=parameter.required,
        multiple=parameter.repeated,
        help=f"{says}{default}{'; may be given many times' if parameter.repeated else ''}.",
    )


def ask_entry(
    entry: "Entry",
    *,
    home: Path | None,
    socket: Path | None,
    owner: str,
    epsilon: str | None,
    accuracy: str | None,
    dry_run: bool,
    guess: int | None,
    again: bool,
    json_file: Path | None,
    csv_file: Path | None,
    receipt_file: Path | None,
    files_folder: Path | None,
    report_file: Path | None,
    **parameters: Any,
) -> None:
    """Ask it, or say what it would cost."""
    from cleanroom.client.room import Room
    from parties.command.ask import check_files, check_guess

    check_files(json_file, receipt_file, csv_file, dry_run=dry_run)
    check_guess(guess, dry_run=dry_run)
    if files_folder is not None and dry_run:
        raise UsageError("--files belongs to an answer: a dry run has none")
    if report_file is not None:
        _check_report(report_file, dry_run=dry_run)
    words = {name.removeprefix("parameter_"): value for name, value in parameters.items()}
    priced: dict[str, Any] = {"owner": owner, "epsilon": epsilon, "accuracy": accuracy, "again": again}
    room = Room(node_of(home, socket))
    if dry_run:
        _show_forecast(room.dry_run(entry.name, guess=guess, **priced, **words), json_file)
        return
    result = room.ask(entry.name, **priced, **words)
    show_result(result, json_file, csv_file, receipt_file)
    if report_file is not None:
        result.report(report_file)
    if files_folder is not None:
        result.write_files(files_folder)


def _check_report(file: Path, *, dry_run: bool) -> None:
    """Refuse what could not be drawn or written before anything is asked; raises UsageError."""
    from cleanroom.client.report_file import check_report

    if dry_run:
        raise UsageError("--report belongs to an answer: a dry run has none")
    try:
        check_report(file)
    except UsageError as error:
        raise UsageError(f"--report: {error}") from None


def node_of(home: Path | None, socket: Path | None) -> Path:
    """Where the node is; raises UsageError unless exactly one was typed."""
    if (home is None) == (socket is None):
        raise UsageError("say where your node is: --home FOLDER or --socket FILE")
    return home or socket or Path()


def _show_forecast(forecast: "Forecast", json_file: Path | None) -> None:
    """As a plain question's dry run: the lines or the JSON, then the refusal as an error."""
    from parties.command.ask import written_json

    if not written_json(dict(forecast.raw), json_file):
        for line in forecast.lines:
            click.echo(line)
    if forecast.refusal is not None:
        raise forecast.refusal


def show_result(result: "Result", json_file: Path | None, csv_file: Path | None, receipt_file: Path | None) -> None:
    """Write what was asked for; a table and sentences unless standard output belongs to a program."""
    from rich.console import Console

    from cleanroom.whole_file import write_output
    from parties.command.ask import written_csv, written_json

    for number, receipt in enumerate(result.receipts, start=1):
        if receipt_file is not None:
            more = "" if number == 1 else f".{number}"
            write_output(receipt_file.with_name(receipt_file.name + more), receipt.file())
    taken = [written_json(result.to_json(), json_file), written_csv(result.sheet, csv_file)]
    if any(taken):
        return
    console = Console(emoji=False)
    for sentence in result.sentences:
        console.print(sentence, markup=False, highlight=False)
    console.print(result.table())
    for note in result.notes():
        console.print(note, markup=False, highlight=False)
