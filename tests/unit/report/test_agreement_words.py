"""Everything that is signed is said, and everything that changes is said."""

from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cleanroom.audit.home import AuditorHome
from cleanroom.ids import ColumnName, PartyName, RoomName
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Dimension, Hidden, Measure, Reduction
from cleanroom.question.contract import Auditor, Contract
from cleanroom.question.dataset import Dataset, Overlap
from cleanroom.report.agreement_words import changes, lines, terms
from cleanroom.wire.contract_file import contract_bytes
from tests.unit.question.agreements import BRAND, FOLLOWS, SHOP, contract, dataset, dimension, measure

AGREED = contract()
RHO_HALF = 2**39

# One other value for every term there is: what is agreed on and not here fails the test below.
ROOM_TERMS: dict[str, Any] = {
    "room": RoomName("winter"),
    "purpose": "another purpose",
    "profile": "opaque-v1",
    "setups_per_match": 4,
    "starts": "2026-01-02",
    "ends": "2026-12-31",
    "accountant": "pure",
    "auditors": {PartyName("audit"): Auditor(bytes(range(32)))},
    "log_number": 2,
    "follows": FOLLOWS,
}
DATASET_TERMS: dict[str, Any] = {
    "lineage": "other customers",
    "key": ("phone",),
    "capacity": 2000,
    "columns": dataset(SHOP).columns[:2],
    "overlap": Overlap(Fraction(2), Fraction(1, 10**9), 7),
    "cap_units": 9 * 2**40,
    "consumer_caps": {BRAND: 4 * 2**40},
    "questions": ("count",),
    "bases": ("match",),
    "cells": 100,
    "questions_each": 7,
    "display_threshold": 10,
    "fresh_days": 30,
    "approval": Approval("required"),
}
APPROVAL_TERMS: dict[str, Any] = {
    "mode": "required",
    "columns": ("tier",),
    "cells": 5,
    "units_per_question": RHO_HALF,
    "units_per_day": RHO_HALF,
}
OVERLAP_TERMS: dict[str, Any] = {"epsilon": Fraction(1), "delta": Fraction(1, 10**10), "matches": 5}
DIMENSION_TERMS: dict[str, Any] = {
    "name": ColumnName("level"),
    "reduction": Reduction("most_frequent", source="level"),
    "values": ("gold",),
    "consumers": (BRAND,),
}
MEASURE_TERMS: dict[str, Any] = {
    "name": ColumnName("paid"),
    "reduction": Reduction("max", source="spend"),
    "unit": "dollars",
    "decimals": 1,
    "low": Decimal(0),
    "high": Decimal(50),
    "step": Decimal(1),
    "edges": (Decimal(0), Decimal(50)),
    "consumers": (BRAND,),
}
REDUCTION_TERMS: dict[str, Any] = {
    "kind": "last",
    "source": "rank",
    "where": {"country": ("DE",)},
}


def agreed(**terms: Any) -> Contract:
    """The agreement with other terms at shop."""
    return contract({SHOP: dataset(SHOP, **terms)})


def with_column(place: int, column: Any) -> Contract:
    """The agreement with one of shop's columns changed."""
    columns = list(dataset(SHOP).columns)
    columns[place] = column
    return agreed(columns=tuple(columns))


def others() -> Iterator[tuple[str, Contract]]:
    """Every agreement that differs in one term, with the term's name."""
    for name, value in ROOM_TERMS.items():
        beside: dict[str, Any] = {"log_number": 3, "follows": FOLLOWS} if name in ("log_number", "follows") else {}
        yield f"room {name}", replace(AGREED, **{**beside, name: value})
    yield "region", replace(AGREED, profile="phone-e164-v1", region="US")
    for name, value in DATASET_TERMS.items():
        if name != "key":
            yield f"dataset {name}", agreed(**{name: value})
    keys = {one: dataset(one, key=("phone",)) for one in AGREED.cards}
    yield "dataset key", contract(keys)
    for name, value in APPROVAL_TERMS.items():
        yield f"approval {name}", agreed(approval=Approval(**{name: value}))
    for name, value in OVERLAP_TERMS.items():
        yield f"overlap {name}", agreed(overlap=replace(dataset(SHOP).overlap, **{name: value}))
    tier, spend = dataset(SHOP).columns[0], dataset(SHOP).columns[2]
    for name, value in DIMENSION_TERMS.items():
        yield f"dimension {name}", with_column(0, replace(tier, **{name: value}))
    for name, value in MEASURE_TERMS.items():
        yield f"measure {name}", with_column(2, replace(spend, **{name: value}))
    for name, value in REDUCTION_TERMS.items():
        more: dict[str, Any] = {"order_by": "day", "date_format": "%Y"} if value == "last" else {}
        yield f"reduction {name}", with_column(0, dimension(reduction=_reduction(**{name: value}, **more)))
    latest = _reduction(kind="last", order_by="day", date_format="%Y")
    for other in (replace(latest, order_by="hour"), replace(latest, date_format="%d")):
        yield f"the latest by {other.order_by} as {other.date_format}", with_column(0, dimension(reduction=other))
    yield "a hidden column", agreed(columns=(*dataset(SHOP).columns, Hidden(ColumnName("income"))))


