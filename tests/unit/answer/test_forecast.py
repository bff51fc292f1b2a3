"""Several plans that make one question are judged as one: what is said to be enough is enough for all of them."""

import re
from dataclasses import replace
from fractions import Fraction

from cleanroom.answer.forecast import Body, together_body
from cleanroom.privacy.accountant import accountant
from cleanroom.question.dry_run import OwnRecord, dry_run
from tests.unit.question.agreements import BRAND, SHOP, contract, question

AGREED = contract()
CAP = AGREED.datasets[BRAND].consumer_caps[SHOP]
PRICES = accountant(AGREED.accountant)


def together(epsilon: Fraction, left: int) -> Body:
    """Two plans that share an epsilon equally, where `left` units are left."""
    units = PRICES.units_for_epsilon(epsilon) // 2
    first, second = question(units=units), question(units=units, base="table")
    record = OwnRecord(units=CAP - left)
    found = dry_run(AGREED, first, record, today="2026-11-23")
    spent = found.price.units if found.price else 0
    after = dry_run(AGREED, second, replace(record, units=record.units + spent), today="2026-11-23")
    return together_body([found, after], [False, False])


def test_the_epsilon_that_a_refusal_offers_is_the_most_that_all_plans_together_may_cost() -> None:
    left = PRICES.units_for_epsilon(Fraction("0.602"))
    refusal = together(Fraction("0.62"), left)["refusal"]
    assert refusal["rule"] == "budget"
    offered = re.search(r"buys epsilon ([0-9.]+) at delta 1e-9; ask with that or less", refusal["advice"])
    assert offered is not None
    assert Fraction(offered[1]) == Fraction("0.602")  # not the 0.32 that the first plan would leave for the second
    assert together(Fraction(offered[1]), left)["refusal"] is None
