"""Bounds of datasets, contracts and cards, on both sides."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.errors import AuthenticationError, CleanroomError, PeerError, UsageError
from cleanroom.ids import ColumnName, PartyName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.question.approval import Approval
from cleanroom.question.card import CoordinatorCard, PartyCard, party_domain
from cleanroom.question.columns import Hidden
from cleanroom.question.contract import Auditor, Contract
from cleanroom.question.dataset import Overlap
from tests.unit.question.agreements import (
    BANK,
    BRAND,
    FOLLOWS,
    LOG_KEY,
    SHOP,
    card,
    contract,
    coordinator,
    dataset,
    dimension,
    identity,
    measure,
)

AGREED = contract()
DELTA = Fraction(1, 10**9)


def columns(count: int) -> tuple[Any, ...]:
    """Columns of distinct names."""
    return tuple(dimension(f"c{number}") for number in range(count))


DATASETS: dict[str, tuple[dict[str, Any], bool]] = {
    "capacity 99": ({"capacity": 99}, False),
    "capacity 100": ({"capacity": 100}, True),
    "capacity 2^23": ({"capacity": 2**23}, True),
    "capacity 2^23 and one": ({"capacity": 2**23 + 1}, False),
    "capacity true": ({"capacity": True}, False),
    "no key": ({"key": ()}, False),
    "one key column": ({"key": ("a",)}, True),
    "eight key columns": ({"key": tuple("abcdefgh")}, True),
    "nine key columns": ({"key": tuple("abcdefghi")}, False),
    "an empty key column": ({"key": ("",)}, False),
    "lineage of 100 characters": ({"lineage": "l" * 100}, True),
    "lineage of 101 characters": ({"lineage": "l" * 101}, False),
    "no columns": ({"columns": ()}, True),
    "200 columns": ({"columns": columns(200)}, True),
    "201 columns": ({"columns": columns(201)}, False),
    "one name twice in a role": ({"columns": (dimension("a"), dimension("a", ("x",)))}, False),
    "one name in two roles": ({"columns": (dimension("a"), measure("a"))}, True),
    "a cap of nothing": ({"cap_units": 0, "consumer_caps": {}}, True),
    "a negative cap": ({"cap_units": -1, "consumer_caps": {}}, False),
    "a negative sub-cap": ({"consumer_caps": {SHOP: -1}}, False),
    "sub-caps that are the cap": ({"cap_units": 10, "consumer_caps": {SHOP: 4, BANK: 6}}, True),
    "sub-caps one above the cap": ({"cap_units": 10, "consumer_caps": {SHOP: 5, BANK: 6}}, False),
    "one cell": ({"cells": 1}, True),
    "no cell": ({"cells": 0}, False),
    "65536 cells": ({"cells": 2**16}, True),
    "65537 cells": ({"cells": 2**16 + 1}, False),
    "one question each": ({"questions_each": 1}, True),
    "no question each": ({"questions_each": 0}, False),
    "a million questions each": ({"questions_each": 10**6}, True),
    "a million and one questions each": ({"questions_each": 10**6 + 1}, False),
    "true questions each": ({"questions_each": True}, False),
    "no display threshold": ({"display_threshold": 0}, True),
    "a negative display threshold": ({"display_threshold": -1}, False),
    "a table of any age": ({"fresh_days": 0}, True),
    "a table of a hundred years": ({"fresh_days": 36_500}, True),
    "a table of a hundred years and a day": ({"fresh_days": 36_501}, False),
    "one kind of question": ({"questions": ("mean",)}, True),
    "no kind of question": ({"questions": ()}, False),
    "a kind of question twice": ({"questions": ("mean", "mean")}, False),
    "an unknown kind of question": ({"questions": ("median",)}, False),
    "the table alone": ({"bases": ("table",)}, True),
    "no base": ({"bases": ()}, False),
    "an unknown base": ({"bases": ("tables",)}, False),
    "a hidden column with another role": ({"columns": (dimension("a"), Hidden(ColumnName("a")))}, False),
    "a hidden column": ({"columns": (dimension("a"), Hidden(ColumnName("b")))}, True),
    "a grant to somebody with a budget": ({"columns": (dimension("a", consumers=(SHOP,)),)}, True),
    "a grant to nobody": ({"columns": (dimension("a", consumers=()),)}, True),
    "a grant to the owner": ({"columns": (dimension("a", consumers=(BRAND,)),)}, False),
    "approval for a column": ({"approval": Approval(columns=("tier",))}, True),
    "approval for no column that is there": ({"approval": Approval(columns=("teir",))}, False),
    "approval for a hidden column": (
        {"columns": (Hidden(ColumnName("b")),), "approval": Approval(columns=("b",))},
        False,
    ),
    "the owner as its own consumer": ({"cap_units": 10, "consumer_caps": {BRAND: 1}}, False),
}


@pytest.mark.parametrize("case", DATASETS)
def test_a_dataset_keeps_its_bounds(case: str) -> None:
    terms, allowed = DATASETS[case]
    if allowed:
        assert dataset(BRAND, **terms).owner == BRAND
        return
    with pytest.raises(UsageError, match="brand"):
        dataset(BRAND, **terms)


def test_columns_are_found_by_name_and_role() -> None:
    people = dataset(BRAND)
    assert people.dimensions() == ("tier", "colour")
    assert people.measures() == ("spend",)
    assert people.measure("spend") == measure()
    assert people.dimension("Spend") is None


OVERLAPS: dict[str, tuple[tuple[Fraction, Fraction, Any], bool]] = {
    "epsilon 0.01": ((Fraction(1, 100), DELTA, 6), True),
    "epsilon below 0.01": ((Fraction(1, 101), DELTA, 6), False),
    "epsilon 16": ((Fraction(16), DELTA, 6), True),
    "epsilon above 16": ((Fraction(1601, 100), DELTA, 6), False),
    "epsilon 0": ((Fraction(0), DELTA, 6), False),
    "delta above 1e-9": ((Fraction(2), DELTA * 2, 6), False),
    "delta 0": ((Fraction(2), Fraction(0), 6), False),
    "a negative delta": ((Fraction(2), -DELTA, 6), False),
    "a smaller delta": ((Fraction(2), DELTA / 10, 6), True),
    "no match": ((Fraction(2), DELTA, 0), False),
    "one match": ((Fraction(2), DELTA, 1), True),
    "1000 matches": ((Fraction(2), DELTA, 1000), True),
    "1001 matches": ((Fraction(2), DELTA, 1001), False),
    "true matches": ((Fraction(2), DELTA, True), False),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_an_overlap_promise_keeps_its_bounds(case: str) -> None:
    terms, allowed = OVERLAPS[case]
    if allowed:
        assert Overlap(*terms).epsilon == terms[0]
        return
    with pytest.raises(UsageError, match="overlap"):
        Overlap(*terms)


def of_parties(count: int) -> Callable[[], Contract]:
    """A contract of that many parties."""
    names = [PartyName(f"p{number}") for number in range(count)]
    return lambda: replace_parties(names)


def replace_parties(names: list[PartyName]) -> Contract:
    """The agreement with these parties only."""
    return replace(
        AGREED,
        cards={name: card(name) for name in names},
        datasets={name: dataset(name, consumer_caps={}) for name in names},
    )


def auditors(count: int) -> dict[PartyName, Auditor]:
    """That many auditors with keys of their own."""
    return {PartyName(f"auditor{number}"): auditor(f"auditor{number}") for number in range(count)}


def auditor(name: str) -> Auditor:
    """One who must cosign."""
    return Auditor(card(name).cosigning)


CONTRACTS: dict[str, tuple[Callable[[], Contract], bool]] = {
    "one party": (of_parties(1), False),
    "two parties": (of_parties(2), True),
    "32 parties": (of_parties(32), True),
    "33 parties": (of_parties(33), False),
    "a party called coordinator": (lambda: replace_parties([PartyName("coordinator"), PartyName("p1")]), False),
    "a party without a dataset": (
        lambda: replace(AGREED, datasets={name: AGREED.datasets[name] for name in (SHOP, BRAND)}),
        False,
    ),
    "no set-up": (lambda: contract(setups_per_match=0), False),
    "one set-up": (lambda: contract(setups_per_match=1), True),
    "1000 set-ups": (lambda: contract(setups_per_match=1000), True),
    "1001 set-ups": (lambda: contract(setups_per_match=1001), False),
    "true set-ups": (lambda: contract(setups_per_match=True), False),
    "a purpose of 1000 characters": (lambda: contract(purpose="p" * 1000), True),
    "a purpose of 1001 characters": (lambda: contract(purpose="p" * 1001), False),
    "days in order": (lambda: contract(starts="2026-01-01", ends="2026-01-02"), True),
    "one day": (lambda: contract(starts="2026-01-01", ends="2026-01-01"), True),
    "days out of order": (lambda: contract(starts="2026-01-02", ends="2026-01-01"), False),
    "a day that is none": (lambda: contract(ends="2026-02-30"), False),
    "a day of another form": (lambda: contract(ends="20260131"), False),
    "a day with an hour": (lambda: contract(starts="2026-01-01T00:00"), False),
    "pure epsilon": (lambda: contract(accountant="pure"), True),
    "an unknown accountant": (lambda: contract(accountant="none"), False),
    "eight auditors": (lambda: contract(auditors=auditors(8)), True),
    "nine auditors": (lambda: contract(auditors=auditors(9)), False),
    "an auditor that is a party": (lambda: contract(auditors={BANK: auditor("kpmg")}), False),
    "an auditor that is the coordinator": (
        lambda: contract(auditors={PartyName("coordinator"): auditor("kpmg")}),
        False,
    ),
    "an auditor's key of 31 bytes": (lambda: contract(auditors={PartyName("kpmg"): Auditor(bytes(range(31)))}), False),
    "two auditors with one key": (lambda: contract(auditors=dict.fromkeys(auditors(2), auditor("kpmg"))), False),
    "an auditor with a party's identity": (
        lambda: contract(auditors={PartyName("kpmg"): Auditor(card("shop").identity)}),
        False,
    ),
    "an auditor with a party's cosigning key": (
        lambda: contract(auditors={PartyName("kpmg"): Auditor(card("shop").cosigning)}),
        False,
    ),
    "an auditor with the log's key": (
        lambda: contract(auditors={PartyName("kpmg"): Auditor(LOG_KEY.public_bytes())}),
        False,
    ),
    "an auditor under whose key anybody signs": (
        lambda: contract(auditors={PartyName("kpmg"): Auditor(bytes(32))}),
        False,
    ),
    "a party that cosigns with its identity": (
        lambda: contract(cards={**AGREED.cards, SHOP: replace(card("shop"), cosigning=card("shop").identity)}),
        False,
    ),
    "a coordinator with one key for everything": (
        lambda: contract(coordinator=replace(coordinator(), identity=coordinator().log_key)),
        False,
    ),
    "the first log": (lambda: contract(log_number=1), True),
    "log 0": (lambda: contract(log_number=0), False),
    "log 1000": (lambda: contract(log_number=1000, follows=FOLLOWS), True),
    "log 1001": (lambda: contract(log_number=1001, follows=FOLLOWS), False),
    "a second log that follows nothing": (lambda: contract(log_number=2), False),
    "a first log that follows another": (lambda: contract(follows=FOLLOWS), False),
    "a log that follows an empty one": (lambda: contract(log_number=2, follows="0" + FOLLOWS[1:]), True),
    "a size written twice": (lambda: contract(log_number=2, follows="0" + FOLLOWS), False),
    "a size of another script": (lambda: contract(log_number=2, follows="\uff13" + FOLLOWS[1:]), False),
    "a root that is cut": (lambda: contract(log_number=2, follows=FOLLOWS[:-4]), False),
    "a head with a third word": (lambda: contract(log_number=2, follows=FOLLOWS + " x"), False),
    "log true": (lambda: contract(log_number=True), False),
    "no purpose": (lambda: contract(purpose=""), False),
    "an unknown profile": (lambda: contract(profile="email-v9"), False),
    "telephone without a region": (lambda: contract(profile="phone-e164-v1"), False),
    "telephone with a region": (lambda: contract(profile="phone-e164-v1", region="US"), True),
    "a region in small letters": (lambda: contract(profile="phone-e164-v1", region="us"), False),
    "a region of three letters": (lambda: contract(profile="phone-e164-v1", region="USA"), False),
    "a region in Cyrillic": (lambda: contract(profile="phone-e164-v1", region="\u0410\u0412"), False),
    "a region for addresses": (lambda: contract(region="US"), False),
    "another suite": (lambda: contract(suite="cleanroom-2"), False),
    "another quorum": (lambda: contract(quorum="nobody"), False),
    "a card without a dataset": (lambda: contract(datasets={PartyName("x"): dataset(PartyName("x"))}), False),
    "keys of two widths": (lambda: contract({BANK: dataset(BANK, key=("a", "b"))}), False),
    "a foreign consumer": (lambda: contract({BANK: dataset(BANK, consumer_caps={PartyName("x"): 1})}), False),
    "another's dataset": (lambda: contract({BANK: dataset(BRAND)}), False),
    "another's card": (
        lambda: contract(cards={**AGREED.cards, BANK: replace(card("shop"), identity=bytes(32))}),
        False,
    ),
    "one identity for two": (
        lambda: contract(cards={**AGREED.cards, BANK: replace(card("bank"), identity=card("shop").identity)}),
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRACTS)
def test_a_contract_keeps_its_rules(case: str) -> None:
    build, allowed = CONTRACTS[case]
    if allowed:
        assert len(build().cards) >= 2
        return
    with pytest.raises(UsageError):
        build()


def test_a_card_comes_back_from_its_file() -> None:
    assert PartyCard.from_file(card("shop").signed(identity("shop"))) == card("shop")
    assert CoordinatorCard.from_file(coordinator().signed(identity("coordinator"))) == coordinator()


def test_a_card_is_signed_by_the_key_on_it() -> None:
    with pytest.raises(AuthenticationError):
        PartyCard.from_file(card("shop").signed(identity("brand")))
    for another in (identity("shop"), LOG_KEY):
        with pytest.raises(AuthenticationError):
            CoordinatorCard.from_file(coordinator().signed(another))


def test_a_fingerprint_is_160_bits_and_differs_by_every_key() -> None:
    other = card("brand")
    cards = [
        card("shop"),
        replace(card("shop"), name=BRAND),
        replace(card("shop"), identity=other.identity),
        replace(card("shop"), sealing=other.sealing),
        replace(card("shop"), cosigning=other.cosigning),
    ]
    assert len({one.fingerprint() for one in cards}) == 5
    assert [len(group) for group in card("shop").fingerprint().split("-")] == [4] * 10
    assert int(card("shop").fingerprint().replace("-", ""), 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"v": 2},
        {"kind": "coordinator-card"},
        {"name": "Shop"},
        {"identity": "AAAA"},
        {"identity": None},
        {"sealing": "AAAA"},
        {"cosigning": 5},
        {"cosigning": card("shop").body()["cosigning"] + "\n"},
    ],
    ids=str,
)
def test_a_card_with_another_field_is_refused(change: dict[str, Any]) -> None:
    body = card("shop").body() | change
    with pytest.raises(CleanroomError):
        PartyCard.from_body(body)
    with pytest.raises(CleanroomError):
        PartyCard.from_file(sign_statement("party-card", body, identity("shop")))


@pytest.mark.parametrize("name", ["cosigning", "identity", "kind", "name", "sealing", "v"])
def test_a_card_without_a_field_is_refused(name: str) -> None:
    body = {key: value for key, value in card("shop").body().items() if key != name}
    with pytest.raises(CleanroomError):
        PartyCard.from_body(body)


@pytest.mark.parametrize("body", [None, 5, "x", [], {}])
def test_what_is_no_card_is_refused(body: object) -> None:
    with pytest.raises(PeerError):
        PartyCard.from_body(body)
    with pytest.raises(PeerError):
        CoordinatorCard.from_body(body)


@pytest.mark.parametrize("domain", ["", "a..b", ".a", "a.", "a b", "a/b", "\u00e9.test", "a" * 254])
def test_a_trust_domain_is_plain_labels(domain: str) -> None:
    with pytest.raises(PeerError):
        party_domain(domain)


def test_a_trust_domain_of_253_characters_passes() -> None:
    assert len(party_domain("a" * 253)) == 253
