"""A company that runs modified software under its own real keys, against an honest owner: real processes throughout.

The asker signs and sends whatever a test orders. Each attempt gets nothing that was not paid for: no unit more is
spent, no noise drawn, no release sent than before it; the owner's process is the one it was, and answers the honest
third company's next question. Rows 26, 27 and 28 of the hostile inputs, and the asker's part of issue 3.
"""

import base64
import itertools
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.question.compile import Question, Standing, compile_plan
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.wire.contract_file import contract_hash
from tests.live_room import room_file
from tests.mortal_room import MortalRoom
from tests.puppet import Puppet
from tests.simulation.forged_heads import forged_head
from tests.simulation.stepped_room import COLUMNS, small_parties
from tests.simulation.test_a_hostile_peer_spoils_a_question import FORGED, REFUSED, STALE

ASKER, OWNER, THIRD = "shop", "brand", "airline"
AT_ONCE = 100
Held = tuple[int, int, int]


class Attacked:
    """A room in which one asker is hostile, and what must not move."""

    def __init__(self, room: MortalRoom) -> None:
        self.room = room
        self.counter = itertools.count(1)
        self.pid = room[OWNER].pid
        self.plan = Plan.from_body(self.order("ask", owner=OWNER, **HISTOGRAM)["plan"])
        self.check_honest()

    @property
    def asker(self) -> Puppet:
        """The hostile company."""
        return self.room.puppets[ASKER]

    def order(self, name: str, **words: Any) -> Any:
        """See `tests.hostile_asker`."""
        return self.asker.order(name, **words)

    def new_plan(self) -> Plan:
        """A plan that the owner would accept, never asked before."""
        return replace(self.plan, repeat=next(self.counter))

    def held(self, consumer: str = ASKER) -> Held:
        """Units that the owner's ledger holds against a consumer, draws of noise, plans of which a release left."""
        self.room.at_rest()
        units = self.room.look(
            OWNER, "SELECT COALESCE(SUM(units), 0) FROM ledger WHERE kind = 'reserve' AND consumer = ?", consumer
        )
        facts = self.room[OWNER].facts
        released = {piece["plan"] for piece in facts("sent") if piece["kind"] == "question.release"}
        return units[0][0], len(facts("draws")), len(released)

    def check_honest(self) -> None:
        """The owner is alive, its ledger is whole, and the third company's next question is answered."""
        assert self.room[OWNER].pid == self.pid
        self.room.command(OWNER, {"command": "ledger"})
        question = {"owner": OWNER, "by": "", "quantity": "count", "column": ""}
        answer = self.room.ask(THIRD, {**question, "epsilon": f"0.{1000 + next(self.counter)}"})
        assert not answer["stored"]

    def costly_plan(self) -> Plan:
        """A plan that the owner's limits do not let pass by themselves."""
        plan = self.new_plan()
        names = ("match", "match_transcript", "asker_version", "owner_version", "setup", "setup_transcript")
        question = Question(
            asker=plan.asker,
            owner=plan.owner,
            analyst=plan.analyst,
            by=plan.by,
            quantity=Quantity("sum", "spend"),
            units=plan.cost_units,
            repeat=plan.repeat,
        )
        return compile_plan(self.room.contract, question, Standing(**{name: getattr(plan, name) for name in names}))

    def statement(self, plan: Plan, *, bare: bool = False, **more: Any) -> str:
        """A `question.asked` under the asker's signature, or with `bare` something else about the plan."""
        body = {
            "actor": ASKER,
            "at": "2026-01-02T03:04:05Z",
            "contract": contract_hash(self.room.contract).hex(),
            "kind": "question.asked",
            "room": self.room.contract.room,
            "subject": plan.hash(),
            "v": 1,
            **({} if bare else {"owner": plan.owner, "plan": plan.body()}),
            **more,
        }
        return str(self.order("sign", kind=body["kind"], body=body))

    def logged(self, statement: str) -> dict[str, Any]:
        """The header that carries a statement and its place in the log."""
        return {"statement": statement, "proof": self.order("append", statement=statement)}

    def say(self, subject: str, header: dict[str, Any], *, to: str = OWNER, times: int = 1) -> list[str]:
        """Send a plan, sealed anew each time; what the coordinator said to each."""
        words = {"to": to, "kind": "question.plan", "subject": subject, "header": header}
        return list(self.order("send", envelopes=[self.order("envelope", **words) for _ in range(times)]))

    def refusals(self) -> list[dict[str, Any]]:
        """The owner's refusals in the log."""
        return [entry for entry in self.room.log() if entry["kind"] == "question.refused"]


