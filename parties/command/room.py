"""`cleanroom room`: the agreement as a file that goes from one company to the next, and what is in force here."""

import os
from pathlib import Path

import click

from cleanroom.errors import UsageError
from cleanroom.question.agreement import Agreement, parse_agreement
from cleanroom.report.agreement_words import changes, lines
from cleanroom.whole_file import read_input, replace_file
from parties.agreeing import (
    OTHER_ORDER,
    agreement_in_force,
    check_before_signing,
    contract_of,
    names,
    put_in_force,
    settle,
    sign,
)
from parties.command.log_heads import heads
from parties.command.party import HOME
from parties.command.standing import close, pause, resume, status
from parties.home import Home
from parties.room_file import RoomFile, read_room_file

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group(short_help="Agree on a room, see it, stop it and go on.")
def room() -> None:
    """The room's agreement: `propose`, `show`, `diff`, `sign`; and its life: `status`, `pause`, `resume`, `close`.

    One company proposes, the file goes to the others by hand, each signs it; when all have, each runs `sign` once more
    and it is in force there. Changing a term, and lifting a pause, needs every signature again.
    """


@room.command()
@click.argument("room_file", metavar="ROOM.toml", type=click.Path(path_type=Path))
@HOME
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the agreement goes.")
def propose(room_file: Path, home: Path, out: Path) -> None:
    """Make the agreement of ROOM.toml between the companies whose cards this node trusts, and sign it first.

    Also writes settings.toml (`source`, and this user as asker, approver and operator) if there is none yet.
    """
    if out.exists():
        raise UsageError(f"{out} is there already, and others may have signed it; choose another --out")
    folder, terms = Home(home), read_room_file(room_file)
    agreement = Agreement(contract_of(terms, folder), {})
    check_before_signing(agreement, folder, terms)
    settle(folder, terms, _user_name())
    signed = sign(agreement, folder)
    replace_file(out, signed.file_bytes())
    click.echo(f"agreement {out}")
    _show_signatures(signed)
    click.echo(f"next      carry it to {names(signed.missing)}: cleanroom room sign {out.name} --home HOME")


@room.command("sign")
@FILE
@HOME
@click.option(
    "--room",
    "room_file",
    metavar="ROOM.toml",
    type=click.Path(path_type=Path),
    help="Your own room file: the agreement must say what it says; `source` in it becomes settings.toml.",
)
def sign_command(file: Path, home: Path, room_file: Path | None) -> None:
    """Sign the agreement in FILE for this company; put it in force here when all parties have signed.

    Refused when the table that this node is to read is not there, or when a card in it is not one that was trusted here
    by hand. Run again at any time: a complete agreement is put in force.
    """
    folder = Home(home)
    terms: RoomFile | None = read_room_file(room_file) if room_file is not None else None
    agreement = parse_agreement(read_input(file))
    check_before_signing(agreement, folder, terms)
    settle(folder, terms, _user_name())
    signed = sign(agreement, folder)
    if signed != agreement:
        replace_file(file, signed.file_bytes())
    _show_signatures(signed)
    if not signed.complete:
        click.echo(f"next      carry it to {names(signed.missing)}: cleanroom room sign {file.name} --home HOME")
        return
    put_in_force(signed, folder)
    click.echo(f"in force  at {home}")
    click.echo(f"next      it is in force at the others when they run: cleanroom room sign {file.name} --home HOME")
    with folder.if_unlocked() as free:
        if not free:
            click.echo("next      restart the node: it serves under the former agreement until then")


def _show_signatures(agreement: Agreement) -> None:
    click.echo(f"hash      {agreement.hash}")
    for name in sorted(agreement.signatures):
        click.echo(f"signed    {name}, {agreement.signed_at(name)}")
    if agreement.missing:
        click.echo(f"missing   {names(agreement.missing)}")


@room.command()
@FILE
def show(file: Path) -> None:
    """Say what the agreement in FILE (or of the home FILE) says, in words, and who has signed it."""
    agreement = parse_agreement(read_input(Home(file).agreement_file if file.is_dir() else file))
    for line in lines(agreement.contract):
        click.echo(line)
    click.echo()
    _show_signatures(agreement)


@room.command()
@FILE
@HOME
def diff(file: Path, home: Path) -> None:
    """Say what the agreement in FILE changes against the one in force at this home, term by term."""
    new, old = parse_agreement(read_input(file)), agreement_in_force(Home(home))
    if new.hash == old.hash:
        click.echo("nothing changes: it is the agreement in force")
        return
    for change in changes(old.contract, new.contract) or [OTHER_ORDER]:
        click.echo(change)
    _show_signatures(new)


for command in (status, pause, resume, close, heads):
    room.add_command(command)


def _user_name() -> str:
    return os.environ.get("USER") or f"user-{os.getuid()}"