def _reduction(**terms: Any) -> Reduction:
    return replace(Reduction("most_frequent", source="tier"), **terms)


OTHERS = dict(others())


def test_there_is_another_value_for_every_term() -> None:
    def names(kind: Any) -> set[str]:
        return {field.name for field in fields(kind)}

    assert set(ROOM_TERMS) == names(Contract) - {"region", "suite", "quorum", "coordinator", "cards", "datasets"}
    assert set(DATASET_TERMS) == names(Dataset) - {"owner"}
    assert set(APPROVAL_TERMS) == names(Approval)
    assert set(OVERLAP_TERMS) == names(Overlap)
    assert set(DIMENSION_TERMS) == names(Dimension)
    assert set(MEASURE_TERMS) == names(Measure)
    assert set(REDUCTION_TERMS) == names(Reduction) - {"order_by", "date_format"}


@pytest.mark.parametrize("term", OTHERS)
def test_no_term_changes_unsaid(term: str) -> None:
    assert changes(AGREED, OTHERS[term])
    assert changes(OTHERS[term], AGREED)
    assert lines(AGREED) != lines(OTHERS[term])


def test_two_agreements_that_differ_have_different_lines() -> None:
    pages = {contract_bytes(one): tuple(lines(one)) for one in (AGREED, *OTHERS.values())}
    assert len(set(pages.values())) == len(pages) > 45


@pytest.mark.parametrize("name", AGREED.cards)
def test_keys_are_said_as_the_fingerprints_of_the_telephone(name: str) -> None:
    page = "\n".join(lines(AGREED))
    assert AGREED.coordinator.fingerprint() in page
    assert next(card for card in AGREED.cards.values() if card.name == name).fingerprint() in page


def test_an_auditor_s_key_is_said_as_the_fingerprint_that_it_reads_out(tmp_path: Path) -> None:
    home = AuditorHome(tmp_path / "eve")
    read_out = home.create(PartyName("eve"), required=False)
    auditor = Auditor(home.cosigning_key().public_bytes(), required=False)
    page = lines(replace(AGREED, auditors={PartyName("eve"): auditor}))
    assert f"  auditor eve: reads the log, and may cosign it; card {read_out}" in page


def test_no_two_terms_have_one_name() -> None:
    named = [(term.place, term.name) for term in terms(AGREED)]
    assert len(set(named)) == len(named)


CHANGES: dict[str, tuple[Any, str]] = {
    "a capacity": (
        contract({SHOP: dataset(SHOP, capacity=2000)}),
        "shop: shown to others instead of the number of people: 2000; it was: 1000",
    ),
    "a new column": (
        contract({SHOP: dataset(SHOP, columns=(*dataset(SHOP).columns, dimension("size")))}),
        "shop: dimension size: new: one of",
    ),
    "a column that is gone": (
        contract({SHOP: dataset(SHOP, columns=dataset(SHOP).columns[:2])}),
        "shop: measure spend: no longer; it was: from",
    ),
    "a bound": (
        contract({SHOP: dataset(SHOP, columns=(*dataset(SHOP).columns[:2], measure(low=Decimal(0))))}),
        "shop: measure spend: from 0 to 100",
    ),
    "a consumer that is gone": (
        contract({SHOP: dataset(SHOP, consumer_caps={BRAND: 4 * 2**40})}),
        "shop: bank may ask for: no longer",
    ),
    "a purpose": (replace(AGREED, purpose="another"), "the room: purpose: another; it was: to test a room"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_said_with_what_it_was(case: str) -> None:
    new, text = CHANGES[case]
    found = changes(AGREED, new)
    assert len(found) == 1
    assert found[0].startswith(text)


def test_a_display_threshold_promises_no_more_than_it_does() -> None:
    """It is a matter of what pages say: `--json` holds every noisy number."""
    said = {term.says for term in terms(agreed(display_threshold=10)) if term.name == "small counts"}
    assert "noisy counts below 10 are shown as under 10; programs get the noisy number" in said


def test_the_same_terms_change_nothing() -> None:
    assert changes(AGREED, contract()) == []