GUARDED: dict[str, Any] = {
    "income": {"role": "hidden"},
    "shade": {**COLUMNS["colour"], "consumers": [THIRD]},
}
HISTOGRAM = {"by": "colour", "quantity": "histogram", "column": "colour", "epsilon": "0.5"}


@contextmanager
def attacked(folder: Path, budget: str) -> Iterator[Attacked]:
    """Honest coordinator, owner and third company; the asker is a puppet."""
    parties = small_parties(ASKER, OWNER, THIRD)
    parties[OWNER] = {**parties[OWNER], "columns": {**COLUMNS, **GUARDED}, "approval": {"columns": ["colour", "shade"]}}
    terms = room_file(folder, parties, capacity=120, budget=budget)
    with MortalRoom(folder, terms, puppets={ASKER: "tests.hostile_asker"}) as room:
        yield Attacked(room)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One room for all attempts: each must leave it in working order."""
    with attacked(tmp_path_factory.mktemp("room"), "50") as opened:
        yield opened


@pytest.mark.parametrize("defect", REFUSED)
def test_a_plan_that_breaks_a_rule_gets_a_refusal_and_nothing_else(room: Attacked, defect: str) -> None:
    """Understated costs, too little noise, leaf 0, overlapping groups, columns that nobody declared."""
    rule, change = REFUSED[defect]
    plan, before = change(room.new_plan()), room.held()
    room.order("put", plan=plan.body())
    outcome = room.order("outcome", plan=plan.hash())
    assert outcome["state"] == "refused"
    assert json.loads(outcome["refusal"])["rule"] == rule
    assert room.held() == before
    assert (room.refusals()[-1]["subject"], room.refusals()[-1]["rule"]) == (plan.hash(), rule)
    room.check_honest()


@pytest.mark.parametrize("defect", STALE)
def test_a_plan_on_another_footing_gets_nothing(room: Attacked, defect: str) -> None:
    plan, before = STALE[defect](room.new_plan()), room.held()
    room.order("put", plan=plan.body())
    assert room.order("outcome", plan=plan.hash())["state"] in ("failed", "refused")
    assert room.held() == before
    room.check_honest()


@pytest.mark.parametrize(
    ("rule", "quantity"),
    [
        ("column", Quantity("histogram", "income")),
        ("column", Quantity("sum", "income")),
        ("column", Quantity("histogram", "email")),
        ("column-grant", Quantity("histogram", "shade")),
    ],
)
def test_a_column_that_is_hidden_undeclared_or_granted_to_another_gives_nothing(
    room: Attacked, rule: str, quantity: Quantity
) -> None:
    plan, before = replace(room.new_plan(), quantity=quantity), room.held()
    room.order("put", plan=plan.body())
    outcome = room.order("outcome", plan=plan.hash())
    assert (outcome["state"], json.loads(outcome["refusal"])["rule"]) == ("refused", rule)
    assert room.held() == before
    room.check_honest()


def test_an_approval_that_the_asker_gives_itself_gets_nothing(room: Attacked) -> None:
    """The owner wants to look at sums of `spend` first. The asker logs approvals and sends them; nobody at the owner's
    own door has approved anything."""
    plan, before = room.costly_plan(), room.held()
    body = {"actor": ASKER, "kind": "question.approved", "subject": plan.hash()}
    own, forged = (room.statement(plan, **{**body, "actor": actor}, bare=True) for actor in (ASKER, OWNER))
    with pytest.raises(CleanroomError):
        room.order("append", statement=forged)
    with suppress(CleanroomError):
        room.order("append", statement=own)
    words = {"to": OWNER, "kind": "question.approved", "subject": plan.hash()}
    for statement in (own, forged):
        approvals = [room.order("envelope", header=header, **words) for header in ({}, {"statement": statement})]
        room.order("send", envelopes=approvals)
    room.order("put", plan=plan.body())
    assert room.order("outcome", plan=plan.hash(), patience_s=2.0)["state"] != "answered"
    room.order("send", envelopes=[room.order("envelope", header={"statement": own}, **words)])
    assert room.held() == before
    room.check_honest()


def test_a_receipt_that_the_owner_never_signed_gets_nothing_and_stops_nobody(room: Attacked) -> None:
    """A true one that the owner does not hold would stop its node for good, so nobody else may be able to make one."""
    before, plan = room.held(), room.new_plan()
    head = forged_head(room.room.contract, owner=OWNER, consumer=ASKER, subject=plan.hash())
    receipt = room.order("sign", kind=head["kind"], body=head)
    room.say(plan.hash(), {**room.logged(room.statement(plan)), "receipt": receipt})
    assert room.held() == before
    assert not room.room.look(OWNER, "SELECT * FROM evidence")
    room.check_honest()


def test_a_question_under_an_old_contract_gets_nothing(room: Attacked) -> None:
    """The terms of last year had twice the budget; a plan, a statement and a message that stand on them."""
    contract, before = room.room.contract, room.held()
    datasets = {name: replace(one, cap_units=2 * one.cap_units) for name, one in contract.datasets.items()}
    old = contract_hash(replace(contract, datasets=datasets)).hex()
    plan = replace(room.new_plan(), contract=old)
    room.order("put", plan=plan.body())
    outcome = room.order("outcome", plan=plan.hash())
    assert (outcome["state"], json.loads(outcome["refusal"])["rule"]) == ("refused", "contract")
    statement = room.statement(plan, contract=old)
    with pytest.raises(CleanroomError, match="PeerError"):
        room.order("append", statement=statement)
    proof = room.logged(room.statement(room.new_plan()))["proof"]
    room.say(plan.hash(), {"statement": statement, "proof": proof})
    assert room.held() == before
    room.check_honest()


def test_another_partys_match_and_set_up_give_nothing(room: Attacked) -> None:
    """Everything in the plan is true, but the match and the trees are the third company's."""
    row = room.room.look(
        OWNER,
        "SELECT match.id, match.transcript, match.peer_version, setup.joint_id, setup.transcript, setup.leaves"
        " FROM setup JOIN match ON match.id = setup.match WHERE owner = 1 AND peer = ?",
        THIRD,
    )[0]
    fields = ("match", "match_transcript", "asker_version", "setup", "setup_transcript", "leaves")
    plan = replace(room.new_plan(), by="", groups=((1,),), **dict(zip(fields, row, strict=True)))
    before = room.held(), room.held(THIRD)
    room.order("put", plan=plan.body())
    assert room.order("outcome", plan=plan.hash())["state"] in ("failed", "refused")
    assert (room.held(), room.held(THIRD)) == before
    room.check_honest()


