"""The ledger as its owner's operator reads it: what each consumer has spent, what it means, and what is left.

Units are the currency; rho and epsilon are ways to read a sum of them. Beside each sum stands what it comes to against
an asker that works together with the coordinator (`accountant.replace_one_units`): entries of which we do not know
that they were counts are taken as centred sums, which cost most.
"""

from collections.abc import Mapping
from typing import Any

from cleanroom.answer.result import charge, epsilon_number, rho_text
from cleanroom.privacy.accountant import Accountant, accountant
from parties.desk import Desk

COUNTED = frozenset({"count", "histogram", "quantile"})
"""Kinds of questions in which a person is in one cell, once."""


def ledger_totals(desk: Desk) -> dict[str, Any]:
    """What the door tells an operator: each grant, what is spent of it, and the matches; the caller holds a
    transaction."""
    dataset, of = desk.dataset, accountant(desk.contract.accountant)
    return {
        "total": [
            {
                **charge(desk.name, consumer, desk.ledger.spent(dataset.lineage, consumer), of),
                "lineage": dataset.lineage,
                "cap": rho_text(dataset.consumer_caps[consumer], of),
                "cap_epsilon": epsilon_number(dataset.consumer_caps[consumer], of),
            }
            for consumer in sorted(dataset.consumer_caps)
        ],
        "matches": _matches(desk),
    }


def ledger_view(desk: Desk) -> dict[str, Any]:
    """Everything that `ledger show` prints, as JSON; the caller holds a transaction or nobody writes."""
    dataset, database, of = desk.dataset, desk.database, accountant(desk.contract.accountant)
    caps: Mapping[str, int] = {str(name): cap for name, cap in dataset.consumer_caps.items()}
    sums = {**{name: {} for name in caps}, **desk.ledger.spent_by_quantity(dataset.lineage)}
    spent = desk.ledger.spent(dataset.lineage)
    restored = database.one("SELECT value FROM meta WHERE name = 'restored'")
    return {
        "party": desk.name,
        "lineage": dataset.lineage,
        "consumers": [_consumer(desk, name, sums[name], caps.get(name, 0)) for name in sorted(sums)],
        "spent": _read(spent, of),
        "cap": _read(dataset.cap_units, of),
        "left": _read(max(0, dataset.cap_units - spent), of),
        "matches": _matches(desk),
        "entries": desk.ledger.sequence(),
        "restored": None if restored is None else restored[0],
    }


def _matches(desk: Desk) -> dict[str, int]:
    dataset = desk.dataset
    return {"done": desk.ledger.matches(dataset.lineage), "most": dataset.overlap.matches}


def _read(units: int, of: Accountant) -> dict[str, Any]:
    return {"units": str(units), "rho": rho_text(units, of), "epsilon": epsilon_number(units, of)}


def _consumer(desk: Desk, name: str, by_quantity: Mapping[str, int], cap: int) -> dict[str, Any]:
    of = accountant(desk.contract.accountant)
    spent = sum(by_quantity.values())
    coalition = sum(
        of.replace_one_units(units, centred=quantity not in COUNTED) for quantity, units in by_quantity.items()
    )
    setups = desk.database.all(
        "SELECT setup.state = 'ready', COUNT(*) FROM setup JOIN match ON match.id = setup.match"
        " WHERE setup.owner = 1 AND match.peer = ? AND setup.state != 'dead' GROUP BY 1",
        name,
    )
    return {
        "consumer": name,
        "spent": _read(spent, of),
        "cap": _read(cap, of),
        "left": _read(max(0, cap - spent), of),
        "with_coordinator": _read(coalition, of),
        "open": desk.ledger.open_reservations(desk.dataset.lineage, name),
        "setups": {
            "ready": sum(n for ready, n in setups if ready),
            "begun": sum(n for ready, n in setups if not ready),
        },
    }
