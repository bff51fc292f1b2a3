"""A consumer's chain and its signed head show nothing of others, and nothing in them can be changed unnoticed."""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.errors import AuthenticationError, CleanroomError, PeerError
from cleanroom.querylog.consumer_chain import (
    KINDS,
    ConsumerEntry,
    consumer_genesis,
    consumer_heads,
    matches_debited,
    parse_units,
    spent_after_each,
    spent_units,
)
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.querylog.ledger_head import LedgerHead, open_head
from cleanroom.querylog.salted_tree import LEAST_LEAVES, Inclusion, check_inclusion, include
from tests.unit.question.agreements import identity

AT = "2026-01-02T03:04:05Z"
PLAN, OTHER = "ab" * 32, "cd" * 32
ENTRY = ConsumerEntry(AT, "reserve", "count", PLAN, 7)
GENESIS = consumer_genesis(lineage="people", room="spring", consumer="shop")
SECRET, NONCE = bytes(range(32)), bytes(32)


def tree(contents: dict[bytes, bytes], wanted: bytes = b"shop", nonce: bytes = NONCE) -> tuple[bytes, Inclusion]:
    """A root and one proof."""
    return include(contents, wanted, secret=SECRET, nonce=nonce)


# ---- the chain -------------------------------------------------------------------------------------------------------

CHANGED = [
    replace(ENTRY, at="2026-01-02T03:04:06Z"),
    replace(ENTRY, kind="share_sent"),
    replace(ENTRY, quantity="sum"),
    replace(ENTRY, subject=OTHER),
    replace(ENTRY, units=8),
]


@pytest.mark.parametrize("changed", CHANGED)
def test_every_field_of_an_entry_moves_the_head(changed: ConsumerEntry) -> None:
    assert consumer_heads(GENESIS, 1, [changed]) != consumer_heads(GENESIS, 1, [ENTRY])


def test_a_head_depends_on_whose_chain_it_is_and_on_the_entrys_number() -> None:
    names = [("people", "spring", "shop"), ("others", "spring", "shop"), ("people", "autumn", "shop")]
    heads = {consumer_genesis(lineage=lineage, room=room, consumer=consumer) for lineage, room, consumer in names}
    assert len(heads) == 3
    assert consumer_heads(GENESIS, 1, [ENTRY]) != consumer_heads(GENESIS, 2, [ENTRY])


def test_a_voided_reservation_is_not_spent_and_a_replayed_sum_always_is() -> None:
    entries = [
        ENTRY,
        ConsumerEntry(AT, "reserve", "sum", OTHER, 5),
        ConsumerEntry(AT, "match_debit", "", OTHER, 390),
        ConsumerEntry(AT, "replayed", "", PLAN, 100),
    ]
    assert (spent_units(entries), matches_debited(entries)) == (112, 1)
    voided = [*entries, ConsumerEntry(AT, "voided", "count", PLAN, 0)]
    assert spent_units(voided) == 105


SOME_ENTRIES = st.lists(
    st.builds(
        ConsumerEntry,
        st.just(AT),
        st.sampled_from(sorted(KINDS)),
        st.just("count"),
        st.sampled_from([PLAN, OTHER, "ef" * 32]),
        st.integers(0, 9),
    ),
    max_size=12,
)


@given(SOME_ENTRIES)
def test_what_was_spent_after_each_entry_is_what_every_beginning_of_the_chain_has_spent(
    entries: list[ConsumerEntry],
) -> None:
    assert spent_after_each(entries) == [spent_units(entries[:count]) for count in range(1, len(entries) + 1)]


def test_an_entry_is_read_back_as_it_was_written() -> None:
    assert ConsumerEntry.from_body(ENTRY.body()) == ENTRY


BAD_ENTRIES: list[Any] = [
    None,
    [],
    [*ENTRY.body(), "more"],
    ENTRY.body()[:4],
    [AT, "refund", "count", PLAN, "7"],
    [AT, "reserve", "count", PLAN, 7],
    [AT, "reserve", "count", "x" * 201, "7"],
    [AT, "reserve", "a\nb", PLAN, "7"],
    [AT, "replayed", "", "", "7"],
    [AT, "replayed", "", "zz" * 32, "7"],
    [AT, "replayed", "", PLAN[:-1], "7"],
    [AT, "replayed", "", PLAN + "0", "7"],
    [AT, "replayed", "", PLAN.upper(), "7"],
]


@pytest.mark.parametrize("body", BAD_ENTRIES)
def test_a_malformed_entry_is_refused(body: Any) -> None:
    with pytest.raises(PeerError):
        ConsumerEntry.from_body(body)


@pytest.mark.parametrize("text", ["", "-1", "07", "1.0", "1e3", "٣", " 7", str(2**63), "9" * 20, 7, None])
def test_units_have_one_spelling(text: Any) -> None:
    with pytest.raises(PeerError):
        parse_units(text)
    assert parse_units(str(2**63 - 1)) == 2**63 - 1


