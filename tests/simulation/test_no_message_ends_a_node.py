"""Whatever a party of the room writes into its messages, the other node lives on and keeps its promises.

Every kind of message, at the moment when a good one of its kind would be taken, with fields of every wrong type and
bulk of every wrong size. A node that stopped on one would stop again on every start, because the message waits in its
mailbox until it was acted on. Rows 16, 18 and 22 at the nodes.
"""

import base64
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import CleanroomError
from cleanroom.querylog.dsse import peek_statement, sign_statement, strict_base64
from cleanroom.querylog.ledger_head import KIND, LedgerHead
from cleanroom.querylog.salted_tree import include
from cleanroom.wire.canonical import canonical_bytes, labelled_hash, parse_canonical
from parties.headers import HEADERS
from tests.simulation.stepped_room import SteppedRoom, once, small_parties, stepped_room

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**53 - 1,
    "",
    "é",
    "00" * 32,
    "0" * 63,
    "zz" * 32,
    "A" * 70_000,
    "====",
    "AAAA",
    [],
    [[]],
    {},
    {"x": 1},
    {"index": -1, "head": "00" * 32, "previous": "00" * 32, "signature": "00" * 64},
)
OPENS_A_MATCH = ("match.hello", "match.points", "match.dummies")
ASKS = ("setup.open", "setup.base", "setup.matrix", "setup.challenge", "setup.answer", "setup.corrections",
        "question.plan", "question.rows", "question.release", "question.released")  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """One room that has to survive everything."""
    folder = tmp_path_factory.mktemp("room")
    with stepped_room(folder, small_parties(), setups_per_match=1000) as opened, pytest.MonkeyPatch.context() as patch:
        for party in opened.parties.values():
            patch.setattr(party.node.matching, "check_limit", lambda _: None)
        yield opened


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[SteppedRoom]:
    """One in which nothing has happened yet."""
    with stepped_room(tmp_path, small_parties(), budget="100", setups_per_match=100) as opened:
        yield opened


def mutated(chance: random.Random, header: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
    """A header with one field of it, or one field inside it, made into something else; or another bulk."""
    header = dict(header)
    if header and chance.random() < 0.85:
        name = chance.choice(sorted(header))
        inner = header[name]
        if isinstance(inner, dict) and chance.random() < 0.7:
            header[name] = {**inner, chance.choice(sorted(inner)): chance.choice(VALUES)}
        else:
            header[name] = chance.choice(VALUES)
    else:
        blob = chance.choice((b"", blob[:-1], blob + b"\x00", os.urandom(len(blob)), bytes(len(blob)), blob * 2))
    return header, blob


def survive(room: SteppedRoom, kind: str, seed: int) -> None:
    """Spoil the next message of this kind, whoever sends it; everybody comes to rest, whatever became of it."""
    chance = random.Random(f"{kind} {seed}")  # noqa: S311 # reproducible on purpose
    for party in room.parties.values():
        party.post.changes.clear()
        once(party, kind, lambda header, blob: mutated(chance, header, blob))
    node = room["shop"].node
    with node.desk.database.transaction():
        match = node.matching.usable(room["brand"].name)
        if kind in OPENS_A_MATCH or match is None or match.state != "ready":
            node.matching.start(room["brand"].name)
        else:
            node.rows.kill_all()
    if kind in ASKS:
        with suppress(CleanroomError):
            room.ask("shop", "brand", by="colour")
    room.settle()
    for party in room.parties.values():
        party.post.changes.clear()


@pytest.mark.parametrize("kind", [*OPENS_A_MATCH, *ASKS])
def test_a_spoiled_message_of_any_kind_is_survived(room: SteppedRoom, kind: str) -> None:
    """Three seeds here, thirty in the slow test."""
    for seed in range(3):
        survive(room, kind, seed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*OPENS_A_MATCH, *ASKS])
def test_many_spoiled_messages_of_any_kind_are_survived(room: SteppedRoom, kind: str) -> None:
    """As above, with more luck."""
    for seed in range(3, 33):
        survive(room, kind, seed)


@pytest.mark.parametrize("kind", sorted(HEADERS))
def test_a_message_out_of_nowhere_is_survived(room: SteppedRoom, kind: str) -> None:
    """Every kind with every wrong value in every field, about something that nobody knows and about what is there."""
    subjects = [os.urandom(32).hex() for _ in range(len(VALUES))]
    for fields in HEADERS[kind]:
        for value, subject in zip(VALUES, subjects, strict=True):
            if len(canonical_bytes(value)) < 1000:
                room["shop"].say("brand", kind, subject, dict.fromkeys(fields, value), b"x")
    room.settle()


def test_after_all_this_the_room_still_answers(room: SteppedRoom) -> None:
    """The same question, the same exact numbers."""
    for party in room.parties.values():
        party.post.changes.clear()
    assert room.ask("shop", "brand", by="colour").cells == (7, 6, 7)


