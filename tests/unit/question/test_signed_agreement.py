"""The agreement file: everybody's signature over the same bytes, or refused with the name of whose does not hold."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, CleanroomError, PeerError, UsageError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.question.agreement import KIND, Agreement, in_force, parse_agreement
from cleanroom.wire.canonical import MAX_BYTES, canonical_bytes
from cleanroom.wire.contract_file import contract_bytes
from tests.unit.question.agreements import BANK, BRAND, LOG_KEY, SHOP, contract, identity, seed

AT = "2026-01-02T03:04:05Z"
AGREED = contract()


def signed(*names: PartyName) -> Agreement:
    """The room's agreement with these parties' signatures."""
    agreement = Agreement(AGREED, {})
    for name in names:
        agreement = agreement.signed(name, identity(name), at=AT)
    return agreement


COMPLETE = signed(SHOP, BRAND, BANK)
DATA = COMPLETE.file_bytes()


def body(**other: Any) -> dict[str, Any]:
    """What shop would sign, but for these fields."""
    fields = {"actor": SHOP, "at": AT, "contract": COMPLETE.hash, "kind": KIND, "room": "spring", "v": 1}
    return {**fields, "subject": COMPLETE.hash, **other}


def with_signature(name: str, envelope: bytes) -> bytes:
    """The file in which this stands as a party's signature."""
    file = json.loads(signed(BRAND).file_bytes())
    file["signatures"][name] = json.loads(envelope)
    return canonical_bytes(file)


def test_a_file_is_read_back_as_it_was_written_whoever_signed_first() -> None:
    assert parse_agreement(DATA) == COMPLETE
    assert signed(BANK, SHOP, BRAND).file_bytes() == DATA
    assert contract_bytes(AGREED) in DATA


@pytest.mark.parametrize("names", [(), (SHOP,), (SHOP, BRAND), (BANK, BRAND)])
def test_it_is_in_force_only_when_every_party_has_signed(names: tuple[PartyName, ...]) -> None:
    short = signed(*names)
    assert not short.complete
    assert set(short.missing) == {SHOP, BRAND, BANK} - set(names)
    with pytest.raises(UsageError, match=f"is not in force: not signed by {', '.join(short.missing)};"):
        in_force(short.file_bytes())


def test_a_complete_one_is_in_force() -> None:
    assert COMPLETE.complete
    assert in_force(DATA) == COMPLETE


def test_signing_twice_is_signing_once() -> None:
    assert COMPLETE.signed(SHOP, identity("shop"), at="2027-01-01T00:00:00Z") == COMPLETE
    assert COMPLETE.signed_at(SHOP) == AT


TERMS: dict[str, dict[str, Any]] = {
    "purpose": {"purpose": "another purpose"},
    "set-ups": {"setups_per_match": 4},
    "profile": {"profile": "opaque-v1"},
}


@pytest.mark.parametrize("term", TERMS)
def test_changing_any_term_voids_every_signature(term: str) -> None:
    changed = replace(AGREED, **TERMS[term])
    for name, envelope in COMPLETE.signatures.items():
        with pytest.raises(PeerError, match=f"the signature of {name} does not hold: it is over another agreement"):
            Agreement(changed, {name: envelope})
    file = json.loads(DATA)
    file["contract"] = json.loads(contract_bytes(changed))
    with pytest.raises(PeerError, match="over another agreement"):
        parse_agreement(canonical_bytes(file))


