"""A plan has one spelling and one hash; everything else that claims to be a plan is refused."""

import copy
import hashlib
import json
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import CleanroomError, UsageError
from cleanroom.ids import AnalystName
from cleanroom.question.compile import Question, check_question, compile_plan
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import leaves_for, shape
from tests.unit.question.agreements import (
    BRAND,
    RHO,
    SHOP,
    STANDING,
    contract,
    dataset,
    dimension,
    measure,
    plan,
    question,
    seed,
)

AGREED = contract()
PLAN = plan()
BODY = PLAN.body()
COUNT = Quantity("count")


def price(sensitivity: int, scale_1024: int) -> int:
    """Units of 2^-40 rho: ceil(2^40 sensitivity^2 / (2 sigma^2)) in whole numbers alone."""
    return -(-(sensitivity**2 * 2**39 * 1024**2) // scale_1024**2)


def test_a_plan_comes_back_from_its_body() -> None:
    assert Plan.from_body(json.loads(json.dumps(BODY))) == PLAN


def test_a_plan_s_hash_is_a_labelled_hash_of_its_sorted_body() -> None:
    parts = (b"cleanroom/v1/plan", json.dumps(BODY, sort_keys=True, separators=(",", ":")).encode())
    joined = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert PLAN.hash() == hashlib.sha256(joined).hexdigest()


OTHER: dict[str, Any] = {
    "asker": "bank",
    "owner": "bank",
    "analyst": AnalystName("bob"),
    **{name: seed("other").hex() for name in ("contract", "match", "match_transcript", "asker_version")},
    **{name: seed("other").hex() for name in ("owner_version", "setup", "setup_transcript")},
    "base": "match",
    "leaves": 64,
    "by": "colour",
    "groups": ((1,), (2,)),
    "quantity": Quantity("histogram", "tier"),
    "words": 5,
    "bits": 32,
    "scales_1024": (PLAN.scales_1024[0] + 1,),
    "cost_units": PLAN.cost_units + 1,
    "repeat": 1,
}


OF_A_MATCH = ("match", "match_transcript", "asker_version", "owner_version", "setup", "setup_transcript")


def test_every_field_changes_the_hash() -> None:
    assert set(OTHER) == {field.name for field in fields(Plan)}
    changes: list[dict[str, Any]] = [{name: value} for name, value in OTHER.items() if name != "base"]
    changes.append({"base": "table", **dict.fromkeys(OF_A_MATCH, "")})
    hashes = {PLAN.hash(), *(replace(PLAN, **change).hash() for change in changes)}
    assert len(hashes) == len(OTHER) + 1


def test_kind_and_column_of_the_quantity_change_the_hash() -> None:
    asked = (COUNT, Quantity("sum", "colour"), Quantity("histogram", "colour"), Quantity("histogram", "other"))
    assert len({replace(PLAN, quantity=one).hash() for one in asked}) == 4


def test_groups_are_not_flattened_in_the_hash() -> None:
    grouped = [((1,), (2,)), ((1, 2),), ((2,), (1,))]
    assert len({replace(PLAN, groups=groups).hash() for groups in grouped}) == 3


JUNK: list[Any] = [None, True, False, 0, 1, -1, 2**53, 2**400, 1.0, float("inf"), float("nan")]
JUNK += ["", "x", "1", [], [1], [[1]], {}, {"kind": "count"}]


@pytest.mark.parametrize("name", sorted(BODY))
def test_a_field_of_another_type_is_refused_with_our_error(name: str) -> None:
    """`by` and the quantity's column once passed as null, false or zero: a second spelling of one question."""
    for junk in JUNK:
        body = {**copy.deepcopy(BODY), name: junk}
        try:
            parsed = Plan.from_body(body)
        except CleanroomError:
            continue
        assert type(junk) is type(BODY[name]), junk
        assert parsed.body() == body
        assert junk == BODY[name] or parsed.hash() != PLAN.hash()


@pytest.mark.parametrize("column", [None, False, 0, [], {}])
@pytest.mark.parametrize("kind", ["histogram", "sum", "count"])
def test_an_empty_column_of_another_type_is_refused(kind: str, column: object) -> None:
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, "quantity": {"kind": kind, "column": column}})


@pytest.mark.parametrize("by", [None, False, 0, [], {}])
def test_no_column_of_the_asker_is_written_as_empty_text(by: object) -> None:
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, "by": by})
    assert Plan.from_body({**BODY, "by": ""}).by == ""


@pytest.mark.parametrize("name", sorted(BODY))
def test_a_missing_field_is_refused(name: str) -> None:
    with pytest.raises(CleanroomError):
        Plan.from_body({key: value for key, value in BODY.items() if key != name})


@pytest.mark.parametrize("name", ["extra", "self", "hash", "scale", "", "groups "])
def test_a_field_too_many_is_refused(name: str) -> None:
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, name: 1})
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, "quantity": {**BODY["quantity"], name: 1}})