@pytest.mark.parametrize("defect", FORGED)
def test_a_plan_whose_place_in_the_log_is_forged_gets_nothing(room: Attacked, defect: str) -> None:
    plan, before = room.new_plan(), room.held()
    header = room.logged(room.statement(plan))
    room.say(plan.hash(), {**header, "proof": FORGED[defect](header["proof"])})
    assert room.held() == before
    room.check_honest()


def test_a_hundred_identical_requests_at_once_are_one_debit_one_draw_and_the_same_answer(room: Attacked) -> None:
    """Row 26. The owner is stopped while they arrive, so that it finds all of them waiting."""
    plan, before = room.new_plan(), room.held()
    header = room.logged(room.statement(plan))  # while the owner can still cosign it
    os.kill(room.pid, signal.SIGSTOP)
    try:
        assert set(room.say(plan.hash(), header, times=AT_ONCE)) == {""}
    finally:
        os.kill(room.pid, signal.SIGCONT)
    spent, draws, released = room.held()
    assert (spent - before[0], draws - before[1], released - before[2]) == (plan.cost_units, 1, 1)
    sent = [fact for fact in room.room[OWNER].facts("sent") if fact["plan"] == plan.hash()]
    releases = [fact["sealed"] for fact in sent if fact["kind"] == "question.release"]
    assert 1 <= len(releases) <= AT_ONCE  # those that came before the debit was cosigned share one release
    assert len(set(releases)) == 1
    room.check_honest()


