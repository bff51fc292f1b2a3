"""`cleanroom audit verify`: does this log, or this receipt, hold? Offline, by public keys alone."""

import time
from pathlib import Path

import click

from cleanroom.audit.checked import summary, uncounted, verified
from cleanroom.audit.former import tied
from cleanroom.audit.options import AGREEMENTS, FORMER, KEPT, LOG_FOLDER
from cleanroom.errors import UsageError
from cleanroom.report.visible import visible
from cleanroom.transparency.hashes import MAX_ENTRY_BYTES
from cleanroom.transparency.head import Freshness
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import NOBODY, Policy
from cleanroom.transparency.proof_file import MAX_PROOF_BYTES, parse_proof, verify_proof
from cleanroom.whole_file import read_input


@click.command()
@LOG_FOLDER
@AGREEMENTS
@click.option("--vkey", "vkeys", multiple=True, metavar="VKEY", help="The log's verifier key, instead of an agreement.")
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), help="A C2SP policy file, instead of an agreement."
)
@KEPT
@FORMER
@click.option("--max-age", help="How old the quorum's newest word may be: 90s, 15m, 12h, 7d.")
@click.option(
    "--entry",
    type=click.Path(path_type=Path),
    help="For a receipt that does not hold its entry: the entry's bytes.",
)
def verify(
    log: Path,
    agreements: tuple[Path, ...],
    vkeys: tuple[str, ...],
    policy_file: Path | None,
    kept: tuple[Path, ...],
    former: tuple[Path, ...],
    max_age: str | None,
    entry: Path | None,
) -> None:
    """Verify the log in the folder LOG, or the receipt in the file LOG.

    Exit status: 0 it holds, 1 it does not (the first wrong file and entry are named), 2 wrong usage, 3 too old, 4 too
    few cosigners, 5 the log showed two histories (both signed notes are written beside LOG).
    """
    from cleanroom.audit.given import age_seconds, read_kept, read_policy, read_terms

    if bool(agreements) == bool(vkeys or policy_file):
        raise UsageError("say by whose keys: --agreement FILE, or else --policy FILE, --vkey VKEY, or both of these")
    if former and not agreements:
        raise UsageError("what a log goes on from stands in the agreement: --agreement FILE")
    terms = read_terms(agreements) if agreements else None
    policy = terms.policy if terms is not None else read_policy(policy_file, vkeys)
    freshness = Freshness(int(time.time()), age_seconds(max_age)) if max_age else None
    if log.is_file():
        _receipt(log, policy, freshness, entry)
        return
    former_keys = terms.former_keys if terms is not None else ()
    found = verified(log, policy, kept=read_kept(kept), freshness=freshness, former_keys=former_keys)
    tie = tied(found.contents.entries, terms, former).lines if terms is not None else ()
    for line in (*summary(found), *tie):
        click.echo(visible(line))
    _last_word(policy)


def _receipt(file: Path, policy: Policy, freshness: Freshness | None, entry_file: Path | None) -> None:
    data = read_input(file, MAX_PROOF_BYTES)
    index, head = verify_proof(data, _entry(file, data, entry_file), policy, freshness)
    click.echo(visible(f"log       {head.checkpoint.origin}"))
    click.echo(f"entry     {index} of {head.checkpoint.size} is the one in this receipt")
    click.echo(visible(f"cosigned  {', '.join(sorted(head.cosigned_at)) or 'nobody'}"))
    if head.unknown:
        click.echo(visible(uncounted(head)))
    _last_word(policy)


def _entry(file: Path, data: bytes, entry_file: Path | None) -> bytes:
    """The entry: from its own file, from the receipt's extra line, or from the file that `prove` puts beside it."""
    if entry_file is not None:
        return read_input(entry_file, MAX_ENTRY_BYTES)
    extra = parse_proof_or_fail(data)
    if extra is not None:
        return extra
    beside = file.with_suffix(".entry")
    if not beside.exists():
        raise UsageError(f"{file} does not hold its entry; give the entry's bytes: --entry FILE")
    return read_input(beside, MAX_ENTRY_BYTES)


def parse_proof_or_fail(data: bytes) -> bytes | None:
    """A receipt's extra line; raises AuditFailure for what is no receipt."""
    from cleanroom.errors import PeerError

    try:
        return parse_proof(data).extra
    except PeerError as error:
        raise AuditFailure(Outcome.INVALID, str(error), path="receipt") from error


def _last_word(policy: Policy) -> None:
    if policy.quorum == NOBODY:
        click.echo("it holds by the log's own word; no cosigner was asked for, so a second history is not excluded")
    else:
        click.echo(f"it holds, by the log and the quorum {policy.quorum.name}")
