"""Pausing and closing: one party's word, at once, whatever the coordinator does; going on: everybody's.

Issue 3, part 1. The nodes are real and moved by hand; a coordinator that "cannot be reached" is one whose calls fail.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import RefusedError, StateError, UnavailableError, UsageError
from cleanroom.ids import PartyName, RoomName, random_id
from cleanroom.querylog.dsse import peek_statement, sign_statement
from cleanroom.question.agreement import Agreement
from cleanroom.question.resumption import Resumption, start_resumption
from cleanroom.question.stop import CLOSED, PAUSED, Stop
from cleanroom.wire.messages import Delivery
from parties.agreeing import put_in_force, written_at
from parties.inquiry import Inquiry
from parties.room_state import RoomState
from parties.stopping import STOPPED, resume_room, stop_room
from tests.live_room import RecordingNoise, room_file
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, small_parties, stepped_room

WHY = "the lawyers ask for a day"


def pause(party: SteppedParty, reason: str = WHY) -> Stop:
    """As the operator's command does it."""
    stop = stop_room(party.opened.desk, PAUSED, reason)
    with party.opened.desk.database.transaction():
        party.node.after_stop()
    return stop


def resumption(room: SteppedRoom, pauses: list[Stop], *names: str) -> Resumption:
    """Signed by these parties."""
    started = start_resumption(room.contract, pauses)
    for name in names:
        started = started.signed(PartyName(name), room[name].opened.desk.keys.identity, at=written_at())
    return started


def resume(room: SteppedRoom, pauses: list[Stop], *at: str) -> None:
    """Signed by all, put in force at these parties, or at all."""
    complete = resumption(room, pauses, *room.parties)
    for name in at or tuple(room.parties):
        resume_room(room[name].opened.desk, complete)


def standing(party: SteppedParty) -> str:
    """Of the room, at this party."""
    return party.opened.desk.stops.standing().state


def kinds(party: SteppedParty) -> list[str]:
    """What this party's outbox waits with."""
    return [says for (says,) in party.look("SELECT says FROM outbox ORDER BY id")]


def unreachable(*_: Any) -> Any:
    """A coordinator that does not answer."""
    raise UnavailableError("the coordinator did not answer")


def cut_off(party: SteppedParty) -> Callable[[], None]:
    """From now on nothing of this party reaches the coordinator; returns what ends that."""
    client = party.relayed.client
    honest = {name: getattr(client, name) for name in ("send", "append", "submit_tags")}
    for name in honest:
        setattr(client, name, unreachable)

    def again() -> None:
        for name in honest:
            delattr(client, name)

    return again


# ---- at once, alone ------------------------------------------------------------------------------------------------


