"""A dry run at a real node: what it says is what then happens, and by itself it leaves no trace anywhere."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.errors import RefusedError, UnavailableError
from cleanroom.ids import PartyName, analyst_name
from cleanroom.question.plan import Plan
from cleanroom.question.stop import PAUSED
from cleanroom.report.forecast import forecast_lines
from parties.agreeing import agreement_in_force
from parties.asking import Asked
from parties.beside import desk_beside
from parties.dry_running import dry_run_command, own_record, together_command
from parties.node import RETRY_S
from parties.settings import Analyst
from parties.stopping import stop_room
from tests.answers.shops import shop, shop_rows
from tests.live_room import LiveParty, LiveRoom, live_room, room_file

ANN = Analyst(analyst_name("ann"), os.getuid(), frozenset({"asker"}))
SHOP, BRAND = PartyName("shop"), PartyName("brand")
COUNT = {"owner": "brand", "quantity": "count", "epsilon": "1"}


def small_room(folder: Path, **more: Any) -> LiveRoom:
    """shop and brand, 40 people in common."""
    rows = {"shop": shop_rows(range(60), seed=3), "brand": shop_rows(range(20, 90), seed=4)}
    return live_room(folder, room_file(folder, {name: shop(table) for name, table in rows.items()}, **more))


def looked(party: LiveParty, **request: Any) -> dict[str, Any]:
    """What the node's door answers to a dry run."""
    return dry_run_command(party.node)(ANN, {**COUNT, **request}, lambda _: None)


def stop(party: LiveParty) -> None:
    """As an operator's command beside a node that it cannot reach."""
    with desk_beside(party.home, agreement_in_force(party.home), time.time) as desk:
        stop_room(desk, PAUSED, "the lawyers ask for a day")


