"""`cleanroom room heads`: the heads of the query log that this node holds, and who stands behind each.

When the log's key was stolen, the parties compare these by telephone and agree on the last one that all of them hold
and nobody doubts: the next log goes on from it.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from cleanroom.errors import CleanroomError, StateError, UsageError
from cleanroom.querylog.log_policy import log_policy
from cleanroom.question.contract import Contract
from cleanroom.transparency.head import Head, read_head
from cleanroom.transparency.spelling import base64_text
from parties.agreeing import agreement_in_force
from parties.command.party import HOME
from parties.former_copies import copy_file
from parties.home import Home

SHOWN = 8


@click.command()
@HOME
def heads(home: Path) -> None:
    """Show the newest heads in this node's own copy of the log, and who cosigned each; also beside a running node.

    After a stolen log key, all parties agree on the last head that each of them holds and nobody doubts.
    """
    folder = Home(home)
    contract = agreement_in_force(folder).contract
    found = held_heads(folder.mirror_folder, contract)
    if not found:
        raise UsageError(f"{home} holds no head of log {contract.log_number} yet")
    for head in found[:SHOWN]:
        who = ", ".join(f"{name} {_moment(time)}" for name, time in sorted(head.cosigned_at.items())) or "nobody"
        click.echo(f"{head.checkpoint.size} entries, cosigned by {who}")
        click.echo(f'    log = {contract.log_number + 1}  follows = "{follows(head)}"')


def follows(head: Head) -> str:
    """A head as a room file names it."""
    return f"{head.checkpoint.size} {base64_text(head.checkpoint.root)}"


def held_heads(folder: Path, contract: Contract) -> list[Head]:
    """Every head in our copy of the present log that the log's key signed, the largest first."""
    path, policy = copy_file(folder, contract, contract.log_number), log_policy(contract)
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            notes = [bytes(note) for (note,) in database.execute("SELECT note FROM note ORDER BY size DESC")]
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be read: {error}") from error
    found = []
    for note in notes:
        try:
            found.append(read_head(note, policy))
        except CleanroomError:  # a head that only an earlier key of this log signed
            continue
    return found


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
