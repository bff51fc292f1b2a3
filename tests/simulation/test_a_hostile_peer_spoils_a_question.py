"""Rows 18, 22 and 28 of the hostile inputs at real nodes: plans, rows and releases that no honest party would send.

An asker writes whatever it likes into a plan and signs it; an owner damages its answer; a stranger talks about other
people's questions. Whatever happens, nothing is spent that was not accepted, nothing is drawn twice, nothing leaves
for a request that differs, and one person of the owner moves one cell by at most the clamp.
"""

import base64
import itertools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cleanroom.errors import CleanroomError
from cleanroom.privacy.law import Law
from cleanroom.querylog.dsse import sign_statement
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.wire.canonical import canonical_bytes
from parties.asking import Asked
from tests.simulation.stepped_room import Change, SteppedRoom, once, small_parties, stepped_room

COUNTER = itertools.count(1)


@dataclass
class CountedZeros:
    """Zeros, and how often they were drawn."""

    draws: int = 0

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """`count` zeros."""
        self.draws += 1
        return [0] * count


NOISE = CountedZeros()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    """One room for all: each attack must leave it in working order."""
    parties = small_parties("shop", "brand", "airline")
    folder = tmp_path_factory.mktemp("room")
    with stepped_room(folder, parties, budget="100", noise=NOISE, setups_per_match=1000) as opened:
        opened.ask("shop", "brand", by="colour", of="colour")
        opened.match("airline", "brand")
        yield opened


def honest_plan(room: SteppedRoom) -> Plan:
    """A plan that brand would accept, never asked before."""
    asked = room.ask("shop", "brand", by="colour", of="colour")
    return replace(asked.plan, repeat=next(COUNTER))


def put(room: SteppedRoom, plan: Plan) -> Asked:
    """Sign a plan as shop, have it logged, send it, and let everybody react."""
    with room["shop"].opened.desk.database.transaction():
        plan_hash = room["shop"].node.asking.start(plan)
    room.settle()
    asked = room["shop"].node.asking.find(plan_hash)
    assert asked is not None
    return asked


def held(room: SteppedRoom) -> tuple[int, int, int]:
    """What must not move when a plan is refused: spent units, draws of noise, releases that left."""
    releases = [one for one in room["brand"].post.written if one.kind == "question.release"]
    return room["brand"].spent("shop"), NOISE.draws, len(releases)