REFUSED: dict[str, tuple[Callable[[], bytes], type[CleanroomError], str]] = {
    "another key": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(), SigningKey(seed("stranger")))),
        AuthenticationError,
        "the signature of shop does not hold: it was not made with the identity key on shop's card",
    ),
    "another party's key": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(), identity("brand"))),
        AuthenticationError,
        "the signature of shop does not hold: it was not made with the identity key on shop's card",
    ),
    "the coordinator's key": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(), LOG_KEY)),
        AuthenticationError,
        "the signature of shop does not hold",
    ),
    "over another hash": (
        lambda: with_signature(
            SHOP, sign_statement(KIND, body(contract="11" * 32, subject="11" * 32), identity("shop"))
        ),
        PeerError,
        "the signature of shop does not hold: it is over another agreement",
    ),
    "about something else": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(subject="11" * 32), identity("shop"))),
        PeerError,
        "the signature of shop does not hold: it is over another agreement",
    ),
    "another party's signature": (
        lambda: with_signature(SHOP, COMPLETE.signatures[BRAND]),
        PeerError,
        "the signature of shop does not hold: it is another party's, or of another kind",
    ),
    "another kind of statement": (
        lambda: with_signature(SHOP, sign_statement("room.resumed", body(kind="room.resumed"), identity("shop"))),
        PeerError,
        "the signature of shop does not hold: it is another party's, or of another kind",
    ),
    "another room": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(room="winter"), identity("shop"))),
        PeerError,
        "the signature of shop does not hold: a statement is of another version, room or contract",
    ),
    "a field too many": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(more="x"), identity("shop"))),
        PeerError,
        "the signature of shop does not hold: a statement has a field that its kind does not know",
    ),
    "no time": (
        lambda: with_signature(SHOP, sign_statement(KIND, body(at="yesterday"), identity("shop"))),
        PeerError,
        "the signature of shop does not hold: a statement's time is written",
    ),
    "a stranger": (
        lambda: with_signature("airline", sign_statement(KIND, body(actor="airline"), SigningKey(seed("airline")))),
        PeerError,
        "airline stands among the signatures and is no party of the room",
    ),
    "the coordinator as a party": (
        lambda: with_signature("coordinator", sign_statement(KIND, body(actor="coordinator"), LOG_KEY)),
        PeerError,
        "coordinator stands among the signatures and is no party of the room",
    ),
    "a name that is none": (
        lambda: with_signature("Shop!", COMPLETE.signatures[SHOP]),
        UsageError,
        "a party name must be",
    ),
    "a text for a signature": (
        lambda: canonical_bytes({**json.loads(DATA), "signatures": {"shop": "signed"}}),
        PeerError,
        "the signature of shop does not hold: it is not a signed statement",
    ),
    "signatures as a list": (
        lambda: canonical_bytes({**json.loads(DATA), "signatures": []}),
        PeerError,
        "lacks its contract or its signatures",
    ),
    "no contract": (
        lambda: canonical_bytes({**json.loads(DATA), "contract": None}),
        PeerError,
        "lacks its contract or its signatures",
    ),
    "a plain contract": (lambda: contract_bytes(AGREED), PeerError, "not an agreement of a format"),
    "another version": (
        lambda: canonical_bytes({**json.loads(DATA), "v": 2}),
        PeerError,
        "not an agreement of a format",
    ),
    "a field beside": (
        lambda: canonical_bytes({**json.loads(DATA), "more": 1}),
        PeerError,
        "not an agreement of a format",
    ),
    "an unknown term": (
        lambda: canonical_bytes({**json.loads(DATA), "contract": {**json.loads(DATA)["contract"], "more": 1}}),
        PeerError,
        "unknown fields",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_hold_is_refused_and_named(case: str) -> None:
    make, kind, text = REFUSED[case]
    with pytest.raises(kind, match=text):
        parse_agreement(make())


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a signature twice": (DATA.replace(b'"signatures":{', b'"signatures":{"bank":{},', 1), "repeats a name"),
    "a key twice": (DATA.replace(b'"v":1}', b'"v":1,"v":1}'), "repeats a name"),
    "not a number": (DATA.replace(b'"capacity":1000', b'"capacity":NaN', 1), "not a plain integer"),
    "infinity": (DATA.replace(b'"capacity":1000', b'"capacity":Infinity', 1), "not a plain integer"),
    "1e400": (DATA.replace(b'"capacity":1000', b'"capacity":1e400', 1), "not a plain integer"),
    "2^53": (DATA.replace(b'"capacity":1000', b'"capacity":9007199254740992', 1), "beyond 2"),
    "ten thousand deep": (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
    "five megabytes": (b'"' + b"a" * (5 << 20) + b'"', "too long"),
    "one byte too long": (DATA + b" " * (MAX_BYTES + 1 - len(DATA)), "too long"),
    "another spelling": (DATA.replace(b'"v":1}', b'"v": 1}'), "not in canonical form"),
    "half of it": (DATA[: len(DATA) // 2], "not canonical JSON"),
    "nothing": (b"", "not canonical JSON"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_are_refused_and_nothing_of_them_is_kept(case: str) -> None:
    """Row 20 of the hostile inputs."""
    data, text = HOSTILE[case]
    with pytest.raises(PeerError, match=text):
        parse_agreement(data)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_changed_byte_leaves_a_complete_agreement(place: int, change: int) -> None:
    data = bytearray(DATA)
    data[place] ^= change
    try:
        parsed = parse_agreement(bytes(data))
    except CleanroomError:
        return
    assert parsed.contract == AGREED, "no signature over other terms holds"
    assert not (parsed.complete and parsed != COMPLETE)