def test_a_hundred_analysts_with_one_question_are_one_debit_and_the_same_answer(room: Attacked) -> None:
    """Row 26 at the door of the honest third company."""
    question = {"owner": OWNER, "by": "", "quantity": "histogram", "column": "shade", "epsilon": "0.3"}
    before = room.held(THIRD)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: room.room.ask(THIRD, question, tries=20), range(AT_ONCE)))
    after = room.held(THIRD)
    assert (after[1] - before[1], after[2] - before[2]) == (1, 1)
    assert {json.dumps([one["cells"], one["question"]]) for one in answers} == {
        json.dumps([answers[0]["cells"], answers[0]["question"]])
    }


def test_another_request_under_the_same_plan_gets_a_refusal(room: Attacked) -> None:
    """Row 27: "already asked", in the log, without a debit; the first request still gets its stored answer."""
    plan = room.new_plan()
    room.order("put", plan=plan.body())
    first = room.order("outcome", plan=plan.hash())
    before, refused, sent = room.held(), len(room.refusals()), len(room.room[OWNER].facts("sent"))
    for second in range(3):
        other = room.logged(room.statement(plan, at=f"2026-01-02T03:04:0{second}Z"))
        room.say(plan.hash(), other)
    assert room.held() == before
    assert len(room.room[OWNER].facts("sent")) == sent
    # Refusals of one second are one statement: their bytes are the same.
    assert {(one["subject"], one["rule"]) for one in room.refusals()[refused:]} == {(plan.hash(), "already-asked")}
    assert room.order("outcome", plan=plan.hash())["cells"] == first["cells"]
    room.check_honest()


def captured(room: Attacked, party: str) -> tuple[Plan, dict[str, Any]]:
    """The newest plan of a party as it stands in the log, with the proof that only its asker has."""
    rows = room.room.look(party, "SELECT bytes, proof FROM statement WHERE kind = 'question.asked' ORDER BY rowid")
    statement, proof = rows[-1]
    header = {"statement": base64.b64encode(statement).decode("ascii"), "proof": proof}
    body = next(entry for entry in reversed(room.room.log()) if entry["actor"] == party and "plan" in entry)
    return Plan.from_body(body["plan"]), header


def test_a_captured_request_of_another_party_gets_nothing(room: Attacked) -> None:
    """Row 28: the third company's own signed and logged plan, in the hostile company's message."""
    plan, header = captured(room, THIRD)
    before = room.held(), room.held(THIRD)
    sent = len(room.room[OWNER].facts("sent"))
    room.say(plan.hash(), header)
    assert (room.held(), room.held(THIRD)) == before
    assert len(room.room[OWNER].facts("sent")) == sent
    room.check_honest()


