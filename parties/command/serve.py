"""`cleanroom serve`: a whole room on this machine, kept running until Ctrl-C."""

import signal
import threading
from functools import partial
from pathlib import Path

import click


@click.command(short_help="Keep a room of your own files running until Ctrl-C.")
@click.argument("room_file", metavar="ROOM.toml", type=click.Path(path_type=Path))
@click.option(
    "--state", type=click.Path(path_type=Path), help="Keys, ledgers, matches, answers; ROOM.state/ if left out."
)
def serve(room_file: Path, state: Path | None) -> None:
    """Run a whole room on this machine over the files that ROOM.toml names, until Ctrl-C.

    Coordinator and nodes run as separate processes, as they would at different companies. Once `ready` is printed, ask
    in another terminal: cleanroom ask --home FOLDER, with a folder that was named here. To ask one question and stop,
    there is `cleanroom sandbox`. For companies on machines of their own: `cleanroom party serve`.
    """
    serve_until_stopped(room_file, state)


def serve_until_stopped(room_file: Path, state: Path | None) -> None:
    """Serve until SIGTERM or SIGINT, which end it without an error."""
    from parties.served_room import serve_room

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serve_room(room_file, state, say=click.echo, warn=partial(click.echo, err=True), stopped=stopped)
    click.echo("stopped")
