"""The gate: whether one plan may be answered. No files, sockets, clocks or data; public facts only.

Rules, in the order they are checked (the owner's node refuses at the first that fails):

1.  contract   the plan stands under exactly this contract.
2.  parties    asker and owner are two different parties of it.
3.  room       no party has paused or closed the room.
4.  validity   today is inside the contract's days.
5.  grant      the owner's dataset grants the asker a budget.
6.  question   the contract allows this quantity, and over this base (the match, or the owner's whole table).
7.  column     `by` is a dimension of the party that splits; the owner's column is a dimension (histogram) or a measure;
               hidden and undeclared columns are none.
8.  column-grant
               each of the owner's columns in the question is granted to the asker.
9.  noise      one scale for each part of the quantity, each at least 1 and at most 2^40.
10. partition  the number of leaves is the contract's; groups are disjoint, ascending, without leaf 0 or unused leaves.
11. cells      the answer has not more numbers than the owner allows.
12. arithmetic words and bits are those that follow from contract and scales.
13. cost       the stated cost is the one recomputed here from sensitivities and scales: never the asker's word.
14. freshness  the owner's table is not older than the contract allows.
15. questions  the asker has questions left in this room.
16. budget     what this asker has spent, open reservations included, leaves room for the cost.
17. lineage    what everybody has spent on these people leaves room for the cost.
18. patience   the asker has not more open reservations than the owner allows.

No rule here refuses for want of approval: a question beyond the owner's limits passes, with the reasons why one of its
approvers must look at it first. After approval every rule is checked again.

Refusals that need the node's own state come from there, before or after this is called, under these names:

already-asked  another request was made under the same plan (`answering`).
receipt        the asker lacks receipts for more entries than one answer can bring (`heads`).
approval       an approver said no, or nobody decided within a week (`pending`).
match          match, set-up or table changed while the question waited for approval (`pending`). A new plan
               that names others than the current ones ends without a refusal.
contract       the terms were changed while the question waited for approval (`pending`).
patience       too many questions of this asker wait for approval already (`pending`).
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from cleanroom.errors import RefusedError, UsageError
from cleanroom.nearest import listed, meant, quoted
from cleanroom.privacy.accountant import accountant
from cleanroom.question.advice import budget_advice, fewer_cells
from cleanroom.question.columns import granted
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import Dataset
from cleanroom.question.plan import Plan
from cleanroom.question.price import price_units
from cleanroom.question.shape import Questioned, Shape, find_column, parts_of, shape
from cleanroom.question.standing import OPEN, RoomStanding
from cleanroom.wire.contract_file import contract_hash

MIN_SCALE = Fraction(1)
MAX_SCALE = Fraction(2**40)
MAX_OPEN_RESERVATIONS = 8


@dataclass(frozen=True, slots=True)
class LedgerView:
    """Units spent or reserved on the lineage, by everybody and by this asker; how many reservations are open.

    `questions` and `units_today` are of this asker: questions in this room so far, and units since midnight UTC.
    """

    lineage_units: int
    consumer_units: int
    open_reservations: int
    questions: int = 0
    units_today: int = 0


@dataclass(frozen=True, slots=True)
class Situation:
    """The owner's other public facts: today's day and the day of its table (YYYY-MM-DD, UTC), the room's standing."""

    today: str
    table_day: str
    standing: RoomStanding = OPEN


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the answer costs, recomputed from contract and plan; `approval` says why a person must agree first."""

    cost_units: int
    approval: tuple[str, ...] = ()


def decide(contract: Contract, plan: Plan, view: LedgerView, situation: Situation) -> Accepted:
    """The decision on a plan; raises RefusedError that names rule, owner, reason and the nearest allowed question."""
    if plan.contract != contract_hash(contract).hex():
        raise RefusedError(
            "contract", plan.owner, "the plan stands under another contract", "compare the contracts' hashes"
        )
    check_words(contract, plan, situation)
    expected = _check_arithmetic(contract, plan)
    cost = _check_cost(contract, plan)
    _check_spending(contract, plan, view, situation, cost)
    approval = contract.datasets[plan.owner].approval.reasons(
        columns=owners_columns(plan),
        cells=len(plan.groups) * expected.words,
        units=cost,
        units_today=view.units_today,
    )
    return Accepted(cost_units=cost, approval=approval)


def owners_columns(question: Questioned) -> tuple[str, ...]:
    """Names of the owner's columns that a question uses, each once."""
    names = (question.quantity.column, question.by if question.base == "table" else "")
    return tuple(dict.fromkeys(name for name in names if name))


