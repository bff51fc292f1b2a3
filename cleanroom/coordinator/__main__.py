"""The coordinator's command line: `init` once, `sign` for each party, `card` for their operators, `serve`; new keys."""

import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.end_of_input import HELP, OPTION, stop_at_end_of_input
from cleanroom.errors import CleanroomError
from cleanroom.transport.event_log import EventLog
from cleanroom.whole_file import read_input

HOME = click.option("--home", type=click.Path(path_type=Path), required=True, help="The coordinator's folder.")
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _now() -> datetime:
    return datetime.now(UTC)


def _show_card(home: CoordinatorHome) -> None:
    card = home.card()
    click.echo(f"coordinator of {card.domain} at {card.address}")
    click.echo(f"card        {home.folder / 'card.json'}")
    click.echo(f"fingerprint {card.fingerprint()}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run the coordinator of a clean room: it relays sealed bytes, places masked tags and keeps the log."""


@cli.command()
@HOME
@click.option("--domain", required=True, help="The trust domain, for example room.example.")
@click.option("--address", required=True, help="HOST:PORT under which the parties reach it.")
def init(home: Path, domain: str, address: str) -> None:
    """Create authority, keys, certificate and card."""
    _show_card(CoordinatorHome.create(home, domain, address, now=_now()))


@cli.command()
@HOME
def card(home: Path) -> None:
    """Show where the card is and its fingerprint, to be compared by telephone."""
    _show_card(CoordinatorHome(home))


@cli.command()
@HOME
def renew(home: Path) -> None:
    """Renew the server's own certificate; a running server takes it up by itself."""
    leaf = CoordinatorHome(home).renew(now=_now())
    click.echo(f"valid until {leaf.not_after:%Y-%m-%d}")


@cli.command("rotate-log-key")
@HOME
def rotate_log_key(home: Path) -> None:
    """Make the log's next key and a card that names it, for the next agreement; nothing changes before that.

    Give the new card to every party: `party card trust --replace`. A running coordinator goes on with the old key.
    """
    CoordinatorHome(home).rotate_log_key()
    _show_card(CoordinatorHome(home))
    click.echo(
        "next        every party: cleanroom party card trust card.json FINGERPRINT --replace; then a new agreement"
    )


@cli.command()
@click.argument("request", type=click.Path(path_type=Path))
@HOME
@click.option("--out", type=click.Path(path_type=Path), help="Where the certificate goes; standard output if left out.")
@click.option("--replace", is_flag=True, help="Sign a new key for a name that has one; the old certificate is denied.")
def sign(request: Path, home: Path, out: Path | None, replace: bool) -> None:
    """Sign a party's certificate request. Compare name and key fingerprint with the company first."""
    peer, fingerprint, certificate = CoordinatorHome(home).sign(read_input(request), replace=replace, now=_now())
    click.echo(f"{peer.role} {peer.name}", err=True)
    click.echo(f"key fingerprint {fingerprint}", err=True)
    if out is None:
        click.echo(certificate.decode("ascii"), nl=False)
    else:
        out.write_bytes(certificate)
        click.echo(f"certificate {out}", err=True)


@cli.command()
@HOME
@click.option(
    "--contract", type=click.Path(path_type=Path), required=True, help="The agreement, signed by all parties."
)
@click.option("--listen", help="HOST:PORT to listen on, port 0 for any; the card's address if left out.")
@click.option("--port-file", type=click.Path(path_type=Path), help="The port is written here once it is bound.")
@click.option(OPTION, "with_input", is_flag=True, help=HELP)
def serve(home: Path, contract: Path, listen: str | None, port_file: Path | None, *, with_input: bool) -> None:
    """Serve one room until SIGTERM or SIGINT. Prints `ready` when healthy; the log goes to standard error."""
    # Blocked here, before a library starts its threads, and so in every thread: a handler would run only when the main
    # thread wakes, and nothing wakes it when the system has given the signal to a thread of the library.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    from cleanroom.coordinator.room_server import RoomServer  # grpc reads its environment when loaded
    from cleanroom.crypto.placement import place
    from cleanroom.question.agreement import in_force

    # Calls of one party wait for the interpreter behind calls of the others; at the default of 5 ms they notice.
    sys.setswitchinterval(0.001)
    if with_input:
        stop_at_end_of_input()
    log, coordinator_home = EventLog(), CoordinatorHome(home)
    warning = coordinator_home.leaf().warning(_now())
    if warning is not None:
        log.event("certificate", note=warning)
    with coordinator_home.locked():
        room = RoomServer(
            coordinator_home,
            in_force(read_input(contract)).contract,
            place=place,
            now=_now,
            log=log,
            failed=lambda: os.kill(os.getpid(), signal.SIGTERM),
        )
        port = room.start(listen or coordinator_home.card().address)
        if port_file is not None:
            draft = port_file.with_name(f"{port_file.name}.draft")
            draft.write_text(f"{port}\n", encoding="ascii")
            draft.replace(port_file)
        log.event("serving", port=port)
        click.echo("ready")
        sys.stdout.flush()
        signal.sigwait(_STOP_SIGNALS)
        log.event("stopping")
        room.stop()
        log.event("stopped")
    if room.failure is not None:
        raise room.failure


def main() -> NoReturn:
    """Run the command line; our own errors become one line and exit status 1."""
    os.umask(0o077)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the library's own lines name peers and are not in our format
    logging.getLogger("grpc").addHandler(logging.NullHandler())
    logging.getLogger("grpc").propagate = False
    try:
        cli(standalone_mode=False, prog_name="cleanroom coordinator")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    except CleanroomError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
