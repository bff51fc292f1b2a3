"""A coordinator that lies to an honest node, both real processes: it has its own keys, and nobody else's.

It may withhold and end things, which no protocol prevents. It gets nothing of an honest node: no unit is spent, no
noise drawn and no release sent for what it forges, replays, reorders or misplaces; the node's process is the one it
was; and as soon as the coordinator is honest again the next question is answered. Row 28 of the hostile inputs, and the
coordinator's part of issue 3.
"""

import base64
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import CleanroomError, PendingError, RefusedError
from cleanroom.ids import PartyName
from cleanroom.querylog.statement import verify_statement
from cleanroom.question.gate import MAX_OPEN_RESERVATIONS
from cleanroom.question.plan import Plan
from cleanroom.wire.contract_file import contract_hash
from parties.desk import unpack_envelope
from tests.live_room import read_database, room_file
from tests.lying_hub import HEADS, PAGES, PLACEMENTS, PLACES
from tests.mortal_room import MortalRoom
from tests.reference.one_draw_a_plan import check_ledger
from tests.simulation.forged_heads import forged_head
from tests.simulation.stepped_room import small_parties

ASKER, OWNER, THIRD = "shop", "brand", "airline"
HUB = "coordinator"
Held = dict[str, Any]


class Lied:
    """A room whose coordinator lies, and what must not move at its honest nodes."""

    def __init__(self, room: MortalRoom) -> None:
        self.room = room
        self.counter = itertools.count(1000)
        for party in (ASKER, THIRD):
            self.ask(party)
        self.pids = {name: room[name].pid for name in room.processes}

    def order(self, name: str, **words: Any) -> Any:
        """See `tests.lying_hub`."""
        return self.room.puppets[HUB].order(name, **words)

    def question(self) -> dict[str, str]:
        """One that was never asked."""
        return {"owner": OWNER, "by": "", "quantity": "count", "column": "", "epsilon": f"0.{next(self.counter)}"}

    def ask(self, party: str = ASKER) -> dict[str, Any]:
        """A new question, answered."""
        return self.room.ask(party, self.question(), tries=10)  # a cosigner that was lied to polls more slowly

    def held(self) -> Held:
        """What no lie may move: ledgers, questions, draws, what left, and what ended."""
        self.room.at_rest()
        state: Held = {}
        for name, process in self.room.processes.items():
            state[f"{name} ledger"] = self.room.look(name, "SELECT kind, subject, units FROM ledger ORDER BY sequence")
            for table, key in (("match", "id"), ("setup", "id"), ("question", "plan_hash")):
                sql = f"SELECT {key}, state FROM {table} ORDER BY {key}"  # noqa: S608 # literals of this function
                state[f"{name} {table}"] = self.room.look(name, sql)
            state[f"{name} draws"] = len(process.facts("draws"))
            state[f"{name} sent"] = len(process.facts("sent"))
        return state

    def check_honest(self) -> None:
        """Every node is the process that it was, its ledger is whole, and two companies' questions are answered."""
        self.order("be_honest")
        self.room.at_rest()
        assert {name: self.room[name].pid for name in self.pids} == self.pids
        for party in (ASKER, THIRD):
            assert self.ask(party)["cells"]
        self.room.at_rest()
        self.room.command(OWNER, {"command": "ledger"})
        check_ledger(lambda sql: self.room.look(OWNER, sql), self.true_log(), OWNER)

    def true_log(self) -> list[dict[str, Any]]:
        """What stands in the log under the signature of whom it names."""
        contract, found = self.room.contract, []
        for (statement,) in read_database(
            self.room.coordinator_database, "SELECT statement FROM log ORDER BY position"
        ):
            with suppress(CleanroomError):
                found.append(verify_statement(statement, contract, contract_hash(contract)).body)
        return found

    def delivered(self, party: str, kind: str = "") -> list[str]:
        """Envelopes that a party got from others, of the kinds that begin so; the asker's last."""
        found = {one: unpack_envelope(base64.b64decode(one)) for one in self.order("envelopes", party=party)}
        wanted = [one for one, envelope in found.items() if envelope.kind.startswith(kind)]
        return sorted(wanted, key=lambda one: found[one].sender == ASKER)

    def forged(self, kind: str, body: dict[str, Any]) -> str:
        """A statement of this room in somebody's name, signed by the log's key."""
        whole = {
            "at": "2026-01-02T03:04:05Z",
            "contract": contract_hash(self.room.contract).hex(),
            "kind": kind,
            "room": self.room.contract.room,
            "v": 1,
            **body,
        }
        return str(self.order("sign", kind=kind, body=whole))

    def newest_plan(self, party: str) -> Plan:
        """The plan that a party asked last."""
        asked = [entry for entry in self.true_log() if (entry["kind"], entry["actor"]) == ("question.asked", party)]
        return Plan.from_body(asked[-1]["plan"])


