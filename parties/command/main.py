"""`cleanroom`: the command line of operators and data teams.

Every failure is one line on standard error and a non-zero exit status; nothing is left half-done. Status 3 says that a
question waits for another company's approver.
"""

import logging
import os
import signal
import sys
from typing import NoReturn

import click

from cleanroom.errors import CleanroomError, PendingError
from parties.command.approvals import approvals
from parties.command.ask import ask
from parties.command.catalogue import catalogue
from parties.command.demo import demo
from parties.command.ledger import ledger
from parties.command.look import budget, settings
from parties.command.party import party
from parties.command.room import room
from parties.command.sandbox import sandbox
from parties.command.serve import serve

PENDING_STATUS = 3
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="cleanroom")
def cli() -> None:
    """Match audiences with other companies without showing anybody a row.

    Each company runs a party node; a coordinator relays sealed bytes; answers carry noise that the owner of the data
    adds and charges to its own ledger. Start with `cleanroom demo`, then try your own files with `cleanroom sandbox`.
    """


def _become(program: str, arguments: tuple[str, ...]) -> NoReturn:
    """Another program of ours in the place of this one."""
    words = [sys.executable, "-m", program, *(arguments or ("--help",))]
    os.execv(sys.executable, words)  # noqa: S606 # our own interpreter and module, no shell


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Run the coordinator: init, sign, serve.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def coordinator(arguments: tuple[str, ...]) -> NoReturn:
    """The coordinator is a program of its own that never loads a party's code; this starts it."""
    _become("cleanroom.coordinator", arguments)


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Audit a room from its log.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def audit(arguments: tuple[str, ...]) -> NoReturn:
    """The auditor's program is one of its own as well: it loads neither a party's code nor the coordinator's."""
    _become("cleanroom.audit", arguments)


for below in (ledger, approvals):
    party.add_command(below)
for command in (demo, sandbox, serve, ask, catalogue, settings, budget, party, room):
    cli.add_command(command)


def notes_of(error: BaseException) -> tuple[str, ...]:
    """What is to be said beside an error, such as what had been spent by then.

    Of Ctrl-C the library that reads the command line makes an error of its own.
    """
    said = error.__cause__ if isinstance(error, click.Abort) else error
    return tuple(getattr(said, "__notes__", ()))


def main() -> NoReturn:
    """Run the command line; our own errors become one line and exit status 1, wrong usage status 2."""
    os.umask(0o077)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the library's own lines name peers and are not in our format
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped as well
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as stopped:
        click.echo("; ".join(("stopped", *notes_of(stopped))), err=True)
        sys.exit(1)
    except PendingError as pending:
        click.echo(f"pending: {pending}", err=True)
        sys.exit(PENDING_STATUS)
    except CleanroomError as error:
        click.echo("; ".join((f"error: {error}", *notes_of(error))), err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"error: {error.filename or 'this machine'}: {error.strerror or error}", err=True)
        sys.exit(1)
    sys.exit(0)