def test_a_paused_owner_refuses_by_name_rule_and_reason_and_charges_nothing(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        room.match()
        room.ask("shop", "brand", by="colour")
        hear_of_no_stop(room["shop"])
        before = room["brand"].spent("shop")
        pause(room["brand"])
        with pytest.raises(RefusedError) as refused:
            room.ask("shop", "brand", by="colour", of="colour")
        assert (refused.value.rule, refused.value.owner) == ("room", "brand")
        assert WHY in refused.value.explanation
        assert "all parties" in refused.value.advice
        assert room["brand"].spent("shop") == before
        assert room.log("question.refused")[-1]["rule"] == "room"


def test_the_other_parties_are_told_and_ask_nothing_more(tmp_path: Path) -> None:
    with stepped_room(tmp_path, small_parties("shop", "brand", "airline")) as room:
        pause(room["brand"])
        room.settle()
        assert [standing(party) for party in room.parties.values()] == ["paused"] * 3
        assert [(one["actor"], one["reason"]) for one in room.log("room.paused")] == [("brand", WHY)]
        for asker, owner in (("shop", "airline"), ("brand", "shop"), ("airline", "brand")):
            with pytest.raises(RefusedError, match="rule room of brand"):
                room.ask(asker, owner)
        assert room.log("match.opened") == room.log("question.asked") == []
        assert not room.incidents()


def test_a_pause_is_durable_and_in_force_before_the_coordinator_hears_of_it(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        room.match()
        again = cut_off(room["brand"])
        pause(room["brand"])
        assert standing(room["brand"]) == "paused"
        assert set(kinds(room["brand"])) == {PAUSED, STOPPED}
        room.step()
        assert room.log(PAUSED) == []
        assert standing(room["shop"]) == "open"
        again()
        room.settle()
        assert len(room.log(PAUSED)) == 1
        assert standing(room["shop"]) == "paused"


def test_what_is_being_tried_again_is_not_tried_any_more_after_the_pause(tmp_path: Path) -> None:
    """A release whose sending failed must not leave because the coordinator comes back within the client's patience."""
    with stepped_room(tmp_path) as room:
        between_tries = room["brand"].relayed.client._pause
        between_tries(0.0)
        stop_room(room["brand"].opened.desk, PAUSED, WHY)
        with pytest.raises(UnavailableError, match="the room is stopped"):
            between_tries(0.0)


def test_a_coordinator_that_withholds_the_pause_cannot_make_the_owner_answer(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        room.match()
        hear_of_no_stop(room["shop"])
        pause(room["brand"])
        room.settle()
        assert standing(room["shop"]) == "open"
        with pytest.raises(RefusedError, match="rule room of brand"):
            room.ask("shop", "brand")
        assert room["brand"].spent("shop") == 0


def test_a_pause_that_was_not_delivered_is_read_in_the_log(tmp_path: Path) -> None:
    """The coordinator keeps back the message, but cannot go on without showing the log that the pause stands in."""
    with stepped_room(tmp_path) as room:
        room.match()
        room["shop"].relayed.through = lambda deliveries: [one for one in deliveries if not _is_stop(one)]
        pause(room["brand"])
        room.settle()
        assert standing(room["shop"]) == "paused"


def hear_of_no_stop(party: SteppedParty) -> None:
    """The coordinator delivers no stop, and the party does not look for one in the log."""
    party.relayed.through = lambda deliveries: [one for one in deliveries if not _is_stop(one)]
    party.node.watch.own_log.read_on = lambda: False  # type: ignore[method-assign] # a party that does not keep to the rules


def _is_stop(delivery: Delivery) -> bool:
    return getattr(delivery.item, "kind", "") == STOPPED


def test_a_stored_answer_is_still_shown_while_the_room_is_paused(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        first = room.ask("shop", "brand", by="colour")
        pause(room["brand"])
        room.settle()
        assert room.ask("shop", "brand", by="colour").cells == first.cells


def test_a_restarted_node_stays_paused(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        pause(room["brand"])
        room["brand"].close()
        room.reopen("brand")
        assert standing(room["brand"]) == "paused"
        with pytest.raises(RefusedError, match="paused by brand"):
            room.ask("brand", "shop")


# ---- what was under way ----------------------------------------------------------------------------------------------


def test_no_match_is_debited_after_the_pause(tmp_path: Path) -> None:
    """The responder pauses after the hello; the initiator before its own debit."""
    for party in ("brand", "shop"):
        with stepped_room(tmp_path / party) as room:
            room["shop"].start_match("brand")
            room.settle(until=lambda: room["brand"].states("match") == ["opened"])
            cut_off(room[party])
            pause(room[party])
            for _ in range(4):
                room.step(20)
            assert room[party].match_debits() == 0


def without_answer_to(party: SteppedParty, kind: str) -> Callable[[], None]:
    """The coordinator takes statements of this kind and its answer is lost, until the returned function is called."""

    def lost(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            raise UnavailableError("the answer was lost")

    party.relayed.appended = lost

    def again() -> None:
        party.relayed.appended = lambda _: None

    return again


def ask_until(room: SteppedRoom, holds: Callable[[], bool], **other: Any) -> None:
    """shop asks brand, and goes away when this holds."""
    node = room["shop"].node
    inquiry = Inquiry(node, replace(room.question("shop", "brand", by="colour"), **other))
    for _ in range(200):
        if holds():
            return
        with node.desk.database.transaction():
            inquiry._step()
        if not room.step():
            room.step(20)
    raise AssertionError("the question never came so far")


@pytest.mark.parametrize("base", ["match", "table"])
def test_a_reservation_without_noise_is_voided_and_its_cost_is_free_again(base: str, tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        again = without_answer_to(room["brand"], "budget.debit")
        ask_until(room, lambda: room["brand"].states("question") == ["reserved"], base=base)
        assert room["brand"].spent("shop") > 0
        pause(room["brand"])
        assert room["brand"].spent("shop") == 0
        assert room["brand"].states("question") == ["voided"]
        again()
        room.settle()
        budget = [one["kind"] for one in room.log() if one["kind"].startswith("budget.")]
        assert budget == ["budget.debit", "budget.voided"]
        assert room["shop"].states("question") == ["failed"]
        assert not {"question.rows", "question.release"} & {one.kind for one in room["brand"].post.written}


def test_a_node_that_ended_between_pause_and_voiding_voids_when_the_debit_is_logged(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        again = without_answer_to(room["brand"], "budget.debit")
        ask_until(room, lambda: room["brand"].states("question") == ["reserved"])
        stop_room(room["brand"].opened.desk, PAUSED, WHY)  # and the process ended here
        again()
        room.settle()
        assert room["brand"].states("question") == ["voided"]
        assert room["brand"].spent("shop") == 0


@pytest.mark.parametrize("logged", [False, True], ids=["before its statement is logged", "after"])
def test_a_drawn_release_stays_until_the_room_is_resumed_and_is_never_drawn_again(logged: bool, tmp_path: Path) -> None:
    noise = RecordingNoise()
    with stepped_room(tmp_path, noise=noise) as room:
        again = without_answer_to(room["brand"], "answer.released")
        ask_until(room, lambda: room["brand"].states("question") == ["released"])
        spent = room["brand"].spent("shop")
        if logged:
            room["brand"].node._flush()  # the rows leave
            room["brand"].relayed.client.send = unreachable  # type: ignore[method-assign,assignment] # a test
            again()
            room.settle(until=lambda: room["brand"].states("question") == ["sent"])
            del room["brand"].relayed.client.send
            assert room["brand"].states("question") == ["sent"]
        said = pause(room["brand"])
        again()
        room.settle()
        assert standing(room["shop"]) == "paused"
        assert {"question.release", "question.released"} <= set(kinds(room["brand"]))
        assert room["shop"].states("question") != ["answered"]
        assert room["brand"].spent("shop") == spent > 0
        resume(room, [said])
        room.settle()
        assert room["shop"].states("question") == ["answered"]
        assert len(noise.draws) == 1
        assert room["brand"].spent("shop") == spent


def test_a_plan_that_waits_at_the_asker_leaves_only_after_the_resumption(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        room.match()
        again = without_answer_to(room["shop"], "question.asked")
        ask_until(room, lambda: room["shop"].states("question") == ["asked"])
        said = pause(room["shop"])
        again()
        room.settle()
        assert kinds(room["shop"]) == ["question.asked"]
        assert room["brand"].states("question") == []
        resume(room, [said])
        room.settle()
        assert room["shop"].states("question") == ["answered"]


# ---- going on --------------------------------------------------------------------------------------------------------


def test_a_resumption_without_one_signature_lifts_nothing(tmp_path: Path) -> None:
    with stepped_room(tmp_path, small_parties("shop", "brand", "airline")) as room:
        said = pause(room["brand"])
        room.settle()
        for signers in (("shop", "airline"), ("brand", "shop"), ("brand",)):
            short = resumption(room, [said], *signers)
            for party in room.parties.values():
                with pytest.raises(UsageError, match=f"not signed by {short.missing[0]}"):
                    resume_room(party.opened.desk, short)
        assert [standing(party) for party in room.parties.values()] == ["paused"] * 3
        resume(room, [said])
        assert [standing(party) for party in room.parties.values()] == ["open"] * 3
        room.ask("shop", "brand")
        assert {one["actor"] for one in room.log("room.resumed")} == set(room.parties)


def test_each_node_goes_on_when_the_resumption_reaches_it_and_not_before(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        said = pause(room["brand"])
        room.settle()
        resume(room, [said], "shop")
        with pytest.raises(RefusedError, match="rule room of brand"):
            room.ask("shop", "brand")
        resume(room, [said], "brand")
        room.ask("shop", "brand")


def test_a_later_pause_is_not_lifted_by_an_earlier_resumption_shown_again(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        first = pause(room["brand"])
        resume(room, [first])
        second = pause(room["brand"], "and again")
        for _ in range(2):
            assert not resume_room(room["brand"].opened.desk, resumption(room, [first], "shop", "brand"))
        assert standing(room["brand"]) == "paused"
        room.settle()
        resume(room, [second])
        room.ask("shop", "brand")


def test_a_pause_that_arrives_after_its_own_resumption_stops_nothing(tmp_path: Path) -> None:
    """The coordinator can delay; it cannot bring back what everybody has lifted."""
    with stepped_room(tmp_path) as room:
        late: list[Delivery] = []

        def delayed(deliveries: list[Delivery]) -> list[Delivery]:
            late.extend(one for one in deliveries if _is_stop(one))
            return [one for one in deliveries if not _is_stop(one)]

        room["shop"].relayed.through = delayed
        said = pause(room["brand"])
        room.settle()
        resume(room, [said])
        assert late
        room["shop"].take(late[0].item)
        assert standing(room["shop"]) == "open"
        room.ask("shop", "brand")


def test_a_closed_room_never_goes_on_and_another_room_does(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        paused = pause(room["shop"])
        stop_room(room["brand"].opened.desk, CLOSED, "the campaign is over")
        room.settle()
        resume(room, [paused])
        assert [standing(party) for party in room.parties.values()] == ["closed"] * 2
        with pytest.raises(RefusedError, match=r"closed by brand: the campaign is over.*another name"):
            room.ask("shop", "brand")
        with pytest.raises(UsageError, match="was closed by brand"):
            pause(room["shop"])
        home = room.state.home(PartyName("brand"))
        agreement = Agreement(room.contract, {})
        for name, party in room.parties.items():
            agreement = agreement.signed(PartyName(name), party.opened.desk.keys.identity, at=written_at())
        with pytest.raises(StateError, match="another name"):
            put_in_force(agreement, home)


def test_the_same_companies_go_on_in_a_room_under_another_name(tmp_path: Path) -> None:
    """The homes stay, with their ledgers; log and mailboxes are the new room's."""
    with stepped_room(tmp_path) as room:
        room.ask("shop", "brand")
        stop_room(room["brand"].opened.desk, CLOSED, "the campaign is over")
        room.settle()
    folder = tmp_path / "state"
    summer = replace(room_file(tmp_path / "room", small_parties()), room=RoomName("summer"))
    (folder / "agreement.json").unlink()
    RoomState(folder, summer).prepare()
    with stepped_room(tmp_path, room=summer) as room:
        for party in room.parties.values():
            party.node.watch.follow()
        assert room.contract.room == "summer"
        room.ask("shop", "brand")
        assert room["brand"].look("SELECT DISTINCT room FROM ledger ORDER BY room") == [("spring",), ("summer",)]


def test_a_pause_outlives_a_change_of_the_terms(tmp_path: Path) -> None:
    """An agreement that was signed before a pause does not lift it when it comes into force afterwards."""
    with stepped_room(tmp_path) as room:
        said = pause(room["brand"])
        room["brand"].close()
        other = room_file(tmp_path / "room", small_parties(), setups_per_match=7)
        state = RoomState(room.state.folder, other)
        state.prepare()
        brand = room.reopen("brand")
        assert brand.opened.desk.contract.setups_per_match == 7
        assert standing(brand) == "paused"
        complete = start_resumption(brand.opened.desk.contract, [said])
        for name in ("shop", "brand"):
            complete = complete.signed(PartyName(name), state.home(PartyName(name)).keys().identity, at=written_at())
        resume_room(brand.opened.desk, complete)
        assert standing(brand) == "open"


# ---- forgeries -------------------------------------------------------------------------------------------------------


def forged(room: SteppedRoom, /, actor: str, signer: Any, **other: Any) -> bytes:
    """A pause in one party's name with another key, or over something else."""
    desk = room["shop"].opened.desk
    body = {
        "actor": actor,
        "at": "2026-01-02T03:04:05Z",
        "contract": desk.contract_hash.hex(),
        "kind": PAUSED,
        "reason": WHY,
        "room": desk.contract.room,
        "subject": random_id(),
        "v": 1,
        **other,
    }
    return sign_statement(PAUSED, body, signer)


FORGERIES: dict[str, Callable[[SteppedRoom], bytes]] = {
    "another party's key": lambda room: forged(room, "airline", room["brand"].opened.desk.keys.identity),
    "the coordinator's key": lambda room: forged(room, "airline", room.coordinator.identity()),
    "the coordinator itself": lambda room: forged(room, "coordinator", room.coordinator.identity()),
    "the reader's own name": lambda room: forged(room, "shop", room["brand"].opened.desk.keys.identity),
    "another room": lambda room: forged(room, "brand", room["brand"].opened.desk.keys.identity, room="winter"),
    "other terms": lambda room: forged(room, "brand", room["brand"].opened.desk.keys.identity, contract="11" * 32),
    "no reason": lambda room: forged(room, "brand", room["brand"].opened.desk.keys.identity, reason=""),
    "a reason of 201 characters": lambda room: forged(
        room, "brand", room["brand"].opened.desk.keys.identity, reason="w" * 201
    ),
    "a reason of two lines": lambda room: forged(
        room, "brand", room["brand"].opened.desk.keys.identity, reason="stop\nthis"
    ),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_pause_does_nothing_but_an_incident_note(case: str, tmp_path: Path) -> None:
    with stepped_room(tmp_path, small_parties("shop", "brand", "airline")) as room:
        statement = FORGERIES[case](room)
        subject = str(peek_statement(statement)["subject"])
        header = {"statement": base64.b64encode(statement).decode("ascii")}
        room["brand"].say("shop", STOPPED, subject, header)
        room.settle()
        assert standing(room["shop"]) == "open"
        assert room.incidents() == [("shop", "brand", STOPPED)]


def test_a_pause_under_another_id_than_its_own_is_an_incident(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        statement = forged(room, "brand", room["brand"].opened.desk.keys.identity)
        header = {"statement": base64.b64encode(statement).decode("ascii")}
        room["brand"].say("shop", STOPPED, random_id(), header)
        room.settle()
        assert standing(room["shop"]) == "open"
        assert room.incidents() == [("shop", "brand", STOPPED)]


def test_a_partys_own_pause_is_honoured_whoever_carries_it(tmp_path: Path) -> None:
    """Its signature is what counts: a third party may pass on what the coordinator withheld."""
    with stepped_room(tmp_path, small_parties("shop", "brand", "airline")) as room:
        statement = forged(room, "airline", room["airline"].opened.desk.keys.identity)
        subject = str(peek_statement(statement)["subject"])
        room["brand"].say("shop", STOPPED, subject, {"statement": base64.b64encode(statement).decode("ascii")})
        room.settle()
        assert room["shop"].opened.desk.stops.standing().by == "airline"
        assert not room.incidents()


def test_a_flood_of_pauses_fills_nobodys_disk(tmp_path: Path) -> None:
    with stepped_room(tmp_path) as room:
        for _ in range(12):
            statement = forged(room, "brand", room["brand"].opened.desk.keys.identity)
            subject = str(peek_statement(statement)["subject"])
            room["brand"].say("shop", STOPPED, subject, {"statement": base64.b64encode(statement).decode("ascii")})
        room.settle()
        assert room["shop"].look("SELECT count(*) FROM room_stop") == [(8,)]
        for _ in range(8):
            pause(room["brand"])
        with pytest.raises(UsageError, match="8 times"):
            pause(room["brand"])
        stop_room(room["brand"].opened.desk, CLOSED, "enough")


# ---- the agreement ---------------------------------------------------------------------------------------------------


def test_an_asker_under_the_former_agreement_gets_nothing(tmp_path: Path) -> None:
    """shop's operator has not put the new terms in force: the coordinator does not know its calls, nor does brand."""
    with stepped_room(tmp_path) as room:
        home = room.state.home(PartyName("shop"))
        former = home.agreement_file.read_bytes()
        state = RoomState(room.state.folder, room_file(tmp_path / "room", small_parties(), setups_per_match=7))
        state.prepare()
        room["brand"].close()
        brand = room.reopen("brand")
        home.agreement_file.write_bytes(former)
        envelopes = room["shop"].post.write(PartyName("brand"), "match.hello", random_id(), {"hello": {}})
        brand.take(envelopes[0])
        assert brand.look("SELECT count(*) FROM match") == [(0,)]
        assert brand.look("SELECT count(*) FROM inbox_done") == [(0,)]
