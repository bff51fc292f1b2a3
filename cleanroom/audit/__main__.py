"""The auditor's command line. Exit status as in `audit verify`: 0, 1, 3, 4 and 5 about the log, 2 for wrong usage."""

import os
import sys
from typing import NoReturn

import click

from cleanroom.audit.enrol import accept, init, renew
from cleanroom.audit.network import cosign, fetch
from cleanroom.audit.prove import prove
from cleanroom.audit.replay import replay
from cleanroom.audit.show import show
from cleanroom.audit.verify import verify
from cleanroom.errors import CleanroomError, UsageError
from cleanroom.report.visible import visible
from cleanroom.transparency.outcome import AuditFailure


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Audit a clean room from a copy of its log: who asked what, what it cost, and whether anything was changed.

    You need the log's folder (from the coordinator's operator, or by `fetch`) and the room's signed agreement (from any
    party). Everything but `fetch` and `cosign` works offline.
    """


for _command in (init, renew, accept, fetch, verify, show, replay, prove, cosign):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the command line; every failure is one line, and its exit status says of which kind it is."""
    os.umask(0o077)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the library's own lines name peers and are not in our format
    try:
        cli(standalone_mode=False, prog_name="cleanroom audit")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(1)
    except AuditFailure as failure:
        _fail(str(failure), failure.outcome)
    except UsageError as error:
        _fail(str(error), 2)
    except CleanroomError as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.filename or 'this machine'}: {error.strerror or error}", 2)
    sys.exit(0)


def _fail(text: str, status: int) -> NoReturn:
    click.echo(f"error: {visible(text)}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