@contextmanager
def lied(folder: Path, *, matches: int = 6, **owners: Any) -> Iterator[Lied]:
    """Three honest nodes, the owner under terms of its own, and a coordinator that takes orders."""
    parties = small_parties(ASKER, OWNER, THIRD)
    parties[OWNER] |= owners
    terms = room_file(
        folder,
        parties,
        capacity=120,
        overlap={"epsilon": "16", "delta": "1e-9", "matches": matches},
    )
    with MortalRoom(folder, terms, puppets={HUB: "tests.lying_hub"}, peer_timeout_s=1) as room:
        yield Lied(room)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lied]:
    """One room for all lies: each must leave it in working order."""
    with lied(tmp_path_factory.mktemp("room")) as opened:
        yield opened


# ---- plans and statements that nobody made ---------------------------------------------------------------------------


def test_a_plan_that_the_coordinator_signs_itself_gets_nothing(room: Lied) -> None:
    """The sealed bytes of a real plan, in an envelope that the log's key signed."""
    before = room.held()
    plan = room.delivered(OWNER, "question.plan")[-1]
    contract = contract_hash(room.room.contract).hex()
    forgeries = [room.order("signed", contract=contract, changes=changes, envelope=plan) for changes in OTHER_FIELDS]
    room.order("deliver", to=OWNER, envelopes=forgeries)
    assert room.held() == before
    room.check_honest()


OTHER_FIELDS: tuple[dict[str, str], ...] = (
    {},
    {"sender": THIRD},
    {"kind": "match.abort"},
    {"kind": "room.stopped"},
    {"kind": "question.approved"},
)


def test_a_plan_for_one_owner_at_another_gets_nothing(room: Lied) -> None:
    """As it was signed, and with the other owner's name on it."""
    before = room.held()
    plan = room.delivered(OWNER, "question.plan")[-1]
    contract = contract_hash(room.room.contract).hex()
    renamed = room.order("signed", contract=contract, changes={"recipient": THIRD}, envelope=plan)
    room.order("deliver", to=THIRD, envelopes=[plan, renamed])
    assert room.held() == before
    room.check_honest()


def test_an_envelope_under_altered_terms_gets_nothing(room: Lied) -> None:
    """The coordinator would like a contract with twice the budget: nobody signed it, and no message is under it."""
    contract, before = room.room.contract, room.held()
    datasets = {name: replace(one, cap_units=2 * one.cap_units) for name, one in contract.datasets.items()}
    other = contract_hash(replace(contract, datasets=datasets)).hex()
    plan = room.delivered(OWNER, "question.plan")[-1]
    room.order("deliver", to=OWNER, envelopes=[room.order("signed", contract=other, changes={}, envelope=plan)])
    assert room.held() == before
    room.check_honest()


STATEMENTS: dict[str, dict[str, str]] = {
    "question.approved": {"actor": OWNER},
    "question.asked": {"actor": ASKER, "owner": OWNER},
    "budget.voided": {"actor": OWNER, "consumer": ASKER},
    "room.resumed": {"actor": OWNER},
    "contract.signed": {"actor": OWNER},
}


PAUSES = "SELECT 1 FROM room_stop"


def shown(note: Path, _look: object) -> bool:
    """Whether the evidence is on the disk."""
    return note.exists()


@pytest.mark.parametrize(
    "kind", [next(iter(STATEMENTS)), *(pytest.param(kind, marks=pytest.mark.slow) for kind in [*STATEMENTS][1:])]
)
def test_a_statement_in_a_partys_name_under_the_logs_key_pauses_the_room(kind: str, tmp_path: Path) -> None:
    """An approval, a question, a refund, a resumption or a signature that nobody gave: once it stands under the log's
    own signed head, no node cosigns any more, each pauses the room, and each keeps what convicts the coordinator."""
    with lied(tmp_path) as room:
        before = room.held()
        plan = room.newest_plan(ASKER)
        room.order("insert", statement=room.forged(kind, {**STATEMENTS[kind], "subject": plan.hash()}))
        for name in room.room.processes:
            room.room.wait_until(name, lambda look: look(PAUSES))
            folder = room.room.state.home(PartyName(name)).mirror_folder / "evidence"
            room.room.wait_until(name, partial(shown, folder / "1-theirs.note"))
        assert room.held() == before
        room.room[OWNER].kill()
        assert room.held() == before
        with pytest.raises(RefusedError, match="against the room's rules"):
            room.room.ask(ASKER, room.question())


