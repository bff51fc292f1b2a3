"""Row 22 of the hostile inputs: the messages of a set-up, truncated, too long, with bits turned, and a cheating asker.

Expected: what can be refused is refused, the set-up is dead on both sides with its seeds erased, the log names the
sender, and a new set-up answers. What must *not* be noticed (damage inside the owner's trees, which an asker may not
react to) changes the asker's answer and nothing that anyone else sees.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cleanroom.crypto.transfer_owner import tree_corrections
from cleanroom.errors import UnavailableError
from tests.simulation.stepped_room import Change, SteppedRoom, once, small_parties, stepped_room

SECRETS = ("setup.delta", "setup.secret", "setup.seeds", "setup.pad", "setup.nodes", "setup.siblings", "setup.matrix")
BLOCK = 2048


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """A match that all set-ups of this file stand on, with many set-ups allowed."""
    with stepped_room(tmp_path_factory.mktemp("room"), small_parties(), setups_per_match=1000) as room:
        room.match()
        yield room


@pytest.fixture
def room(ready: SteppedRoom) -> SteppedRoom:
    """Each test begins without a living set-up."""
    for party in ready.parties.values():
        with party.opened.desk.database.transaction():
            party.node.rows.kill_all()
    return ready


def blob(change: Callable[[bytes], bytes]) -> Change:
    """Change the bulk alone."""
    return lambda header, data: (header, change(data))


def field(name: str, value: object) -> Change:
    """Change one field of the header; `value` may be a function of the old one."""
    return lambda header, data: ({**header, name: value(header[name]) if callable(value) else value}, data)


def turned(data: bytes, *bits: int) -> bytes:
    """Some bits turned."""
    changed = bytearray(data)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def columns(data: bytes, count: int, *, value: int = 0xFF) -> bytes:
    """The first bytes of the first `count` of 128 columns of the matrix's first block turned: inconsistent choices."""
    changed = bytearray(data)
    for column in range(count):
        changed[16 * column] ^= value
    return bytes(changed)


SPOILED: dict[str, tuple[str, str, str, Change]] = {
    "an offer cut short": ("brand", "setup.base", "shop", blob(lambda data: data[:-1])),
    "an offer with a byte more": ("brand", "setup.base", "shop", blob(lambda data: data + b"\x00")),
    "an offer ten times": ("brand", "setup.base", "shop", blob(lambda data: data * 10)),
    "an offer of nothing": ("brand", "setup.base", "shop", blob(lambda _: b"")),
    "an offer with the identity": ("brand", "setup.base", "shop", blob(lambda data: bytes(32) + data[32:])),
    "an offer of no canonical point": ("brand", "setup.base", "shop", blob(lambda data: b"\xff" * 32 + data[32:])),
    "an owner's half that is too short": ("brand", "setup.base", "shop", field("half", "00" * 31)),
    "an owner's half that is a number": ("brand", "setup.base", "shop", field("half", 5)),
    "a reply cut short": ("shop", "setup.matrix", "brand", field("reply", lambda text: text[:-2])),
    "a reply with the identity": ("shop", "setup.matrix", "brand", field("reply", lambda text: "00" * 32 + text[64:])),
    "a reply that is not hex": ("shop", "setup.matrix", "brand", field("reply", "zz")),
    "a matrix cut short": ("shop", "setup.matrix", "brand", blob(lambda data: data[:-1])),
    "a matrix of one block less": ("shop", "setup.matrix", "brand", blob(lambda data: data[:-BLOCK])),
    "a matrix ten times": ("shop", "setup.matrix", "brand", blob(lambda data: data * 10)),
    "a matrix of nothing": ("shop", "setup.matrix", "brand", blob(lambda _: b"")),
    "a matrix of noise": ("shop", "setup.matrix", "brand", blob(lambda data: os.urandom(len(data)))),
    "choices that differ in 64 columns": ("shop", "setup.matrix", "brand", blob(lambda data: columns(data, 64))),
    "choices that differ in all but 40": ("shop", "setup.matrix", "brand", blob(lambda data: columns(data, 88))),
    "one choice that differs in 64": ("shop", "setup.matrix", "brand", blob(lambda data: columns(data, 64, value=1))),
    "other choices than answered for": ("shop", "setup.matrix", "brand", blob(lambda data: columns(data, 128))),
    "an answer cut short": ("shop", "setup.answer", "brand", blob(lambda data: data[:-1])),
    "an answer ten times": ("shop", "setup.answer", "brand", blob(lambda data: data * 10)),
    "an answer of nothing": ("shop", "setup.answer", "brand", blob(lambda _: b"")),
    "an answer with its first bit turned": ("shop", "setup.answer", "brand", blob(lambda data: turned(data, 0))),
    "an answer with a middle bit turned": ("shop", "setup.answer", "brand", blob(lambda data: turned(data, 8000))),
    "an answer of zeros": ("shop", "setup.answer", "brand", blob(lambda data: bytes(len(data)))),
    "a challenge cut short": ("brand", "setup.challenge", "shop", field("challenge", "00" * 31)),
    "a challenge that is missing": ("brand", "setup.challenge", "shop", lambda _, data: ({}, data)),
    "corrections cut short": ("brand", "setup.corrections", "shop", blob(lambda data: data[:-1])),
    "corrections ten times": ("brand", "setup.corrections", "shop", blob(lambda data: data * 10)),
    "corrections of nothing": ("brand", "setup.corrections", "shop", blob(lambda _: b"")),
    "a column nobody has": ("shop", "setup.open", "brand", field("by", "shoe-size")),
    "a column that is a measure": ("shop", "setup.open", "brand", field("by", "spend")),
    "other leaves": ("shop", "setup.open", "brand", field("leaves", 64)),
    "leaves that are true": ("shop", "setup.open", "brand", field("leaves", True)),
    "another match": ("shop", "setup.open", "brand", field("match", "00" * 32)),
    "a field too many": ("shop", "setup.answer", "brand", lambda _, data: ({"leak": "x"}, data)),
}