def check_words(contract: Contract, question: Questioned, situation: Situation) -> None:
    """Rules 2 to 8: everything that the words of a question decide; raises RefusedError."""
    owner = question.owner
    if question.asker == owner or question.asker not in contract.cards or owner not in contract.cards:
        raise _no_such_parties(contract, question)
    stopped = situation.standing.refusal()
    if stopped is not None:
        raise stopped
    _check_validity(contract, owner, situation.today)
    dataset = contract.datasets[owner]
    if question.asker not in dataset.consumer_caps:
        raise RefusedError(
            "grant",
            owner,
            f"{question.asker} has no grant on {owner}'s people",
            f"granted: {listed(sorted(dataset.consumer_caps) or ['nobody'])}; another needs a new contract of all",
        )
    _check_kind(dataset, question)
    try:
        shape(contract, question, (MIN_SCALE,))
    except UsageError as error:
        raise RefusedError("column", owner, str(error), "ask for one of the columns named here") from None
    _check_column_grant(contract, dataset, question)


def _no_such_parties(contract: Contract, question: Questioned) -> RefusedError:
    asker, owner = question.asker, question.owner
    unknown = [name for name in (owner, asker) if name not in contract.cards]
    others = [name for name in contract.cards if name != asker]
    if not unknown:
        return RefusedError("parties", owner, f"{asker} cannot ask itself", f"parties to ask: {listed(others)}")
    return RefusedError(
        "parties",
        owner,
        f"there is no party {quoted(unknown[0])} in room {contract.room}",
        f"{meant(unknown[0], contract.cards)}parties: {listed(contract.cards)}",
    )


def _check_validity(contract: Contract, owner: str, today: str) -> None:
    if contract.starts and today < contract.starts:
        raise RefusedError(
            "validity", owner, f"the contract of room {contract.room} starts on {contract.starts}", "ask from then on"
        )
    if contract.ends and today > contract.ends:
        raise RefusedError(
            "validity",
            owner,
            f"the contract of room {contract.room} ended on {contract.ends}",
            "agree on a new one: cleanroom room propose, then room sign at every party",
        )


def _check_kind(dataset: Dataset, question: Questioned) -> None:
    kind, owner = question.quantity.kind, dataset.owner
    if kind not in dataset.questions:
        raise RefusedError(
            "question", owner, f"{owner} does not allow a {kind}", f"allowed: {', '.join(dataset.questions)}"
        )
    if question.base not in dataset.bases:
        raise RefusedError(
            "question",
            owner,
            f"{owner} does not allow questions over the {question.base}",
            f"allowed over the {', over the '.join(dataset.bases)}",
        )


def _check_column_grant(contract: Contract, dataset: Dataset, question: Questioned) -> None:
    used = [(question.quantity.column, question.quantity.role)]
    if question.base == "table":
        used.append((question.by, "dimension"))
    for name, role in used:
        if not name:
            continue
        column = find_column(contract, dataset.owner, name, role)
        if column.consumers is None or question.asker in column.consumers:
            continue
        names = dataset.dimensions() if role == "dimension" else dataset.measures()
        open_to_asker = [
            other for other in names if granted(find_column(contract, dataset.owner, other, role), question.asker)
        ]
        raise RefusedError(
            "column-grant",
            dataset.owner,
            f"{dataset.owner}'s column `{name}` is not granted to {question.asker}",
            f"granted {role}s: {listed(open_to_asker)}",
        )


