"""T6: whatever happens in which order, what was released is spent, and what is spent is within the cap.

The real ledger, gate, database, start-up check and replay; the log is a list that an honest coordinator keeps. The
machine reserves, releases and voids for two consumers, loses power in the middle of a transaction or of a call,
restarts, copies the database, puts the copy back, replays, and lets two connections reserve at once. What left the node
is remembered outside of it.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cleanroom.errors import RefusedError, StateError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement
from cleanroom.question.gate import Situation, decide
from cleanroom.question.plan import Plan
from parties.desk import Desk
from parties.replay import Replay
from parties.setup_rows import SetupRows
from tests.unit.parties.nodes import AGREED, desk
from tests.unit.parties.test_own_log import KeptLog, check_kept
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP, plan

CONSUMERS = (SHOP, BANK)
DATASET = AGREED.datasets[BRAND]
CUTS = st.sampled_from([False, False, False, True])
UNITS = st.sampled_from([RHO // 7, RHO, 2 * RHO, 3 * RHO])


class PowerCutError(Exception):
    """The process ended here; what was not committed is gone."""


def reserve(node: Desk, asked: Plan, *, cut: bool = False) -> None:
    """As the node decides on a plan: gate, ledger and statement in one transaction."""
    situation = Situation(node.today(), node.today())
    with suppress(PowerCutError), node.database.transaction():
        try:
            view = node.ledger.view(DATASET.lineage, asked.asker, room=node.contract.room, today=node.today())
            accepted = decide(node.contract, asked, view, situation)
        except RefusedError as refusal:
            if refusal.rule not in ("budget", "lineage", "patience"):
                raise
            return
        node.ledger.reserve(
            at=node.now(),
            lineage=DATASET.lineage,
            room=node.contract.room,
            consumer=asked.asker,
            plan_hash=asked.hash(),
            quantity=asked.quantity.kind,
            units=accepted.cost_units,
        )
        node.state(
            "budget.debit",
            asked.hash(),
            accountant=node.contract.accountant,
            consumer=asked.asker,
            lineage=DATASET.lineage,
            match=asked.match,
            quantity=asked.quantity.kind,
            units=str(accepted.cost_units),
        )
        if cut:
            raise PowerCutError


def copied(source: Path, target: Path) -> None:
    """A whole file; the database is closed, so its journal is folded in."""
    shutil.copy(source, target)


class LedgerMachine(RuleBasedStateMachine):
    """One node's ledger. `released` is what left it, by plan; nothing can take it back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.log: list[bytes] = []
        self.asked = 0
        self.released: dict[str, int] = {}
        self.node = desk(self.folder, BRAND)
        self.has_backup = False

    def teardown(self) -> None:
        """Nothing stays behind."""
        self.node.database.close()
        shutil.rmtree(self.folder)

    def _plan(self, consumer: PartyName, units: int) -> Plan:
        self.asked += 1
        return plan(AGREED, units=units, asker=consumer, repeat=self.asked)

    def _in_log(self, kind: str, plan_hash: str) -> bool:
        bodies = [peek_statement(statement) for statement in self.log]
        return any((body["kind"], body["subject"]) == (kind, plan_hash) for body in bodies)

    @rule(consumer=st.sampled_from(CONSUMERS), units=UNITS, cut=CUTS)
    def a_plan_comes(self, consumer: PartyName, units: int, cut: bool) -> None:
        """Granted or refused; or the power fails before the commit."""
        reserve(self.node, self._plan(consumer, units), cut=cut)

    @rule(units=st.tuples(UNITS, UNITS), consumer=st.sampled_from(CONSUMERS))
    def two_plans_come_at_once(self, units: tuple[int, int], consumer: PartyName) -> None:
        """Two connections to one file, as two processes would have."""
        plans = [self._plan(consumer, one) for one in units]
        together = threading.Barrier(2)

        def other(asked: Plan) -> None:
            node = desk(self.folder, BRAND)
            together.wait(30)
            reserve(node, asked)
            node.database.close()

        threads = [threading.Thread(target=other, args=(asked,)) for asked in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    @rule(last=st.booleans(), voided=st.booleans(), cut=CUTS)
    def a_reservation_ends(self, last: bool, voided: bool, cut: bool) -> None:
        """A debit whose proof is here is answered; any reservation may be voided."""
        plans = self.node.ledger.open_plans()
        plans = plans if voided else [one for one in plans if self._in_log("budget.debit", one)]
        if not plans:
            return
        plan_hash = plans[-1 if last else 0]
        with suppress(PowerCutError), self.node.database.transaction():
            if voided:
                self.node.ledger.void(at=self.node.now(), plan_hash=plan_hash)
                self.node.state("budget.voided", plan_hash, consumer=SHOP)
            else:
                self.node.ledger.share_sent(at=self.node.now(), plan_hash=plan_hash)
                self.node.state("answer.released", plan_hash, consumer=SHOP, digest="00" * 32)
            if cut:
                raise PowerCutError

    @rule(most=st.integers(1, 3), cut=CUTS)
    def what_was_said_is_logged(self, most: int, cut: bool) -> None:
        """In order; an answer leaves with the proof of its statement. The power may fail before the proof is stored."""
        database = self.node.database
        for identifier, payload in database.all("SELECT id, payload FROM outbox ORDER BY id LIMIT ?", most):
            body = peek_statement(payload)
            if payload not in self.log:
                self.log.append(payload)
            if cut:
                return
            with database.transaction():
                database.run("DELETE FROM outbox WHERE id = ?", identifier)
                self.node.keep_statement(body["kind"], body["subject"], payload, "")
            if body["kind"] == "answer.released":
                row = database.one("SELECT units FROM ledger WHERE kind = 'reserve' AND subject = ?", body["subject"])
                assert row is not None, "released without a reservation"
                self.released[body["subject"]] = row[0]

    @rule(consumer=st.sampled_from(CONSUMERS), units=UNITS, copied_between=st.booleans())
    def a_question_is_answered(self, consumer: PartyName, units: int, copied_between: bool) -> None:
        """From plan to answer without a fault, so that there is always something to forget."""
        asked = self._plan(consumer, units)
        reserve(self.node, asked)
        self._log_everything()
        if asked.hash() not in self.node.ledger.open_plans():
            return
        if copied_between:
            self.it_is_copied()
        with self.node.database.transaction():
            self.node.ledger.share_sent(at=self.node.now(), plan_hash=asked.hash())
            self.node.state("answer.released", asked.hash(), consumer=consumer, digest="00" * 32)
        self._log_everything()

    def _log_everything(self) -> None:
        while self.node.database.number("SELECT COUNT(*) FROM outbox"):
            self.what_was_said_is_logged(most=3, cut=False)

    def _reopen(self, between: Callable[[Path], None] = lambda _: None) -> None:
        self.node.database.close()
        between(self.folder / "node.db")
        self.node = desk(self.folder, BRAND)

    def _starts(self) -> bool:
        try:
            check_kept(self.node, KeptLog(self.log))
        except StateError:
            return False
        return True

    @rule()
    def it_restarts(self) -> None:
        """Over the same database nothing was forgotten."""
        self._reopen()
        assert self._starts()

    @rule()
    def it_is_copied(self) -> None:
        """A backup."""
        self._reopen(lambda path: copied(path, path.with_name("backup.db")))
        self.has_backup = True

    @precondition(lambda self: self.has_backup)
    @rule(again=st.booleans(), then=st.sampled_from(["nothing", "void", "spend"]))
    def the_copy_is_put_back(self, again: bool, then: str) -> None:
        """It serves only when nothing that stands in the log was forgotten, or after a replay."""
        self._reopen(lambda path: copied(path.with_name("backup.db"), path))
        if self._starts():
            return
        assert not self._starts(), "a restored node served at its second start"
        for _ in range(1 + again):
            Replay(self.node, SetupRows(self.node)).run(KeptLog(self.log))
        assert self._starts(), "a replay was not enough"
        if then == "void":
            for plan_hash in self.node.ledger.open_plans():
                with self.node.database.transaction():
                    self.node.ledger.void(at=self.node.now(), plan_hash=plan_hash)
        elif then == "spend":
            for _ in range(3):
                self.a_question_is_answered(SHOP, 2 * RHO, copied_between=False)

    @invariant()
    def released_is_spent_and_spent_is_within_the_cap(self) -> None:
        """The one promise."""
        ledger = self.node.ledger
        spent = ledger.spent(DATASET.lineage)
        assert sum(self.released.values()) <= spent <= DATASET.cap_units
        for consumer in CONSUMERS:
            assert ledger.spent(DATASET.lineage, consumer) <= DATASET.consumer_caps[consumer]
        for plan_hash in self.released:
            assert ledger.has("reserve", plan_hash)
            assert ledger.has("share_sent", plan_hash)
            assert not ledger.has("voided", plan_hash)

    @invariant()
    def the_ledger_fits_its_chains(self) -> None:
        """However it came to be."""
        self.node.ledger.verify()


def test_released_is_at_most_spent_and_spent_at_most_the_cap() -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=checks),
    )
