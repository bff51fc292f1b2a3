"""Is this node's memory as new as what it said? Compare the log with the statements in the database, at every start.

A node that finds a statement of its own in the log that it does not hold was restored from a backup: it has forgotten
debits, used question numbers and set-ups, and going on could release differences of people. It then kills every
set-up and stops until its operator has acted. The walk goes on from the last entry that was checked; a restored
database has an older mark, so nothing is skipped.

Pauses and closings that stand in the log are honoured as well: a coordinator that did not deliver them cannot hide
them from a node that starts.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from cleanroom.errors import PeerError, StateError
from cleanroom.querylog.chain import genesis_head, replay
from cleanroom.querylog.dsse import open_statement, peek_statement
from cleanroom.question.stop import CLOSED, PAUSED, Stop, read_earlier_stop
from cleanroom.wire.messages import MAX_LOG_PAGE, LogPage
from parties.desk import Desk
from parties.heads import REPLAY
from parties.setup_rows import SetupRows

ReadLog = Callable[[int, int], LogPage]
_RESTORED = (
    "the log holds statements of this node that its database does not know: a backup was restored, or two nodes use one"
    " identity. All set-ups are dead; replay the missing debits before serving again:"
    f" {REPLAY}"
)


def check_own_statements(desk: Desk, rows: SetupRows, read_log: ReadLog) -> None:
    """Raises StateError for a restored backup, PeerError for a log that is not the one this node checked before."""
    row = desk.database.one("SELECT value FROM meta WHERE name = 'restored'")
    if row is not None:
        raise StateError(row[0])
    mark, forgotten = log_mark(desk), False
    stops: list[Stop] = []
    for page, end in walk_log(read_log, *mark):
        mark = end
        forgotten = forgotten or any(_is_forgotten(desk, entry.statement) for entry in page.entries)
        stops += [stop for entry in page.entries if (stop := _stop(desk, entry.statement)) is not None]
    with desk.database.transaction():
        for stop in stops:
            desk.stops.add(stop)
        if forgotten:
            rows.kill_all()
            desk.database.run("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", _RESTORED)
            desk.database.run(
                "INSERT OR REPLACE INTO meta VALUES ('restored-log', ?)",
                f"{desk.contract.room} {mark[0]} {mark[1].hex()}",
            )
        else:
            desk.database.run(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", mark_name(desk), f"{mark[0]} {mark[1].hex()}"
            )
    if forgotten:
        raise StateError(_RESTORED)


def walk_log(read_log: ReadLog, index: int, head: bytes) -> Iterator[tuple[LogPage, tuple[int, bytes]]]:
    """The log from entry `index` on, which follows `head`: each page, with (index, head) after it; raises PeerError.

    Every page is checked against the newest signed head only when the walk has come to its end.
    """
    while True:
        page = read_log(index, MAX_LOG_PAGE)
        head = replay(head, [entry.statement for entry in page.entries])
        index += len(page.entries)
        size = 0 if page.head is None else page.head.index + 1
        if size < index:
            raise PeerError("the coordinator's log is shorter than it was")
        if page.head is not None and size == index and page.head.head != head:
            raise PeerError("the coordinator's log is not a continuation of the log that this node checked before")
        if size > index and not page.entries:
            raise PeerError("the coordinator's log withholds its newest entries")
        yield page, (index, head)
        if size == index:
            return


def log_mark(desk: Desk) -> tuple[int, bytes]:
    """Up to which entry the log was checked, and its head there."""
    row = desk.database.one("SELECT value FROM meta WHERE name = ?", mark_name(desk))
    if row is None:
        return 0, genesis_head(desk.contract.room)
    index, head = row[0].split()
    return int(index), bytes.fromhex(head)


def mark_name(desk: Desk) -> str:
    """One mark a room: a home whose room was closed goes on in another one, which has another log."""
    return f"log-mark/{desk.contract.room}"


def own_body(desk: Desk, statement: bytes) -> dict[str, Any] | None:
    """The body of a statement that we signed; None for everybody else's.

    A forgery in our name is the coordinator's shame and no reason to stop.
    """
    body = peek_statement(statement)
    if body.get("actor") != desk.name:
        return None
    try:
        return open_statement(str(body.get("kind")), statement, desk.contract.cards[desk.name].identity)
    except PeerError:
        return None


def _stop(desk: Desk, statement: bytes) -> Stop | None:
    """A stop of this room that its party signed, under the present terms or former ones; None for everything else."""
    if peek_statement(statement).get("kind") not in (PAUSED, CLOSED):
        return None
    try:
        return read_earlier_stop(statement, desk.contract)
    except PeerError:
        return None


_REMEMBERED = frozenset(
    {
        "answer.released",
        "budget.debit",
        "budget.voided",
        "match.debit",
        "question.approved",
        "question.refused",
        "room.closed",
        "room.paused",
        "room.resumed",
    }
)
"""What this node puts into the log itself, and what spends or decides.

Other statements of ours prove nothing when somebody else puts them there: a `ledger.head` is in its asker's hands, a
`contract.signed` also stands on proposals that never came into force.
"""


def _is_forgotten(desk: Desk, statement: bytes) -> bool:
    body = own_body(desk, statement)
    if body is None or body.get("kind") not in _REMEMBERED:
        return False
    known = desk.database.one("SELECT 1 FROM statement WHERE digest = ?", sha256(statement).hexdigest())
    waiting = desk.database.one("SELECT 1 FROM outbox WHERE kind = 'statement' AND payload = ?", statement)
    return known is None and waiting is None