QUICK = (
    "an offer with the identity",
    "a reply cut short",
    "a matrix ten times",
    "choices that differ in 64 columns",
    "an answer with its first bit turned",
    "a challenge that is missing",
    "corrections cut short",
    "other leaves",
    "a field too many",
)
ALL = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in SPOILED]


@pytest.mark.parametrize("defect", ALL)
def test_a_spoiled_message_kills_the_setup_and_names_its_sender(room: SteppedRoom, defect: str) -> None:
    """Rows 18 and 22: dead on both sides, seeds erased, an incident; then the next set-up answers."""
    sender, kind, victim, change = SPOILED[defect]
    before = {name: len(room[name].states("setup")) for name in room.parties}
    incidents = len(room.incidents())
    once(room[sender], kind, change)
    with room["shop"].opened.desk.database.transaction():
        first = room["shop"].node.setups.start(room["shop"].node.matching.usable("brand"), "colour")  # type: ignore[arg-type] # there is one
    room.settle()
    for name, party in room.parties.items():
        assert set(party.states("setup")[before[name] :]) <= {"dead"}
        held = party.look("SELECT kind FROM bulk WHERE id = ? AND kind LIKE 'setup.%'", first)
        assert held == []
    assert room["shop"].states("setup")[-1] == "dead"
    noticed = "setup.answer" if kind == "setup.matrix" and not defect.startswith("a reply") else kind
    assert room.incidents()[incidents:] == [(victim, sender, noticed)]
    assert room.ask("shop", "brand", by="colour").cells == (7, 6, 7)


def test_a_cheating_asker_is_caught_before_any_correction_leaves(room: SteppedRoom) -> None:
    """Row 22: nothing that depends on delta has left when the check fails."""
    sent = len([one for one in room["brand"].post.written if one.kind == "setup.corrections"])
    once(room["shop"], "setup.matrix", blob(lambda data: columns(data, 64)))
    with room["shop"].opened.desk.database.transaction():
        room["shop"].node.setups.start(room["shop"].node.matching.usable("brand"), "")  # type: ignore[arg-type] # there is one
    room.settle()
    assert len([one for one in room["brand"].post.written if one.kind == "setup.corrections"]) == sent
    assert room["brand"].states("setup")[-1] == "dead"


