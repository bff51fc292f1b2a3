"""What a plan costs under its contract, recomputed by whoever wants to know; the plan's own word is not asked.

Owner, coordinator, every cosigner and every auditor come to the same number of the room's units.
"""

from cleanroom.errors import UsageError
from cleanroom.privacy.accountant import accountant
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import parts_of


def price_units(contract: Contract, plan: Plan) -> int:
    """Exact; raises UsageError for what the contract does not have, RefusedError for noise outside the rules."""
    if plan.owner not in contract.datasets:
        raise UsageError(f"{plan.owner} has no dataset in room {contract.room}")
    parts, prices = parts_of(contract, plan), accountant(contract.accountant)
    if len(plan.scales) != len(parts):
        raise UsageError(f"the question has {len(parts)} noise scales, not {len(plan.scales)}")
    return sum(prices.cost_units(part.sensitivity, scale) for part, scale in zip(parts, plan.scales, strict=True))
