"""Questions beyond the owner's limits wait for a person of the owner; nothing is spent or read before, and once after.

Issue 3, part 3. The nodes are real and moved by hand.
"""

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import PendingError, RefusedError, UnavailableError, UsageError
from cleanroom.ids import PartyName, analyst_name, random_id
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.question.resumption import start_resumption
from cleanroom.question.stop import CLOSED, PAUSED
from cleanroom.wire.messages import Delivery
from parties.agreeing import written_at
from parties.approving import at_home
from parties.command.main import cli
from parties.expiry import APPROVAL_S
from parties.pending import MAX_PENDING, Pending, Waiting
from parties.room_state import RoomState
from parties.stopping import resume_room, stop_room
from tests.live_room import RecordingNoise, room_file
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, small_parties, stepped_room
from tests.unit.parties.vanishing import vanishing

EVE = analyst_name("eve")
WHY = "fits the campaign"
REQUIRED = {"mode": "required"}


def parties(approval: dict[str, Any] | None = None, **terms: Any) -> dict[str, dict[str, Any]]:
    """shop asks, brand's approver decides."""
    two = small_parties()
    return {**two, "brand": {**two["brand"], "approval": approval or REQUIRED, **terms}}


def wait(room: SteppedRoom, **words: Any) -> str:
    """shop asks brand and is told that it has to wait; the plan's hash. Over the whole table unless it says a base."""
    with pytest.raises(PendingError) as told:
        room.ask("shop", "brand", **{"base": "table", **words})
    assert told.value.owner == "brand"
    return told.value.plan


def decide(party: SteppedParty, what: Callable[[Pending], Waiting]) -> Waiting:
    """As the approver's command does it in the worker."""
    with party.opened.desk.database.transaction():
        return what(party.node.pending)


def approve(party: SteppedParty, plan: str, reason: str = WHY) -> Waiting:
    """brand's eve agrees."""
    return decide(party, lambda pending: pending.approve(plan, EVE, reason))


def deny(party: SteppedParty, plan: str, reason: str = WHY) -> Waiting:
    """brand's eve does not."""
    return decide(party, lambda pending: pending.deny(plan, EVE, reason))


def again(room: SteppedRoom, name: str = "brand") -> SteppedParty:
    """The node ends and starts again over its folder, as far as questions go."""
    room[name].close()
    party = room.reopen(name)
    with party.opened.desk.database.transaction():
        party.node.after_stop()
        party.node.expiry.void_of_older_contracts()
        party.node.expiry.sweep()
    return party


def reservations(party: SteppedParty) -> list[tuple[Any, ...]]:
    """Everything in the ledger that is not a match."""
    return party.look("SELECT kind FROM ledger WHERE kind != 'match_debit' ORDER BY sequence")


# ---- waiting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["match", "table"])
def test_nothing_is_spent_drawn_or_said_of_the_data_before_a_person_agrees_and_once_after(
    base: str, tmp_path: Path
) -> None:
    noise = RecordingNoise()
    with stepped_room(tmp_path, parties(), noise=noise) as room:
        brand = room["brand"]
        plan = wait(room, by="colour", of="colour", base=base)
        room.settle()
        assert reservations(brand) == []
        assert noise.draws == []
        assert room.log("budget.debit") == room.log("question.refused") == []
        assert {envelope.kind for envelope in brand.post.written}.isdisjoint({"question.rows", "question.release"})

        approve(brand, plan[:8])
        room.settle()
        assert room["shop"].states("question") == ["answered"], "the answer comes by itself"
        answer = room.ask("shop", "brand", by="colour", of="colour", base=base)
        assert answer.plan_hash == plan
        assert brand.spent("shop") == answer.plan.cost_units > 0
        assert reservations(brand) == [("reserve",), ("share_sent",)]
        assert len(noise.draws) == 1
        kinds = [one["kind"] for one in room.log() if one["subject"] == plan]
        assert kinds == ["question.asked", "question.approved", "budget.debit", "answer.released"]
        said = room.log("question.approved")[0]
        assert (said["actor"], said["approver"], said["reason"]) == ("brand", "eve", WHY)
        assert not room.incidents()


def test_who_has_to_wait_is_told_in_one_line_what_for_and_what_to_do(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties({"cells": 2})) as room, pytest.raises(PendingError) as told:
        room.ask("shop", "brand", base="table", of="colour")
    text = str(told.value)
    for words in (
        "an approver of brand",
        "3 cells are more than the 2",
        "nothing was spent",
        "ask the same again later",
    ):
        assert words in text
    assert "\n" not in text


