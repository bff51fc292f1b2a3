"""`cleanroom audit show`: who asked what about whose people, as a table, a spreadsheet, JSON or a page."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cleanroom.audit.checked import summary, unverified_entries, verified
from cleanroom.audit.options import AGREEMENTS, KEPT, LOG_FOLDER
from cleanroom.whole_file import write_output

if TYPE_CHECKING:
    from cleanroom.querylog.history import History
    from cleanroom.question.contract import Contract
    from cleanroom.report.log_choice import Choice
    from cleanroom.report.log_rows import LogRow

_FORMATS = ("table", "csv", "json", "html")
_KINDS = ("question", "answered", "voided", "refused", "charged", "approved", "asked", "match", "stop", "terms",
          "incident", "stray")  # fmt: skip
UNVERIFIED = "NOT VERIFIED: no agreement was given, so this is what the folder says and nobody vouches for it"


@click.command()
@LOG_FOLDER
@AGREEMENTS
@KEPT
@click.option("--party", default="", metavar="NAME", help="Only what this party asked, answered or did.")
@click.option("--analyst", default="", metavar="NAME", help="Only what this person asked.")
@click.option("--dataset", default="", metavar="LINEAGE", help="Only what is about these people.")
@click.option("--since", default="", metavar="TIME", help="From this day or moment (2026-11-23T09:00:00Z) on.")
@click.option("--until", default="", metavar="TIME", help="Up to this day or moment.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only such records; may be repeated.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of standard output.")
def show(
    log: Path,
    agreements: tuple[Path, ...],
    kept: tuple[Path, ...],
    party: str,
    analyst: str,
    dataset: str,
    since: str,
    until: str,
    kinds: tuple[str, ...],
    form: str,
    out: Path | None,
) -> None:
    """Show what happened in the room whose log is in the folder LOG.

    With the room's agreement the log is verified first and nothing is shown that does not hold.
    """
    from cleanroom.audit.given import read_kept, read_terms
    from cleanroom.querylog.history import read_history
    from cleanroom.report.log_choice import Choice

    choice = Choice(party, analyst, dataset, since, until, kinds)
    if agreements:
        terms = read_terms(agreements)
        found = verified(log, terms.policy, kept=read_kept(kept), former_keys=terms.former_keys)
        entries, contracts = found.contents.entries, terms.contracts
        vouched = summary(found)
    else:
        entries, vouched, contracts = unverified_entries(log), (UNVERIFIED,), {}
    text = _written(read_history(entries, contracts), contracts, choice, form, vouched)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_output(out, text.encode("utf-8"))
        click.echo(f"written: {out}")


def _written(
    history: "History", contracts: "dict[str, Contract]", choice: "Choice", form: str, vouched: tuple[str, ...]
) -> str:
    from cleanroom.report.log_rows import log_rows

    rows = choice.of(log_rows(history, contracts))
    said = (*vouched, f"chosen    {choice.words()}") if choice.words() else vouched
    if form == "csv":
        from cleanroom.report.log_table import log_csv

        return log_csv(rows)
    if form == "json":
        from cleanroom.report.log_table import log_json

        return log_json(rows, {"vouched": list(said)})
    if form == "html":
        from cleanroom.querylog.recount import recount
        from cleanroom.report.log_page import log_page

        return log_page(rows, recount(history, contracts), contracts, said, dataset=choice.dataset)
    purposes = dict.fromkeys(f"purpose   {contract.purpose}" for contract in contracts.values())
    return _terminal(rows, (*said, *purposes))


def _terminal(rows: "tuple[LogRow, ...]", said: tuple[str, ...]) -> str:
    import io
    import sys

    from rich.console import Console

    from cleanroom.report.log_table import log_table
    from cleanroom.report.visible import visible

    text = io.StringIO()
    wide = Console().width if sys.stdout.isatty() else 200
    console = Console(file=text, width=wide, color_system=None, markup=False, highlight=False, emoji=False)
    console.print(log_table(rows))
    return "".join(f"{visible(line)}\n" for line in said) + text.getvalue()
