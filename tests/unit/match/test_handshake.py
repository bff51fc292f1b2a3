"""Both sides commit to the same terms before anything is masked; a difference names its term."""

import hashlib
import json
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.errors import CleanroomError, PeerError
from cleanroom.match.handshake import Hello, dummies_of_lineage, dummies_of_match, most_people, transcript
from cleanroom.question.dataset import Overlap
from cleanroom.wire.contract_file import contract_hash
from tests.unit.question.agreements import BANK, BRAND, SHOP, contract, dataset, seed

DELTA = Fraction(1, 10**9)
AGREED = contract()
MATCH = seed("match").hex()


def hello(**more: Any) -> Hello:
    """shop's half of a match that it began with brand."""
    terms = {
        "match": MATCH,
        "initiator": SHOP,
        "party": SHOP,
        "contract": contract_hash(AGREED).hex(),
        "version": seed("version").hex(),
        "version_counter": 1,
        "capacity": 1000,
        "profile": "email-plain-v1",
        "suite": AGREED.suite,
        "dummies": 392,
        "share": seed("share").hex(),
        "nonce": seed("nonce").hex(),
    }
    return Hello(**{**terms, **more})


def check(one: Hello, **more: Any) -> None:
    """As the responder checks shop's hello."""
    one.check(AGREED, **{"match": MATCH, "initiator": SHOP, "sender": SHOP, **more})


def test_the_agreed_terms_pass() -> None:
    check(hello())


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("contract", seed("other").hex()),
        ("profile", "email-uid2-v1"),
        ("suite", "cleanroom-2"),
        ("capacity", 999),
        ("capacity", 1001),
    ],
)
def test_a_term_that_differs_is_named_before_anything_is_masked(term: str, value: Any) -> None:
    with pytest.raises(PeerError, match=f"shop matches with another {term} than the contract's; nothing was masked"):
        check(hello(**{term: value}))


def test_the_first_differing_term_is_named() -> None:
    with pytest.raises(PeerError, match="another contract"):
        check(hello(contract=seed("other").hex(), profile="opaque-v1", capacity=5))


@pytest.mark.parametrize(
    "expected",
    [{"match": seed("x").hex()}, {"initiator": BRAND}, {"sender": BRAND}],
    ids=["match", "initiator", "party"],
)
def test_a_hello_is_for_one_match_and_from_its_sender(expected: dict[str, str]) -> None:
    with pytest.raises(PeerError, match="another match or another party"):
        check(hello(), **expected)


def test_capacity_is_the_sender_s_own() -> None:
    uneven = contract({BRAND: dataset(BRAND, capacity=2000)})
    from_brand = hello(party=BRAND, contract=contract_hash(uneven).hex(), capacity=2000)
    from_brand.check(uneven, match=MATCH, initiator=SHOP, sender=BRAND)
    with pytest.raises(PeerError, match="capacity"):
        replace(from_brand, capacity=1000).check(uneven, match=MATCH, initiator=SHOP, sender=BRAND)


def test_a_hello_comes_back_from_its_body() -> None:
    assert Hello.from_body(json.loads(json.dumps(hello().body()))) == hello()


@pytest.mark.parametrize("name", [field.name for field in fields(Hello)])
def test_a_hello_lacks_nothing_and_has_nothing_more(name: str) -> None:
    body = hello().body()
    with pytest.raises(PeerError, match="one too many"):
        Hello.from_body({key: value for key, value in body.items() if key != name})
    with pytest.raises(PeerError, match="one too many"):
        Hello.from_body({**body, f"{name}2": 1})


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Hello)} - {"profile", "suite"}))
@pytest.mark.parametrize("junk", [None, True, [], {}, "", 1.5, "A" * 64, "g" * 64, "a" * 65], ids=repr)
def test_a_malformed_hello_is_our_error(name: str, junk: Any) -> None:
    with pytest.raises(CleanroomError):
        Hello.from_body({**hello().body(), name: junk})


@pytest.mark.parametrize("junk", [None, True, [], {}, 7])
def test_a_profile_that_is_no_text_differs_from_the_contract_s(junk: Any) -> None:
    with pytest.raises(PeerError, match="another profile"):
        check(Hello.from_body({**hello().body(), "profile": junk}))


@pytest.mark.parametrize("value", [None, 5, "hello", [], [1]])
def test_what_is_no_hello_is_refused(value: object) -> None:
    with pytest.raises(PeerError):
        Hello.from_body(value)


OTHER: dict[str, Any] = {
    **{name: seed("another").hex() for name in ("match", "contract", "version", "share", "nonce")},
    "initiator": BRAND,
    "party": BRAND,
    "version_counter": 2,
    "capacity": 1001,
    "profile": "opaque-v1",
    "suite": "other",
    "dummies": 393,
}


def test_a_transcript_binds_every_word_of_both_sides_and_the_contract() -> None:
    assert set(OTHER) == {field.name for field in fields(Hello)}
    mine, yours = hello(), hello(party=BRAND, share=seed("s2").hex(), nonce=seed("n2").hex())
    seen = {transcript(AGREED, mine, yours), transcript(AGREED, yours, mine)}
    seen.add(transcript(contract(purpose="another"), mine, yours))
    seen |= {transcript(AGREED, hello(**{name: value}), yours) for name, value in OTHER.items()}
    changed = {**OTHER, "party": SHOP}
    seen |= {transcript(AGREED, mine, replace(yours, **{name: value})) for name, value in changed.items()}
    assert len(seen) == 3 + 2 * len(OTHER)


def test_a_transcript_is_a_labelled_hash_of_contract_and_sorted_hellos() -> None:
    mine, yours = hello(), hello(party=BRAND)

    def spelled(one: Hello) -> bytes:
        body = {field.name: getattr(one, field.name) for field in fields(Hello)}
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    parts = (b"cleanroom/v1/match-transcript", contract_hash(AGREED), spelled(mine), spelled(yours))
    joined = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert transcript(AGREED, mine, yours) == hashlib.sha256(joined).digest()


UNEVEN = contract(
    {
        SHOP: dataset(SHOP, capacity=1000),
        BRAND: dataset(BRAND, capacity=1000, overlap=Overlap(Fraction(2), DELTA, 12)),
        BANK: dataset(BANK, capacity=2000, overlap=Overlap(Fraction(2), DELTA, 30)),
    }
)


def test_the_larger_promise_of_the_two_decides_how_many_dummies_there_are() -> None:
    """delta 1e-9, epsilon 2: 6 matches 390 dummies, 12 matches 777, 30 matches 1942."""
    assert [dummies_of_lineage(UNEVEN, name) for name in (SHOP, BRAND, BANK)] == [390, 777, 1942]
    assert dummies_of_match(UNEVEN, SHOP, BRAND) == dummies_of_match(UNEVEN, BRAND, SHOP) == 777
    assert dummies_of_match(UNEVEN, SHOP, BANK) == 1942


def test_the_most_people_leave_room_for_the_most_dummies_of_any_partner() -> None:
    assert [most_people(UNEVEN, name) for name in (SHOP, BRAND, BANK)] == [1000 - 1942, 1000 - 1942, 2000 - 1942]
    assert most_people(AGREED, SHOP) == 1000 - 390
