"""`import cleanroom` against real nodes over TLS: what it shows is what the owner released and booked, and no more."""

import copy
import html
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import cleanroom
from cleanroom.client import room as client_room
from cleanroom.client.door import ask_door
from cleanroom.client.room import Room
from cleanroom.errors import PeerError, PendingError, RefusedError, UnreachableError, UsageError
from cleanroom.privacy.accountant import accountant
from cleanroom.transparency.policy_file import parse_policy
from cleanroom.transparency.proof_file import parse_proof, verify_proof
from parties.command.ask import show
from tests.answers.shops import shop, shop_rows
from tests.live_room import LiveRoom, NoNoise, live_room, room_file
from tests.open_door import open_door

Asking = tuple[LiveRoom, Room]
SHARED, SHOP, BRAND = 40, 60, 70


def two_shops(folder: Path, *, brand: dict[str, Any] | None = None, **more: Any) -> LiveRoom:
    """shop has 60 people, brand 70, 40 of them shared; brand adds no noise, so that numbers are exact."""
    rows = {"shop": shop_rows(range(SHOP), seed=3), "brand": shop_rows(range(SHOP - SHARED, 90), seed=4)}
    terms = {name: shop(table) for name, table in rows.items()}
    terms["brand"] |= brand or {}
    return live_room(folder, room_file(folder, terms, **more), noise={"brand": NoNoise()})