def _check_arithmetic(contract: Contract, plan: Plan) -> Shape:
    owner, dataset = plan.owner, contract.datasets[plan.owner]
    parts = parts_of(contract, plan)
    if len(plan.scales) != len(parts) or not all(MIN_SCALE <= scale <= MAX_SCALE for scale in plan.scales):
        raise RefusedError(
            "noise", owner, "a noise scale is out of range, or missing", f"state {len(parts)}, from 1 to 2^40"
        )
    expected = shape(contract, plan, plan.scales)
    _check_partition(plan, expected)
    cells = len(plan.groups) * expected.words
    if cells > dataset.cells:
        raise RefusedError(
            "cells",
            owner,
            f"the answer would have {cells} cells and {owner} allows {dataset.cells}",
            fewer_cells(contract, plan, words=expected.words, allowed=dataset.cells),
        )
    if (plan.words, plan.bits) != (expected.words, expected.bits):
        raise RefusedError(
            "arithmetic",
            owner,
            "words or bits do not follow from the contract",
            f"use {expected.words}×{expected.bits}",
        )
    return expected


def _check_partition(plan: Plan, expected: Shape) -> None:
    leaves = [leaf for group in plan.groups for leaf in group]
    if (
        plan.leaves != expected.leaves
        or len(set(leaves)) != len(leaves)
        or not all(1 <= leaf <= expected.used_leaves for leaf in leaves)
        or any(list(group) != sorted(group) for group in plan.groups)
    ):
        raise RefusedError(
            "partition",
            plan.owner,
            "groups overlap, are unordered, or hold a leaf that stands for nobody",
            f"use disjoint groups of leaves 1 to {expected.used_leaves} of {expected.leaves}",
        )


def _check_cost(contract: Contract, plan: Plan) -> int:
    cost = price_units(contract, plan)
    if plan.cost_units != cost:
        raise RefusedError("cost", plan.owner, "the stated cost is not what this noise costs", f"state {cost} units")
    return cost


def _check_spending(contract: Contract, plan: Plan, view: LedgerView, situation: Situation, cost: int) -> None:
    owner, dataset = plan.owner, contract.datasets[plan.owner]
    if dataset.fresh_days and _days(situation.table_day, situation.today) > dataset.fresh_days:
        raise RefusedError(
            "freshness",
            owner,
            f"{owner}'s table is older than the {dataset.fresh_days} days that were agreed",
            f"ask again when {owner}'s operator has taken up a newer table",
        )
    if view.questions >= dataset.questions_each:
        raise RefusedError(
            "questions",
            owner,
            f"{plan.asker} has asked {dataset.questions_each} questions in this room, the most agreed",
            "only a new contract signed by all parties can grant more",
        )
    _check_budget(contract, "budget", plan, dataset.consumer_caps[plan.asker] - view.consumer_units, cost)
    _check_budget(contract, "lineage", plan, dataset.cap_units - view.lineage_units, cost)
    if view.open_reservations >= MAX_OPEN_RESERVATIONS:
        raise RefusedError(
            "patience", owner, "too many questions of this asker are open", "wait until they are answered"
        )


def _days(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def _check_budget(contract: Contract, rule: str, plan: Plan, left: int, cost: int) -> None:
    if cost <= left:
        return
    whose = f"{plan.asker}'s budget at {plan.owner}" if rule == "budget" else f"the budget of {plan.owner}'s people"
    advice = "what others spent is not shown; ask the owner's operator"
    if rule == "budget":
        advice = budget_advice(accountant(contract.accountant), left)
    raise RefusedError(rule, plan.owner, f"{whose} does not cover this question", advice)