# ---- the tree --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.dictionaries(st.binary(max_size=4), st.binary(max_size=8), min_size=1, max_size=12), st.binary(max_size=4))
def test_every_content_stands_under_its_root_and_no_other_does(contents: dict[bytes, bytes], other: bytes) -> None:
    for name, content in contents.items():
        root, proof = tree(contents, name)
        check_inclusion(root, content, proof)
        if other != content:
            with pytest.raises(PeerError):
                check_inclusion(root, other, proof)


def test_the_same_secret_and_nonce_give_the_same_root_and_another_nonce_shares_nothing() -> None:
    contents = {b"shop": b"1", b"bank": b"2"}
    root, proof = tree(contents)
    assert tree(contents) == (root, proof)
    again_root, again = tree(contents, nonce=os.urandom(32))
    assert again_root != root
    assert not {proof.salt, *proof.siblings} & {again.salt, *again.siblings}


def test_a_proof_has_one_shape_however_many_others_asked() -> None:
    """256 leaves are more than a room has parties: nobody is counted by the length of a proof."""
    few, most = {b"shop": b"1"}, {b"shop": b"1", **{b"%d" % number: b"2" for number in range(LEAST_LEAVES - 1)}}
    assert len(tree(few)[1].siblings) == len(tree(most)[1].siblings) == 8
    assert len(tree({**most, b"more": b"3"})[1].siblings) == 9


def test_places_follow_from_salts_alone() -> None:
    """A place that followed from names would count those that come before."""
    places = {tree({b"shop": b"1"}, nonce=os.urandom(32))[1].place for _ in range(64)}
    assert len(places) > 16


@pytest.mark.parametrize("place", [1, 256, 1 << 20])
def test_a_proof_at_another_place_is_refused(place: int) -> None:
    root, proof = tree({b"shop": b"1"})
    with pytest.raises(PeerError):
        check_inclusion(root, b"1", replace(proof, place=proof.place ^ place))


def test_a_proof_of_any_length_is_not_walked() -> None:
    root, proof = tree({b"shop": b"1"})
    with pytest.raises(PeerError, match="shape"):
        check_inclusion(root, b"1", replace(proof, siblings=(bytes(32),) * 17))


# ---- the statement ---------------------------------------------------------------------------------------------------

HEAD = LedgerHead("spring", "people", "shop", PLAN, 3, OTHER, 7, 1)


def body(stated: LedgerHead = HEAD, **more: Any) -> dict[str, Any]:
    """A valid statement's body, with some fields replaced."""
    root, proof = tree({b"shop": stated.content(), b"bank": b"2"})
    common = {"actor": "brand", "at": AT, "contract": "00" * 32, "kind": "ledger.head", "room": stated.room, "v": 1}
    return {**common, "subject": stated.subject, **stated.fields(root, proof), **more}


def signed(value: dict[str, Any]) -> bytes:
    """As brand signs."""
    return sign_statement("ledger.head", value, identity("brand"))


def test_what_was_signed_is_what_is_read() -> None:
    assert open_head(signed(body()), identity("brand").public_bytes()) == HEAD


def test_every_statement_has_one_length_whatever_the_place() -> None:
    """Lengths are seen by the coordinator, and may depend on public numbers only."""
    roots = (tree({b"shop": HEAD.content()}, nonce=os.urandom(32)) for _ in range(32))
    lengths = {len(signed({**body(), **HEAD.fields(root, proof)})) for root, proof in roots}
    assert len(lengths) == 1


CLAIMS: dict[str, Any] = {
    "consumer": "bank",
    "lineage": "others",
    "room": "autumn",
    "entries": 4,
    "head": PLAN,
    "spent": "6",
    "matches": 0,
    "root": "00" * 32,
    "salt": "00" * 32,
    "proof": [],
}


@pytest.mark.parametrize("field", CLAIMS)
def test_a_claim_that_does_not_stand_under_the_root_is_refused(field: str) -> None:
    with pytest.raises(PeerError):
        open_head(signed(body(**{field: CLAIMS[field]})), identity("brand").public_bytes())


MALFORMED: dict[str, Any] = {
    "entries": -1,
    "matches": "1",
    "spent": 7,
    "head": OTHER.upper(),
    "place": "1",
    "proof": None,
    "v": 2,
    "room": "",
    "extra": 1,
}


@pytest.mark.parametrize("field", MALFORMED)
def test_a_malformed_head_is_refused(field: str) -> None:
    with pytest.raises(PeerError):
        open_head(signed(body(**{field: MALFORMED[field]})), identity("brand").public_bytes())


def test_a_head_that_another_party_signed_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        open_head(signed(body()), identity("shop").public_bytes())


def test_another_statement_of_the_owner_is_no_head() -> None:
    other = sign_statement("incident", {**body(), "kind": "incident"}, identity("brand"))
    with pytest.raises(CleanroomError):
        open_head(other, identity("brand").public_bytes())
    assert peek_statement(other)["kind"] == "incident"