def test_asking_again_while_it_waits_makes_no_second_question(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plans = {wait(room), wait(room), wait(room, analyst="bob")}
        assert len(plans) == 1
        assert len(room.log("question.asked")) == 1
        assert room["brand"].states("question") == ["pending"]


def test_who_asked_for_a_new_answer_gets_that_one_after_the_approval_and_only_then_another(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        approve(room["brand"], wait(room))
        room.settle()
        first = room.ask("shop", "brand", base="table").plan_hash
        second = wait(room, again=True)
        assert wait(room, again=True) == second != first
        approve(room["brand"], second)
        room.settle()
        assert room.ask("shop", "brand", base="table", again=True).plan_hash == second
        assert wait(room, again=True) not in (first, second)


def test_what_is_inside_the_limits_passes_unseen(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties({"cells": 3, "columns": ["colour"]})) as room:
        room.ask("shop", "brand", base="table", of="colour")
        wait(room, of="colour", by="colour")
        wait(room, total="spend")
        assert room.log("question.approved") == []


def test_what_was_approved_counts_towards_the_day(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties({"epsilon_per_question": "0.5", "epsilon_per_day": "1"})) as room:
        room.ask("shop", "brand", base="table", epsilon="0.1")
        approve(room["brand"], wait(room, epsilon="0.99"))
        room.settle()
        with pytest.raises(PendingError, match="questions of today cost more"):
            room.ask("shop", "brand", base="table", epsilon="0.2")


def test_an_asker_has_eight_waiting_questions_and_not_nine(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plans = [wait(room, epsilon=f"0.{number}") for number in range(1, MAX_PENDING + 1)]
        with pytest.raises(RefusedError, match=r"8 questions of shop wait .* \(rule patience of brand\)"):
            room.ask("shop", "brand", base="table", epsilon="0.9")
        assert room.log("question.refused")[0]["rule"] == "patience"
        deny(room["brand"], plans[0])
        room.settle()
        wait(room, epsilon="0.9")


# ---- deciding --------------------------------------------------------------------------------------------------------


def test_a_denial_is_shown_once_with_name_and_reason_and_then_one_may_ask_anew(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        deny(room["brand"], plan, "not before the summer")
        room.settle()
        with pytest.raises(RefusedError, match="eve of brand does not agree: not before the summer") as refusal:
            room.ask("shop", "brand", base="table")
        assert refusal.value.rule == "approval"
        said = room.log("question.refused")[0]
        assert (said["rule"], said["subject"]) == ("approval", plan)
        assert "eve" in said["explanation"]
        assert reservations(room["brand"]) == []
        assert wait(room) != plan


def test_an_approval_is_for_one_question_once(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        first, other = wait(room), wait(room, epsilon="0.5")
        approve(room["brand"], first)
        for undecided in (approve, deny):
            with pytest.raises(UsageError, match="was decided before: it is approved"):
                undecided(room["brand"], first)
        room.settle()
        with pytest.raises(UsageError, match="was decided before: it is sent"):
            approve(room["brand"], first)
        assert decide(room["brand"], lambda pending: pending.find(other)).state == "pending"
        assert len(room.log("answer.released")) == 1


@pytest.mark.parametrize("reason", ["", "w" * 201, "two\nlines"])
def test_a_reason_is_one_line_of_200_characters(reason: str, tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        for way in (approve, deny):
            with pytest.raises(UsageError, match="a reason"):
                way(room["brand"], plan, reason)
        approve(room["brand"], plan, "w" * 200)


def test_a_week_is_enough_and_a_moment_more_is_too_long(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        wait(room)
        node = room["brand"].node
        ((since,),) = room["brand"].look("SELECT since FROM question")
        for late, state in ((-1.0, "pending"), (0.0, "refused")):
            now = since + APPROVAL_S + late
            node.desk.clock = partial(float, now)
            with node.desk.database.transaction():
                node.expiry.sweep()
            assert room["brand"].states("question") == [state]
        room.settle()
        assert [one["rule"] for one in room.log("question.refused")] == ["approval"]
        with pytest.raises(RefusedError, match="no approver of brand has decided within a week"):
            room.ask("shop", "brand", base="table")


# ---- what became of the room meanwhile -------------------------------------------------------------------------------


def test_a_budget_that_was_spent_meanwhile_refuses_what_was_approved(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties(budget={"epsilon": "1.2"})) as room:
        first, second = wait(room, of="colour"), wait(room)
        for plan in (first, second):
            approve(room["brand"], plan)
        room.settle()
        spent = room["brand"].spent("shop")
        assert room["shop"].states("question").count("answered") == 1
        assert [(one["subject"], one["rule"]) for one in room.log("question.refused")] == [(second, "budget")]
        with pytest.raises(RefusedError, match="rule budget of brand"):
            room.ask("shop", "brand", base="table")
        assert room["brand"].spent("shop") == spent


def test_nothing_is_approved_in_a_paused_room_and_what_waits_waits_on(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        said = stop_room(room["shop"].opened.desk, PAUSED, "a question of law")
        room.settle()
        with pytest.raises(RefusedError, match="paused by shop"):
            approve(room["brand"], plan)
        assert room["brand"].states("question") == ["pending"]
        complete = start_resumption(room.contract, [said])
        for name, party in room.parties.items():
            complete = complete.signed(PartyName(name), party.opened.desk.keys.identity, at=written_at())
        for party in room.parties.values():
            resume_room(party.opened.desk, complete)
        approve(room["brand"], plan)
        room.settle()
        room.ask("shop", "brand", base="table")


def test_a_pause_between_the_approval_and_its_proof_refuses_the_question(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        approve(room["brand"], plan)
        stop_room(room["brand"].opened.desk, PAUSED, "a question of law")
        room.settle()
        assert [one["rule"] for one in room.log("question.refused")] == ["room"]
        assert reservations(room["brand"]) == []
        assert room["shop"].states("question") == ["refused"]


def test_what_waits_in_a_room_that_closes_is_refused(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        wait(room)
        stop_room(room["shop"].opened.desk, CLOSED, "it is over")
        room.settle()
        assert [one["rule"] for one in room.log("question.refused")] == ["room"]
        assert room["shop"].states("question") == ["refused"]


def test_a_setup_that_died_meanwhile_refuses_what_was_approved(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room, base="match")
        node = room["brand"].node
        ((setup,),) = room["brand"].look("SELECT id FROM setup")
        with node.desk.database.transaction():
            node.rows.kill(setup)
        approve(room["brand"], plan)
        room.settle()
        assert [one["rule"] for one in room.log("question.refused")] == ["match"]
        assert reservations(room["brand"]) == []
        with pytest.raises(RefusedError, match=r"changed while the question waited for approval.*ask again"):
            room.ask("shop", "brand")


def test_a_match_that_ends_takes_its_waiting_questions_along_and_no_others(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        over_table, over_match = wait(room), wait(room, base="match")
        ((match,),) = room["brand"].look("SELECT id FROM match")
        node = room["brand"].node
        with node.desk.database.transaction():
            node.matching.abort(match, tell_peer=True)
        room.settle()
        states = dict(room["brand"].look("SELECT plan_hash, state FROM question"))
        assert states == {over_table: "pending", over_match: "refused"}
        assert not room.incidents()
        assert wait(room, base="match") not in states


@pytest.mark.parametrize("approved", [False, True], ids=["waiting", "approved before"])
def test_neither_question_nor_approval_survives_other_terms(approved: bool, tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        if approved:
            approve(room["brand"], plan)
        room["brand"].close()
        RoomState(room.state.folder, room_file(tmp_path / "room", parties(), setups_per_match=7)).prepare()
        brand = room.reopen("brand")
        if not approved:
            with pytest.raises(UsageError, match="asked under former terms"):
                approve(brand, plan)
        with brand.opened.desk.database.transaction():
            brand.node.expiry.void_of_older_contracts()
            brand.node._answering.approved_is_logged(plan)
        assert brand.states("question") == ["refused"]
        waiting = [peek_statement(said) for (said,) in brand.look("SELECT payload FROM outbox WHERE says LIKE 'qu%d'")]
        assert waiting[-1]["rule"] == "contract"
        assert reservations(brand) == []


# ---- restarts --------------------------------------------------------------------------------------------------------


def test_a_restart_of_either_node_keeps_what_waits(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room, base="match", by="colour")
        again(room)
        again(room, "shop")
        assert wait(room, base="match", by="colour") == plan
        approve(room["brand"], plan)
        again(room)
        room.settle()
        room.ask("shop", "brand", by="colour")
        assert reservations(room["brand"]) == [("reserve",), ("share_sent",)]


def test_a_lost_answer_to_the_approval_approves_once(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)

        def lost(_: bytes) -> None:
            raise UnavailableError("the answer was lost")

        room["brand"].relayed.appended = lost
        approve(room["brand"], plan)
        room.settle()
        assert reservations(room["brand"]) == []
        again(room)
        room.settle()
        assert len(room.log("question.approved")) == len(room.log("budget.debit")) == 1
        assert room["shop"].states("question") == ["answered"]


def test_the_need_for_approval_that_arrives_after_the_answer_says_nothing(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        late: list[Delivery] = []

        def delayed(deliveries: list[Delivery]) -> list[Delivery]:
            late.extend(one for one in deliveries if getattr(one.item, "kind", "") == "question.pending")
            return [one for one in deliveries if one not in late]

        shop = room["shop"]
        shop.relayed.through = delayed
        room.patience_s = 1.0
        with pytest.raises(AssertionError, match="no answer"):
            room.ask("shop", "brand", base="table")
        ((plan,),) = room["brand"].look("SELECT plan_hash FROM question")
        approve(room["brand"], plan)
        room.settle()
        shop.take(late[0].item)
        assert shop.states("question") == ["answered"]
        assert not room.incidents()


# ---- forgeries -------------------------------------------------------------------------------------------------------


def approval(room: SteppedRoom, plan: str, actor: str, signer: Any) -> bytes:
    """A `question.approved` in a party's name with a key of the test's choice."""
    desk = room["shop"].opened.desk
    body = {
        "actor": actor, "approver": "eve", "at": "2026-01-02T03:04:05Z", "contract": desk.contract_hash.hex(),
        "kind": "question.approved", "reason": WHY, "room": desk.contract.room, "subject": plan, "v": 1,
    }  # fmt: skip
    return sign_statement("question.approved", body, signer)


FORGERIES: dict[str, Callable[[SteppedRoom, str], bytes]] = {
    "the asker in its own name": lambda room, plan: approval(
        room, plan, "shop", room["shop"].opened.desk.keys.identity
    ),
    "the asker in the owner's name": lambda room, plan: approval(
        room, plan, "brand", room["shop"].opened.desk.keys.identity
    ),
    "the coordinator": lambda room, plan: approval(room, plan, "brand", room.coordinator.identity()),
    "the owner's own word, relayed": lambda room, plan: approval(
        room, plan, "brand", room["brand"].opened.desk.keys.identity
    ),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_nothing_that_arrives_is_an_approval(case: str, tmp_path: Path) -> None:
    """Not even what the owner signed: an approval is what its own node wrote at its own door."""
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        statement = FORGERIES[case](room, plan)
        header = {"statement": base64.b64encode(statement).decode("ascii")}
        for kind in ("question.approved", "question.pending", "question.refused"):
            room["shop"].say("brand", kind, plan, header)
        if case == "the asker in its own name":
            room["shop"].opened.desk.keep_statement("question.approved", plan, statement, "")
            room["shop"].relayed.client.append(statement)
        room.settle()
        assert room["brand"].states("question") == ["pending"]
        assert reservations(room["brand"]) == []
        assert wait(room) == plan
        approve(room["brand"], plan)
        room.settle()
        room.ask("shop", "brand", base="table")


def test_nobody_but_the_owner_says_that_a_question_waits(tmp_path: Path) -> None:
    three = {**small_parties("shop", "brand", "airline"), **parties()}
    with stepped_room(tmp_path, three) as room:
        plan = wait(room)
        before = room["shop"].look("SELECT state, waits FROM question")
        room["airline"].say("shop", "question.pending", plan, {"reasons": ["pay us"]})
        room["brand"].say("shop", "question.pending", random_id(), {"reasons": ["another one"]})
        room.settle()
        assert room["shop"].look("SELECT state, waits FROM question") == before
        assert {(who, kind) for _, who, kind in room.incidents()} == {
            ("airline", "question.pending"),
            ("brand", "question.pending"),
        }


@pytest.mark.parametrize(
    "reasons", [[], "none", ["a"] * 9, [""], ["w" * 501], ["two\nlines"], [7]], ids=["none", "a text", *"9ewlt"]
)
def test_malformed_reasons_are_an_incident(reasons: Any, tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        room["brand"].tamper("question.pending", lambda header, blob: ({"reasons": reasons}, blob))
        with pytest.raises(UnavailableError, match="brand could not answer"):
            room.ask("shop", "brand", base="table")
        assert ("shop", "brand", "question.pending") in room.incidents()


def test_another_request_under_a_plan_that_waits_changes_nothing(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        shop = room["shop"]
        with shop.opened.desk.database.transaction():
            asked = shop.node.asking.find(plan)
            assert asked is not None
            shop.opened.desk.clock = lambda: 1_900_000_000.0
            shop.opened.desk.state("question.asked", plan, plan=asked.plan.body(), owner="brand")
            shop.opened.desk.database.run("UPDATE question SET state = 'asked' WHERE plan_hash = ?", plan)
        room.settle()
        assert room.log("question.refused")[0]["rule"] == "already-asked"
        assert room["brand"].states("question") == ["pending"]


# ---- in the home, without a node -------------------------------------------------------------------------------------


def typed(party: SteppedParty, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the approver's command printed."""
    capsys.readouterr()
    cli.main(["party", "approvals", *words, "--home", str(party.home.path)], standalone_mode=False)
    return capsys.readouterr().out


def test_an_approver_reads_the_question_in_words_and_what_is_new_about_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stepped_room(tmp_path, parties()) as room:
        brand = room["brand"]
        assert typed(brand, capsys, "list") == "nothing waits for approval\n"
        first = wait(room, of="colour")
        listed = typed(brand, capsys, "list")
        assert first[:12] in listed
        assert "shop: spread over `colour` over all of brand's people, 3 cells, epsilon 1 (rho" in listed
        page = typed(brand, capsys, "show", first[:6])
        for words in (
            "purpose   to test a room",
            "asker     shop, its analyst ann",
            "about     all of brand's people",
            "asks      how many people have each value of brand's `colour`: red; blue; other",
            "split     by nothing",
            "cells     3 noisy numbers: 1 × 3",
            "noise     sigma ",
            "so 95% of the numbers are within ±",
            "budget    epsilon 100 (rho",
            "approval  every question needs approval",
            "new       everything: no question of this asker was approved here before",
            f"next      cleanroom party approvals approve {first[:12]} --home {brand.home.path} --reason WHY",
        ):
            assert words in page, words
        assert "no node runs here" in typed(brand, capsys, "approve", first[:12], "--reason", WHY)
        room.settle()
        second = wait(room, of="colour", by="colour")
        page = typed(brand, capsys, "show", second)
        assert "new       split: by brand's `colour`: red; blue; other; it was: by nothing: everybody together" in page
        assert "new       cells: 9 noisy numbers: 3 × 3; it was: 3 noisy numbers: 1 × 3" in page
        assert f"compared  with {first[:12]}, approved by user-" in page
        assert page.count("\nnew ") == 2
        assert "denied" in typed(brand, capsys, "deny", second, "--reason", "too fine")
        page = typed(brand, capsys, "show", second)
        assert "waits     no longer: it is refused" in page
        assert "does not agree: too fine (rule approval)" in page


def test_the_approver_is_told_whether_no_node_runs_or_nobody_was_at_its_door(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both times the approval stands in the home; who looks for a node that does not run should hear the right one."""
    with stepped_room(tmp_path, parties()) as room:
        brand = room["brand"]
        with brand.home.locked():
            printed = typed(brand, capsys, "approve", wait(room), "--reason", WHY)
        assert "a node runs here and nobody was at its door" in printed
        assert "no node runs here" not in printed
        room.settle()
        printed = typed(brand, capsys, "approve", wait(room, by="colour"), "--reason", WHY)
        assert "no node runs here" in printed


def test_an_approval_that_a_node_may_have_taken_is_not_given_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stepped_room(tmp_path, parties()) as room:
        brand, plan = room["brand"], wait(room)
        with (
            brand.home.locked(),
            vanishing(brand.home.socket_file),
            pytest.raises(UnavailableError, match="may have done what you asked"),
        ):
            typed(brand, capsys, "approve", plan, "--reason", WHY)
        assert brand.states("question") == ["pending"]


def test_who_is_no_approver_decides_nothing_in_the_home_either(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan, home = wait(room), room["brand"].home
        text = home.settings_file.read_text(encoding="utf-8").replace('    "approver",\n', "")
        home.settings_file.write_text(text, encoding="utf-8")
        for verb, words in (("list", {}), ("show", {"id": plan}), ("approve", {"id": plan, "reason": WHY})):
            with pytest.raises(UsageError, match="is not an approver in this node's settings"):
                at_home(home, verb, **words)
        assert room["brand"].states("question") == ["pending"]


def test_a_question_is_named_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    with stepped_room(tmp_path, parties()) as room:
        plan = wait(room)
        for wrong, words in (
            ("abc", "four or more"),
            ("zzzz", "four or more"),
            ("0" * 8, "no question 00000000 waits"),
        ):
            with pytest.raises(UsageError, match=words):
                at_home(room["brand"].home, "show", id=wrong)
        assert at_home(room["brand"].home, "show", id=plan[:4].upper())["plan"] == plan