@pytest.mark.parametrize("bit", [0, 777, 40_000])
def test_damage_inside_the_trees_changes_nothing_but_the_answer(
    room: SteppedRoom, bit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol section 3: "no check on the slot trees"; an asker that reacted would tell its categories."""

    def damaged(*arguments: Any) -> tuple[bytes, bytes]:
        nodes, corrections = tree_corrections(*arguments)
        return nodes, turned(corrections, bit)

    monkeypatch.setattr("parties.setup_owner.tree_corrections", damaged)
    incidents, messages = len(room.incidents()), len(room["shop"].post.written)
    asked = room.ask("shop", "brand", by="colour")
    assert asked.state == "answered"
    assert len(room.incidents()) == incidents
    assert [one.kind for one in room["shop"].post.written[messages:]] == [
        "setup.open",
        "setup.matrix",
        "setup.answer",
        "question.plan",
    ]


def test_corrections_other_than_those_committed_to_answer_nothing(room: SteppedRoom) -> None:
    """Both transcripts of the set-up are in the plan: an owner whose copy differs refuses its own damage."""
    once(room["brand"], "setup.corrections", blob(lambda data: turned(data, 5)))
    spent = room["brand"].spent("shop")
    with pytest.raises(UnavailableError):
        room.ask("shop", "brand", by="colour")
    assert room["brand"].spent("shop") == spent


@pytest.mark.parametrize("kind", ["setup.base", "setup.challenge", "setup.corrections"])
def test_another_message_of_the_owner_under_one_setup_kills_it(room: SteppedRoom, kind: str) -> None:
    """Protocol section 3: "any other byte under that id kills the set-up on both sides", also when it was ready."""
    room.ask("shop", "brand", by="colour")
    setup = room["shop"].look("SELECT id FROM setup WHERE state = 'ready'")[0][0]
    header: dict[str, Any] = {"setup.base": {"half": "00" * 32}, "setup.challenge": {"challenge": "11" * 32}}.get(
        kind, {}
    )
    room["brand"].say("shop", kind, setup, header, bytes(64))
    room.settle()
    for party in room.parties.values():
        assert party.look("SELECT state FROM setup WHERE id = ?", setup) == [("dead",)]
    assert room.incidents()[-1] == ("shop", "brand", kind)


@pytest.mark.parametrize("kind", ["setup.open", "setup.matrix", "setup.answer"])
def test_another_message_of_the_asker_under_one_setup_kills_it(room: SteppedRoom, kind: str) -> None:
    """Two answers or two matrices on one oblivious transfer would be a total break; the second is never looked at."""
    room.ask("shop", "brand", by="colour")
    setup = room["shop"].look("SELECT id FROM setup WHERE state = 'ready'")[0][0]
    sent = len(room["brand"].post.written)
    header: dict[str, Any] = {"setup.matrix": {"reply": "00" * 4096}}.get(kind, {})
    room["shop"].say("brand", kind, setup, header, bytes(64))
    room.settle()
    for party in room.parties.values():
        assert party.look("SELECT state FROM setup WHERE id = ?", setup) == [("dead",)]
    assert {one.kind for one in room["brand"].post.written[sent:]} == {"setup.abort"}
    assert room.incidents()[-1] == ("brand", "shop", kind)


@pytest.mark.parametrize("kind", ["setup.matrix", "setup.answer", "setup.corrections", "setup.challenge", "setup.base"])
def test_a_message_of_a_setup_that_nobody_opened_is_refused(room: SteppedRoom, kind: str) -> None:
    """Out of order: a continuation of nothing."""
    room["shop"].say("brand", kind, os.urandom(32).hex(), dict.fromkeys(expected(kind), "00" * 32), bytes(64))
    room.settle()
    assert room.incidents()[-1] == ("brand", "shop", kind)


def expected(kind: str) -> list[str]:
    """The header's fields."""
    return {"setup.matrix": ["reply"], "setup.challenge": ["challenge"], "setup.base": ["half"]}.get(kind, [])


def test_a_message_with_more_pieces_than_the_contract_makes_possible_is_not_kept(room: SteppedRoom) -> None:
    """Row 22, ten times the size: refused at the first piece, and nothing of it stays on the disk."""
    subject = os.urandom(32).hex()
    before = room["brand"].look("SELECT count(*) FROM bulk")
    envelopes = room["shop"].post.write(room["brand"].name, "setup.matrix", subject, {"reply": ""}, bytes(3 << 20))
    room["shop"].relayed.send(envelopes[0])
    room.settle()
    assert room["brand"].look("SELECT count(*) FROM inbox_part") == [(0,)]
    assert room["brand"].look("SELECT count(*) FROM bulk") == before
    assert room.incidents()[-1] == ("brand", "shop", "setup.matrix")


def test_an_owner_that_stops_in_the_middle_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A peer that stops: the timeout names it (the issue's fourth "done when")."""
    from parties.inquiry import Inquiry

    with stepped_room(tmp_path_factory.mktemp("room")) as room:
        room.match()
        node = room["shop"].node
        inquiry = Inquiry(node, room.question("shop", "brand"))
        with node.desk.database.transaction():
            state = inquiry._step()
        room["shop"].step()
        node.desk.clock = lambda: 1e10
        with pytest.raises(UnavailableError, match="brand did not answer"):
            inquiry._give_up_after(10.0, state)  # type: ignore[arg-type] # it waits
