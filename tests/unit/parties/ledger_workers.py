"""What a process does that shares a ledger with others: decide and reserve in one transaction, as a node does."""

from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

from cleanroom.errors import RefusedError
from cleanroom.question.contract import Contract
from cleanroom.question.gate import Situation, decide
from cleanroom.question.plan import Plan
from parties.database import Database
from parties.ledger import Ledger
from tests.unit.parties.nodes import database

AT = "2026-01-02T03:04:05Z"


def reserve(state: Database, contract: Contract, plan: Plan, lineage: str) -> bool:
    """The gate's decision on what the ledger says, and the reservation, in one transaction; whether it was granted."""
    ledger = Ledger(state)
    try:
        with state.transaction():
            view = ledger.view(lineage, plan.asker, room=contract.room, today=AT[:10])
            accepted = decide(contract, plan, view, Situation(AT[:10], AT[:10]))
            ledger.reserve(
                at=AT,
                lineage=lineage,
                room=contract.room,
                consumer=plan.asker,
                plan_hash=f"{lineage} {plan.hash()}",
                quantity=plan.quantity.kind,
                units=accepted.cost_units,
            )
    except RefusedError as refusal:
        if refusal.rule not in ("budget", "lineage"):
            raise
        return False
    return True


def work(folder: Path, contract: Contract, plans: Sequence[Plan], lineages: Sequence[str], together: Barrier) -> None:
    """Each plan against each lineage; every lineage is begun by all processes together, and each grant is released."""
    state = database(folder)
    ledger = Ledger(state)
    for lineage in lineages:
        together.wait(60)
        for plan in plans:
            if reserve(state, contract, plan, lineage):
                with state.transaction():
                    ledger.share_sent(at=AT, plan_hash=f"{lineage} {plan.hash()}")
    state.close()
