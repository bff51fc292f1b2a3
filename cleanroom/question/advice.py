"""The nearest question that would be allowed, for a refusal's last words.

From public terms and the asker's own spending only, so it may stand in a refusal.
"""

import math
from fractions import Fraction

from cleanroom.privacy.accountant import Accountant
from cleanroom.privacy.budget import MAX_EPSILON
from cleanroom.question.columns import granted
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import split_party

_MOST = 3


def fewer_cells(contract: Contract, plan: Plan, *, words: int, allowed: int) -> str:
    """The same question with a column less, or with another of the owner's instead, where that has few enough cells.

    `words` is how many numbers the plan has in a group.
    """
    groups, column, kind = len(plan.groups), plan.quantity.column, plan.quantity.kind
    found = [f"without {split_party(plan)}'s `{plan.by}` it has {words}"] if plan.by and words <= allowed else []
    if kind in ("histogram", "quantile") and groups <= allowed:
        found.append(f"without {plan.owner}'s `{column}` it has {groups}")
    if kind == "histogram":
        dataset = contract.datasets[plan.owner]
        for name in dataset.dimensions():
            other = dataset.dimension(name)
            if other is not None and granted(other, plan.asker) and groups * len(other.cells) <= allowed:
                found.append(f"with `{name}` instead of `{column}` it has {groups * len(other.cells)}")
    return "; ".join(found[:_MOST]) or "choose columns with fewer declared values"


def budget_advice(prices: Accountant, left: int) -> str:
    """What a question may cost where `left` units are left for all of it."""
    epsilon = affordable_epsilon(prices, left)
    if not epsilon:
        return "nothing is left; only a new contract signed by all parties can grant more"
    at = " at delta 1e-9" if prices.delta else ""
    return f"the most that is left buys epsilon {epsilon}{at}; ask with that or less"


def affordable_epsilon(prices: Accountant, left: int) -> str:
    """The largest epsilon of at most three decimals that costs no more than `left` units, as it is typed; or nothing.

    Rounded down, so that who asks with it is not refused again.
    """
    if left <= 0:
        return ""
    thousandths = min(math.floor(prices.epsilon_view(left) * 1000), int(MAX_EPSILON) * 1000)
    while thousandths > 0 and prices.units_for_epsilon(Fraction(thousandths, 1000)) > left:
        thousandths -= 1
    return f"{thousandths / 1000:.3f}".rstrip("0").rstrip(".") if thousandths > 0 else ""