def test_a_ledger_head_that_the_coordinator_signs_gets_nothing(room: Lied) -> None:
    """Shown to the owner as its asker's receipt, a head that the owner forgot would stop it; shown to the asker as the
    owner's word, it would make the owner a liar. Sealed for each in the other's name."""
    before, contract = room.held(), room.room.contract
    plan = room.newest_plan(ASKER)
    head = forged_head(contract, owner=OWNER, consumer=ASKER, subject=plan.hash())
    statement = room.forged(head["kind"], head)
    asked, released = (
        room.forged(kind, {"actor": actor, "subject": plan.hash()})
        for kind, actor in (("question.asked", ASKER), ("answer.released", OWNER))
    )
    messages = (
        (ASKER, OWNER, "question.plan", {"statement": asked, "proof": {}, "receipt": statement}),
        (OWNER, ASKER, "question.released", {"statement": released, "proof": {}, "salt": "00", "ledger": statement}),
    )
    for sender, recipient, kind, header in messages:
        words = {"sender": sender, "recipient": recipient, "kind": kind, "subject": plan.hash()}
        sealed = room.order("sealed", contract=contract_hash(contract).hex(), words=words, header=header)
        room.order("deliver", to=recipient, envelopes=[sealed])
    assert room.held() == before
    assert not room.room.look(ASKER, "SELECT * FROM evidence") + room.room.look(OWNER, "SELECT * FROM evidence")
    room.check_honest()


def test_an_approval_that_the_coordinator_forges_does_not_release_a_waiting_question(tmp_path: Path) -> None:
    """It waits for the owner's approver, before and after the owner's node starts anew; then the approver decides."""
    with lied(tmp_path, approval={"columns": ["colour"]}) as room:
        waiting = {"owner": OWNER, "by": "", "quantity": "sum", "column": "spend", "epsilon": "0.5"}
        with pytest.raises(PendingError):
            room.room.command(ASKER, {"command": "ask", **waiting})
        before = room.held()
        plan = room.newest_plan(ASKER)
        approval = room.forged("question.approved", {"actor": OWNER, "subject": plan.hash(), "approver": "eve"})
        contract = contract_hash(room.room.contract).hex()
        for sender in (THIRD, ASKER):
            words = {"sender": sender, "recipient": OWNER, "kind": "question.approved", "subject": plan.hash()}
            header = {"statement": approval}
            sealed = room.order("sealed", contract=contract, words=words, header=header)
            room.order("deliver", to=OWNER, envelopes=[sealed])
        assert room.held() == before
        room.room[OWNER].kill()
        room.room.wait_ready()
        room.pids[OWNER] = room.room[OWNER].pid
        assert room.held() == before
        with pytest.raises(PendingError):
            room.room.command(ASKER, {"command": "ask", **waiting})
        room.room.command(OWNER, {"command": "approvals-approve", "id": plan.hash(), "reason": "agreed"})
        room.room.ask(ASKER, waiting, tries=3)
        told = [entry["kind"] for entry in room.true_log() if entry["subject"] == plan.hash()]
        assert told == ["question.asked", "question.approved", "budget.debit", "answer.released"]
        room.check_honest()


# ---- heads and log pages --------------------------------------------------------------------------------------------


LATER, QUIET = "withheld", "no head"
ABOUT_PROOFS = [
    *(("answer.released", lie) for lie in (*HEADS, LATER)),
    *(("budget.debit", lie) for lie in (QUIET, LATER)),
    ("question.asked", QUIET),
]


@pytest.mark.parametrize(("kind", "lie"), ABOUT_PROOFS)
def test_without_a_true_head_no_release_leaves_and_with_it_one_does(room: Lied, kind: str, lie: str) -> None:
    before, released = room.held(), releases(room)
    room.order("lie", about=kind, how=lie)
    question = room.question()
    with pytest.raises(CleanroomError):
        room.room.ask(ASKER, question)
    assert releases(room) == released
    drawn = len(room.room[OWNER].facts("draws")) - before[f"{OWNER} draws"]
    assert drawn == (1 if kind == "answer.released" else 0)
    room.order("be_honest")
    answer = room.room.ask(ASKER, question, tries=10)
    assert releases(room) == released | {answer["question"]["plan"]}
    assert room.held()[f"{OWNER} draws"] == before[f"{OWNER} draws"] + 1
    room.check_honest()


def releases(room: Lied) -> set[str]:
    """Plans of which a sealed release has left the owner."""
    return {fact["plan"] for fact in room.room[OWNER].facts("sent") if fact["kind"] == "question.release"}


