"""`cleanroom audit init`, `renew` and `accept`: an auditor's keys, card and certificate."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cleanroom.audit.home import AuditorHome
from cleanroom.audit.options import HOME
from cleanroom.ids import party_name
from cleanroom.whole_file import read_input


@click.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Your new folder.")
@click.option("--domain", help="The room's trust domain; without it, no request for a certificate is made.")
@click.option("--optional", is_flag=True, help="The card says that answers need not wait for your cosignature.")
def init(name: str, out: Path, domain: str | None, optional: bool) -> None:
    """Create keys, card and certificate request for the auditor NAME."""
    home = AuditorHome(out)
    fingerprint = home.create(party_name(name), required=not optional)
    click.echo(f"card        {home.card_file}  (whoever proposes the room puts it into the room file)")
    click.echo(f"fingerprint {fingerprint}  (read it out to every party before they sign)")
    if domain is None:
        click.echo("no request  without --domain; to fetch or cosign later: cleanroom audit renew --domain DOMAIN")
    else:
        _request(home, domain)
    click.echo("then        ask any party for the signed agreement; it says whose signatures the log needs")


@click.command()
@HOME
@click.option("--domain", required=True, help="The room's trust domain.")
def renew(home: Path, domain: str) -> None:
    """Create the next TLS key and its certificate request; the present one goes on until `accept`."""
    _request(AuditorHome(home), domain)


def _request(home: AuditorHome, domain: str) -> None:
    from cleanroom.transport.enrolment import KEY_FILE, request_certificate, request_renewal
    from cleanroom.transport.requests import key_fingerprint, read_request

    make = request_renewal if (home.tls_folder / KEY_FILE).exists() else request_certificate
    home.request_file.write_bytes(make(home.tls_folder, home.name(), domain, role="auditor"))
    _, key = read_request(home.request_file.read_bytes(), domain)
    click.echo(f"request     {home.request_file}  (have the coordinator's operator sign it)")
    click.echo(f"key         {key_fingerprint(key)}  (read it out to whoever signs)")
    click.echo(f"            then: cleanroom audit accept CERTIFICATE --home {home.path} --agreement FILE")


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@HOME
@click.option(
    "--agreement",
    type=click.Path(path_type=Path),
    required=True,
    help="It holds the coordinator's card.",
)
def accept(certificate: Path, home: Path, agreement: Path) -> None:
    """Put a certificate into use that the coordinator signed for your request."""
    from cleanroom.audit.given import read_terms
    from cleanroom.transport.enrolment import accept_certificate

    folder, card = AuditorHome(home), read_terms([agreement]).in_force.coordinator
    leaf = accept_certificate(
        folder.tls_folder, folder.name(), read_input(certificate), card, now=datetime.now(UTC), role="auditor"
    )
    click.echo(f"valid until {leaf.not_after:%Y-%m-%d}")
