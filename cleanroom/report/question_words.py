"""A question in words, for the person of the owner who must agree to it: what is asked, what it costs, what is new.

Everything is read from plan and contract, the same way as the gate reads them, and nothing from the data: who asks,
for what purpose, about whose people, which numbers, over which columns, with how much noise, out of which budget. Two
questions are compared fact by fact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from cleanroom.answer.result import epsilon_number
from cleanroom.errors import UsageError
from cleanroom.privacy.accountant import UNITS, Accountant, accountant
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import partition_cells, quantity_cells, split_party

_SAME = "nothing: the same question was approved before"
_ANEW = "asked anew: the same question was approved before, and this is another draw of noise, paid once more"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is about, and what it says."""

    name: str
    says: str


def headline(contract: Contract, plan: Plan) -> str:
    """The question in one line, without its columns' values."""
    split = f" by {split_party(plan)}'s `{plan.by}`" if plan.by else ""
    over = "over the match" if plan.base == "match" else f"over all of {plan.owner}'s people"
    cost = _cost(plan.cost_units, accountant(contract.accountant))
    return f"{_numbers_short(plan)}{split} {over}, {_counted(_cells(plan), 'cell')}, {cost}"


def facts(contract: Contract, plan: Plan) -> tuple[Fact, ...]:
    """The question, fact by fact, always in the same order and under the same names."""
    of = accountant(contract.accountant)
    return (
        Fact("asker", f"{plan.asker}, its analyst {plan.analyst}"),
        Fact("about", _people(plan)),
        Fact("asks", _numbers(contract, plan)),
        Fact("split", _split(contract, plan)),
        Fact("cells", f"{_counted(_cells(plan), 'noisy number')}: {len(plan.groups)} × {plan.words}"),
        Fact("noise", "; ".join(_noise(contract, plan, of))),
        Fact("cost", _cost(plan.cost_units, of)),
    )


def budget(contract: Contract, plan: Plan, spent_units: int) -> str:
    """What is left of the asker's budget before and after, when it has spent `spent_units`, reservations included."""
    of = accountant(contract.accountant)
    cap = contract.datasets[plan.owner].consumer_caps.get(plan.asker, 0)
    left = max(0, cap - spent_units)
    after = left - plan.cost_units
    text = f"{_cost(left, of)} is left of {plan.asker}'s {_cost(cap, of)}; after this question "
    if after < 0:
        return text + "less than nothing: approving it would end in a refusal (rule budget)"
    return text + _cost(after, of) + ("; it is rho that adds up" if of.delta else "")


def differences(contract: Contract, plan: Plan, before: Plan) -> tuple[str, ...]:
    """How a question differs from an earlier one, fact by fact."""
    found = []
    if plan.contract != before.contract:
        found.append("terms: the contract was changed since then")
    if plan.base == before.base == "match" and plan.match != before.match:
        found.append("people: they were matched anew since then")
    then = {fact.name: fact.says for fact in facts(contract, before)}
    now = facts(contract, plan)
    found += [f"{fact.name}: {fact.says}; it was: {then[fact.name]}" for fact in now if fact.says != then[fact.name]]
    if not found and plan.repeat != before.repeat:
        return (_ANEW,)
    return tuple(found) or (_SAME,)


def _people(plan: Plan) -> str:
    if plan.base == "match":
        return f"{plan.owner}'s people that {plan.asker} has as well (over the match)"
    return f"all of {plan.owner}'s people, whether {plan.asker} has them or not (over the whole table)"


def _numbers_short(plan: Plan) -> str:
    column = f"`{plan.quantity.column}`"
    words = {"count": "how many people", "histogram": f"spread over {column}", "quantile": f"quantiles of {column}"}
    return words.get(plan.quantity.kind, f"{plan.quantity.kind} of {column}")


def _numbers(contract: Contract, plan: Plan) -> str:
    kind, column = plan.quantity.kind, f"{plan.owner}'s `{plan.quantity.column}`"
    if kind == "count":
        return "how many people there are"
    if kind == "histogram":
        return f"how many people have each value of {column}: {_listed(_words_of(contract, plan), plan.words)}"
    if kind == "quantile":
        return f"how many people lie in each bin of {column}: {_listed(_words_of(contract, plan), plan.words)}"
    measure = contract.datasets[plan.owner].measure(plan.quantity.column)
    text = f"the {kind} of {column}"
    return text if measure is None else f"{text}, each person clamped to {measure.low} to {measure.high} {measure.unit}"


def _words_of(contract: Contract, plan: Plan) -> Sequence[str | None]:
    try:
        return quantity_cells(contract, plan.owner, plan.quantity)
    except UsageError:  # of an earlier question, whose column is not agreed any more
        return ()


def _listed(names: Sequence[str | None], count: int) -> str:
    return "; ".join(name or "all" for name in names) or f"{count} values that are not agreed any more"


def _split(contract: Contract, plan: Plan) -> str:
    if not plan.by:
        return "by nothing: everybody together"
    try:
        names = partition_cells(contract, split_party(plan), plan.by)
    except UsageError:  # of an earlier question, whose column is not agreed any more
        names = ()
    groups = [" or ".join(_leaf(names, leaf) for leaf in group) for group in plan.groups]
    return f"by {split_party(plan)}'s `{plan.by}`: {'; '.join(groups)}"


def _leaf(names: Sequence[str | None], leaf: int) -> str:
    return names[leaf - 1] or "all" if 1 <= leaf <= len(names) else f"value {leaf}"


def _cells(plan: Plan) -> int:
    return len(plan.groups) * plan.words


def _noise(contract: Contract, plan: Plan, of: Accountant) -> Iterator[str]:
    """One phrase a part; the second part of a mean is a sum, and so is the only one of a sum."""
    parameter = "sigma" if of.law == "gaussian" else "Laplace scale"
    measure = contract.datasets[plan.owner].measure(plan.quantity.column)
    for place, scale in enumerate(plan.scales):
        is_sum = plan.quantity.kind == "sum" or (plan.quantity.kind == "mean" and place == 1)
        step, unit = (measure.step, measure.unit) if is_sum and measure is not None else (Decimal(1), "people")
        half_width = step * of.noise_interval(scale).half_width
        width = float(scale * Fraction(step))
        yield f"{parameter} {width:.4g} {unit}, so 95% of the numbers are within ±{half_width:f} {unit} of the truth"


def _cost(units: int, of: Accountant) -> str:
    if of.delta == 0:
        return f"epsilon {epsilon_number(units, of):g}"
    return f"epsilon {epsilon_number(units, of):g} (rho {units / UNITS:.4g})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
