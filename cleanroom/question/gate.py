"""The gate: whether one plan may be answered. No files, sockets, clocks or data; public facts only.

Rules, in the order they are checked (the owner's node refuses at the first that fails):

1.  contract   the plan stands under exactly this contract.
2.  parties    asker and owner are two different parties of it.
3.  grant      the owner's dataset grants the asker a budget.
4.  noise      the scale is at least 1 and at most 2^40.
5.  column     the asker's column is one of its dimensions; the owner's is a dimension (histogram) or measure (sum).
6.  partition  the number of leaves is the contract's; groups are disjoint, ascending, without leaf 0 or unused leaves.
7.  arithmetic words and bits are those that follow from contract and scale.
8.  cost       the stated cost is the one recomputed here from sensitivity and scale: never the asker's word.
9.  consumer   what this asker has spent, open reservations included, leaves room for the cost.
10. lineage    what everybody has spent on these people leaves room for the cost.
11. patience   the asker has not more open reservations than the owner allows.

Left out here because they need the node's own state, and checked there before this is called: that match, set-up
and dataset versions are the current ones, and that the plan hash is not already answered for another request.
"""

from dataclasses import dataclass
from fractions import Fraction

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.budget import cost_units, epsilon_view
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan, Shape, shape
from cleanroom.wire.contract_file import contract_hash

MAX_SCALE = Fraction(2**40)
MAX_OPEN_RESERVATIONS = 8
VIEW_DELTA = Fraction(1, 10**9)


@dataclass(frozen=True, slots=True)
class LedgerView:
    """Units of 2^-40 rho spent or reserved on the lineage, by everybody and by this asker, and how many are open."""

    lineage_units: int
    consumer_units: int
    open_reservations: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the owner will do, recomputed from contract and plan."""

    shape: Shape
    scale: Fraction
    cost_units: int


def _refuse(rule: str, owner: str, explanation: str, advice: str) -> RefusedError:
    return RefusedError(rule, owner, explanation, advice)


def decide(contract: Contract, plan: Plan, view: LedgerView) -> Accepted:
    """The decision on a plan; raises RefusedError that names rule, owner, reason and the nearest allowed question."""
    owner = plan.owner
    if plan.contract != contract_hash(contract).hex():
        raise _refuse("contract", owner, "the plan stands under another contract", "compare the contracts' hashes")
    if plan.asker == owner or plan.asker not in contract.cards or owner not in contract.cards:
        raise _refuse("parties", owner, "asker and owner are not two parties of the room", "ask another party")
    dataset = contract.datasets[owner]
    if plan.asker not in dataset.consumer_caps:
        granted = ", ".join(sorted(dataset.consumer_caps)) or "nobody"
        raise _refuse("grant", owner, f"{plan.asker} has no grant on {owner}'s people", f"granted: {granted}")
    if not 1 <= plan.scale <= MAX_SCALE:
        raise _refuse("noise", owner, "the noise scale is out of range", "use a scale from 1 to 2^40")
    try:
        expected = shape(contract, plan.asker, plan.by, owner, plan.quantity, plan.scale)
    except UsageError as error:
        raise _refuse("column", owner, str(error), "ask for one of the columns named here") from None
    _check_partition(plan, expected)
    if (plan.words, plan.bits) != (expected.words, expected.bits):
        raise _refuse(
            "arithmetic",
            owner,
            "words or bits do not follow from the contract",
            f"use {expected.words}×{expected.bits}",
        )
    cost = cost_units(expected.sensitivity**2, plan.scale)
    if plan.cost_units != cost:
        raise _refuse("cost", owner, "the stated cost is not what this noise costs", f"state {cost} units")
    _check_budget("consumer", plan, dataset.consumer_caps[plan.asker] - view.consumer_units, cost)
    _check_budget("lineage", plan, dataset.cap_units - view.lineage_units, cost)
    if view.open_reservations >= MAX_OPEN_RESERVATIONS:
        raise _refuse("patience", owner, "too many questions of this asker are open", "wait until they are answered")
    return Accepted(shape=expected, scale=plan.scale, cost_units=cost)


def _check_partition(plan: Plan, expected: Shape) -> None:
    leaves = [leaf for group in plan.groups for leaf in group]
    if (
        plan.leaves != expected.leaves
        or len(set(leaves)) != len(leaves)
        or not all(1 <= leaf <= expected.used_leaves for leaf in leaves)
        or any(list(group) != sorted(group) for group in plan.groups)
    ):
        raise _refuse(
            "partition",
            plan.owner,
            "groups overlap, are unordered, or hold a leaf that stands for nobody",
            f"use disjoint groups of leaves 1 to {expected.used_leaves} of {expected.leaves}",
        )


def _check_budget(rule: str, plan: Plan, left: int, cost: int) -> None:
    if cost <= left:
        return
    whose = f"{plan.asker}'s budget at {plan.owner}" if rule == "consumer" else f"the budget of {plan.owner}'s people"
    if rule == "lineage":
        advice = "what others spent is not shown; ask the owner's operator"
    elif left > 0:
        advice = f"the most that is left buys about epsilon {float(epsilon_view(left, VIEW_DELTA)):.3f} at delta 1e-9"
    else:
        advice = "nothing is left; only a new contract signed by all parties can grant more"
    raise _refuse(rule, plan.owner, f"{whose} does not cover this question", advice)
