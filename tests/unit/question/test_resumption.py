"""Stops, what lifts them, and what the analyst is told meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cleanroom.errors import AuthenticationError, CleanroomError, PeerError, UsageError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import sign_statement
from cleanroom.question.resumption import KIND, Resumption, parse_resumption, start_resumption
from cleanroom.question.standing import OPEN, RoomStanding
from cleanroom.question.stop import CLOSED, PAUSED, Stop, checked_reason, read_earlier_stop, read_stop
from cleanroom.wire.canonical import canonical_bytes
from cleanroom.wire.contract_file import contract_hash
from tests.unit.question.agreements import BANK, BRAND, LOG_KEY, SHOP, contract, identity, seed

AT = "2026-01-02T03:04:05Z"
AGREED = contract()
HASH = contract_hash(AGREED)


def said(by: str = "brand", kind: str = PAUSED, **other: Any) -> bytes:
    """A stop as its party signs it, but for these fields."""
    fields = {"actor": by, "at": AT, "contract": HASH.hex(), "kind": kind, "reason": "why", "room": "spring"}
    return sign_statement(kind, {**fields, "subject": seed("one").hex(), "v": 1, **other}, identity(by))


def stop(**other: Any) -> Stop:
    """Read back."""
    return read_stop(said(**other), AGREED, HASH)


FIRST, SECOND = stop(), stop(by="shop", subject=seed("two").hex())


def resumption(*names: PartyName, pauses: tuple[Stop, ...] = (FIRST, SECOND)) -> Resumption:
    """Signed by these."""
    started = start_resumption(AGREED, pauses)
    for name in names:
        started = started.signed(name, identity(name), at=AT)
    return started


COMPLETE = resumption(SHOP, BRAND, BANK)
DATA = COMPLETE.file_bytes()


@pytest.mark.parametrize(
    ("reason", "allowed"),
    [("w", True), ("w" * 200, True), ("w" * 201, False), ("", False), (" ", False), ("a\nb", False), ("a\x1bb", False)],
)
def test_a_reason_is_one_printable_line_of_up_to_200_characters(reason: str, allowed: bool) -> None:
    if allowed:
        assert checked_reason(reason) == reason
        assert stop(reason=reason).reason == reason
        return
    with pytest.raises(UsageError, match="a reason"):
        checked_reason(reason)
    with pytest.raises(PeerError, match="reason"):
        stop(reason=reason)


STOPS: dict[str, Callable[[], bytes]] = {
    "another kind": lambda: said(kind="room.opened"),
    "no id": lambda: said(subject="here"),
    "other terms": lambda: said(contract="11" * 32),
    "another room": lambda: said(room="winter"),
    "a field too many": lambda: said(lifts=[]),
    "the coordinator": lambda: sign_statement(PAUSED, {**json_body(said()), "actor": "coordinator"}, LOG_KEY),
    "another key": lambda: sign_statement(PAUSED, json_body(said()), identity("shop")),
}


def json_body(envelope: bytes) -> dict[str, Any]:
    """What a statement says."""
    from cleanroom.querylog.dsse import peek_statement

    return peek_statement(envelope)


@pytest.mark.parametrize("case", STOPS)
def test_what_no_party_of_the_room_signed_stops_nothing(case: str) -> None:
    with pytest.raises(PeerError):
        read_stop(STOPS[case](), AGREED, HASH)


def test_a_pause_under_former_terms_of_the_room_can_be_lifted_under_the_present_ones() -> None:
    former = said(contract="11" * 32)
    assert read_earlier_stop(former, AGREED).by == BRAND
    with pytest.raises(PeerError):
        read_earlier_stop(said(room="winter"), AGREED)
    with pytest.raises(PeerError, match="names no contract"):
        read_earlier_stop(said(contract="here"), AGREED)


def test_a_file_is_read_back_as_it_was_written_whoever_signed_first() -> None:
    assert parse_resumption(DATA, AGREED) == COMPLETE
    assert resumption(BANK, BRAND, SHOP, pauses=(SECOND, FIRST)).file_bytes() == DATA
    assert COMPLETE.complete
    assert resumption(SHOP, BANK).missing == (BRAND,)
    assert COMPLETE.signed(SHOP, identity("shop"), at="2027-01-01T00:00:00Z") == COMPLETE


def test_there_is_nothing_to_resume_in_an_open_room() -> None:
    with pytest.raises(UsageError, match="not paused; there is nothing to resume"):
        start_resumption(AGREED, [])


def test_a_closing_is_lifted_by_no_signature() -> None:
    with pytest.raises(PeerError, match="a closed room never opens again"):
        start_resumption(AGREED, [FIRST, stop(kind=CLOSED)])


def test_signatures_lift_exactly_the_pauses_that_they_name() -> None:
    """Nobody can add a pause to a list that was signed, take one out, or move signatures to another list."""
    for pauses in ((FIRST,), (FIRST, SECOND, stop(by="bank", subject=seed("three").hex()))):
        ordered = tuple(sorted(pauses, key=lambda one: one.digest))
        for name, envelope in COMPLETE.signatures.items():
            with pytest.raises(PeerError, match=f"the signature of {name} does not hold: it is over another list"):
                Resumption(AGREED, ordered, {name: envelope})


def test_a_signature_whose_list_is_not_its_subjects_does_not_hold() -> None:
    body = {**json_body(COMPLETE.signatures[SHOP]), "lifts": [FIRST.digest]}
    with pytest.raises(PeerError, match="shop does not hold: it lifts other pauses"):
        replace(COMPLETE, signatures={SHOP: sign_statement(KIND, body, identity("shop"))})


FILES: dict[str, tuple[Callable[[], bytes], type[CleanroomError], str]] = {
    "another room": (lambda: changed(room="winter"), PeerError, "for another room, or for other terms"),
    "other terms": (lambda: changed(contract="11" * 32), PeerError, "for another room, or for other terms"),
    "another version": (lambda: changed(v=2), PeerError, "not a resumption of a format"),
    "a field beside": (lambda: changed(more=1), PeerError, "not a resumption of a format"),
    "no pauses": (lambda: changed(pauses=[]), PeerError, "lifts 1 to 256 pauses"),
    "pauses as a text": (lambda: changed(pauses="all"), PeerError, "lacks its pauses or its signatures"),
    "a pause that is none": (lambda: changed(pauses=[1]), PeerError, "not a signed statement"),
    "too many pauses": (lambda: changed(pauses=[{}] * 257), PeerError, "too many pauses"),
    "a pause twice": (lambda: changed(pauses=json.loads(DATA)["pauses"][:1] * 2), PeerError, "stands there twice"),
    "another order": (lambda: changed(pauses=json.loads(DATA)["pauses"][::-1]), PeerError, "not in order"),
    "a stranger": (
        lambda: changed(signatures={"airline": json.loads(COMPLETE.signatures[SHOP])}),
        PeerError,
        "airline stands among the signatures",
    ),
    "another key": (
        lambda: changed(
            signatures={"shop": json.loads(sign_statement(KIND, json_body(COMPLETE.signatures[SHOP]), LOG_KEY))}
        ),
        AuthenticationError,
        "the signature of shop does not hold: it was not made",
    ),
    "a key twice": (lambda: DATA.replace(b'"v":1}', b'"v":1,"v":1}'), PeerError, "repeats a name"),
    "five megabytes": (lambda: b'"' + b"a" * (5 << 20) + b'"', PeerError, "too long"),
}


def changed(**fields: Any) -> bytes:
    """The file with other fields."""
    return canonical_bytes({**json.loads(DATA), **fields})


@pytest.mark.parametrize("case", FILES)
def test_a_resumption_that_does_not_hold_is_refused_and_says_why(case: str) -> None:
    make, kind, text = FILES[case]
    with pytest.raises(kind, match=text):
        parse_resumption(make(), AGREED)


def test_a_stopped_room_refuses_in_the_name_of_who_stopped_it() -> None:
    paused = RoomStanding("paused", BRAND, "the lawyers ask").refusal()
    assert paused is not None
    assert (paused.rule, paused.owner) == ("room", "brand")
    assert paused.explanation == "the room is paused by brand: the lawyers ask"
    assert "all parties have signed a resumption" in paused.advice
    closed = RoomStanding("closed", BRAND, "it is over").refusal()
    assert closed is not None
    assert closed.explanation == "the room is closed by brand: it is over"
    assert "another name" in closed.advice
    assert OPEN.refusal() is None


@pytest.mark.parametrize("fields", [("open", BRAND, ""), ("open", "", "why"), ("paused", "", "why")])
def test_a_standing_is_whole(fields: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="stopped by"):
        RoomStanding(*fields)