def booked(room: LiveRoom) -> list[int]:
    """Units of every question that the owner's ledger holds."""
    rows = room.parties["brand"].look("SELECT units FROM ledger WHERE kind = 'reserve' ORDER BY sequence")
    return [int(units) for (units,) in rows]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A room that serves for all tests here; ann may ask at shop and nothing else."""
    with two_shops(tmp_path_factory.mktemp("room")) as room, open_door(room.parties["shop"], "asker") as node:
        yield room, cleanroom.connect(node)


def test_a_budget_is_the_cap_before_the_first_question_and_the_owners_word_after_it(tmp_path: Path) -> None:
    with two_shops(tmp_path) as live, open_door(live.parties["shop"], "asker") as node:
        room = cleanroom.connect(node)
        (first,) = room.budget().to_arrow().to_pylist()
        assert (first["owner"], first["spent"], first["left"], first["as_of"]) == ("brand", 0, 100, None)
        assert first["known_from"] == "the cap: nothing was asked yet"
        room.ask(owner="brand", epsilon="0.25")
        (then,) = room.budget().to_arrow().to_pylist()
        assert (then["known_from"], then["questions"]) == ("the owner's receipt", 1)
        assert 0 < then["spent"] <= 0.25
        assert then["as_of"] is not None


def test_in_a_stopped_room_what_is_stored_is_shown_and_nothing_else_is_asked(tmp_path: Path) -> None:
    with two_shops(tmp_path) as live, open_door(live.parties["shop"], "asker", "operator") as node:
        room = cleanroom.connect(node)
        first = room.ask("overlap", owner="brand", epsilon="1")
        ask_door(node / "node.sock", {"command": "room-stop", "how": "pause", "reason": "a look at the terms"})
        again = room.ask("overlap", owner="brand", epsilon="1")
        assert (again.stored, again.finding) == (True, first.finding)
        with pytest.raises(RefusedError, match="paused"):
            room.ask("overlap", owner="brand", epsilon="2")
        assert len(booked(live)) == 1


def test_overlap_is_one_count_and_names_the_askers_own_number(asking: Asking) -> None:
    _, room = asking
    result = room.ask("overlap", owner="brand", epsilon="1")
    assert result.finding is not None
    assert result.finding.rows[0].value == SHARED
    assert "of the 60 customers that shop itself has" in result.sentences[1]
    assert len(result.receipts) == len(result.answers) == 1
    assert result.sentences[0] in repr(result)


def test_asked_again_it_costs_nothing_and_says_so(asking: Asking) -> None:
    live, room = asking
    first = room.ask("index", owner="brand", of="colour", epsilon="2")
    assert not first.stored
    spent = booked(live)
    again = room.ask("index", owner="brand", of="colour", epsilon=2)
    assert again.stored
    assert again.finding == first.finding
    assert again.spent == ()
    assert "nothing new was spent" in repr(again)
    assert booked(live) == spent
    anew = room.ask("index", owner="brand", of="colour", epsilon="2", again=True)
    assert not anew.stored
    assert len(booked(live)) == len(spent) + 2


def test_a_dry_run_says_what_is_then_booked_and_the_plans_together_stay_within_epsilon(asking: Asking) -> None:
    live, room = asking
    before = booked(live)
    look = room.dry_run("index", owner="brand", of="tier", epsilon="1.5")
    assert booked(live) == before
    assert (look.stored, look.refusal) == (False, None)
    result = room.ask("index", owner="brand", of="tier", epsilon="1.5")
    units, bought = booked(live)[len(before) :], accountant("zcdp").units_for_epsilon(Fraction(3, 2))
    assert len(units) == 2
    assert sum(units) <= bought
    assert result.cost == look.raw["cost"]
    assert 1.49 < look.epsilon <= 1.5
    assert look.raw["budget"]["left_after"] == room.dry_run(owner="brand").raw["budget"]["left_before"]
    again = room.dry_run("index", owner="brand", of="tier", epsilon="1.5")
    assert (again.stored, again.epsilon) == (True, 0)
    assert "together  nothing: every plan was asked before" in again.lines


def test_without_a_price_it_is_refused_with_what_it_would_cost(asking: Asking) -> None:
    live, room = asking
    before = booked(live)
    with pytest.raises(
        UsageError, match=r"with epsilon 1 it would cost epsilon 1 of the [0-9.]+ that are left at brand"
    ):
        room.ask("profile", owner="brand", of="colour")
    with pytest.raises(UsageError, match=r"and noise would be ±11 people at 95%; nothing was asked"):
        room.ask(owner="brand", by="tier")
    with pytest.raises(UsageError, match=r"refused: .* \(rule column of brand\); ask for one of the columns"):
        room.ask(owner="brand", by="teir")
    assert booked(live) == before
    room.ask("overlap", owner="brand", epsilon="1")
    for again, cost in ((False, "nothing, as it is stored"), (True, "epsilon 1 of the")):
        with pytest.raises(UsageError, match=f"it would cost {cost}"):
            room.ask("overlap", owner="brand", again=again)


def test_a_plain_question_is_a_table_with_intervals_as_columns(asking: Asking) -> None:
    _, room = asking
    frame = room.ask(owner="brand", by="tier", of="colour", epsilon="1").to_pandas()
    assert list(frame.columns) == ["tier (shop)", "colour (brand)", "value", "low", "high", "below_threshold"]
    assert frame["value"].sum() == SHARED
    assert (frame["low"] < frame["value"]).all()
    assert (frame["value"] < frame["high"]).all()
    assert (frame.attrs["unit"], frame.attrs["interval"]) == ("people", "95%")
    whole = room.ask(owner="brand", whole_table=True, epsilon="1").to_arrow().to_pylist()
    assert [row["value"] for row in whole] == [BRAND]
    quartiles = room.ask(owner="brand", quantile="spend", epsilon="1").to_arrow().to_pylist()
    assert [row["level"] for row in quartiles] == [0.25, 0.5, 0.75]


def test_a_finding_is_a_table_for_programs_a_page_for_a_notebook_and_one_json(asking: Asking) -> None:
    _, room = asking
    result = room.ask("index", owner="brand", of="colour", epsilon="2")
    table = result.to_arrow()
    numbers = ["value", "low", "high", "unit", "differs", "best_rank", "worst_rank"]
    assert table.column_names == ["colour (brand)", *numbers]
    assert result.notes()[0].startswith("Base: 100 is the share among all customers of brand")
    assert table.schema.metadata[b"unit"] == b"index"
    assert len(table) == 4
    page = result._repr_html_()
    assert "<p><strong>" in page
    assert "<td>NA</td>" in page
    body = result.to_json()
    assert (body["entry"], len(body["rows"]), len(body["answers"])) == ("index", 4, 2)
    assert result.sheet.to_csv().splitlines()[0] == ",".join(table.column_names)


def test_a_report_of_two_results_holds_receipts_that_anybody_can_check(asking: Asking, tmp_path: Path) -> None:
    _, room = asking
    overlap = room.ask("overlap", owner="brand", epsilon="1")
    index = room.ask("index", owner="brand", of="colour", epsilon="2")
    page = room.report(tmp_path / "two.html", overlap, index).read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [tmp_path / "two.html"], "written whole, and nothing beside it"
    assert "1. shop asked brand: overlap" in page
    assert "2. shop asked brand: index, of colour" in page
    for receipt in (*overlap.receipts, *index.receipts):
        assert f"entry {receipt.index} of the {receipt.size} in log" in page
    assert re.search(r"cosigned by brand \([0-9TZ:-]+\), shop \(", re.sub(r"</?span[^>]*>", "", page))
    files = [html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)]
    proofs, policies = ([text for text in files if text.startswith(first)] for first in ("c2sp.org/tlog-proof", "log "))
    assert (len(proofs), len(policies), len(files)) == (3, 2, 5), "one policy for each finding"
    policy = policies[0]
    for proof in proofs:
        entry = parse_proof(proof.encode()).extra
        assert entry is not None
        verify_proof(proof.encode(), entry, parse_policy(policy.encode()))
    assert index.plot().get_size_inches()[0] > 5
    assert room.ask(owner="brand", epsilon="1").parameters == ()
    alone = overlap.report(tmp_path / "one.html").read_text(encoding="utf-8")
    assert "of the 60 customers that shop itself has" in alone


def test_all_owners_rules_come_in_one_call(asking: Asking) -> None:
    _, room = asking
    settings = room.settings()
    (owner,) = settings.owners.to_arrow().to_pylist()
    assert (owner["owner"], owner["may_ask"], owner["budget"], owner["over"]) == ("brand", True, 100, "match, table")
    roles = {(row["party"], row["column"], row["role"]): row for row in settings.columns.to_arrow().to_pylist()}
    assert not roles["brand", "margin", "hidden"]["may_ask"]
    assert roles["brand", "colour", "dimension"]["values"] == "red, NA, 007, other"
    assert roles["brand", "spend", "measure"]["unit"] == "euro"
    assert "brand" in repr(settings)
    assert {row["question"] for row in room.catalogue().to_arrow().to_pylist()} >= {"overlap", "index", "flow"}


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("indx", {}, "did you mean `index`"),
        ("index", {}, "index needs of"),
        ("index", {"of": "colour", "off": "x"}, "has no parameter `off`"),
        ("index", {"of": "margin"}, "`margin` is hidden"),
        ("index", {"of": "color"}, "did you mean `colour`"),
        ("index", {"of": 5.5}, "has no dimension `5.5`"),
        ("index", {"of": None}, "index needs of"),
        ("profile", {"of": "colour", "epsilon": "-1"}, "is not above 0"),
        ("profile", {"of": "colour", "epsilon": True}, "epsilon is a number"),
        ("index", {"of": "colour", "accuracy": "20", "epsilon": None}, "say epsilon instead of accuracy"),
        ("overlap", {"accuracy": "20", "epsilon": None}, "±20 costs epsilon 0.539"),
        (None, {"accuracy": "20", "epsilon": None}, "--epsilon 0.539"),
        (None, {"accuracy": "20", "epsilon": "0.5"}, "more than the 0.5 that --epsilon allows"),
        ("overlap", {"owner": "brnd"}, "did you mean `brand`"),
        (None, {"off": "colour"}, "a question has no `off`"),
        (None, {"of": "colour", "sum": "spend"}, "exclude each other"),
        (None, {"of": "color"}, "did you mean `colour`"),
    ],
)
def test_what_was_typed_wrong_is_said_in_one_line_and_costs_nothing(
    asking: Asking, name: str | None, words: dict[str, Any], text: str
) -> None:
    live, room = asking
    before = booked(live)
    with pytest.raises(UsageError) as caught:
        room.ask(name, **{"owner": "brand", "epsilon": "1", **words})
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert booked(live) == before


def test_an_answer_whose_receipt_does_not_hold_is_not_shown(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    _, room = asking

    def spoiled(door: Path, request: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = ask_door(door, request, **more)
        if request["command"] == "ask":
            answer["receipt"]["entry"] = answer["receipt"]["entry"][:-8] + "AAAAAAA="
        return answer

    monkeypatch.setattr(client_room, "ask_door", spoiled)
    with pytest.raises(PeerError, match="the answer is not shown") as refused:
        room.ask("overlap", owner="brand", epsilon="0.3", again=True)
    assert "answered and charged before that" in "; ".join(refused.value.__notes__)


def test_the_shell_checks_the_receipt_before_it_shows_anything(
    asking: Asking, capsys: pytest.CaptureFixture[str]
) -> None:
    _, room = asking
    answer = dict(room.ask(owner="brand", epsilon="0.5").answers[0])
    show(copy.deepcopy(answer), None, None)
    assert "customers" in capsys.readouterr().out
    answer["receipt"] |= {"entry": answer["receipt"]["entry"][:-8] + "AAAAAAA="}
    with pytest.raises(PeerError, match="the answer is not shown"):
        show(answer, None, None)
    assert capsys.readouterr().out == ""


def test_a_cost_that_was_foreseen_is_not_shown_where_another_was_charged(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, room = asking

    def mistaken(door: Path, request: dict[str, Any], **more: Any) -> dict[str, Any]:
        said = ask_door(door, request, **more)
        if request["command"] == "dry-run-together":
            said["plans"][0]["stored"] = not said["plans"][0]["stored"]
        return said

    monkeypatch.setattr(client_room, "ask_door", mistaken)
    result = room.ask("overlap", owner="brand", epsilon="0.75")
    assert result.cost is None
    assert result.spending == ("What this call has spent is in `spent`, plan by plan.",)


@pytest.mark.parametrize(
    "end", [RefusedError("budget", "brand", "others spent it", "wait"), KeyboardInterrupt()], ids=type
)
def test_who_gets_no_answer_is_told_what_was_spent_on_it(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    _, room = asking
    asked: list[str] = []

    def ending(door: Path, request: dict[str, Any], **more: Any) -> dict[str, Any]:
        asked.append(request["command"])
        if asked.count("ask") == 2:
            raise end
        return ask_door(door, request, **more)

    monkeypatch.setattr(client_room, "ask_door", ending)
    with pytest.raises(type(end)) as ended:
        room.ask("index", owner="brand", of="colour", epsilon="0.4", again=True)
    said = "; ".join(ended.value.__notes__)
    assert "1 of its plans had been answered and charged before that" in said
    assert ("goes on at the node" in said) == isinstance(end, KeyboardInterrupt)
    assert "pays nothing twice, if it is asked without `again`" in said


def test_an_asker_is_no_operator_and_who_is_not_named_asks_nothing(asking: Asking, tmp_path: Path) -> None:
    live, room = asking
    with pytest.raises(UsageError, match="is not an operator"):
        ask_door(live.parties["shop"].home.socket_file, {"command": "ledger"})
    with open_door(live.parties["shop"], "operator", socket=tmp_path / "node.sock") as door:
        with pytest.raises(UsageError, match=f"user {os.getuid()} is not an asker"):
            cleanroom.connect(door)
        for command in ("settings", "budget", "dry-run-together"):
            with pytest.raises(UsageError, match="is not an asker"):
                ask_door(door, {"command": command})
    assert "asking as shop; owners: brand" in repr(room)


def test_where_no_node_serves_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"no node answers .* is it running\? `cleanroom serve ROOM.toml`"):
        cleanroom.connect(tmp_path)
    with pytest.raises(UnreachableError, match="no node answers"):
        cleanroom.connect(str(tmp_path / "absent"))


def test_plans_that_fit_one_by_one_and_not_together_are_refused_before_the_first_is_asked(tmp_path: Path) -> None:
    with two_shops(tmp_path, budget="1") as live, open_door(live.parties["shop"], "asker") as node:
        room = cleanroom.connect(node)
        assert room.dry_run(owner="brand", of="colour", epsilon="0.9").refusal is None
        look = room.dry_run("index", owner="brand", of="colour", epsilon="1.2")
        assert [plan["refusal"] is None for plan in look.raw["plans"]] == [True, False]
        with pytest.raises(RefusedError) as refused:
            room.ask("index", owner="brand", of="colour", epsilon="1.2")
        assert refused.value.rule == "budget"
        assert booked(live) == []


def test_plans_that_wait_for_approval_are_all_handed_in_before_that_is_said(tmp_path: Path) -> None:
    required = {"approval": {"mode": "required"}}
    with two_shops(tmp_path, brand=required) as live, open_door(live.parties["shop"], "asker") as node:
        room = cleanroom.connect(node)
        look = room.dry_run("index", owner="brand", of="colour", epsilon="1")
        assert "an approver of brand must agree first: every question needs approval" in "\n".join(look.lines)
        with pytest.raises(PendingError) as pending:
            room.ask("index", owner="brand", of="colour", epsilon="1")
        waiting = {
            plan[:12] for (plan,) in live.parties["brand"].look("SELECT plan_hash FROM question WHERE owner = 1")
        }
        assert len(waiting) == 2
        assert all(plan in str(pending.value) for plan in waiting)
        assert booked(live) == []


def test_what_was_answered_beside_a_plan_that_waits_is_said_to_be(tmp_path: Path) -> None:
    """Between the two plans of an index the day's limit is reached: the first is charged, and the text says so.

    Who asked anew was once told to do the same again, and so to pay once more for the first.
    """
    limited = {"approval": {"mode": "automatic", "epsilon_per_day": "0.9"}}
    with two_shops(tmp_path, brand=limited) as live, open_door(live.parties["shop"], "asker") as node:
        room = cleanroom.connect(node)
        with pytest.raises(PendingError, match="ask the same later, this time without `again`: what is approved by"):
            room.ask("index", owner="brand", of="colour", epsilon="1", again=True)
        with pytest.raises(
            PendingError, match=r"nothing was spent on it; 1 of its plans are answered and stay so; ask"
        ):
            room.ask("index", owner="brand", of="colour", epsilon="1")
        assert len(booked(live)) == 1
