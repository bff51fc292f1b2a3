"""After a restore: book again what this node signed for and has forgotten, so that it may serve once more.

What it signed stands in the coordinator's log, and, if the coordinator hides it, in receipts that peers showed us.
Everything found is booked as spent, whether its answer left or not, except debits that we ourselves voided in the log.
Reservations that the backup held open are closed as spent too: their answers may have left after the backup was made;
what waited for approval in the backup and was decided since is not decided again.
What a receipt claims beyond that is booked in one sum. All set-ups die. Doing it again changes nothing.

Units are booked in the currency that each debit names; one of another currency than the ledger's ends the replay.
The log must go on from what this node checked before, and hold what stopped it: a log that ends earlier now books
nothing and frees nothing. What is read is our own copy of it, after it was caught up: see `cosigner.mirror`.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cleanroom.errors import PeerError, StateError
from cleanroom.match.handshake import dummies_of_lineage
from cleanroom.querylog.consumer_chain import parse_units
from parties.desk import Desk
from parties.heads import FORGOTTEN, open_own_head
from parties.ledger import Chain
from parties.own_log import Copy, check_place, log_mark, own_body, walk
from parties.receipts import replayed_match
from parties.setup_rows import SetupRows


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was booked: questions and matches from the log, open reservations closed, units known by receipts only."""

    statements: int
    questions: int
    matches: int
    closed: int
    units: int

    def line(self) -> str:
        """For the operator."""
        if self == Replayed(0, 0, 0, 0, 0):
            return "nothing was missing; the node may serve"
        return (
            f"{self.statements} forgotten statements: {self.questions} questions and {self.matches} matches booked as"
            f" spent, {self.closed} open reservations closed, {self.units} units more by receipts; the node may serve"
        )


class Replay:
    """One replay, inside one transaction."""

    def __init__(self, desk: Desk, rows: SetupRows) -> None:
        self._desk = desk
        self._rows = rows
        self._ledger = desk.ledger
        self._questions = self._matches = self._closed = self._units = 0

    def run(self, mirror: Copy) -> Replayed:
        """Read our whole copy of the log, which was caught up, then book; raises StateError when it lacks what stopped
        this node or was checked before, or when it counts in another currency."""
        self._check_whole(mirror)
        identity = self._desk.keys.identity
        own = [
            (entry, body)
            for _, entry in walk(mirror, 0, mirror.size)
            if (body := own_body(self._desk.name, identity, entry)) is not None
        ]
        with self._desk.database.transaction():
            return self._book(own)

    def _check_whole(self, mirror: Copy) -> None:
        """It goes on from what was compared last, and holds the entry that showed what we had forgotten."""
        places = [log_mark(self._desk)]
        row = self._desk.database.one("SELECT value FROM meta WHERE name = 'restored-log'")
        if row is not None:
            room, size, root = row[0].split()
            if room != self._desk.contract.room:
                raise StateError(
                    f"nothing was booked: what this node forgot stands in the log of room {room}; replay it under that"
                    " room's contract first"
                )
            places.append((int(size), bytes.fromhex(root)))
        for place in places:
            try:
                check_place(mirror, *place)
            except PeerError as error:
                raise StateError(
                    "nothing was booked: the log is not the one that this node saw before, up to entry"
                    f" {max(places)[0]}; it was cut or replaced, so ask the coordinator's operator for the whole log,"
                    " then replay again"
                ) from error

    def _book(self, own: list[tuple[bytes, dict[str, Any]]]) -> Replayed:
        database = self._desk.database
        before = database.number("SELECT COUNT(*) FROM statement")
        for statement, body in own:
            if not database.one("SELECT 1 FROM awaiting WHERE digest = ?", sha256(statement).hexdigest()):
                self._desk.keep_statement(str(body.get("kind")), str(body.get("subject")), statement, "")
            self._book_one(body)
        statements = database.number("SELECT COUNT(*) FROM statement") - before
        waiting = database.all("SELECT payload FROM outbox WHERE kind = 'statement'")
        said = {bytes(payload) for (payload,) in waiting}
        statements -= sum(statement in said for statement, _ in own)
        restored = database.one("SELECT 1 FROM meta WHERE name = 'restored'") is not None
        if restored or statements or self._questions or self._matches:
            self._close({str(body.get("subject")) for _, body in own if body.get("kind") == "budget.voided"})
            self._book_receipts()
            self._rows.kill_all()
            database.run("INSERT OR REPLACE INTO meta VALUES ('replayed', ?)", str(self._ledger.sequence()))
            database.run("DELETE FROM meta WHERE name IN ('restored', 'restored-log')")
        return Replayed(statements, self._questions, self._matches, self._closed, self._units)

    def _book_one(self, body: dict[str, Any]) -> None:
        kind, subject = body.get("kind"), str(body.get("subject"))
        room, lineage = str(body.get("room")), str(body.get("lineage"))
        if kind == "budget.debit" and not self._ledger.has("reserve", subject):
            self._ledger.fix_accountant(lineage, str(body.get("accountant")))
            self._ledger.reserve(
                at=str(body.get("at")),
                lineage=lineage,
                room=room,
                consumer=str(body.get("consumer")),
                plan_hash=subject,
                quantity=str(body.get("quantity")),
                units=parse_units(body.get("units")),
            )
            self._questions += 1
        elif kind == "match.debit" and not self._ledger.has("match_debit", subject):
            dummies = body.get("dummies")
            if type(dummies) is not int:
                raise PeerError("a debit of ours in the log does not say how many dummies hid its match")
            peer = str(body.get("peer"))
            self._ledger.match_debit(
                at=str(body.get("at")), lineage=lineage, room=room, peer=peer, match_id=subject, dummies=dummies
            )
            self._matches += 1

    def _close(self, voided: set[str]) -> None:
        """No reservation stays open, and no question of the backup goes on to an answer."""
        for plan_hash in self._ledger.open_plans():
            if plan_hash in voided:
                self._ledger.void(at=self._desk.now(), plan_hash=plan_hash)
            else:
                self._ledger.share_sent(at=self._desk.now(), plan_hash=plan_hash)
                self._closed += 1
        self._desk.database.run("UPDATE question SET state = 'lost' WHERE owner = 1 AND state = 'reserved'")
        self._desk.database.run(
            "UPDATE question SET state = 'lost' WHERE owner = 1 AND state IN ('pending', 'approved') AND plan_hash IN"
            " (SELECT subject FROM statement WHERE kind IN ('question.approved', 'question.refused')"
            " UNION ALL SELECT subject FROM awaiting WHERE kind IN ('question.approved', 'question.refused'))"
        )

    def _book_receipts(self) -> None:
        """What peers hold our signature for and the log did not tell."""
        for (statement,) in self._desk.database.all(
            "SELECT statement FROM evidence WHERE why = ? ORDER BY rowid", FORGOTTEN
        ):
            head = open_own_head(self._desk, bytes(statement))
            if self._ledger.has("replayed", head.head):
                continue
            chain = Chain(head.lineage, head.room, head.consumer)
            standing = self._ledger.standing(chain)
            for number in range(head.matches - standing.matches):
                self._ledger.match_debit(
                    at=self._desk.now(),
                    lineage=chain.lineage,
                    room=chain.room,
                    peer=chain.consumer,
                    match_id=replayed_match(head.head, number),
                    dummies=dummies_of_lineage(self._desk.contract, self._desk.name),
                )
                self._matches += 1
            units = max(0, head.spent - standing.spent)
            self._ledger.replayed(at=self._desk.now(), chain=chain, head=head.head, units=units)
            self._units += units
