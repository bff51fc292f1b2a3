"""What has waited too long: reservations that never released anything, set-ups that stalled.

A reservation is freed by a `voided` entry, a signed `budget.voided` and a message to the asker. Its question number
stays burnt, and nothing is ever released for it, also when the log's proof of its debit comes afterwards. A question
that no approver decided within a week is refused. A set-up that stalled is killed on both sides. What began in the
future, because the clock was set back since, begins when that is seen. The worker looks now and then; there is no
thread for it.
"""

from parties.answering import Answering
from parties.desk import Desk
from parties.setup_rows import SetupRows

RESERVATION_S = 3600.0
SETUP_S = 3600.0
APPROVAL_S = 7 * 86_400.0
SWEEP_S = 60.0


class Expiry:
    """Sweeps by the desk's clock, inside the worker's transaction."""

    def __init__(self, desk: Desk, rows: SetupRows, answering: Answering) -> None:
        self._desk = desk
        self._rows = rows
        self._answering = answering
        self._swept = desk.clock()

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again; also after the clock was set back."""
        return abs(self._desk.clock() - self._swept) >= SWEEP_S

    def sweep(self) -> None:
        """End what has waited too long."""
        self._swept = now = self._desk.clock()
        # What is open since a moment yet to come, because the clock was set back, waits from now on.
        self._desk.database.run(
            "UPDATE question SET since = ?1 WHERE owner = 1 AND state IN ('reserved', 'pending') AND since > ?1", now
        )
        self._desk.database.run("UPDATE setup SET since = ?1 WHERE state NOT IN ('ready', 'dead') AND since > ?1", now)
        for (plan_hash,) in self._desk.database.all(
            "SELECT plan_hash FROM question WHERE owner = 1 AND state = 'reserved' AND since <= ?", now - RESERVATION_S
        ):
            self._answering.void(plan_hash)
        self._answering.pending.expire(since=now - APPROVAL_S)
        for setup in self._rows.unfinished(since=now - SETUP_S):
            self._rows.kill(setup.id)
            self._desk.send(self._rows.peer(setup), "setup.abort", setup.id, {})

    def void_of_older_contracts(self) -> None:
        """At the start: what was reserved or waited under other terms than the present ones is never answered."""
        self._answering.pending.refuse_of_older_contracts()
        for plan_hash, statement in self._desk.database.all(
            "SELECT plan_hash, plan FROM question WHERE owner = 1 AND state = 'reserved'"
        ):
            if not self._desk.is_current(statement):
                self._answering.void(plan_hash)
