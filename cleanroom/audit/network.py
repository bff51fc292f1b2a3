"""`cleanroom audit fetch` and `cosign`: the two commands that talk to the coordinator, by the auditor's certificate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanroom.audit.home import AuditorHome
from cleanroom.audit.options import AGREEMENTS, HOME
from cleanroom.errors import UsageError
from cleanroom.transparency.outcome import AuditFailure, Outcome

if TYPE_CHECKING:
    from cleanroom.audit.given import Terms
    from cleanroom.transport.client import CoordinatorClient

_AGREEMENT = click.option(
    "--agreement", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The agreement in force."
)
_ADDRESS = click.option("--address", metavar="HOST:PORT", help="Of the coordinator; its card's if left out.")


def _client(home: AuditorHome, terms: "Terms", address: str | None) -> "CoordinatorClient":
    from cleanroom.transport.client import CoordinatorClient
    from cleanroom.wire.contract_file import contract_hash

    contract, name = terms.in_force, home.name()
    if name not in contract.auditors:
        raise UsageError(f"the agreement of room {contract.room} names no auditor {name}; ask for the log as a folder")
    key, certificate = home.tls_pair()
    return CoordinatorClient(
        contract, contract_hash(contract), name, key_pem=key, certificate_pem=certificate, address=address
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@AGREEMENTS
@HOME
@_ADDRESS
def fetch(folder: Path, agreements: tuple[Path, ...], home: Path, address: str | None) -> None:
    """Copy the log into FOLDER, or what is new of it into an earlier copy (with the agreement of then as well).

    Exit status as of `verify`; a copy whose newest head lacks cosigners is kept, with status 4.
    """
    from cleanroom.audit.checked import with_evidence
    from cleanroom.audit.copying import copy_log
    from cleanroom.audit.given import read_terms

    if not agreements:
        raise UsageError("whose log it is stands in the agreement in force: --agreement FILE")
    terms = read_terms(agreements)
    client = _client(AuditorHome(home), terms, address)
    try:
        done = copy_log(folder, client, terms.policy, former_keys=terms.former_keys)
    except AuditFailure as failure:
        raise with_evidence(failure, folder) from failure
    finally:
        client.close()
    click.echo(f"{folder}: {done.size} entries, {done.size - done.before} of them new")
    if not done.has_quorum:
        raise AuditFailure(Outcome.TOO_FEW_COSIGNERS, "no head is cosigned by the quorum yet; fetch again later")


@click.command()
@HOME
@_AGREEMENT
@_ADDRESS
def cosign(home: Path, agreement: Path, address: str | None) -> None:
    """Cosign the log until SIGTERM: every head that continues what this folder saw before, and no other.

    Prints `ready` when it runs. It keeps every entry of the log in the folder; what it signs says that the log only
    grew, not that what the entries state is true.
    """
    from cleanroom.audit.cosigning import run
    from cleanroom.audit.given import read_terms

    folder, terms = AuditorHome(home), read_terms([agreement])
    sys.exit(run(folder, terms, lambda: _client(folder, terms, address)))
