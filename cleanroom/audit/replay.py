"""`cleanroom audit replay`: every budget added up again, and held against caps, prices and the nodes' ledger heads."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanroom.audit.checked import summary, verified
from cleanroom.audit.former import tied
from cleanroom.audit.options import AGREEMENTS, FORMER, KEPT, LOG_FOLDER
from cleanroom.errors import CleanroomError, UsageError
from cleanroom.report.visible import visible
from cleanroom.transparency.outcome import Outcome
from cleanroom.whole_file import read_input

if TYPE_CHECKING:
    from cleanroom.audit.given import Terms
    from cleanroom.querylog.recount import Account, SignedHead


@click.command()
@LOG_FOLDER
@AGREEMENTS
@KEPT
@FORMER
@click.option(
    "--ledger-head",
    "heads",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="What a node signed about its ledger: `cleanroom party ledger head`; may be repeated.",
)
def replay(
    log: Path, agreements: tuple[Path, ...], kept: tuple[Path, ...], former: tuple[Path, ...], heads: tuple[Path, ...]
) -> None:
    """Add every budget up again from the entries in the folder LOG.

    Exit status 0 when everything adds up, 1 when it does not: each deviation is one line. The log is verified first.
    """
    from cleanroom.audit.given import read_kept, read_terms
    from cleanroom.querylog.history import read_history
    from cleanroom.querylog.recount import recount

    if not agreements:
        raise UsageError("prices and caps stand in the agreement: --agreement FILE")
    terms = read_terms(agreements)
    signed = [head for path in heads for head in _heads(path, terms)]
    found = verified(log, terms.policy, kept=read_kept(kept), former_keys=terms.former_keys)
    before = tied(found.contents.entries, terms, former)
    history = read_history((*before.entries, *found.contents.entries), terms.contracts)
    done = recount(history, terms.contracts, signed)
    for line in (*summary(found), *before.lines, *(_line(account) for account in done.accounts)):
        click.echo(visible(line))
    click.echo(f"ledger heads compared: {len(signed)}")
    for deviation in done.deviations:
        where = "" if deviation.index is None else f"{before.place(deviation.index)}: "
        click.echo(f"deviation: {visible(where + deviation.text)}")
    if done.deviations:
        click.echo(f"error: {len(done.deviations)} deviations", err=True)
        sys.exit(Outcome.INVALID)
    click.echo("every price and budget adds up")


def _line(account: "Account") -> str:
    from cleanroom.report.log_rows import epsilon_of

    def amount(units: int | None) -> str:
        if units is None:
            return "a cap that no given agreement states"
        epsilon = epsilon_of(units, account.accountant)
        return f"{units} units" if epsilon is None else f"epsilon {epsilon:g} ({units} units)"

    return (
        f"{account.consumer} on `{account.lineage}` of {account.owner}: spent {amount(account.spent)} of"
        f" {amount(account.cap)}, {account.questions} questions debited, {account.voided} of them voided,"
        f" {account.matches} matches"
    )


def _heads(path: Path, terms: "Terms") -> "Iterator[SignedHead]":
    """The heads in a file, one a line; raises UsageError for one that no party of the room signed."""
    from cleanroom.ids import PartyName
    from cleanroom.querylog.dsse import peek_statement
    from cleanroom.querylog.ledger_head import open_head
    from cleanroom.querylog.recount import SignedHead

    cards = {name: card for contract in terms.contracts.values() for name, card in contract.cards.items()}
    for number, line in enumerate(read_input(path).splitlines(), start=1):
        where = f"{path}, line {number}"
        try:
            body = peek_statement(line)
            card = cards.get(PartyName(str(body.get("actor"))))
            if card is None:
                raise UsageError("it is of no party of this room")
            yield SignedHead(str(card.name), str(body.get("at")), open_head(line, card.identity), where)
        except CleanroomError as error:
            raise UsageError(f"{where} is no ledger head: {error}") from error