def signed_anew(room: SteppedRoom, header: dict[str, Any], blob: bytes, more: list[list[str]]) -> tuple[Any, bytes]:
    """brand's released answer, with further entries and a head that brand signs over all of them."""
    own = peek_statement(strict_base64(header["ledger"]))
    body = parse_canonical(blob)
    entries = [*body["entries"], *more]
    desk = room["brand"].opened.desk
    chain = room["brand"].node._answering._heads._chain("shop")
    last = desk.ledger.head_at(chain, own["entries"])
    assert last is not None
    for place, entry in enumerate(more, start=own["entries"] + 1):
        content = canonical_bytes([place, *entry])
        last = labelled_hash("cleanroom/v1/consumer-chain", bytes.fromhex(last), content).hex()
    lied = LedgerHead(
        room=chain.room, lineage=chain.lineage, consumer=chain.consumer, subject=own["subject"],
        entries=own["entries"] + len(more), head=last, spent=int(own["spent"]),
        matches=own["matches"] + sum(entry[1] == "match_debit" for entry in more),
    )  # fmt: skip
    root, proof = include({b"one": lied.content()}, b"one", secret=bytes(32), nonce=bytes(32))
    signed = sign_statement(KIND, {**own, **lied.fields(root, proof)}, desk.keys.identity)
    return {**header, "ledger": base64.b64encode(signed).decode("ascii")}, canonical_bytes({**body, "entries": entries})


AT = "2026-01-02T03:04:05Z"
UNKNOWN_MATCH = [AT, "match_debit", "", "ab" * 32, "1"]
FURTHER_ENTRIES = {
    "a replayed head that is no hash": [UNKNOWN_MATCH, [AT, "replayed", "", "zz", "0"]],
    "a replayed head of odd length": [UNKNOWN_MATCH, [AT, "replayed", "", "abc", "0"]],
    "a replayed head that is empty": [UNKNOWN_MATCH, [AT, "replayed", "", "", "0"]],
    "a replayed head that nobody held": [UNKNOWN_MATCH, [AT, "replayed", "", "cd" * 32, "0"]],
    "many of both": [
        [AT, kind, "", f"{number:064x}", "0"] for number in range(1500) for kind in ("match_debit", "replayed")
    ],
    "a question that is no hash": [[AT, "reserve", "count", "zz", "0"]],
}


@pytest.mark.parametrize("case", FURTHER_ENTRIES)
def test_a_head_that_its_owner_signs_over_any_entries_is_survived_and_ends_that_question_alone(
    quiet: SteppedRoom, case: str
) -> None:
    """`bytes.fromhex("zz")` once ended the asker for good: the message was never acknowledged and came at every
    start."""
    quiet.ask("shop", "brand", by="colour")
    quiet["brand"].tamper(
        "question.released", lambda header, blob: signed_anew(quiet, header, blob, FURTHER_ENTRIES[case])
    )
    with pytest.raises(CleanroomError):
        quiet.ask("shop", "brand", by="colour", epsilon="0.5")
    quiet["brand"].post.changes.clear()
    assert quiet.ask("shop", "brand", by="colour", again=True).state == "answered"


def test_whatever_a_handler_raises_is_its_senders_offence_and_is_acted_on_once(
    quiet: SteppedRoom, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the class of the failure and nothing that stood in it."""
    shop, calls = quiet["shop"], []

    def fails(message: Any) -> None:
        calls.append(message)
        raise ZeroDivisionError("person1@example.com")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(shop.node._handlers, "question.voided", fails)
        quiet["brand"].say("shop", "question.voided", os.urandom(32).hex(), {})
        shop.step(50)
        shop.step()
    assert len(calls) == 1
    assert "question.voided from brand: ZeroDivisionError" in caplog.text
    assert "person1" not in caplog.text
    quiet.settle()
    assert ("shop", "brand", "question.voided") in quiet.incidents()


@pytest.mark.parametrize(
    "ours", [OSError(), MemoryError(), sqlite3.OperationalError("disk I/O error"), sqlite3.DatabaseError("malformed")]
)
def test_a_node_whose_own_disk_is_gone_ends_and_acts_on_the_message_later(quiet: SteppedRoom, ours: Exception) -> None:
    shop = quiet["shop"]

    def fails(_message: Any) -> None:
        raise ours

    before = quiet.incidents()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(shop.node._handlers, "question.voided", fails)
        quiet["brand"].say("shop", "question.voided", os.urandom(32).hex(), {})
        with pytest.raises(type(ours)):
            shop.step(50)
    acted: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(shop.node._handlers, "question.voided", acted.append)
        quiet.settle()
    assert len(acted) == 1
    assert quiet.incidents() == before
