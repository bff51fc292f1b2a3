"""One agreement has one spelling and one hash; bytes that are anything else are refused with our own errors."""

import base64
import copy
import json
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanroom.errors import CleanroomError, PeerError, UsageError
from cleanroom.ids import ColumnName
from cleanroom.question.approval import Approval
from cleanroom.question.columns import Hidden, Reduction
from cleanroom.question.contract import Auditor
from cleanroom.question.dataset import Overlap
from cleanroom.wire.canonical import canonical_bytes
from cleanroom.wire.contract_file import (
    contract_bytes,
    contract_hash,
    decimal_text,
    fraction_text,
    parse_contract,
)
from tests.unit.question.agreements import (
    BANK,
    BRAND,
    FOLLOWS,
    SHOP,
    contract,
    coordinator,
    dataset,
    dimension,
    measure,
)

AGREED = contract()
DATA = contract_bytes(AGREED)
BODY: dict[str, Any] = json.loads(DATA)
SPEND = ("datasets", "brand", "columns", 2)


def changed(*path: str | int, to: Any) -> bytes:
    """The contract's bytes with the value at this place replaced."""
    body = copy.deepcopy(BODY)
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return canonical_bytes(body)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The place of every object, list and leaf below a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


PLACES = [place for place in places(BODY) if place]


def test_a_contract_comes_back_from_its_bytes() -> None:
    assert parse_contract(DATA) == AGREED


def test_a_contract_of_every_kind_of_column_comes_back() -> None:
    last = Reduction("last", source="a", order_by="day", date_format="%Y")
    passing = Reduction("any", where={"kind": ("x", "y"), "z": ("w",)})
    columns = (
        dimension("last", reduction=last),
        dimension("any", ("yes", "no"), reduction=passing),
        measure("lines", reduction=Reduction("count"), step=Decimal("0.25"), decimals=9),
    )
    rich = contract(
        {BANK: dataset(BANK, columns=columns, key=("email",), consumer_caps={}, cap_units=10**30)},
        profile="phone-e164-v1",
        region="US",
    )
    assert parse_contract(contract_bytes(rich)) == rich


ALTERED: dict[str, dict[str, Any]] = {
    "room": {"room": "autumn"},
    "first day": {"starts": "2026-01-01"},
    "last day": {"ends": "2026-12-31"},
    "accountant": {"accountant": "pure"},
    "auditors": {"auditors": {"kpmg": Auditor(bytes(range(32)))}},
    "purpose": {"purpose": "another one"},
    "profile": {"profile": "opaque-v1"},
    "region": {"profile": "phone-e164-v1", "region": "GB"},
    "setups": {"setups_per_match": 4},
    "coordinator's address": {"coordinator": replace(coordinator(), address="127.0.0.1:7444")},
    "coordinator's identity": {"coordinator": replace(coordinator(), identity=bytes(range(32)))},
    "an auditor who need not": {"auditors": {"kpmg": Auditor(bytes(range(32)), required=False)}},
    "number of the log": {"log_number": 2, "follows": FOLLOWS},
    "another number of the log": {"log_number": 3, "follows": FOLLOWS},
    "coordinator's log key": {"coordinator": replace(coordinator(), log_key=bytes(range(32)))},
    "identity": {"cards": {**AGREED.cards, SHOP: replace(AGREED.cards[SHOP], identity=bytes(range(1, 33)))}},
    "cosigning": {"cards": {**AGREED.cards, SHOP: replace(AGREED.cards[SHOP], cosigning=bytes(range(1, 33)))}},
    "sealing": {"cards": {**AGREED.cards, SHOP: replace(AGREED.cards[SHOP], sealing=AGREED.cards[BANK].sealing)}},
}
ALTERED_DATASET: dict[str, dict[str, Any]] = {
    "lineage": {"lineage": "other people"},
    "capacity": {"capacity": 1001},
    "cap": {"cap_units": 8 * 2**40 + 1},
    "consumer's cap": {"consumer_caps": {SHOP: 1}},
    "no consumer": {"consumer_caps": {}},
    "overlap epsilon": {"overlap": Overlap(Fraction(201, 100), Fraction(1, 10**9), 6)},
    "overlap delta": {"overlap": Overlap(Fraction(2), Fraction(1, 10**10), 6)},
    "overlap matches": {"overlap": Overlap(Fraction(2), Fraction(1, 10**9), 7)},
    "questions": {"questions": ("count",)},
    "bases": {"bases": ("match",)},
    "cells": {"cells": 7},
    "questions each": {"questions_each": 7},
    "display threshold": {"display_threshold": 7},
    "freshness": {"fresh_days": 7},
    "approval": {"approval": Approval("required")},
    "approval's columns": {"approval": Approval(columns=())},
    "approval's cells": {"approval": Approval(cells=7)},
    "approval's question": {"approval": Approval(units_per_question=7)},
    "approval's day": {"approval": Approval(units_per_day=7)},
    "a column's consumers": {"columns": (dimension(consumers=()), measure())},
    "a measure's consumers": {"columns": (dimension(), measure(consumers=()))},
    "edges": {"columns": (dimension(), measure(edges=(Decimal(7),)))},
    "hidden": {"columns": (dimension(), measure(), Hidden(ColumnName("phone")))},
    "order of columns": {"columns": tuple(reversed(AGREED.datasets[BRAND].columns))},
    "order of values": {"columns": (dimension(values=("silver", "gold")), measure())},
    "reduction": {"columns": (dimension(reduction=Reduction("most_frequent", source="other")), measure())},
    "unit": {"columns": (dimension(), measure(unit="dollars"))},
    "decimals": {"columns": (dimension(), measure(decimals=3))},
    "low": {"columns": (dimension(), measure(low=Decimal(-11)))},
    "high": {"columns": (dimension(), measure(high=Decimal(101)))},
    "step": {"columns": (dimension(), measure(step=Decimal(1)))},
}


