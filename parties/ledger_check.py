"""Does the ledger tell what this node said? Chains, roots, statements and receipts, one against the other.

Needs nobody else: the log is compared at every start, and by whoever audits it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cleanroom.errors import CleanroomError, StateError
from cleanroom.querylog.dsse import peek_statement
from parties.desk import Desk
from parties.heads import FORGOTTEN, Heads, open_own_head
from parties.ledger import Chain


@dataclass(frozen=True, slots=True)
class Checked:
    """How much was walked."""

    entries: int
    chains: int
    statements: int
    heads: int

    def line(self) -> str:
        """For the operator."""
        return (
            f"{self.entries} entries in {self.chains} consumers' chains, {self.statements} own statements and"
            f" {self.heads} heads given out: all fit"
        )


def check_ledger(desk: Desk) -> Checked:
    """Raises StateError naming the first entry, statement or head that does not fit."""
    desk.ledger.verify()
    statements = _check_statements(desk)
    heads = _check_heads(desk)
    for peer, statement in desk.database.all("SELECT party, statement FROM evidence WHERE why = ?", FORGOTTEN):
        head = open_own_head(desk, bytes(statement))
        if not desk.ledger.has("replayed", head.head):
            raise StateError(f"{peer} holds a receipt of ours over entry {head.entries} of its chain; it is not here")
    sequence = desk.ledger.sequence()
    return Checked(sequence, len(desk.ledger.standings(sequence)), statements, heads)


_STATED: dict[str, tuple[str, Callable[[dict[str, object]], object]]] = {
    "budget.debit": ("reserve", lambda body: (body.get("consumer"), body.get("lineage"), body.get("units"))),
    "match.debit": ("match_debit", lambda body: (body.get("peer"), body.get("lineage"), str(body.get("dummies")))),
    "answer.released": ("share_sent", lambda _: None),
    "budget.voided": ("voided", lambda _: None),
}


def _check_statements(desk: Desk) -> int:
    """Every debit, release and void that we signed stands in the ledger, with the same units for the same consumer."""
    rows = desk.database.all("SELECT bytes FROM said")
    count = 0
    for (statement,) in rows:
        body = peek_statement(bytes(statement))
        kind, stated = _STATED.get(str(body["kind"]), ("", lambda _: None))
        if not kind or body["actor"] != desk.name:
            continue
        count += 1
        row = desk.database.one(
            "SELECT sequence, consumer, lineage, units FROM ledger WHERE kind = ? AND subject = ?",
            kind,
            body["subject"],
        )
        if row is None:
            raise StateError(f"the ledger lacks the {kind} entry of {body['subject']}, for which this node signed")
        expected = stated(body)
        if expected is not None and expected != (row[1], row[2], str(row[3])):
            raise StateError(f"the ledger's entry {row[0]} is not what this node signed in its {body['kind']}")
    return count


def _check_heads(desk: Desk) -> int:
    """Every head that we gave out stands in the ledger, and its root is the one over all chains at that time."""
    heads, count = Heads(desk), 0
    for sequence, nonce, statement in desk.database.all(
        "SELECT sequence, nonce, statement FROM head_given ORDER BY rowid"
    ):
        count += 1
        what = f"the head that was given out over entry {sequence}"
        try:
            head = open_own_head(desk, bytes(statement))
        except CleanroomError as error:
            raise StateError(f"{what} was not signed by this node: {error}") from error
        chain, standings = Chain(head.lineage, head.room, head.consumer), desk.ledger.standings(sequence)
        standing = desk.ledger.standing(chain, sequence)
        if (head.head, head.entries, head.spent, head.matches) != (
            standing.head,
            standing.entries,
            standing.spent,
            standing.matches,
        ):
            raise StateError(f"{what}, to {head.consumer}, is not what the ledger held then")
        root, _ = heads.root(standings, chain, head.subject, bytes(nonce))
        if root.hex() != peek_statement(bytes(statement))["root"]:
            raise StateError(f"{what}, to {head.consumer}, stands under another root than the ledger's")
    return count