def test_an_asker_and_a_coordinator_together_cannot_hold_more_than_a_few_reservations(room: Lied) -> None:
    """The coordinator withholds the proofs of the owner's debits while the asker asks and asks."""
    before, released = room.held(), releases(room)
    room.order("lie", about="budget.debit", how=LATER)
    questions = [room.question() for _ in range(MAX_OPEN_RESERVATIONS + 4)]

    def gets_nothing(question: dict[str, str]) -> bool:
        with pytest.raises(CleanroomError):
            room.room.ask(ASKER, question)
        return True

    with ThreadPoolExecutor(len(questions)) as pool:
        assert all(pool.map(gets_nothing, questions))
    came = len(before[f"{OWNER} question"]) + len(questions)
    room.room.wait_until(OWNER, lambda look: look("SELECT count(*) FROM question WHERE owner = 1") == [(came,)])
    still_open = "SELECT count(*) FROM question WHERE owner = 1 AND state = 'reserved'"
    assert room.room.look(OWNER, still_open) == [(MAX_OPEN_RESERVATIONS,)]
    assert releases(room) == released
    room.check_honest()


@pytest.mark.parametrize("lie", [*PAGES, "a head that nobody signed"])
def test_a_node_that_is_shown_a_false_log_does_not_serve(room: Lied, lie: str) -> None:
    """Withheld entries, gaps, no log at all, a head that nobody signed; and with the true log it serves again."""

    def meanwhile() -> None:
        with suppress(CleanroomError):  # the log grows, whether or not it is answered in time
            room.room.command(ASKER, {"command": "ask", **room.question(), "owner": THIRD})
        room.order("lie", about="log" if lie in PAGES else "heads", how=lie)

    room.room[OWNER].at_death = meanwhile
    room.room[OWNER].kill()
    with pytest.raises(AssertionError, match="ended with status 1"):
        room.room[OWNER].wait_ready()
    room.order("be_honest")
    room.room[OWNER].at_death = lambda: None
    room.room[OWNER].start_again()
    room.pids[OWNER] = room.room[OWNER].pid
    room.check_honest()


# ---- order, repetition, place ----------------------------------------------------------------------------------------


def test_messages_delivered_again_and_in_any_order_change_nothing(room: Lied) -> None:
    """Row 28: everything that each node ever got, once more, backwards, and at the wrong node."""
    before = room.held()
    for party in (ASKER, OWNER, THIRD):
        again = room.delivered(party)
        assert len(again) > 5
        room.order("deliver", to=party, envelopes=[*again, *reversed(again)])
        for other in {ASKER, OWNER, THIRD} - {party}:
            room.order("deliver", to=other, envelopes=again)
    assert room.held() == before
    room.check_honest()


def test_replies_of_an_earlier_question_do_not_answer_a_later_one(room: Lied) -> None:
    """An old release and its receipt, a stale head of the ledger in it, while the asker waits for a new answer."""
    room.ask()
    old = room.delivered(ASKER, "question.")
    room.order("lie", about="budget.debit", how="withheld")
    question = room.question()
    with pytest.raises(CleanroomError):
        room.room.ask(ASKER, question)
    room.order("deliver", to=ASKER, envelopes=old)
    open_questions = "SELECT count(*) FROM question WHERE owner = 0 AND state = 'sent'"
    assert room.room.look(ASKER, open_questions) == [(1,)]
    room.order("be_honest")
    answer = room.room.ask(ASKER, question, tries=5)
    assert not answer["stored"] or answer["question"]["plan"] == room.newest_plan(ASKER).hash()
    room.check_honest()


@pytest.fixture(scope="module")
def matching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lied]:
    """A room whose owner's people may be matched often: an analyst's question begins two matches before it gives up."""
    with lied(tmp_path_factory.mktemp("matching"), matches=48) as opened:
        yield opened


@pytest.mark.parametrize(
    ("about", "lie"), [*(("place", lie) for lie in PLACES), *(("placement", lie) for lie in PLACEMENTS)]
)
def test_a_false_placement_ends_the_match_and_nothing_is_asked_over_it(matching: Lied, about: str, lie: str) -> None:
    """Slots that are not distinct, out of range, the other party's, or not the ones that were signed."""
    room = matching
    forget_match(room)
    before = room.held()
    room.order("lie", about=about, how=lie)
    with pytest.raises(CleanroomError):
        room.room.ask(ASKER, room.question())
    room.order("be_honest")
    after = room.held()
    ready = {match for match, state in before[f"{OWNER} match"] if state == "ready"}
    assert {match for match, state in after[f"{OWNER} match"] if state == "ready"} <= ready
    for what in (f"{OWNER} draws", f"{OWNER} sent", f"{OWNER} question"):
        assert after[what] == before[what]
    room.check_honest()


def forget_match(room: Lied) -> None:
    """A new table at the asker, so that its next question begins with a new match."""
    name = next(name for name in room.room.state.room.datasets if name == ASKER)
    path = room.room.state.room.sources[name].path
    text = path.read_text(encoding="utf-8")
    path.write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
    room.room[ASKER].kill()
    room.room.at_rest()
    room.pids[ASKER] = room.room[ASKER].pid