def test_every_term_is_under_the_hash() -> None:
    hashes = [contract_hash(AGREED)]
    hashes += [contract_hash(replace(AGREED, **terms)) for terms in ALTERED.values()]
    hashes += [contract_hash(contract({BRAND: dataset(BRAND, **terms)})) for terms in ALTERED_DATASET.values()]
    hashes.append(contract_hash(contract({BRAND: dataset(BRAND, columns=(dimension(), measure()))})))
    assert len(set(hashes)) == len(ALTERED) + len(ALTERED_DATASET) + 2


def test_the_order_of_parties_is_not_a_term() -> None:
    turned = replace(
        AGREED,
        cards=dict(reversed(list(AGREED.cards.items()))),
        datasets=dict(reversed(list(AGREED.datasets.items()))),
    )
    assert contract_bytes(turned) == DATA


def test_a_reordered_file_is_refused() -> None:
    turned = json.dumps(dict(reversed(BODY.items())), separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(PeerError, match="canonical"):
        parse_contract(turned)


def parsed_or_refused(data: bytes) -> bool:
    """True when the bytes are another contract, False when they are refused; anything else fails the test."""
    assert data != DATA
    try:
        parsed = parse_contract(data)
    except CleanroomError:
        return False
    assert contract_bytes(parsed) == data
    assert contract_hash(parsed) != contract_hash(AGREED)
    return True


OTHERWISE_FILLED = {
    "log_number",
    "follows",
    *("where", "consumer_caps", "columns", "capacity", "matches", "decimals", "setups_per_match"),
    *("auditors", "edges", "cells", "questions_each", "display_threshold", "fresh_days"),
}
MAY_BE_NULL = {"cells", "columns", "consumers", "units_per_day", "units_per_question"}


@pytest.mark.parametrize("other", [None, True, 7, [], {}, [[]], {"x": {}}], ids=repr)
def test_a_value_of_another_type_is_refused(other: Any) -> None:
    for path in PLACES:
        if path[-1] in MAY_BE_NULL and other in (None, [], 7):
            continue
        if path[-1] not in OTHERWISE_FILLED or other not in ({}, [], 7):
            assert not parsed_or_refused(changed(*path, to=other)), path


def test_a_text_in_the_place_of_any_value_is_refused_or_another_contract() -> None:
    passed = {path[-1] for path in PLACES if parsed_or_refused(changed(*path, to="x"))}
    assert passed == {"room", "purpose", "domain", "lineage", "unit", "source", "name", 0, 1, 2}


@pytest.mark.parametrize("path", [place[:-1] for place in PLACES if place[-1] in {"room", "role", "name", "epsilon"}])
def test_an_unknown_field_is_refused(path: tuple[str | int, ...]) -> None:
    inner = BODY
    for step in path:
        inner = inner[step]  # type: ignore[index]
    data = canonical_bytes({**BODY, "extra": 1}) if not path else changed(*path, to={**inner, "extra": 1})
    with pytest.raises(PeerError):
        parse_contract(data)


def test_a_missing_field_is_refused() -> None:
    for path in PLACES:
        body = copy.deepcopy(BODY)
        inner: Any = body
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        if path[-2:-1] != ("consumer_caps",) and isinstance(path[-1], str):  # a consumer less is another contract
            assert not parsed_or_refused(canonical_bytes(body)), path


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1E+400",
        "1e999999999",
        "1e-999999999",
        "-0",
        "0.50",
        "00",
        "+1",
        " 1",
        "1_000",
        "\u0661",
        ".5",
        "1/2",
        "",
        "1" * 61,
    ],
)
@pytest.mark.parametrize("field", ["low", "high", "step"])
def test_a_bound_is_plain_decimal_text_and_is_refused_at_once(field: str, text: str) -> None:
    """An exponent of nine digits was once written out as a billion zeros."""
    started = time.perf_counter()
    with pytest.raises(PeerError):
        parse_contract(changed(*SPEND, field, to=text))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["2/1e9", "1e999999999", "4/2", "2", "2/0", "2.0", "-2/1", "NaN", "2/-1", "\u0662/1"])
