"""The room's rules as programs read them: what every owner allows, and which of it the reader's company may ask.

All of it stands in the contract, which every party holds and has signed; nothing in it comes from anybody's data.
"""

from typing import Any

from cleanroom.answer.number import json_number
from cleanroom.answer.result import amount
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import Accountant, accountant
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Column, Dimension, Hidden, granted
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import Dataset

Body = dict[str, Any]


def rules_body(contract: Contract, party: PartyName) -> Body:
    """Every owner's rules in one value, as they bear on `party`; its own columns are what it may split by."""
    of = accountant(contract.accountant)
    return {
        "room": contract.room,
        "purpose": contract.purpose,
        "party": party,
        "starts": contract.starts or None,
        "ends": contract.ends or None,
        "accountant": contract.accountant,
        "delta": float(of.delta),
        "own": [_column(column, may_ask=not isinstance(column, Hidden)) for column in contract.datasets[party].columns],
        "owners": [_owner(dataset, party, of) for name, dataset in contract.datasets.items() if name != party],
    }


def _owner(dataset: Dataset, party: PartyName, of: Accountant) -> Body:
    cap = dataset.consumer_caps.get(party)
    return {
        "owner": dataset.owner,
        "may_ask": cap is not None,
        "budget": None if cap is None else amount(cap, of),
        "questions": list(dataset.questions),
        "over": list(dataset.bases),
        "cells": dataset.cells,
        "questions_each": dataset.questions_each,
        "display_threshold": dataset.display_threshold,
        "fresh_days": dataset.fresh_days,
        "capacity": dataset.capacity,
        "matches": dataset.overlap.matches,
        "approval": _approval(dataset.approval, of),
        "columns": [_column(column, may_ask=_may_ask(column, dataset, party)) for column in dataset.columns],
    }


def _may_ask(column: Column, dataset: Dataset, party: PartyName) -> bool:
    return not isinstance(column, Hidden) and party in dataset.consumer_caps and granted(column, party)


def _approval(approval: Approval, of: Accountant) -> Body:
    limits = {"question": approval.units_per_question, "day": approval.units_per_day}
    return {
        "mode": approval.mode,
        "columns": None if approval.columns is None else list(approval.columns),
        "cells": approval.cells,
        **{f"per_{name}": None if units is None else amount(units, of) for name, units in limits.items()},
    }


def _column(column: Column, *, may_ask: bool) -> Body:
    head = {"column": column.name, "may_ask": may_ask}
    if isinstance(column, Hidden):
        return {**head, "role": "hidden"}
    if isinstance(column, Dimension):
        return {**head, "role": "dimension", "values": list(column.cells)}
    return {
        **head,
        "role": "measure",
        "unit": column.unit,
        **{name: json_number(getattr(column, name)) for name in ("low", "high", "step")},
        "edges": [json_number(edge) for edge in column.edges],
    }
