"""`cleanroom room status | pause | close | resume`: stopping is one party's word, going on takes everybody's."""

import time
from contextlib import suppress
from pathlib import Path

import click

from cleanroom.errors import CleanroomError, UsageError
from cleanroom.question.contract import Contract
from cleanroom.question.resumption import Resumption, parse_resumption, start_resumption
from cleanroom.question.stop import CLOSED, PAUSED, Stop
from cleanroom.report.agreement_words import ROOM, terms
from cleanroom.report.visible import visible
from cleanroom.whole_file import read_input, replace_file
from parties.agreeing import agreement_in_force, names, written_at
from parties.beside import desk_beside
from parties.command.party import HOME
from parties.home import Home
from parties.room_life import log_at_home, resume_at_home, stop_at_door, stop_at_home

REASON = click.option("--reason", required=True, help="Why, in one line; the other parties are shown it.")
HOME_OR_DOOR = click.option("--home", type=click.Path(path_type=Path), help="The node's folder.")
DOOR = click.option(
    "--socket",
    type=click.Path(path_type=Path),
    help="Instead of --home: the serving node's socket, if you are another user.",
)
_WORDS = {PAUSED: "paused", CLOSED: "closed"}


def _stops(home: Home) -> list[Stop]:
    with desk_beside(home, agreement_in_force(home), time.time) as desk:
        return desk.stops.standing_stops()


def _line(stop: Stop) -> str:
    return f"{_WORDS[stop.kind]} by {stop.by}, {stop.at}: {stop.reason}"


def _stop(how: str, home: Path | None, socket: Path | None, reason: str) -> None:
    if home is not None and socket is None:
        stop_at_home(Home(home), how, reason, clock=time.time)
    elif socket is not None and home is None:
        stop_at_door(socket, how, reason)
    else:
        raise UsageError("say where your node is: --home FOLDER or --socket FILE")


def _log(home: Home) -> str:
    try:
        return log_at_home(home, clock=time.time)
    except CleanroomError as error:
        return f"not known: {error}"


@click.command()
@HOME
def status(home: Path) -> None:
    """Say which agreement is in force here, who signed it, whether the room is open, paused or closed, and, when a
    node serves, who has not cosigned its log since when."""
    folder = Home(home)
    agreement = agreement_in_force(folder)
    click.echo(f"room      {agreement.contract.room}, in force at {home}")
    click.echo(f"hash      {agreement.hash}")
    for name in sorted(agreement.signatures):
        click.echo(f"signed    {name}, {agreement.signed_at(name)}")
    for term in terms(agreement.contract):
        if (term.place, term.name) == (ROOM, "validity"):
            click.echo(f"validity  {term.says}")
    stops = _stops(folder)
    for stop in stops:
        click.echo(f"standing  {_line(stop)}")
    if not stops:
        click.echo("standing  open")
    elif stops[0].kind == PAUSED:
        click.echo(f"missing   {_lacking(folder, agreement.contract, stops)}")
    if line := _log(folder):
        click.echo(visible(f"log       {line}"))


def _lacking(home: Home, contract: Contract, stops: list[Stop]) -> str:
    """Which signatures a resumption lacks, as far as this home knows."""
    everybody = names(tuple(sorted(contract.cards)))
    known = _known(home, contract, stops)
    if known is not None:
        return f"{names(known.missing)}: on the resumption that was signed here last"
    return f"a resumption needs the signatures of {everybody}: cleanroom room resume --home {home.path}"


def _known(home: Home, contract: Contract, stops: list[Stop]) -> Resumption | None:
    """The resumption that was signed here last, if it lifts all that stands; others may have signed it."""
    with suppress(CleanroomError, OSError):  # none was signed here, or one for other terms
        known = parse_resumption(home.resumption_file.read_bytes(), contract)
        if stops and {stop.digest for stop in stops} <= set(known.lifts):
            return known
    return None


@click.command()
@HOME_OR_DOOR
@DOOR
@REASON
def pause(home: Path | None, socket: Path | None, reason: str) -> None:
    """Pause the room at once, alone: this node answers and asks nothing until all parties have signed a resumption."""
    _stop("pause", home, socket, reason)
    click.echo("paused    nothing is answered or asked here from now on; the other parties are told")
    click.echo("next      to go on, all parties sign: cleanroom room resume --home HOME")


@click.command()
@HOME_OR_DOOR
@DOOR
@REASON
def close(home: Path | None, socket: Path | None, reason: str) -> None:
    """Close the room for good, alone: this node never answers or asks in it again."""
    _stop("close", home, socket, reason)
    click.echo("closed    nothing is answered or asked here any more; the other parties are told")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@HOME
@click.option("--out", type=click.Path(path_type=Path), help="Where a new resumption goes; the home if left out.")
def resume(file: Path | None, home: Path, out: Path | None) -> None:
    """Sign that the present pauses are lifted; when all parties have signed, the room goes on here.

    Without FILE a resumption is started, or the one gone on with that was signed here last, if it lifts all that
    stands. It goes to the others by hand, each runs this on it, and once more when it is complete. A pause that is said
    later is not lifted by it.
    """
    if file is not None and out is not None:
        raise UsageError(f"--out is for a new resumption, and {file} is signed where it is; leave one of the two out")
    folder = Home(home)
    agreement = agreement_in_force(folder)
    stops = _stops(folder)
    if stops and stops[0].kind == CLOSED:
        raise UsageError(f"the room was {_line(stops[0])}; agree on a room under another name")
    if file is None:
        target = out or folder.resumption_file
        if target.exists() and out is not None:
            raise UsageError(f"{target} is there already, and others may have signed it; choose another --out")
        resumption = _known(folder, agreement.contract, stops) or start_resumption(agreement.contract, stops)
    else:
        target, resumption = file, parse_resumption(read_input(file), agreement.contract)
        _check_covers(resumption, stops)
    signed = resumption.signed(folder.card().name, folder.keys().identity, at=written_at())
    if signed != resumption or file is None:
        replace_file(target, signed.file_bytes())
    replace_file(folder.resumption_file, signed.file_bytes())
    for lifted in signed.pauses:
        click.echo(f"lifts     {_line(lifted)}")
    for name in sorted(signed.signatures):
        click.echo(f"signed    {name}, {signed.signed_at(name)}")
    if not signed.complete:
        click.echo(f"missing   {names(signed.missing)}")
        click.echo(f"next      carry {target} there: cleanroom room resume {target.name} --home HOME")
        return
    if resume_at_home(folder, signed.file_bytes(), clock=time.time):
        click.echo(f"resumed   at {home}")
    else:
        click.echo("resumed   long ago: nothing was lifted by it now")
    for stop in _stops(folder):
        click.echo(f"standing  {_line(stop)}")
    click.echo(f"next      it is in force at the others when they run: cleanroom room resume {target.name} --home HOME")


def _check_covers(resumption: Resumption, stops: list[Stop]) -> None:
    """What is not complete must lift everything that stands here, or signing it would be for nothing."""
    for stop in stops:
        if stop.digest not in resumption.lifts and not resumption.complete:
            raise UsageError(
                f"this resumption does not lift what was {_line(stop)};"
                " start another: cleanroom room resume --home HOME"
            )