@pytest.mark.parametrize("field", ["epsilon", "delta"])
def test_a_fraction_is_in_lowest_terms_and_is_refused_at_once(field: str, text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(CleanroomError):
        parse_contract(changed("datasets", "brand", "overlap", field, to=text))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["", "-1", "1.0", "1e3", "01", "0x10", "+1", "1/1", "9" * 61, "\u0661"])
def test_a_cap_is_a_plain_whole_number(text: str) -> None:
    with pytest.raises(CleanroomError):
        parse_contract(changed("datasets", "brand", "cap_units", to=text))
    with pytest.raises(CleanroomError):
        parse_contract(changed("datasets", "brand", "consumer_caps", "shop", to=text))


def test_values_beside_the_grid_are_refused() -> None:
    with pytest.raises(UsageError, match="multiples of step"):
        parse_contract(changed(*SPEND, "low", to="-9.75"))
    assert parse_contract(changed(*SPEND, "low", to="-9.5")) != AGREED


def test_bounds_of_thirty_digits_are_our_error() -> None:
    """The remainder of so long a number was once an error of decimal arithmetic."""
    with pytest.raises(UsageError, match="20 digits"):
        parse_contract(changed(*SPEND, "high", to="1" + "0" * 30))


@pytest.mark.parametrize("port", ["9" * 5000, "0", "65536", "\u0661", "", "-1", "+7", "7 "])
def test_a_coordinator_s_port_is_a_plain_number(port: str) -> None:
    """A port of five thousand digits was once no error of ours."""
    with pytest.raises(PeerError, match="host:port"):
        parse_contract(changed("coordinator", "address", to=f"host:{port}"))


@pytest.mark.parametrize("port", ["1", "65535"])
def test_the_first_and_the_last_port_are_ports(port: str) -> None:
    parsed = parse_contract(changed("coordinator", "address", to=f"host:{port}"))
    assert parsed.coordinator.address == f"host:{port}"


def test_a_certificate_of_an_unknown_version_is_our_error() -> None:
    """The version of a certificate is the byte after A0 03 02 01; such a version is no ValueError where it is read."""
    der = AGREED.coordinator.authority
    strange = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    assert strange != der
    with pytest.raises(PeerError, match="certificate"):
        parse_contract(changed("coordinator", "authority", to=base64.b64encode(strange).decode()))


def test_a_duplicate_key_is_refused() -> None:
    with pytest.raises(PeerError, match="repeats"):
        parse_contract(DATA.replace(b'"format":4', b'"format":4,"format":4'))


@pytest.mark.parametrize("number", [b"NaN", b"1e400", b"Infinity", b"9007199254740992", b"1000.0", b"1e3"])
def test_numbers_outside_plain_integers_are_refused(number: bytes) -> None:
    with pytest.raises(PeerError):
        parse_contract(DATA.replace(b'"capacity":1000', b'"capacity":' + number, 1))


@pytest.mark.parametrize(
    "data", [b"[" * 10_000, b'{"a":' * 10_000, b" " * 5_000_000, b"[" * 5_000_000, b"9" * 1_000_000]
)
def test_deep_and_large_files_are_refused_quickly(data: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(PeerError):
        parse_contract(data)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(("kind", "version"), [("contract", 2), ("contract", 0), ("contracts", 3), ("contract", "3")])
def test_another_format_is_refused(kind: str, version: object) -> None:
    with pytest.raises(PeerError, match="format"):
        parse_contract(canonical_bytes({**BODY, "kind": kind, "format": version}))


def test_format_true_is_not_format_one() -> None:
    with pytest.raises(PeerError):
        parse_contract(canonical_bytes({**BODY, "format": True}))


Mutation = Callable[[bytearray, int, int], None]


def _flip(data: bytearray, at: int, byte: int) -> None:
    data[at] ^= byte or 1


def _insert(data: bytearray, at: int, byte: int) -> None:
    data.insert(at, byte)


def _cut(data: bytearray, at: int, byte: int) -> None:
    del data[at : at + 1 + byte]


def _repeat(data: bytearray, at: int, byte: int) -> None:
    data[at:at] = data[at : at + byte]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([_flip, _insert, _cut, _repeat]),
            st.integers(0, len(DATA) - 1),
            st.integers(0, 255) | st.sampled_from(list(b'{}[]",:0-eE.\\')),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_damaged_bytes_are_another_contract_or_our_error(mutations: list[tuple[Mutation, int, int]]) -> None:
    data = bytearray(DATA)
    for mutate, at, byte in mutations:
        mutate(data, min(at, len(data) - 1), byte)
    try:
        parsed = parse_contract(bytes(data))
    except CleanroomError:
        return
    assert contract_bytes(parsed) == bytes(data)


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("-0", "0"), ("-0.00", "0"), ("100", "100"), ("1E+2", "100"), ("0.50", "0.5"), ("-9.750", "-9.75")],
)
def test_decimals_have_one_spelling(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


def test_fractions_have_one_spelling() -> None:
    assert fraction_text(Fraction(4, -2)) == "-2/1"
    assert fraction_text(Fraction(1, 10**9)) == "1/1000000000"
