"""`cleanroom party`: a company's node, from keys to serving."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import click

from cleanroom.crypto.key_files import private_folder
from cleanroom.end_of_input import HELP, OPTION, stop_at_end_of_input
from cleanroom.ids import party_name
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.whole_file import read_input
from parties.home import Home

HOME = click.option(
    "--home", type=click.Path(path_type=Path), required=True, help="The node's folder: keys, contract, state."
)


@click.group(short_help="Run a company's node, from keys to ledger.")
def party() -> None:
    """Run a company's node: `init`, have the request signed, trust cards, `room sign`, `check`, `serve`."""


@party.command()
@click.argument("name")
@HOME
@click.option("--domain", required=True, help="The room's trust domain, as on the coordinator's card.")
def init(name: str, home: Path, domain: str) -> None:
    """Create keys, card and certificate request for the company NAME."""
    from cleanroom.transport.enrolment import request_certificate

    folder = Home(home)
    card = folder.create(party_name(name))
    request = home / "request.csr"
    request.write_bytes(request_certificate(folder.tls_folder, card.name, domain))
    _show_request(request, domain)
    click.echo(f"card        {folder.card_file}  (give it to every partner and to nobody through the coordinator)")
    click.echo(f"fingerprint {card.fingerprint()}  (read it out to them)")


def _show_request(request: Path, domain: str) -> None:
    from cleanroom.transport.requests import key_fingerprint, read_request

    _, key = read_request(request.read_bytes(), domain)
    click.echo(f"request     {request}  (have the coordinator sign it, then: cleanroom party accept CERTIFICATE)")
    click.echo(f"key         {key_fingerprint(key)}  (read it out to whoever signs)")


@party.command()
@HOME
@click.option("--domain", required=True, help="The room's trust domain.")
def renew(home: Path, domain: str) -> None:
    """Create the next TLS key and its certificate request; the present one goes on until `accept`."""
    from cleanroom.transport.enrolment import request_renewal

    folder = Home(home)
    request = home / "request.csr"
    request.write_bytes(request_renewal(folder.tls_folder, folder.card().name, domain))
    _show_request(request, domain)


@party.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@HOME
def accept(certificate: Path, home: Path) -> None:
    """Put a certificate into use that the coordinator signed for this node's request."""
    from cleanroom.transport.enrolment import accept_certificate

    folder, now = Home(home), datetime.now(UTC)
    leaf = accept_certificate(
        folder.tls_folder, folder.card().name, read_input(certificate), folder.coordinator(), now=now
    )
    click.echo(f"valid until {leaf.not_after:%Y-%m-%d}")


@party.group()
def card() -> None:
    """Cards: the public keys that companies exchange by hand."""


@card.command("show")
@HOME
@click.argument("file", type=click.Path(path_type=Path), required=False)
def show_card(home: Path, file: Path | None) -> None:
    """Show this company's card, or the one in FILE, with its fingerprint."""
    data = read_input(file) if file else Home(home).card_file.read_bytes()
    shown = _card(data)
    click.echo(f"{'coordinator' if isinstance(shown, CoordinatorCard) else shown.name}  {shown.fingerprint()}")


def _card(data: bytes) -> PartyCard | CoordinatorCard:
    from cleanroom.querylog.dsse import peek_statement

    if peek_statement(data).get("kind") == "coordinator-card":
        return CoordinatorCard.from_file(data)
    return PartyCard.from_file(data)


@card.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("fingerprint")
@HOME
@click.option("--replace", is_flag=True, help="It has new keys: what is proposed and signed from now on has this card.")
def trust(file: Path, fingerprint: str, home: Path, replace: bool) -> None:
    """Trust the card in FILE after its owner read the same FINGERPRINT to you on another channel."""
    click.echo(f"trusted: {Home(home).trust(_card(read_input(file)), fingerprint, is_new=replace)}")


@card.command("rotate")
@HOME
@click.option("--all", "everything", is_flag=True, help="Identity and sealing key as well: for a room of another name.")
def rotate_card(home: Path, everything: bool) -> None:
    """Make a new cosigning key and a card that names it, for the next agreement; nothing changes before that."""
    folder = Home(home)
    shown = folder.rotate_keys(everything=everything)
    click.echo(f"card        {folder.card_file}  (give it to every partner, who trusts it with --replace)")
    click.echo(f"fingerprint {shown.fingerprint()}  (read it out to them)")


@party.command()
@HOME
def check(home: Path) -> None:
    """Read the table as a match would, and say what was found: for this company's operator only.

    Nothing is kept, so this can be run beside a serving node; a changed table is taken up at the next `serve`.
    """
    from cleanroom.match.handshake import most_people
    from parties.agreeing import agreement_in_force
    from parties.people import examine_table
    from parties.settings import read_settings

    folder = Home(home)
    folder.keys()
    name = folder.card().name
    agreement, settings = agreement_in_force(folder), read_settings(folder.settings_file)
    contract = agreement.contract
    work = private_folder(home / "work")
    _, report = examine_table(contract, name, settings.source, work_directory=work)
    click.echo(f"room {contract.room}, agreement {agreement.hash}")
    click.echo(f"room for {most_people(contract, name)} people within the agreed capacity")
    for line in report.lines():
        click.echo(line)
    warning = _certificate_warning(Home(home))
    if warning:
        click.echo(warning)


def _certificate_warning(folder: Home) -> str | None:
    from cleanroom.transport.certificates import read_leaf
    from cleanroom.transport.enrolment import CERTIFICATE_FILE

    certificate = folder.tls_folder / CERTIFICATE_FILE
    if not certificate.exists():
        return f"no certificate yet: have {folder.path / 'request.csr'} signed by the coordinator"
    return read_leaf(certificate.read_bytes(), folder.coordinator().domain).warning(datetime.now(UTC))


@party.command("serve")
@HOME
@click.option(OPTION, "with_input", is_flag=True, help=HELP)
def serve_command(home: Path, *, with_input: bool) -> None:
    """Run the node until it is told to stop (SIGTERM). It listens on nothing but the socket in its folder."""
    from parties.serve import serve

    if with_input:
        stop_at_end_of_input()
    logging.getLogger().setLevel(logging.INFO)
    warning = _certificate_warning(Home(home))
    if warning:
        click.echo(warning, err=True)
    serve(home)