@pytest.mark.parametrize("value", [None, 5, "plan", [], {}, [BODY], {"quantity": {}}])
def test_what_is_no_plan_is_refused(value: object) -> None:
    with pytest.raises(CleanroomError):
        Plan.from_body(value)


@pytest.mark.parametrize(
    "spelled", ["01", "+1", " 1", "1_0", "\u0661", "1.0", "-1", "1e3", "0x1", "9" * 5000, "", True]
)
def test_growing_numbers_have_one_spelling(spelled: object) -> None:
    for name in ("cost_units",):
        with pytest.raises(CleanroomError):
            Plan.from_body({**BODY, name: spelled})


GROUPS: dict[str, tuple[Any, bool]] = {
    "one group": ([[1]], True),
    "255 groups": ([[1]] * 255, True),
    "256 groups": ([[1]] * 256, False),
    "no group": ([], False),
    "an empty group": ([[1], []], False),
    "255 leaves in a group": ([list(range(1, 256))], True),
    "256 leaves in a group": ([list(range(256))], False),
    "leaf 255": ([[255]], True),
    "leaf 256": ([[256]], False),
    "leaf 0 (the gate's to refuse)": ([[0]], True),
    "leaf -1": ([[-1]], False),
    "a leaf beyond every number": ([[2**60]], False),
    "a leaf as text": ([["1"]], False),
    "a true leaf": ([[True]], False),
    "groups as text": ("123", False),
    "groups as an object": ({"1": 2}, False),
    "a nested group": ([[[1]]], False),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_are_lists_of_leaves(case: str) -> None:
    groups, allowed = GROUPS[case]
    if allowed:
        assert len(Plan.from_body({**BODY, "groups": groups}).hash()) == 64
        return
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, "groups": groups})


def test_a_deeply_nested_plan_is_our_error() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(CleanroomError):
        Plan.from_body({**BODY, "groups": [[deep]]})


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*BODY, "extra"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        max_size=3,
    )
)
def test_any_altered_body_is_another_plan_or_our_error(change: dict[str, Any]) -> None:
    body = {**BODY, **change}
    try:
        parsed = Plan.from_body(body)
    except CleanroomError:
        return
    assert json.dumps(parsed.body(), sort_keys=True) == json.dumps(body, sort_keys=True)


@pytest.mark.parametrize(
    ("declared", "leaves"),
    [(1, 16), (14, 16), (15, 64), (62, 64), (63, 256), (254, 256)],
)
def test_leaves_hold_declared_values_other_and_none(declared: int, leaves: int) -> None:
    wide = dimension("wide", tuple(f"v{number}" for number in range(declared)))
    agreed = contract({SHOP: dataset(SHOP, columns=(wide,))})
    found = shape(agreed, question(by="wide", quantity=COUNT), (Fraction(1),))
    assert (found.leaves, found.used_leaves, found.words) == (leaves, declared + 1, 1)
    assert leaves_for(declared + 1) == leaves


def test_256_cells_have_no_tree() -> None:
    assert leaves_for(255) == 256
    with pytest.raises(ValueError, match="cannot happen"):
        leaves_for(256)


def with_owner(capacity: int, high: int = 1, low: int = 0) -> Contract:
    """brand has this capacity and sums whole numbers within these bounds."""
    units = measure("units", low=Decimal(low), high=Decimal(high), step=Decimal(1))
    return contract({BRAND: dataset(BRAND, capacity=capacity, columns=(dimension(), units))})


@pytest.mark.parametrize(
    ("capacity", "high", "low", "scale", "bits"),
    [
        (8_388_542, 1, 0, Fraction(1), 24),
        (8_388_543, 1, 0, Fraction(1), 32),
        (1000, 1, 0, Fraction(8_387_606, 64), 24),
        (1000, 1, 0, Fraction(8_387_607, 64), 32),
        (2**20, 2047, 0, Fraction(1), 32),
        (2**20, 2048, 0, Fraction(1), 48),
        (2**20, 1, -2047, Fraction(1), 32),
        (2**20, 1, -2048, Fraction(1), 48),
        (2**23, 2**24 - 1, 0, Fraction(1), 48),
        (2**23, 2**24, 0, Fraction(1), 64),
        (2**23, 2**31, 0, Fraction(2**40), 64),
    ],
)
def test_bits_hold_twice_the_largest_sum_and_the_noise(
    capacity: int, high: int, low: int, scale: Fraction, bits: int
) -> None:
    """2^bits > 2 (capacity × largest + 64 sigma + 1): the greatest value inside a width, and the next."""
    found = shape(with_owner(capacity, high, low), question(by="tier", quantity=Quantity("sum", "units")), (scale,))
    assert (found.bits, found.parts[0].sensitivity, found.words) == (bits, max(high, -low), 1)