def traces(room: LiveRoom) -> dict[str, Any]:
    """Every row of every table of every node, the log, and everything that crossed between node and coordinator."""
    found: dict[str, Any] = {"log": room.log()}
    for name, party in room.parties.items():
        tables = [row[0] for row in party.look("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found |= {f"{name}/{table}": party.look(f"SELECT * FROM {table}") for table in tables}  # noqa: S608 # the schema's own names
        found[f"{name} said"] = [seen for tap in party.taps for seen in tap.seen]
    return found


def test_a_dry_run_sends_logs_books_and_writes_nothing(tmp_path: Path) -> None:
    with small_room(tmp_path) as room:
        before = traces(room)
        first = looked(room.parties["shop"], guess=40)
        looked(room.parties["shop"], by="tier", quantity="histogram", column="colour")
        looked(room.parties["shop"], base="table", quantity="mean", column="spend")
        looked(room.parties["shop"], by="seize")
        plans = [{"quantity": "count", "share": "1/2"}, {"quantity": "count", "base": "table", "share": "1/2"}]
        request = {**COUNT, "plans": plans}
        together = together_command(room.parties["shop"].node)(ANN, request, lambda _: None)
        assert traces(room) == before
        assert [plan["question"]["base"] for plan in together["plans"]] == ["match", "table"]
        assert first["guess"]["people"] == 40
        assert looked(room.parties["shop"], by="seize")["refusal"]["rule"] == "column"


def test_it_says_that_a_match_would_be_made_until_there_is_one(tmp_path: Path) -> None:
    """A match shows the coordinator a noisy overlap, which is agreed for so many times only."""
    with small_room(tmp_path) as room:
        shop = room.parties["shop"]
        together = {**COUNT, "plans": [{"quantity": "count", "base": base} for base in ("table", "match")]}
        assert looked(shop, base="table")["match"] is None
        assert looked(shop)["match"] == {"made": 0, "most": 6, "left": True}
        assert together_command(shop.node)(ANN, together, lambda _: None)["match"] == looked(shop)["match"]
        room.ask("shop", "brand", epsilon="1")
        assert looked(shop, quantity="histogram", column="colour")["match"] is None
        assert together_command(shop.node)(ANN, together, lambda _: None)["match"] is None


def test_no_match_is_promised_where_none_is_left_or_the_room_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_room(tmp_path) as room:
        shop = room.parties["shop"]
        assert looked(shop, owner="brnd")["match"] is None

        def used_up(peer: str) -> None:
            raise RefusedError("matches", SHOP, f"all were made with {peer}", "reuse the present one")

        with monkeypatch.context() as patched:
            patched.setattr(shop.node.matching, "check_limit", used_up)
            found = looked(shop)
            assert found["match"] == {"made": 0, "most": 6, "left": False}
            (line,) = (line for line in forecast_lines(found) if line.startswith("match"))
            assert line.endswith("of the 6 that the coordinator may see of shop's people none is left for this owner:"
                                 " asking would be refused")  # fmt: skip
        stop(shop)
        assert (looked(shop)["match"], looked(shop)["refusal"]["rule"]) == (None, "room")


def test_in_a_stopped_room_what_was_answered_is_free_and_nothing_else(tmp_path: Path) -> None:
    with small_room(tmp_path) as room:
        room.ask("shop", "brand", epsilon="1")
        stop(room.parties["shop"])
        assert (looked(room.parties["shop"])["stored"], looked(room.parties["shop"])["refusal"]) == (True, None)
        other = looked(room.parties["shop"], quantity="histogram", column="colour")
        assert (other["stored"], other["refusal"]["rule"]) == (False, "room")


def test_what_is_on_its_way_is_free_while_the_room_is_open_and_refused_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_room(tmp_path) as room:
        room.ask("shop", "brand", epsilon="1")
        shop = room.parties["shop"]
        answered = shop.node.asking.repeats

        def on_its_way(plan: Plan) -> list[Asked]:
            return [replace(asked, state="asked") for asked in answered(plan)]

        monkeypatch.setattr(shop.node.asking, "repeats", on_its_way)
        assert (looked(shop)["stored"], looked(shop)["refusal"]) == (True, None)
        stop(shop)
        assert (looked(shop)["stored"], looked(shop)["refusal"]["rule"]) == (False, "room")


def test_a_node_finds_a_stop_that_nobody_told_it_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who finds the door full writes the stop into the home: nothing stays reserved for that."""
    with small_room(tmp_path) as room:
        followed, party = threading.Event(), room.parties["brand"]
        party.node.call(lambda: None)  # it has begun: what it does at its start is done
        monkeypatch.setattr(party.node, "after_stop", followed.set)
        assert not followed.wait(2 * RETRY_S)
        stop(party)
        assert followed.wait(10 * RETRY_S)


def test_its_price_is_the_one_that_is_then_charged_and_the_next_one_knows_of_it(tmp_path: Path) -> None:
    with small_room(tmp_path) as room:
        first = looked(room.parties["shop"])
        assert (first["stored"], first["budget"]["as_of"], first["budget"]["spent"]["epsilon"]) == (False, None, 0.0)
        answer = room.ask("shop", "brand", epsilon="1")
        assert answer["spent"] == [first["cost"]]
        second = looked(room.parties["shop"])
        assert second["stored"], "the same question again is free"
        assert second["budget"]["as_of"] is not None
        assert second["budget"]["spent"]["rho"] == first["cost"]["rho"]
        assert second["budget"]["left_before"] == first["budget"]["left_after"]
        shop_node, brand_node = (room.parties[name].node for name in ("shop", "brand"))
        record = shop_node.call(lambda: own_record(shop_node.desk, BRAND))
        view = brand_node.call(
            lambda: brand_node.desk.ledger.view("brand/spring", SHOP, room="spring", today=brand_node.desk.today())
        )
        assert (record.units, record.units_today, record.questions, record.open_questions) == (
            view.consumer_units,
            view.units_today,
            view.questions,
            view.open_reservations,
        )


def test_a_question_that_the_owner_has_not_answered_counts_as_spent_once(tmp_path: Path) -> None:
    """Whoever asked it once more was once refused for the budget that it had taken up itself."""
    with small_room(tmp_path, budget="3") as room:
        room.ask("shop", "brand", epsilon="1")
        room.parties["brand"].stop()
        with pytest.raises(UnavailableError):
            room.ask("shop", "brand", epsilon="2", timeout_s=0.1)
        found = looked(room.parties["shop"], epsilon="1", repeat=1)
        assert found["budget"]["open_questions"] == 1
        assert float(found["budget"]["spent"]["rho"]) > 0.06
        for again in (False, True):  # what is on its way is waited for and not asked twice
            same = looked(room.parties["shop"], epsilon="2", again=again)
            assert (same["stored"], same["refusal"]) == (True, None)
            assert same["budget"]["left_after"] == same["budget"]["left_before"] == found["budget"]["left_before"]


def test_a_stored_answer_is_free_and_a_new_one_is_not_and_that_is_said(tmp_path: Path) -> None:
    """With `again` it was once said to cost nothing; without it, where nothing was left, to be refused."""
    with small_room(tmp_path, budget="1") as room:
        room.ask("shop", "brand", epsilon="1")
        same, anew = (looked(room.parties["shop"], again=again) for again in (False, True))
        assert (same["stored"], same["refusal"]) == (True, None)
        assert same["budget"]["left_after"] == same["budget"]["left_before"]
        assert (anew["stored"], anew["refusal"]["rule"], anew["budget"]["left_after"]) == (False, "budget", None)
        twice = {**COUNT, "epsilon": "0.1", "plans": [{"quantity": "count"}] * 2}
        for again, times in ((False, 1), (True, 2)):  # each plan that is asked anew is charged, alike or not
            together = together_command(room.parties["shop"].node)(ANN, {**twice, "again": again}, lambda _: None)
            rho = float(together["plans"][0]["cost"]["rho"])
            assert float(together["cost"]["rho"]) == pytest.approx(times * rho, rel=1e-6)


def test_a_dry_run_over_the_budget_is_refused_as_the_question_then_is(tmp_path: Path) -> None:
    with small_room(tmp_path, budget="1") as room:
        found = looked(room.parties["shop"], epsilon="2")
        with pytest.raises(RefusedError) as refused:
            room.ask("shop", "brand", epsilon="2")
        assert found["refusal"] == {
            name: getattr(refused.value, name) for name in ("rule", "owner", "explanation", "advice")
        }