REFUSED: dict[str, tuple[str, Callable[[Plan], Plan]]] = {
    "an understated cost": ("cost", lambda plan: replace(plan, cost_units=plan.cost_units - 1)),
    "a cost of nothing": ("cost", lambda plan: replace(plan, cost_units=0)),
    "an overstated cost": ("cost", lambda plan: replace(plan, cost_units=plan.cost_units + 1)),
    "less noise for the same cost": ("cost", lambda plan: replace(plan, scales_1024=(plan.scales_1024[0] // 2,))),
    "noise below one": ("noise", lambda plan: replace(plan, scales_1024=(1023,))),
    "no noise": ("noise", lambda plan: replace(plan, scales_1024=(0,))),
    "a word too few": ("arithmetic", lambda plan: replace(plan, words=plan.words - 1)),
    "a word too many": ("arithmetic", lambda plan: replace(plan, words=plan.words + 1)),
    "no words": ("arithmetic", lambda plan: replace(plan, words=0)),
    "other bits": ("arithmetic", lambda plan: replace(plan, bits=64)),
    "groups that overlap": ("partition", lambda plan: replace(plan, groups=((1, 2), (2, 3)))),
    "a leaf twice in one group": ("partition", lambda plan: replace(plan, groups=((1, 1),))),
    "leaf 0": ("partition", lambda plan: replace(plan, groups=((0,), (1,)))),
    "an unused leaf": ("partition", lambda plan: replace(plan, groups=((1,), (4,)))),
    "a leaf beyond the tree": ("partition", lambda plan: replace(plan, groups=((16,),))),
    "a group out of order": ("partition", lambda plan: replace(plan, groups=((2, 1),))),
    "a column that the owner lacks": ("column", lambda plan: replace(plan, quantity=Quantity("histogram", "age"))),
    "a histogram of a measure": ("column", lambda plan: replace(plan, quantity=Quantity("histogram", "spend"))),
    "a sum of a dimension": ("column", lambda plan: replace(plan, quantity=Quantity("sum", "colour"))),
}


@pytest.mark.parametrize("defect", REFUSED)
def test_a_plan_that_breaks_a_rule_is_refused_before_anything_is_read(room: SteppedRoom, defect: str) -> None:
    """A plan with understated cost, wrong words, overlapping groups, leaf 0: refused by rule, logged, free."""
    rule, change = REFUSED[defect]
    plan = change(honest_plan(room))
    before = held(room)
    asked = put(room, plan)
    assert asked.state == "refused"
    assert f'"rule":"{rule}"' in asked.refusal
    assert held(room) == before
    last = room.log("question.refused")[-1]
    assert (last["subject"], last["rule"], last["actor"]) == (plan.hash(), rule, "brand")


STALE: dict[str, Callable[[Plan], Plan]] = {
    "another contract": lambda plan: replace(plan, contract="11" * 32),
    "another match": lambda plan: replace(plan, match="11" * 32),
    "another match transcript": lambda plan: replace(plan, match_transcript="11" * 32),
    "another version of the asker's table": lambda plan: replace(plan, asker_version="11" * 32),
    "another version of the owner's table": lambda plan: replace(plan, owner_version="11" * 32),
    "another set-up": lambda plan: replace(plan, setup="11" * 32),
    "another set-up transcript": lambda plan: replace(plan, setup_transcript="11" * 32),
    "another number of leaves": lambda plan: replace(plan, leaves=64),
    "another column of the asker": lambda plan: replace(plan, by=""),
}


@pytest.mark.parametrize("defect", STALE)
def test_a_plan_on_another_footing_is_not_taken_up(room: SteppedRoom, defect: str) -> None:
    """A plan of an old contract, another match or set-up: nothing is spent, and the asker is told at once."""
    plan = STALE[defect](honest_plan(room))
    before = held(room)
    asked = put(room, plan)
    assert asked.state in ("failed", "refused")
    assert held(room) == before


def statement_of(room: SteppedRoom, wanted: Plan, *, signer: str = "shop", **more: Any) -> bytes:
    """A `question.asked` of shop's, perhaps signed by another, perhaps saying more."""
    desk = room["shop"].opened.desk
    body = {
        "actor": "shop",
        "at": "2026-01-02T03:04:05Z",
        "contract": desk.contract_hash.hex(),
        "kind": "question.asked",
        "owner": wanted.owner,
        "plan": wanted.body(),
        "room": desk.contract.room,
        "subject": wanted.hash(),
        "v": 1,
        **more,
    }
    return sign_statement("question.asked", body, room[signer].opened.desk.keys.identity)


def logged(room: SteppedRoom, statement: bytes, name: str = "shop") -> dict[str, Any]:
    """The header that carries a statement and its place in the log; the signer remembers that it signed it."""
    return {"proof": room.logged(name, statement), "statement": base64.b64encode(statement).decode("ascii")}


def test_the_same_request_gets_the_stored_bytes_and_another_one_is_refused(room: SteppedRoom) -> None:
    """Rows 26 to 28 in small: one debit, one draw; "already asked" for a second request under the plan's hash."""
    plan = honest_plan(room)
    first = logged(room, statement_of(room, plan))
    before = held(room)
    room["shop"].say("brand", "question.plan", plan.hash(), first)
    room.settle()
    spent, draws, releases = held(room)
    assert spent == before[0] + plan.cost_units
    assert (draws, releases) == (before[1] + 1, before[2] + 1)
    for _ in range(3):
        room["shop"].say("brand", "question.plan", plan.hash(), first)
        room.settle()
    assert held(room) == (spent, draws, releases)
    other = logged(room, statement_of(room, plan, at="2026-01-02T03:04:06Z"))
    sent = len(room["brand"].post.written)
    room["shop"].say("brand", "question.plan", plan.hash(), other)
    room.settle()
    assert held(room) == (spent, draws, releases)
    assert "question.released" not in {one.kind for one in room["brand"].post.written[sent:]}
    assert room.log("question.refused")[-1]["rule"] == "already-asked"


def test_a_plan_signed_by_another_party_is_not_taken_up(room: SteppedRoom) -> None:
    """Row 28: the signature must be the asker's own, whoever relays or resends the plan."""
    plan, before = honest_plan(room), held(room)
    forged = statement_of(room, plan, signer="airline")
    proof = logged(room, statement_of(room, plan))["proof"]
    header = {"proof": proof, "statement": base64.b64encode(forged).decode("ascii")}
    for sender in ("shop", "airline"):
        room[sender].say("brand", "question.plan", plan.hash(), header)
        room.settle()
    assert held(room) == before


def test_a_captured_request_sent_by_another_party_is_not_taken_up(room: SteppedRoom) -> None:
    """Row 28: shop's own logged statement in airline's message."""
    plan, before = honest_plan(room), held(room)
    room["airline"].say("brand", "question.plan", plan.hash(), logged(room, statement_of(room, plan)))
    room.settle()
    assert held(room) == before
    assert room["brand"].spent("airline") == 0


def with_line(proof: str, number: int, change: Callable[[str], str]) -> str:
    """A proof file with one of its lines changed; its last lines are signatures."""
    lines = proof.split("\n")
    lines[number] = change(lines[number])
    return "\n".join(lines)


def other_byte(line: str) -> str:
    """A base64 word at the end of a line, with its first bytes changed."""
    head, _, word = line.rpartition(" ")
    data = bytearray(base64.b64decode(word))
    data[-1] ^= 1
    return f"{head} {base64.b64encode(data).decode('ascii')}".strip()


def without_signer(proof: str, name: str) -> str:
    """Without the line of one cosigner."""
    return "\n".join(line for line in proof.split("\n") if f"/cosigner/{name} " not in line)


FORGED: dict[str, Callable[[str], object]] = {
    "another index": lambda proof: with_line(proof, 1, lambda line: f"index {int(line.split()[1]) + 1}"),
    "another hash": lambda proof: with_line(proof, 2, other_byte),
    "another signature": lambda proof: with_line(proof, -2, other_byte),
    "without the asker's signature": lambda proof: without_signer(proof, "shop"),
    "without the owner's signature": lambda proof: without_signer(proof, "brand"),
    "no signature": lambda proof: proof.split("\n\n")[0] + "\n\n" + proof.split("\n\n")[1] + "\n",
    "cut off": lambda proof: proof[:-20],
    "an index of text": lambda proof: with_line(proof, 1, lambda _: "index one"),
    "an index of 2^63": lambda proof: with_line(proof, 1, lambda _: f"index {2**63}"),
    "nothing": lambda _: "",
    "no text": lambda _: {},
}


@pytest.mark.parametrize("defect", FORGED)
def test_a_plan_without_its_place_in_the_log_is_not_taken_up(room: SteppedRoom, defect: str) -> None:
    """Forged proofs: no answer without a log entry."""
    plan, before = honest_plan(room), held(room)
    header = logged(room, statement_of(room, plan))
    header["proof"] = FORGED[defect](header["proof"])
    room["shop"].say("brand", "question.plan", plan.hash(), header)
    room.settle()
    assert held(room) == before
    assert ("brand", "shop", "question.plan") in room.incidents()[-2:]


def test_the_proof_of_another_statement_is_no_proof(room: SteppedRoom) -> None:
    """A real proof, moved."""
    plan, before = honest_plan(room), held(room)
    header = logged(room, statement_of(room, plan))
    header["proof"] = logged(room, statement_of(room, honest_plan(room)))["proof"]
    room["shop"].say("brand", "question.plan", plan.hash(), header)
    room.settle()
    assert held(room) == before


def second_spelling(statement: bytes) -> bytes:
    """The same JSON with a blank in it."""
    return statement.replace(b'{"payload":', b'{ "payload":', 1)


def test_a_second_spelling_of_a_signed_plan_is_refused(room: SteppedRoom) -> None:
    """Row 18: the signature is over bytes, and only canonical bytes are read."""
    plan, before = honest_plan(room), held(room)
    statement = statement_of(room, plan)
    header = logged(room, statement)
    header["statement"] = base64.b64encode(second_spelling(statement)).decode("ascii")
    room["shop"].say("brand", "question.plan", plan.hash(), header)
    room.settle()
    assert held(room) == before
    with pytest.raises(CleanroomError):
        room["shop"].relayed.client.append(second_spelling(statement))


@pytest.mark.parametrize("place", ["the statement", "the plan", "the header", "the proof"])
def test_an_unknown_field_is_refused(room: SteppedRoom, place: str) -> None:
    """Row 18: nothing travels beside what was agreed, in a signed body or in a message's header."""
    plan, before = honest_plan(room), held(room)
    added: dict[str, dict[str, Any]] = {"the statement": {"x": 1}, "the plan": {"plan": {**plan.body(), "x": 1}}}
    more = added.get(place, {})
    statement = statement_of(room, plan, **more)
    try:
        header = logged(room, statement)
    except CleanroomError:
        assert place == "the statement"
        header = logged(room, statement_of(room, plan))
        header["statement"] = base64.b64encode(statement).decode("ascii")
    if place == "the header":
        header["x"] = 1
    if place == "the proof":
        header["proof"] = header["proof"].replace("\n\n", "\nx 1\n\n", 1)
    room["shop"].say("brand", "question.plan", plan.hash(), header)
    room.settle()
    assert held(room) == before
    assert ("brand", "shop", "question.plan") in room.incidents()[-2:]


def test_a_message_with_a_second_spelling_of_its_header_is_refused(room: SteppedRoom) -> None:
    """Row 18: the sealed header is canonical JSON or nothing."""
    plan, before = honest_plan(room), held(room)
    head = canonical_bytes(logged(room, statement_of(room, plan))).replace(b'{"proof":', b'{ "proof":', 1)
    spelled = len(head).to_bytes(4, "big") + head
    post = room["shop"].post
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("parties.post.canonical_bytes", lambda value: _spelled(value, spelled))
        envelopes = post.write(room["brand"].name, "question.plan", plan.hash(), {})
    for envelope in envelopes:
        room["shop"].relayed.send(envelope)
    room.settle()
    assert held(room) == before
    assert ("brand", "shop", "question.plan") in room.incidents()[-2:]


def _spelled(value: Any, body: bytes) -> bytes:
    return body[4:] if value == {} else canonical_bytes(value)


# ---- the owner damages its answer ------------------------------------------------------------------------------------


def blob(change: Callable[[bytes], bytes]) -> Change:
    """Change the bulk alone."""
    return lambda header, data: (header, change(data))


SPOILED: dict[str, tuple[str, Change]] = {
    "rows cut short": ("question.rows", blob(lambda data: data[:-1])),
    "rows ten times": ("question.rows", blob(lambda data: data * 10)),
    "no rows": ("question.rows", blob(lambda _: b"")),
    "rows without a number": ("question.rows", lambda _, data: ({}, data)),
    "rows with a negative number": ("question.rows", lambda _, data: ({"question": -1}, data)),
    "rows with a number of 64 bits": ("question.rows", lambda _, data: ({"question": "80" + "00" * 7}, data)),
    "a release cut short": ("question.release", blob(lambda data: data[:-1])),
    "a release ten times": ("question.release", blob(lambda data: data * 10)),
    "no release": ("question.release", blob(lambda _: b"")),
    "a release of numbers that are too large": ("question.release", blob(lambda data: b"\xff" * len(data))),
    "a released without salt": ("question.released", lambda header, data: ({**header, "salt": "00" * 32}, data)),
    "a released without proof": ("question.released", lambda header, data: ({**header, "proof": {}}, data)),
    "a released with a proof of another place": (
        "question.released",
        lambda header, data: ({**header, "proof": FORGED["another index"](header["proof"])}, data),
    ),
}


@pytest.mark.parametrize("defect", SPOILED)
def test_a_damaged_answer_is_not_shown(room: SteppedRoom, defect: str) -> None:
    """Row 22: refused by size, range, statement or proof; the owner is named; the next question is answered."""
    kind, change = SPOILED[defect]
    plan = honest_plan(room)
    once(room["brand"], kind, change)
    asked = put(room, plan)
    assert asked.state == "failed"
    assert asked.cells == ()
    assert room.incidents()[-1][:2] == ("shop", "brand")
    assert put(room, honest_plan(room)).cells == (7, 0, 0, 0, 6, 0, 0, 0, 7)


@pytest.mark.parametrize("kind", ["question.rows", "question.release"])
def test_turned_bits_of_the_owners_own_change_the_answer_and_nothing_outside(room: SteppedRoom, kind: str) -> None:
    """An owner can spoil its own answer; what the asker does then is what it always does."""
    incidents, messages = len(room.incidents()), len(room["shop"].post.written)
    once(room["brand"], kind, blob(lambda data: bytes([data[0] ^ 1, *data[1:]])))
    assert put(room, honest_plan(room)).state == "answered"
    assert len(room.incidents()) == incidents
    assert [one.kind for one in room["shop"].post.written[messages:]] == ["question.plan"]


def test_a_release_that_the_statement_does_not_cover_is_not_shown(room: SteppedRoom) -> None:
    """The log holds a digest of what was released; anything else is not the answer."""
    plan = honest_plan(room)

    def another(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        room["brand"].opened.desk.send("shop", "question.release", plan.hash(), {}, bytes(8 * 9))
        return header, data

    once(room["brand"], "question.released", another)
    asked = put(room, plan)
    assert (asked.state, asked.cells) == ("failed", ())
    assert room.incidents()[-1] == ("shop", "brand", "question.released")


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("question.rows", {"question": "00" * 8}),
        ("question.release", {}),
        ("question.released", {"proof": {}, "salt": "00" * 32, "statement": ""}),
        ("question.refused", {"proof": {}, "statement": ""}),
        ("question.voided", {}),
    ],
)
def test_an_answer_to_a_question_that_nobody_asked_is_refused(
    room: SteppedRoom, kind: str, header: dict[str, Any]
) -> None:
    """Out of order: answers for unknown subjects, rows before the plan."""
    room["brand"].say("shop", kind, os.urandom(32).hex(), header, bytes(72))
    room.settle()
    assert room.incidents()[-1] == ("shop", "brand", kind)


def test_a_release_before_its_rows_is_refused(room: SteppedRoom) -> None:
    """Out of order: a release opens nothing that is not there."""
    plan = honest_plan(room)

    def early(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        room["brand"].say("shop", "question.release", plan.hash(), {}, bytes(72))
        return header, data

    once(room["brand"], "question.rows", early)
    before = room.incidents()
    assert put(room, plan).cells == ()
    assert room.incidents() == before, "a relay that reorders must not make the asker accuse the owner"


def test_a_refusal_that_is_not_in_the_log_is_not_believed(room: SteppedRoom) -> None:
    """Refused means signed and logged; a forged refusal would hide what was spent."""
    plan = honest_plan(room)
    with room["shop"].opened.desk.database.transaction():
        room["shop"].node.asking.start(plan)
    room["shop"].step()
    body = {"kind": "question.refused", "subject": plan.hash(), "rule": "x", "owner": "brand",
            "explanation": "x", "advice": "x"}  # fmt: skip
    statement = sign_statement("question.refused", body, room["brand"].opened.desk.keys.identity)
    header = {"proof": {}, "statement": base64.b64encode(statement).decode("ascii")}
    room["brand"].say("shop", "question.refused", plan.hash(), header)
    room.settle()
    asked = room["shop"].node.asking.find(plan.hash())
    assert asked is not None
    assert asked.state != "refused"


@pytest.mark.parametrize("kind", ["question.rows", "question.release", "question.voided", "setup.abort", "match.abort"])
def test_a_third_party_cannot_end_a_question_of_two_others(room: SteppedRoom, kind: str) -> None:
    """Plan hashes stand in the log; a stranger that writes about one ends nothing and costs nobody an answer."""
    plan = honest_plan(room)
    with room["shop"].opened.desk.database.transaction():
        room["shop"].node.asking.start(plan)
    room["shop"].step()
    header = {"question": "00" * 8} if kind == "question.rows" else {}
    room["airline"].say("shop", kind, plan.hash(), header)
    room["shop"].step(50)
    room.settle()
    asked = room["shop"].node.asking.find(plan.hash())
    assert asked is not None
    assert asked.cells == (7, 0, 0, 0, 6, 0, 0, 0, 7)


# ---- one person, one cell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "clamp"), [({}, 1), ({"total": "spend"}, 10), ({"of": "colour"}, 1)])
def test_one_person_moves_one_cell_by_at_most_the_clamp_whatever_the_asker_sends(
    room: SteppedRoom, words: dict[str, str], clamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol section 3, at node level: an asker with any categories at all, also where it has nobody."""
    chance = random.Random(str(words))  # noqa: S311 # any categories will do
    shop, brand = room["shop"].node, room["brand"].node
    for shape in ("random", "all in one", "nobody", "everybody has the last leaf"):
        for party in (room["shop"], room["brand"]):
            with party.opened.desk.database.transaction():
                party.node.rows.kill_all()
        fill = {"all in one": 1, "nobody": 0, "everybody has the last leaf": 15}.get(shape)
        slots = shop.matching.all_slots(shop.matching.usable(brand.desk.name))  # type: ignore[arg-type] # there is one
        anything = bytes(chance.randrange(16) if fill is None else fill for _ in range(slots))
        monkeypatch.setattr(shop.setups, "_categories", lambda *_, anything=anything: anything)
        with_all = room.ask("shop", "brand", by="colour", **words)
        values = brand._answering._values
        packed = values(with_all.plan, brand.matching.find(with_all.plan.match))  # type: ignore[arg-type] # there is one
        rows = np.frombuffer(packed, dtype=np.uint8).reshape(slots, -1)
        for slot in chance.sample(np.flatnonzero(rows.any(axis=1)).tolist(), 3):
            without = rows.copy()
            without[slot] = 0
            with monkeypatch.context() as patch:
                patch.setattr(brand._answering, "_values", lambda *_, data=without: data.tobytes())
                less = put(room, replace(with_all.plan, repeat=next(COUNTER))).cells
            moved = [one - other for one, other in zip(with_all.cells, less, strict=True)]
            assert sum(1 for difference in moved if difference) <= 1
            assert max(map(abs, moved)) <= clamp
            assert sum(moved) == (0 if anything[slot] not in (1, 2, 3) else sum(moved))
