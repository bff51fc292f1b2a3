"""`cleanroom demo`: three shops, one command, the first private answer."""

import time
from pathlib import Path

import click


@click.command(short_help="Make three shops, match them, ask, write a report.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where tables, state, logs and the report go.",
)
@click.option("--serve", "keep", is_flag=True, help="Ask nothing: keep the shops running until Ctrl-C, for you to ask.")
def demo(folder: Path, *, keep: bool) -> None:
    """Make three shops, match them, ask, print the answers and write a report.

    Sportswear, casual wear and bags share customers and no rows. Each runs a node of its own as a process; what they
    learn of each other is what the report says. Everything stays in the folder to be looked at.

    With --serve they wait for your own questions:

    \b
    cleanroom ask overlap --home demo/room.state/parties/sportswear \\
      --owner bags --epsilon 0.25
    """
    from rich.console import Console

    from cleanroom.demo.questions import QUESTIONS
    from cleanroom.demo.shops import write_shops
    from cleanroom.report.answer import read_answer
    from cleanroom.report.document import Section, write_report
    from cleanroom.report.sentence import sentences
    from cleanroom.report.table import answer_table
    from parties.processes import RoomProcesses
    from parties.room_file import read_room_file
    from parties.room_state import RoomState
    from parties.sandbox import SandboxQuestion, ask_room

    if keep:
        from parties.command.serve import serve_until_stopped

        serve_until_stopped(write_shops(folder), None)
        return
    console, started = Console(emoji=False), time.monotonic()

    def progress(text: str) -> None:
        console.print(f"  {text}", style="dim", markup=False, highlight=False)

    console.print("Making three shops", style="bold")
    room = read_room_file(write_shops(folder))
    state = RoomState(room.path.with_suffix(".state"), room)
    sections: list[Section] = []
    with state.locked():
        progress("keys, cards, certificates and the contract")
        state.prepare()
        console.print(f"Starting a coordinator and {len(room.datasets)} nodes", style="bold")
        with RoomProcesses(state) as running:
            for name, process in running.processes.items():
                progress(f"{name}: process {process.pid}, log {process.log}")
            for question in QUESTIONS:
                console.print(f"\n{question.title}", style="bold", markup=False)
                of = question.column if question.quantity == "histogram" else ""
                total = question.column if question.quantity == "sum" else ""
                asked = SandboxQuestion(question.asker, question.owner, question.by, of, total, question.epsilon)
                body = ask_room(state, asked, progress)
                sections.append(Section(question.title, body, question.wording))
                if body["stored"]:
                    progress("this answer is stored: it was asked before, and nothing new was spent")
                answer = read_answer(body)
                console.print(answer_table(answer))
                for sentence in sentences(answer, question.wording):
                    console.print(sentence, markup=False, highlight=False)
    page, data = write_report(folder, "What sportswear learned from its neighbours", sections)
    console.print(f"\nDone in {time.monotonic() - started:.0f} seconds; everything was stopped.", style="bold")
    for what, path in (
        ("report", page),
        ("as JSON", data),
        ("what was planted in the data", folder / "planted.json"),
        ("the coordinator's store and log", state.coordinator_home),
        *((f"{name}: log, ledger, state", state.home(name).path) for name in room.datasets),
    ):
        console.print(f"  {what}: {path}", markup=False, highlight=False, soft_wrap=True)
