"""Questions that wait until a person of this company has agreed to them: who decides, how often, for how long.

    pending ─approve, signed→ approved ─logged, every rule checked again→ reserved, as any other question
       └ deny, a week over, match or terms gone, room closed → refused, logged with the reason

Nothing is reserved and nothing is read for a question that waits. An approval is for one plan, once: it is a statement
that this node signs itself, at its own door or in its own home; nothing that arrives from elsewhere is one. It is not
the last word: when it stands in the log the gate checks every rule again. What was approved costs as much as what
passed by itself, and counts towards what an asker may spend in a day without approval.
"""

import json
from dataclasses import dataclass
from typing import Any

from cleanroom.errors import RefusedError, StateError, UsageError
from cleanroom.ids import AnalystName
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.plan import Plan
from cleanroom.question.stop import checked_reason
from parties.desk import Desk
from parties.refusals import refusal_fields

MAX_PENDING = 8
"""Of one asker: an approver's patience is no queue."""
SHORT_ID = 12


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that a person must look at, or had to; `since` is in seconds since the epoch."""

    plan: Plan
    plan_hash: str
    state: str
    reasons: tuple[str, ...]
    since: float


class Pending:
    """Reads and changes inside the caller's transaction; it needs the desk alone, so no node has to run."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # ---- what is asked -------------------------------------------------------------------------------------------

    def take(self, plan_hash: str, asker: str, reasons: tuple[str, ...]) -> None:
        """Let a question wait and tell its asker; raises RefusedError when too many of that asker's do."""
        waiting = self._desk.database.number(
            "SELECT COUNT(*) FROM question WHERE owner = 1 AND peer = ? AND state IN ('pending', 'approved')", asker
        )
        if waiting >= MAX_PENDING:
            raise RefusedError(
                "patience",
                self._desk.name,
                f"{MAX_PENDING} questions of {asker} wait for an approver of {self._desk.name} already",
                "wait until they are decided",
            )
        self._desk.database.run(
            "UPDATE question SET waits = ? WHERE plan_hash = ? AND owner = 1", json.dumps(reasons), plan_hash
        )
        self._set(plan_hash, "pending")
        self.tell(plan_hash)

    def tell(self, plan_hash: str) -> None:
        """Tell the asker, once more if it asks once more, that a person must agree first, and why."""
        row = self._desk.database.one("SELECT peer, waits FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is not None:
            self._desk.send(row[0], "question.pending", plan_hash, {"reasons": json.loads(row[1])})

    # ---- what is decided -----------------------------------------------------------------------------------------

    def approve(self, identifier: str, approver: AnalystName, reason: str) -> Waiting:
        """Agree to one question, once; raises UsageError, RefusedError in a stopped room."""
        reason = checked_reason(reason)
        found = self._undecided(identifier)
        self._desk.stops.check_open()
        self._set(found.plan_hash, "approved")
        self._desk.state(
            "question.approved", found.plan_hash, approver=approver, consumer=found.plan.asker, reason=reason
        )
        return found

    def deny(self, identifier: str, approver: AnalystName, reason: str) -> Waiting:
        """Refuse one question for a reason that its asker is shown; raises UsageError."""
        reason = checked_reason(reason)
        found = self._undecided(identifier)
        name = self._desk.name
        refusal = RefusedError(
            "approval", name, f"{approver} of {name} does not agree: {reason}", f"ask something else, or talk to {name}"
        )
        self.refuse(found.plan_hash, refusal)
        return found

    def refuse(self, plan_hash: str, refusal: RefusedError) -> None:
        """The question ends here; its asker is told when the refusal stands in the log."""
        self._set(plan_hash, "refused")
        row = self._desk.database.one("SELECT peer FROM question WHERE plan_hash = ? AND owner = 1", plan_hash)
        if row is None:
            raise StateError("a question to be refused vanished")
        self._desk.state("question.refused", plan_hash, consumer=row[0], **refusal_fields(refusal))

    def stale(self) -> RefusedError:
        """Why a question is not answered any more that was compiled for a match or table that is gone."""
        return RefusedError(
            "match",
            self._desk.name,
            "the match, its set-up or the table changed while the question waited for approval",
            "ask again",
        )

    def expire(self, *, since: float) -> None:
        """Refuse what has been waiting from before this moment on."""
        name = self._desk.name
        refusal = RefusedError("approval", name, f"no approver of {name} has decided within a week", "ask again")
        self._refuse_each(
            "SELECT plan_hash FROM question WHERE owner = 1 AND state = 'pending' AND since <= ?",
            since,
            refusal=refusal,
        )

    def refuse_of_match(self, match: str) -> None:
        """The match ended: what was asked over it and waits will never be answered."""
        self._refuse_each(
            "SELECT plan_hash FROM question WHERE owner = 1 AND state = 'pending' AND setup IN"
            " (SELECT joint_id FROM setup WHERE match = ? AND owner = 1 AND joint_id != '')",
            match,
            refusal=self.stale(),
        )

    def refuse_all(self, refusal: RefusedError) -> None:
        """Nothing that waits will ever be answered."""
        self._refuse_each("SELECT plan_hash FROM question WHERE owner = 1 AND state = 'pending'", refusal=refusal)

    def refuse_of_older_contracts(self) -> None:
        """An approval, given or to be given, is for one plan under one contract; in another room nobody is told."""
        for plan_hash, statement in self._desk.database.all(
            "SELECT plan_hash, plan FROM question WHERE owner = 1 AND state IN ('pending', 'approved')"
        ):
            if self._desk.is_current(statement):
                continue
            if peek_statement(statement).get("room") != self._desk.contract.room:
                self._set(plan_hash, "refused")
                continue
            refusal = RefusedError(
                "contract",
                self._desk.name,
                "the terms were changed while the question waited for approval",
                "ask again under the present contract",
            )
            self.refuse(plan_hash, refusal)

    # ---- what is shown -------------------------------------------------------------------------------------------

    def listed(self) -> list[Waiting]:
        """What is to be decided, oldest first."""
        return self._waiting(
            "SELECT plan_hash, plan, state, waits, since FROM question WHERE owner = 1 AND state = 'pending'"
            " ORDER BY since, rowid"
        )

    def find(self, identifier: str) -> Waiting:
        """A question that needs or needed a decision, by its plan's hash or the beginning of it; raises UsageError."""
        start = identifier.strip().lower()
        if len(start) < 4 or not set(start) <= set("0123456789abcdef"):
            raise UsageError("a question is named by the first four or more digits of its id: party approvals list")
        found = self._waiting(
            "SELECT plan_hash, plan, state, waits, since FROM question WHERE owner = 1 AND waits != ''"
            " AND substr(plan_hash, 1, ?) = ? ORDER BY since, rowid",
            len(start),
            start,
        )
        if not found:
            raise UsageError(f"no question {start} waits for approval here: party approvals list")
        if len(found) > 1:
            shorts = ", ".join(one.plan_hash[: SHORT_ID + len(start)] for one in found)
            raise UsageError(f"{start} begins several questions: {shorts}")
        return found[0]

    def last_approved(self, asker: str) -> Waiting | None:
        """The newest question of this asker in this room that a person agreed to."""
        found = self._waiting(
            "SELECT plan_hash, plan, state, waits, question.since FROM question JOIN statement"
            " ON statement.subject = plan_hash AND statement.kind = 'question.approved'"
            " WHERE owner = 1 AND peer = ? ORDER BY statement.rowid DESC",
            asker,
        )
        return found[0] if found else None

    def decisions(self, plan_hash: str) -> list[dict[str, Any]]:
        """What we said to approve or refuse it, in order: the statements' bodies."""
        rows = self._desk.database.all(
            "SELECT bytes FROM said WHERE subject = ? AND kind IN ('question.approved', 'question.refused')",
            plan_hash,
        )
        bodies = [peek_statement(statement) for (statement,) in rows]
        return [body for body in bodies if body.get("rule") != "already-asked"]

    def _undecided(self, identifier: str) -> Waiting:
        found = self.find(identifier)
        if found.state != "pending":
            raise UsageError(f"question {found.plan_hash[:SHORT_ID]} was decided before: it is {found.state}")
        if found.plan.contract != self._desk.contract_hash.hex():
            raise UsageError("this question was asked under former terms; it is refused when the node starts")
        return found

    def _waiting(self, sql: str, *values: Any) -> list[Waiting]:
        """Of the rows (plan_hash, plan, state, waits, since) of a query, those of this room."""
        bodies = [(row, peek_statement(row[1])) for row in self._desk.database.all(sql, *values)]
        return [
            Waiting(Plan.from_body(body.get("plan")), row[0], row[2], tuple(json.loads(row[3] or "[]")), row[4])
            for row, body in bodies
            if body.get("room") == self._desk.contract.room
        ]

    def _refuse_each(self, sql: str, *values: Any, refusal: RefusedError) -> None:
        for (plan_hash,) in self._desk.database.all(sql, *values):
            self.refuse(plan_hash, refusal)

    def _set(self, plan_hash: str, state: str) -> None:
        self._desk.database.run(
            "UPDATE question SET state = ?, since = ? WHERE plan_hash = ? AND owner = 1",
            state,
            self._desk.clock(),
            plan_hash,
        )
