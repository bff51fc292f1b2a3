"""A dry run as programs read it: stable JSON, with the same names for cost and noise as an answer has.

`refusal` is what the owner would say, null where it would answer; `approval` says who must agree first and why.
`budget` is the asker's own at this owner, as far as the asker knows: `as_of` is when the owner last said so. Nothing
in it was read from anybody's data. `match` is null unless it is known that asking would make a new match first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cleanroom.answer.number import json_number, percent
from cleanroom.answer.result import amount, charge, epsilon_number
from cleanroom.privacy.accountant import Accountant, accountant
from cleanroom.privacy.interval import LEVEL
from cleanroom.question.advice import budget_advice
from cleanroom.question.dry_run import UNKNOWN, DryRun, GuessedCells, PartNoise, Price

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewMatch:
    """A question needs a match that is not there: of the asker's people `made` were made so far, `most` are agreed.

    `left` is whether another with this owner may be made: one partner has no more than its share of them.
    """

    made: int
    most: int
    left: bool = True


def forecast_body(found: DryRun, *, stored: bool, match: NewMatch | None = None) -> Body:
    """The JSON of a dry run; `stored` says that the same question is charged already, so asking it is free.

    It is answered, or its answer is on its way: then nobody refuses it or has to agree, and nothing more is spent.
    `match` is the one that asking would make first: it shows the coordinator a noisy overlap.
    """
    of, asked, price = accountant(found.accountant), found.question, found.price
    refusal, reasons = (None, ()) if stored else (found.refusal, found.approval)
    return {
        "dry_run": True,
        "question": {
            "asker": asked.asker,
            "owner": asked.owner,
            "by": asked.by or None,
            "base": asked.base,
            "quantity": asked.quantity.kind,
            "column": asked.quantity.column or None,
        },
        "interval": float(LEVEL),
        "cost": charge(asked.owner, asked.asker, price.units, of) if price else None,
        "numbers": price.cells if price else None,
        "noise": [_noise(part, of) for part in price.parts] if price else [],
        "display_threshold": found.display_threshold,
        "guess": _guess(price.guess) if price and price.guess else None,
        "budget": _budget(found, of, stored=stored),
        "approval": {"by": asked.owner, "reasons": list(reasons)} if reasons else None,
        "refusal": None
        if refusal is None
        else {name: str(getattr(refusal, name)) for name in ("rule", "owner", "explanation", "advice")},
        "stored": stored,
        "match": _match(match),
        "not_known": list(UNKNOWN),
    }


def together_body(found: Sequence[DryRun], stored: Sequence[bool], *, match: NewMatch | None = None) -> Body:
    """The JSON of several dry runs that make one question; what is stored costs nothing and is refused by nobody.

    `plans` are their JSON one by one. `budget` is before the first, and after all of them. Who has not enough left for
    all plans is told what would be enough for all of them, not what those before would leave for one: the plans' shares
    of an epsilon add up to 1 at most.
    """
    of, first = accountant(found[0].accountant), found[0]
    plans = [forecast_body(one, stored=is_stored) for one, is_stored in zip(found, stored, strict=True)]
    new = [plan for plan in plans if not plan["stored"]]
    prices = [one.price for one, is_stored in zip(found, stored, strict=True) if not is_stored]
    units = sum(price.units for price in prices if price is not None)
    left = max(0, first.cap_units - first.record.units)
    for plan in new:
        if plan["refusal"] is not None and plan["refusal"]["rule"] == "budget":
            plan["refusal"]["advice"] = budget_advice(of, left)
    return {
        "dry_run": True,
        "plans": plans,
        "cost": charge(first.question.owner, first.question.asker, units, of),
        "stored": not new,
        "match": _match(match),
        "budget": plans[0]["budget"] | {"left_after": None if units > left else amount(left - units, of)},
        "approval": next((plan["approval"] for plan in new if plan["approval"] is not None), None),
        "refusal": next((plan["refusal"] for plan in new if plan["refusal"] is not None), None),
        "not_known": list(UNKNOWN),
    }


def _match(match: NewMatch | None) -> Body | None:
    return None if match is None else {"made": match.made, "most": match.most, "left": match.left}


def _noise(part: PartNoise, of: Accountant) -> Body:
    scale = float(part.scale)
    return {
        "of": part.counts,
        "unit": part.unit,
        "numbers": part.numbers,
        **({"sigma": None, "laplace_scale": scale} if of.law == "laplace" else {"sigma": scale}),
        "half_width": json_number(part.half_width),
        "half_width_all": json_number(part.half_width_all),
    }


def _guess(guess: GuessedCells) -> Body:
    return {
        "people": guess.people,
        "cells": guess.cells,
        "each": float(guess.each),
        "chance_below": guess.chance_below,
        "likely_below": guess.likely_below,
    }


def _budget(found: DryRun, of: Accountant, *, stored: bool) -> Body:
    left = max(0, found.cap_units - found.record.units)
    cost = None if found.price is None else 0 if stored else found.price.units
    after = None if cost is None or cost > left else left - cost
    return {
        "as_of": found.record.as_of or None,
        "open_questions": found.record.open_questions,
        "cap": amount(found.cap_units, of),
        "spent": amount(found.record.units, of),
        "left_before": amount(left, of),
        "left_after": None if after is None else amount(after, of),
    }


def price_line(price: Price, of: Accountant) -> str:
    """Cost and accuracy in one line, to be said before a question is asked."""
    at = f" at delta {float(of.delta):g}" if of.delta else ""
    noise = " and ".join(f"±{part.half_width:f} {part.unit}" for part in price.parts)
    cost = f"epsilon {epsilon_number(price.units, of):g}{at}"
    return f"this question costs {cost}; noise is {noise} at {percent(LEVEL)}"
