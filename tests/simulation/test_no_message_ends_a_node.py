"""Whatever a party of the room writes into its messages, the other node lives on and keeps its promises.

Every kind of message, at the moment when a good one of its kind would be taken, with fields of every wrong type and
bulk of every wrong size. A node that stopped on one would stop again on every start, because the message waits in its
mailbox until it was acted on. Rows 16, 18 and 22 at the nodes.
"""

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from cleanroom.errors import CleanroomError
from cleanroom.wire.canonical import canonical_bytes
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
