"""The contract as bytes: canonical JSON, so that one agreement has one hash.

Everything that can be fractional travels as decimal text and every budget as decimal text of integer units.
"""

import base64
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, TypeVar

from cleanroom.errors import CleanroomError, PeerError
from cleanroom.ids import PartyName, column_name, party_name, room_name
from cleanroom.querylog.dsse import strict_base64
from cleanroom.question.approval import Approval
from cleanroom.question.card import CoordinatorCard, PartyCard
from cleanroom.question.columns import Column, Dimension, Hidden, Measure, Reduction
from cleanroom.question.contract import FORMAT_VERSION, Auditor, Contract
from cleanroom.question.dataset import Dataset, Overlap
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical

_T = TypeVar("_T")
_MAX_PAIR_MEMBERS = 512
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(?:[./][0-9]+)?")


def decimal_text(value: Decimal) -> str:
    """Plain decimal text without exponent."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def fraction_text(value: Fraction) -> str:
    """`numerator/denominator` in lowest terms."""
    return f"{value.numerator}/{value.denominator}"


def _reduction_body(reduction: Reduction) -> dict[str, Any]:
    return {
        "date_format": reduction.date_format,
        "kind": reduction.kind,
        "order_by": reduction.order_by,
        "source": reduction.source,
        "where": {name: list(values) for name, values in reduction.where.items()},
    }


def _column_body(column: Column) -> dict[str, Any]:
    if isinstance(column, Hidden):
        return {"name": column.name, "role": "hidden"}
    if isinstance(column, Dimension):
        return {
            "consumers": _names(column.consumers),
            "name": column.name,
            "reduction": _reduction_body(column.reduction),
            "role": "dimension",
            "values": list(column.values),
        }
    return {
        "consumers": _names(column.consumers),
        "decimals": column.decimals,
        "edges": [decimal_text(edge) for edge in column.edges],
        "high": decimal_text(column.high),
        "low": decimal_text(column.low),
        "name": column.name,
        "reduction": _reduction_body(column.reduction),
        "role": "measure",
        "step": decimal_text(column.step),
        "unit": column.unit,
    }


def _names(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _approval_body(approval: Approval) -> dict[str, Any]:
    units = {name: getattr(approval, name) for name in ("units_per_day", "units_per_question")}
    return {
        "cells": approval.cells,
        "columns": _names(approval.columns),
        "mode": approval.mode,
        **{name: None if value is None else str(value) for name, value in units.items()},
    }


def _auditor_body(auditor: Auditor) -> dict[str, Any]:
    return {"key": base64.b64encode(auditor.key).decode("ascii"), "required": auditor.required}


def _auditor(value: object) -> Auditor:
    body = _mapping(value, "an auditor")
    return Auditor(strict_base64(body.get("key")), _is(bool, body.get("required"), "whether an auditor must cosign"))


def _dataset_body(dataset: Dataset) -> dict[str, Any]:
    return {
        "approval": _approval_body(dataset.approval),
        "bases": list(dataset.bases),
        "cap_units": str(dataset.cap_units),
        "capacity": dataset.capacity,
        "cells": dataset.cells,
        "columns": [_column_body(column) for column in dataset.columns],
        "consumer_caps": {name: str(cap) for name, cap in dataset.consumer_caps.items()},
        "display_threshold": dataset.display_threshold,
        "fresh_days": dataset.fresh_days,
        "key": list(dataset.key),
        "lineage": dataset.lineage,
        "overlap": {
            "delta": fraction_text(dataset.overlap.delta),
            "epsilon": fraction_text(dataset.overlap.epsilon),
            "matches": dataset.overlap.matches,
        },
        "questions": list(dataset.questions),
        "questions_each": dataset.questions_each,
    }


def contract_bytes(contract: Contract) -> bytes:
    """The one spelling of this contract."""
    return canonical_bytes(
        {
            "accountant": contract.accountant,
            "auditors": {name: _auditor_body(auditor) for name, auditor in contract.auditors.items()},
            "cards": {name: card.body() for name, card in contract.cards.items()},
            "coordinator": contract.coordinator.body(),
            "datasets": {name: _dataset_body(dataset) for name, dataset in contract.datasets.items()},
            "ends": contract.ends,
            "follows": contract.follows,
            "format": FORMAT_VERSION,
            "kind": "contract",
            "log_number": contract.log_number,
            "profile": contract.profile,
            "purpose": contract.purpose,
            "quorum": contract.quorum,
            "region": contract.region,
            "room": contract.room,
            "setups_per_match": contract.setups_per_match,
            "starts": contract.starts,
            "suite": contract.suite,
        }
    )


def contract_hash(contract: Contract) -> bytes:
    """32 bytes that stand for the whole agreement."""
    return labelled_hash("cleanroom/v1/contract", contract_bytes(contract))


def _is(kind: type[_T], value: object, what: str) -> _T:
    if type(value) is not kind:
        raise PeerError(f"{what} is missing or of the wrong type")
    return value


def _texts(value: object, what: str) -> tuple[str, ...]:
    return tuple(_is(str, item, what) for item in _is(list, value, what))


def _mapping(value: object, what: str) -> dict[str, Any]:
    members = _is(dict, value, what)
    if len(members) > _MAX_PAIR_MEMBERS:
        raise PeerError(f"{what} has too many entries")
    return members


def exact(parse: Callable[[str], _T], show: Callable[[_T], str], value: object, what: str) -> _T:
    """A number from text that is spelled exactly as we would spell it; raises PeerError."""
    text = _is(str, value, what)
    if len(text) > 60:
        raise PeerError(f"{what} is too long")
    if _PLAIN_NUMBER.fullmatch(text) is None:  # an exponent of ten digits would cost minutes to read
        raise PeerError(f"{what} is not a plain number")
    try:
        number = parse(text)
    except (ValueError, InvalidOperation, ZeroDivisionError) as error:
        raise PeerError(f"{what} is not a number") from error
    if show(number) != text:
        raise PeerError(f"{what} is not in canonical form")
    return number


def _reduction(value: object) -> Reduction:
    body = _mapping(value, "a reduction")
    return Reduction(
        kind=_is(str, body.get("kind"), "a reduction's kind"),
        source=_is(str, body.get("source"), "a reduction's source"),
        order_by=_is(str, body.get("order_by"), "a reduction's order"),
        date_format=_is(str, body.get("date_format"), "a date format"),
        where={name: _texts(texts, "a row filter") for name, texts in _mapping(body.get("where"), "a filter").items()},
    )


def _consumers(value: object) -> tuple[PartyName, ...] | None:
    return None if value is None else tuple(party_name(name) for name in _texts(value, "consumers"))


def _column(value: object) -> Column:
    body = _mapping(value, "a column")
    name, role = column_name(body.get("name")), body.get("role")
    if role == "hidden":
        return Hidden(name)
    reduction = _reduction(body.get("reduction"))
    consumers = _consumers(body.get("consumers"))
    if role == "dimension":
        return Dimension(name, reduction, _texts(body.get("values"), "declared values"), consumers)
    return Measure(
        name=name,
        reduction=reduction,
        unit=_is(str, body.get("unit"), "a unit"),
        decimals=_is(int, body.get("decimals"), "decimals"),
        low=exact(Decimal, decimal_text, body.get("low"), "a bound"),
        high=exact(Decimal, decimal_text, body.get("high"), "a bound"),
        step=exact(Decimal, decimal_text, body.get("step"), "a step"),
        edges=tuple(exact(Decimal, decimal_text, one, "an edge") for one in _is(list, body.get("edges"), "the edges")),
        consumers=consumers,
    )


def _limit(value: object) -> int | None:
    return None if value is None else exact(int, str, value, "a limit")


def _approval(value: object) -> Approval:
    body = _mapping(value, "an approval")
    columns, cells = body.get("columns"), body.get("cells")
    return Approval(
        mode=_is(str, body.get("mode"), "the approval mode"),
        columns=None if columns is None else _texts(columns, "the approved columns"),
        cells=None if cells is None else _is(int, cells, "the approved cells"),
        units_per_question=_limit(body.get("units_per_question")),
        units_per_day=_limit(body.get("units_per_day")),
    )


def _dataset(owner: str, value: object) -> Dataset:
    body = _mapping(value, "a dataset")
    overlap = _mapping(body.get("overlap"), "an overlap")
    return Dataset(
        owner=party_name(owner),
        lineage=_is(str, body.get("lineage"), "a lineage"),
        key=_texts(body.get("key"), "the match key"),
        capacity=_is(int, body.get("capacity"), "a capacity"),
        columns=tuple(_column(item) for item in _is(list, body.get("columns"), "the columns")),
        overlap=Overlap(
            epsilon=exact(Fraction, fraction_text, overlap.get("epsilon"), "an epsilon"),
            delta=exact(Fraction, fraction_text, overlap.get("delta"), "a delta"),
            matches=_is(int, overlap.get("matches"), "the number of matches"),
        ),
        cap_units=exact(int, str, body.get("cap_units"), "a cap"),
        consumer_caps={
            party_name(name): exact(int, str, cap, "a cap")
            for name, cap in _mapping(body.get("consumer_caps"), "the consumers' caps").items()
        },
        questions=_texts(body.get("questions"), "the questions"),
        bases=_texts(body.get("bases"), "the bases"),
        cells=_is(int, body.get("cells"), "the number of cells"),
        questions_each=_is(int, body.get("questions_each"), "the number of questions"),
        display_threshold=_is(int, body.get("display_threshold"), "a display threshold"),
        fresh_days=_is(int, body.get("fresh_days"), "the freshness"),
        approval=_approval(body.get("approval")),
    )


def parse_contract(data: bytes) -> Contract:
    """The contract whose bytes these are; raises PeerError or UsageError, never returns half of it."""
    body = _mapping(parse_canonical(data), "a contract")
    if body.get("kind") != "contract" or body.get("format") != FORMAT_VERSION:
        raise PeerError("this is not a contract of a format this version knows")
    try:
        contract = Contract(
            room=room_name(body.get("room")),
            purpose=_is(str, body.get("purpose"), "the purpose"),
            profile=_is(str, body.get("profile"), "the profile"),
            region=_is(str, body.get("region"), "the region"),
            suite=_is(str, body.get("suite"), "the suite"),
            quorum=_is(str, body.get("quorum"), "the quorum"),
            setups_per_match=_is(int, body.get("setups_per_match"), "setups_per_match"),
            coordinator=CoordinatorCard.from_body(body.get("coordinator")),
            cards={
                party_name(name): PartyCard.from_body(card)
                for name, card in _mapping(body.get("cards"), "the cards").items()
            },
            datasets={
                party_name(name): _dataset(name, dataset)
                for name, dataset in _mapping(body.get("datasets"), "the datasets").items()
            },
            starts=_is(str, body.get("starts"), "the first day"),
            ends=_is(str, body.get("ends"), "the last day"),
            accountant=_is(str, body.get("accountant"), "the accountant"),
            auditors={
                party_name(name): _auditor(value)
                for name, value in _mapping(body.get("auditors"), "the auditors").items()
            },
            log_number=_is(int, body.get("log_number"), "the log's number"),
            follows=_is(str, body.get("follows"), "the head that the log follows"),
        )
    except (RecursionError, OverflowError) as error:
        raise PeerError("a contract is malformed") from error
    except CleanroomError:
        raise
    if contract_bytes(contract) != data:
        raise PeerError("a contract has unknown fields or another spelling")
    return contract
