"""An answer as the analyst's programs read it: stable JSON, every number with its interval.

`value` is the raw noisy number (it may be negative: clamping is for display only), `low` and `high` hold the truth
with the stated probability or more; the interval is about the noise and about nothing else. Sums are in the column's
declared unit. What each kind of question adds is in `opened`.

In a pure room `rho` and `sigma` are null, delta is 0, epsilon is exact and `laplace_scale` says how wide the noise is.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cleanroom.answer.opened import Opened
from cleanroom.answer.view import USUAL_VIEW, View
from cleanroom.privacy.accountant import UNITS, Accountant, accountant
from cleanroom.privacy.interval import LEVEL
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan


def rho_text(units: int, of: Accountant) -> str | None:
    """Units of 2^-40 as decimal text of rho, rounded up at the 15th digit after the point; None in a pure room."""
    if of.name == "pure":
        return None
    scaled = math.ceil(Fraction(units * 10**15, UNITS))
    return format(Decimal(scaled).scaleb(-15).normalize(), "f")


def epsilon_number(units: int, of: Accountant) -> float:
    """The epsilon view: exact in a pure room, where it is the currency; else rounded up to three digits."""
    view = of.epsilon_view(units)
    return float(view) if of.name == "pure" else math.ceil(view * 1000) / 1000


def charge(party: str, consumer: str, units: int, of: Accountant) -> dict[str, Any]:
    """One line of what was spent, or of what has been spent in all."""
    return {
        "party": party,
        "consumer": consumer,
        "rho": rho_text(units, of),
        "epsilon": epsilon_number(units, of),
        "delta": float(of.delta),
    }


def amount(units: int, of: Accountant) -> dict[str, Any]:
    """A sum of units in both readings."""
    return {"rho": rho_text(units, of), "epsilon": epsilon_number(units, of)}


def _noise(of: Accountant, scale: Fraction) -> dict[str, float | None]:
    """The law's parameter under the name that says which law it is of."""
    return {"sigma": None, "laplace_scale": float(scale)} if of.law == "laplace" else {"sigma": float(scale)}


def answer_body(
    contract: Contract,
    plan: Plan,
    cells: Sequence[int],
    *,
    stored: bool,
    seconds: dict[str, float],
    view: View = USUAL_VIEW,
) -> dict[str, Any]:
    """The answer to a plan whose opened cells these are (groups outermost, words innermost)."""
    of_room = accountant(contract.accountant)
    opened = Opened(contract, plan, tuple(cells))
    return {
        "question": {
            "asker": plan.asker,
            "owner": plan.owner,
            "by": plan.by or None,
            "quantity": plan.quantity.kind,
            "column": plan.quantity.column or None,
            "epsilon": epsilon_number(plan.cost_units, of_room),
            "delta": float(of_room.delta),
            **_noise(of_room, plan.scales[0] * Fraction(opened.step)),
            "unit": opened.unit,
            "analyst": plan.analyst,
            "plan": plan.hash(),
            "base": plan.base,
            "repeat": plan.repeat,
            **opened.more_of_the_question(view),
        },
        "interval": float(LEVEL),
        "cells": opened.cells(),
        **opened.read_off(view),
        "spent": [charge(plan.owner, plan.asker, plan.cost_units, of_room)],
        "stored": stored,
        "sizes": {name: dataset.capacity for name, dataset in contract.datasets.items()},
        "seconds": seconds,
    }