def test_a_request_at_an_owner_that_it_does_not_name_gets_nothing(room: Attacked) -> None:
    """Row 28: a plan for one owner, signed and logged, sent to another."""
    plan, before = room.new_plan(), room.held()
    assert room.say(plan.hash(), room.logged(room.statement(plan)), to=THIRD) == [""]
    assert room.held() == before
    assert room.room.look(THIRD, "SELECT count(*) FROM question WHERE owner = 1") == [(0,)]
    assert room.room.look(THIRD, "SELECT count(*) FROM ledger WHERE kind = 'reserve'") == [(0,)]
    room.check_honest()


def test_the_same_request_later_gets_the_stored_answer_and_costs_nothing(room: Attacked) -> None:
    """Row 28: after a kill of the owner as well; the release is the one that was stored."""
    plan = room.new_plan()
    room.order("put", plan=plan.body())
    room.order("outcome", plan=plan.hash())
    _, header = captured(room, ASKER)
    before = room.held()
    room.say(plan.hash(), header)
    room.held()
    room.room[OWNER].kill()
    room.room.wait_ready()
    room.pid = room.room[OWNER].pid
    room.say(plan.hash(), header)
    assert room.held() == before
    pieces = [one for one in room.room[OWNER].facts("sent") if one["plan"] == plan.hash()]
    releases = [one["sealed"] for one in pieces if one["kind"] == "question.release"]
    assert len(releases) == 3
    assert len(set(releases)) == 1
    room.check_honest()


def test_a_request_signed_for_another_room_gets_nothing(room: Attacked) -> None:
    """Row 28: the log takes no statement of another room, and without the log there is no answer."""
    plan, before = room.new_plan(), room.held()
    statement = room.statement(plan, room="autumn")
    with pytest.raises(CleanroomError, match="PeerError"):
        room.order("append", statement=statement)
    room.say(plan.hash(), {"statement": statement, "proof": room.logged(room.statement(plan))["proof"]})
    assert room.held() == before
    room.check_honest()


def test_an_envelope_in_another_partys_name_is_not_carried(room: Attacked) -> None:
    """The hostile company signs, but says that the third one sent it."""
    plan, before = room.new_plan(), room.held(THIRD)
    packed = base64.b64decode(room.order("envelope", to=OWNER, kind="question.plan", subject=plan.hash(), header={}))
    end = 4 + int.from_bytes(packed[:4], "big")
    head = {**json.loads(packed[4:end]), "sender": THIRD}
    altered = json.dumps(head, sort_keys=True, separators=(",", ":")).encode("ascii")
    forged = len(altered).to_bytes(4, "big") + altered + packed[end:]
    assert room.order("send", envelopes=[base64.b64encode(forged).decode("ascii")]) != [""]
    assert room.held(THIRD) == before
    room.check_honest()


def test_a_flood_of_plans_spends_the_askers_own_share_and_not_a_unit_more(tmp_path: Path) -> None:
    """Forty plans at once with the least noise there is: as many answers as the sub-cap pays for, the rest refused."""
    with attacked(tmp_path, "20") as room:
        most = accountant("zcdp").cost_units(1, Fraction(1))
        plans = [replace(room.new_plan(), scales_1024=(1024,), cost_units=most) for _ in range(40)]
        before = room.held()
        for plan in plans:
            room.order("put", plan=plan.body())
        ends = [room.order("outcome", plan=plan.hash()) for plan in plans]
        cap = room.room.contract.datasets[PartyName(OWNER)].consumer_caps[PartyName(ASKER)]
        answered = [one for one in ends if one["state"] == "answered"]
        assert len(answered) == (cap - before[0]) // most > 0
        refused = [one for one in ends if one["state"] == "refused"]
        assert len(answered) + len(refused) == len(plans)
        assert {json.loads(one["refusal"])["rule"] for one in refused} == {"budget"}
        spent, draws, released = room.held()
        assert spent <= cap
        assert (draws - before[1], released - before[2]) == (len(answered), len(answered))
        room.check_honest()