def test_a_histogram_has_a_word_for_each_cell_and_moves_by_one() -> None:
    found = shape(AGREED, question(by="tier", quantity=Quantity("histogram", "colour")), (Fraction(1),))
    assert (found.leaves, found.used_leaves, found.words, found.parts[0].sensitivity) == (16, 3, 4, 1)


def test_no_column_of_the_asker_is_one_leaf() -> None:
    assert shape(AGREED, question(by="", quantity=COUNT), (Fraction(1),)).used_leaves == 1


UNKNOWN: dict[str, tuple[str, Quantity, str]] = {
    "the asker's column is unknown": ("size", COUNT, "shop has no dimension `size`.*: tier, colour"),
    "the asker's column is a measure": ("spend", COUNT, "shop's column `spend` is a measure .*: tier, colour"),
    "the owner's dimension is unknown": (
        "",
        Quantity("histogram", "size"),
        "brand has no dimension `size`.*: tier, col",
    ),
    "the owner's dimension is a measure": ("", Quantity("histogram", "spend"), "brand's column `spend` is a measure"),
    "the owner's measure is unknown": ("", Quantity("sum", "size"), "brand has no measure `size`.*: spend"),
    "the owner's measure is a dimension": (
        "",
        Quantity("sum", "tier"),
        "brand's column `tier` is a dimension.*: spend",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_column_is_answered_with_the_known_ones(case: str) -> None:
    by, quantity, text = UNKNOWN[case]
    with pytest.raises(UsageError, match=text):
        shape(AGREED, question(by=by, quantity=quantity), (Fraction(1),))
    with pytest.raises(UsageError, match=text):
        check_question(AGREED, question(by=by, quantity=quantity))


def test_where_nothing_is_declared_none_is_offered() -> None:
    bare = contract({BRAND: dataset(BRAND, columns=())})
    with pytest.raises(UsageError, match="its measures: none"):
        shape(bare, question(by="", quantity=Quantity("sum", "spend")), (Fraction(1),))


@pytest.mark.parametrize(
    ("kind", "column"),
    [("count", "tier"), ("histogram", ""), ("sum", ""), ("mean", ""), ("", ""), ("sum", "a b"), ("sum", "a" * 64)],
)
def test_a_quantity_is_well_formed(kind: str, column: str) -> None:
    with pytest.raises(UsageError):
        Quantity(kind, column)


def test_the_same_question_gives_the_same_plan() -> None:
    assert compile_plan(contract(), question(), STANDING) == compile_plan(contract(), question(), STANDING)


def test_a_plan_asks_for_every_cell_and_says_where_it_stands() -> None:
    assert PLAN.groups == ((1,), (2,), (3,))
    assert (PLAN.leaves, PLAN.words, PLAN.bits) == (16, 4, 24)
    assert PLAN.match == seed("match").hex()
    assert PLAN.setup_transcript == seed("setup transcript").hex()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2**47), st.sampled_from([COUNT, Quantity("histogram", "tier"), Quantity("sum", "spend")]))
def test_a_plan_costs_at_most_what_was_bought_and_no_less_noise_would(units: int, quantity: Quantity) -> None:
    asked = Question(SHOP, BRAND, AnalystName("alice"), "tier", quantity, units)
    found = compile_plan(AGREED, asked, STANDING)
    sensitivity = 200 if quantity.kind == "sum" else 1
    assert found.cost_units == price(sensitivity, found.scales_1024[0]) <= units
    assert found.scales_1024[0] == 1024 or price(sensitivity, found.scales_1024[0] - 1) > units
    assert found.scales[0] == Fraction(found.scales_1024[0], 1024)


def test_one_unit_is_the_least_that_can_be_spent() -> None:
    assert plan(units=1).cost_units == 1
    for units in (0, -1):
        with pytest.raises(UsageError, match="larger epsilon"):
            check_question(AGREED, question(units=units))


def test_a_fortune_buys_no_less_noise_than_scale_one() -> None:
    rich = plan(quantity=COUNT, units=1000 * RHO)
    assert (rich.scales_1024[0], rich.cost_units) == (1024, 2**39)


def test_a_question_goes_to_another_party_of_the_room() -> None:
    with pytest.raises(UsageError, match="parties: shop, brand, bank"):
        check_question(AGREED, question(owner="nobody"))
    with pytest.raises(UsageError, match="different"):
        check_question(AGREED, question(owner=SHOP))


@pytest.mark.parametrize("name", ["leaves", "words", "bits", "cost_units", "repeat"])
def test_numbers_of_a_plan_are_whole_and_below_2_to_the_53(name: str) -> None:
    change: dict[str, Any] = {name: 2**53 - 1}
    assert getattr(replace(PLAN, **change), name) == 2**53 - 1
    for change[name] in (2**53, -1, True, 1.0, "1"):
        with pytest.raises(UsageError, match=name):
            replace(PLAN, **change)
