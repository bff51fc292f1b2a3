"""A dry run in lines for people: what it would cost, how exact it would be, who must agree, what would be refused."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from cleanroom.answer.number import percent
from cleanroom.report.figure import show

Body = Mapping[str, Any]


def forecast_lines(body: Body) -> Iterator[str]:
    """The lines of the JSON that a dry run gives, each with its topic in front."""
    yield "dry run   nothing was asked, nothing was spent, nobody's data was read"
    yield f"question  {_question(body['question'])}"
    if body["cost"] is not None:
        yield f"cost      {_cost(body['cost'])}"
        yield from _noise(body)
    if body["stored"]:
        yield "stored    this was asked before: asking it again costs nothing and gives the same answer"
    yield from _small_cells(body)
    yield from _match(body, body["question"]["asker"])
    yield from _budget(body)
    yield f"approval  {_approval(body)}"
    if body["refusal"] is not None:
        yield _refused(body["refusal"])
    yield f"unknown   {'; '.join(body['not_known'])}"


def together_lines(body: Body) -> Iterator[str]:
    """The lines of several dry runs that make one question: each plan's own, then what they come to together."""
    plans = body["plans"]
    if len(plans) == 1:
        yield from forecast_lines({**plans[0], "match": body["match"]})
        return
    yield "dry run   nothing was asked, nothing was spent, nobody's data was read"
    for number, plan in enumerate(plans, start=1):
        yield f"plan {number}    {_question(plan['question'])}"
        if plan["cost"] is not None:
            yield f"cost      {_cost(plan['cost'])}"
            yield from _noise(plan)
        if plan["stored"]:
            yield "stored    this was asked before: asking it again costs nothing and gives the same answer"
        yield from _small_cells(plan)
    if body["stored"]:
        yield "together  nothing: every plan was asked before"
    else:
        yield f"together  {_cost(body['cost'])}"
    yield from _match(body, plans[0]["question"]["asker"])
    yield from _budget({**plans[0], "budget": body["budget"], "cost": body["cost"]})
    asked = {**plans[0], **{name: body[name] for name in ("approval", "refusal")}}
    yield f"approval  {_approval(asked)}"
    if body["refusal"] is not None:
        yield _refused(body["refusal"])
    yield f"unknown   {'; '.join(body['not_known'])}"


def _refused(refusal: Body) -> str:
    return f"refused   {refusal['explanation']} (rule {refusal['rule']} of {refusal['owner']}); {refusal['advice']}"


def _question(asked: Body) -> str:
    kind, column = asked["quantity"], asked["column"]
    what = {"count": "how many people", "histogram": f"people by {column}", "quantile": f"quantiles of {column}"}
    by = f", for each {asked['by']}" if asked["by"] else ""
    whom = (
        f"the people that {asked['asker']} shares with {asked['owner']}"
        if asked["base"] == "match"
        else f"all people of {asked['owner']}"
    )
    return f"{asked['asker']} asks {asked['owner']}: {what.get(kind, f'{kind} of {column}')}{by}, over {whom}"


def _cost(cost: Body) -> str:
    at = f" at delta {cost['delta']:g}" if cost["delta"] else ""
    rho = f" (rho {cost['rho']})" if cost["rho"] else ""
    return f"epsilon {cost['epsilon']:g}{at}{rho}"


def _noise(body: Body) -> Iterator[str]:
    level = percent(Fraction(repr(body["interval"])))
    for noise in body["noise"]:
        law = f"sigma {noise['sigma']:.4g}" if noise["sigma"] is not None else f"scale {noise['laplace_scale']:.4g}"
        text = (
            f"noise     {_counted(noise['numbers'], 'number')} ({noise['of']}), {law} {noise['unit']}:"
            f" ±{_shown(noise['half_width'])} {noise['unit']} for one at {level}"
        )
        if body["numbers"] > 1:
            text += f", ±{_shown(noise['half_width_all'])} for all {body['numbers']} at once"
        yield text


def _small_cells(body: Body) -> Iterator[str]:
    threshold, guess = body["display_threshold"], body["guess"]
    if body["cost"] is None or body["noise"][0]["of"] != "people":
        return
    if guess is not None:
        noise = body["noise"][0]
        yield (
            f"guess     {guess['people']:,} people spread evenly over {_counted(guess['cells'], 'cell')} are"
            f" {guess['each']:,.1f} in each, and noise is ±{_shown(noise['half_width'])} on one:"
            f" {_drowned(noise['half_width'] / guess['each'])}"
        )
    if not threshold:
        return
    if guess is None:
        yield f"small     numbers of people under {threshold} are shown as such; --guess N says how likely that is"
        return
    likely = f"all {guess['cells']} are" if guess["likely_below"] else "none is"
    chance = f"each with a chance of {guess['chance_below']:.1%}"
    yield f"small     {likely} likely to be shown as under {threshold} ({chance})"


def _drowned(part: float) -> str:
    """What noise does to a number of which it is this part."""
    if part >= 1:
        return "as much as there is to see, or more"
    return f"{part:.0%} of it" if part >= 0.005 else "next to nothing"


def _match(body: Body, asker: str) -> Iterator[str]:
    """What the coordinator would be shown, which has a budget of its own."""
    match = body["match"]
    if match is None:
        return
    agreed = f"of the {match['most']} that the coordinator may see of {asker}'s people"
    if match["left"]:
        yield f"match     a new one is made first, {match['made'] + 1} {agreed}"
    else:
        yield f"match     a new one is needed, and {agreed} none is left for this owner: asking would be refused"


def _budget(body: Body) -> Iterator[str]:
    budget, asked = body["budget"], body["question"]
    said = (
        f"as {asked['owner']} said at {budget['as_of']}"
        if budget["as_of"]
        else f"{asked['owner']} has said nothing yet"
    )
    open_ones = f", {_counted(budget['open_questions'], 'question')} open" if budget["open_questions"] else ""
    left, cap = budget["left_before"]["epsilon"], budget["cap"]["epsilon"]
    text = f"budget    {asked['asker']} has epsilon {left:g} of {cap:g} left at {asked['owner']} ({said}{open_ones})"
    if body["cost"] is not None:
        after = budget["left_after"]
        text += "; this costs more" if after is None else f"; after this question epsilon {after['epsilon']:g}"
    yield text


def _approval(body: Body) -> str:
    approval = body["approval"]
    if approval is None:
        return "nobody needs to agree first" if body["refusal"] is None else "not asked for: it would be refused"
    return (
        f"an approver of {approval['by']} must agree first: {'; '.join(approval['reasons'])};"
        " ask, and it waits for them"
    )


def _shown(number: float) -> str:
    return show(Fraction(repr(number)))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
