"""Every owner's rules in one value: what the contract says, as it bears on one party."""

import json
from decimal import Decimal
from typing import Any

from cleanroom.answer.rules import rules_body
from cleanroom.ids import ColumnName, PartyName
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Hidden
from tests.unit.question.agreements import BANK, BRAND, RHO, SHOP, contract, dataset, dimension, measure


def brand_s(party: PartyName, **terms: Any) -> dict[str, Any]:
    """What brand allows that party, after a way through JSON."""
    body = json.loads(json.dumps(rules_body(contract({BRAND: dataset(BRAND, **terms)}), party)))
    return next(owner for owner in body["owners"] if owner["owner"] == "brand")


def test_all_other_parties_are_owners_and_the_own_columns_are_named_apart() -> None:
    body = rules_body(contract(), SHOP)
    assert (body["party"], [owner["owner"] for owner in body["owners"]]) == ("shop", ["brand", "bank"])
    assert [column["column"] for column in body["own"]] == ["tier", "colour", "spend"]
    assert (body["room"], body["purpose"], body["starts"], body["delta"]) == ("spring", "to test a room", None, 1e-9)


def test_a_column_that_is_hidden_or_granted_to_others_may_not_be_asked_for() -> None:
    columns = (
        dimension(),
        dimension("colour", consumers=(BANK,)),
        measure(edges=(Decimal(0), Decimal("0.5"))),
        Hidden(ColumnName("margin")),
    )
    found = {column["column"]: column for column in brand_s(SHOP, columns=columns)["columns"]}
    assert {name: column["may_ask"] for name, column in found.items()} == {
        "tier": True,
        "colour": False,
        "spend": True,
        "margin": False,
    }
    assert found["tier"]["values"] == ["gold", "silver", "other"]
    assert found["spend"] == {
        "column": "spend",
        "may_ask": True,
        "role": "measure",
        "unit": "euros",
        "low": -10,
        "high": 100,
        "step": 0.5,
        "edges": [0, 0.5],
    }
    assert found["margin"] == {"column": "margin", "may_ask": False, "role": "hidden"}


def test_who_has_no_budget_may_ask_nothing() -> None:
    owner = brand_s(SHOP, consumer_caps={BANK: 4 * RHO})
    assert (owner["may_ask"], owner["budget"]) == (False, None)
    assert not any(column["may_ask"] for column in owner["columns"])


def test_limits_and_approval_are_the_contract_s() -> None:
    approval = Approval(columns=("tier",), cells=50, units_per_question=RHO // 2)
    owner = brand_s(SHOP, questions=("count",), bases=("table",), cells=7, display_threshold=20, approval=approval)
    assert (owner["questions"], owner["over"], owner["cells"], owner["display_threshold"]) == (
        ["count"],
        ["table"],
        7,
        20,
    )
    assert owner["budget"]["rho"] == "4"
    assert owner["approval"] == {
        "mode": "automatic",
        "columns": ["tier"],
        "cells": 50,
        "per_question": {"rho": "0.5", "epsilon": owner["approval"]["per_question"]["epsilon"]},
        "per_day": None,
    }
