"""A whole room audited from outside: every company, the coordinator and the auditor type their own commands, each a
process of its own, and what the auditor reads is held against what happened.
"""

import base64
import csv
import io
import json
import os
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cleanroom.transparency.proof_file import parse_proof
from parties.settings import read_settings
from tests.command_line import cleanroom, said
from tests.enrolled_room import PARTIES, STOP_S, begun, enrol, serving, started
from tests.small_room import write_room

pytestmark = pytest.mark.slow

WHY, WHY_NOT = "fits the campaign", "too close to one person"
ASKED: dict[str, tuple[object, ...]] = {
    "approved": ("--home", "shop", "--owner", "brand", "--by", "colour", "--epsilon", "1"),
    "denied": ("--home", "shop", "--owner", "brand", "--of", "colour", "--epsilon", "3"),
    "count": ("--home", "shop", "--owner", "brand", "--epsilon", "0.5"),
    "mean": ("--home", "brand", "--owner", "shop", "--mean", "spend", "--epsilon", "2"),
}


@dataclass
class Happened:
    """What those who were there know, and nothing that the log says."""

    folder: Path
    began: str
    me: str
    read_out: dict[str, str]
    waited: str = ""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    denied: str = ""
    ended: str = ""

    @property
    def agreement(self) -> Path:
        return self.folder / "agreement.json"

    @property
    def copy(self) -> Path:
        """What the auditor fetched."""
        return self.folder / "copy"

    def audit(self, *words: object, status: int = 0) -> str:
        """An auditor's command under this agreement; what it printed, or its error line."""
        done = cleanroom("audit", *words, "--agreement", self.agreement)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    def rows(self, *choice: object) -> list[dict[str, Any]]:
        """Records that `show` finds, as JSON."""
        found: list[dict[str, Any]] = json.loads(self.audit("show", self.copy, "--format", "json", *choice))["rows"]
        return found


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> Happened:
    """Everything that goes on in the room, and the auditor's copy of its log."""
    folder = tmp_path_factory.mktemp("room")
    room = write_room(folder)
    terms = room.read_text(encoding="utf-8").replace(
        'source = "brand.csv"', 'source = "brand.csv"\napproval = { cells = 2 }'
    )
    room.write_text(terms, encoding="utf-8")
    read_out = enrol(folder, room, auditor="eve")
    analysts = read_settings(folder / "shop" / "settings.toml").analysts
    tale = Happened(folder, now(), next(one.name for one in analysts if one.uid == os.getuid()), read_out)
    with ExitStack() as running:
        address = running.enter_context(serving(folder))
        network = ("--home", folder / "eve", "--agreement", tale.agreement, "--address", address)
        first = begun(folder / "ask.log", *asking(tale, "approved"))
        running.callback(first.end)
        tale.waited = first.wait_for(lambda line: "is not cosigned by" in line)
        assert first.process.poll() is None
        auditor = started(folder / "eve.log", "audit", "cosign", *network)
        running.callback(auditor.end)
        first.wait_for(lambda line: line.startswith("pending: "))
        assert first.process.wait(STOP_S) == 3
        decide(tale, "approved", "approve", WHY)
        for name in ("approved", "count", "mean"):
            tale.answers[name] = answered(tale, name)
        assert cleanroom(*asking(tale, "denied")).returncode == 3
        tale.denied = decide(tale, "denied", "deny", WHY_NOT)
        assert cleanroom(*asking(tale, "denied")).returncode == 1
        for name in PARTIES:
            said(cleanroom("party", "ledger", "head", "--home", folder / name, "--out", folder / f"{name}.heads"))
        tale.ended = now()
        assert said(cleanroom("audit", "fetch", tale.copy, *network)).startswith(f"{tale.copy}: ")
        assert auditor.end() == 0
    return tale


def asking(tale: Happened, name: str) -> tuple[object, ...]:
    """The command of a question, with the home's path."""
    option, home, *rest = ASKED[name]
    return ("ask", option, tale.folder / str(home), *rest)


def answered(tale: Happened, name: str) -> dict[str, Any]:
    """The answer as JSON; its receipt goes to a file."""
    receipt = tale.folder / f"{name}.proof"
    found: dict[str, Any] = json.loads(said(cleanroom(*asking(tale, name), "--json", "-", "--receipt", receipt)))
    return found


def decide(tale: Happened, name: str, verb: str, reason: str) -> str:
    """Decide the one question that waits at brand; its plan's hash."""
    home = tale.folder / "brand"
    (waiting,) = json.loads(said(cleanroom("party", "approvals", "list", "--home", home, "--json")))["pending"]
    said(cleanroom("party", "approvals", verb, waiting["id"], "--home", home, "--reason", reason))
    return str(waiting["plan"])


def test_a_question_waits_for_the_auditor_says_so_and_goes_on_with_it(happened: Happened) -> None:
    assert "the log's newest head is not cosigned by eve (lacks what came since " in happened.waited
    assert "last signed never" in happened.waited
    assert happened.answers["approved"]["question"]["asker"] == "shop"


def test_the_terms_that_everybody_signed_name_the_auditor_by_what_it_read_out(happened: Happened) -> None:
    assert f"must cosign it; card {happened.read_out['eve']}\n" in said(cleanroom("room", "show", happened.agreement))


def test_the_copy_holds_and_so_does_a_plain_copy_of_the_coordinator_s_folder(happened: Happened) -> None:
    receipt = happened.folder / "count.proof"
    out = happened.audit("verify", happened.copy, "--max-age", "1d", "--kept", receipt)
    assert re.search(r"^cosigned  brand \S+Z, eve \S+Z, shop \S+Z$", out, re.MULTILINE)
    assert "it holds, by the log and the quorum whole-log" in out
    plain = shutil.copytree(happened.folder / "hub" / "rooms" / "small.log", happened.folder / "plain")
    assert "it holds" in happened.audit("verify", plain)


def test_show_tells_who_asked_what_when_what_for_and_what_became_of_it(happened: Happened) -> None:
    questions = {row["subject"]: row for row in happened.rows() if row["kind"] == "question"}
    told = {name: questions[answer["question"]["plan"]] for name, answer in happened.answers.items()}
    told["denied"] = questions[happened.denied]
    assert len(questions) == len(ASKED)
    for row in told.values():
        assert (row["analyst"], row["purpose"], row["doubt"]) == (happened.me, "A test", "")
        assert happened.began <= row["at"] <= happened.ended
    assert {name: (row["by"], row["about"], row["datasets"]) for name, row in told.items()} == {
        **{name: ("shop", "brand", ["brand/small"]) for name in ("approved", "denied", "count")},
        "mean": ("brand", "shop", ["shop/small"]),
    }
    assert {name: row["says"] for name, row in told.items()} == {
        "approved": "how many people by shop's colour, people shared with brand",
        "denied": "spread over colour, people shared with brand",
        "count": "how many people, people shared with brand",
        "mean": "mean of spend, people shared with shop",
    }
    assert {name: (row["outcome"], row["approved_by"]) for name, row in told.items()} == {
        "approved": ("answered", happened.me),
        "denied": ("refused", ""),
        "count": ("answered", ""),
        "mean": ("answered", ""),
    }
    assert told["approved"]["reason"] == WHY
    assert told["denied"]["refused_by"] == "brand"
    assert told["denied"]["reason"].startswith(f"{happened.me} of brand does not agree: {WHY_NOT} (rule approval)")
    assert {name: row["epsilon"] for name, row in told.items()} == {
        "approved": 1.0, "denied": None, "count": 0.5, "mean": 2.0,
    }  # fmt: skip
    (match,) = (row for row in happened.rows() if row["kind"] == "match")
    assert (match["by"], match["about"], match["outcome"]) == ("shop", "brand", "placed")
    entries = sorted(index for row in happened.rows() for index in row["entries"])
    assert entries == list(range(len(entries))), "every entry of the log is in one record"
    assert f"entries   {len(entries)}, all of them" in happened.audit("verify", happened.copy)


def test_show_finds_what_an_auditor_looks_for(happened: Happened) -> None:
    def names(*choice: object) -> list[str]:
        plans = {answer["question"]["plan"]: name for name, answer in happened.answers.items()}
        return [{**plans, happened.denied: "denied"}[row["subject"]] for row in happened.rows("--kind", *choice)]

    assert names("refused", "--party", "shop", "--since", "2026-03-01") == ["denied"]
    assert names("answered") == ["approved", "count", "mean"]
    assert names("question", "--dataset", "shop/small") == ["mean"]
    assert names("question", "--analyst", happened.me, "--until", happened.began[:10] + "T00:00:00Z") == []


def test_table_spreadsheet_and_page_show_the_same(happened: Happened) -> None:
    rows, page = happened.rows(), happened.folder / "page.html"
    read = list(csv.DictReader(io.StringIO(happened.audit("show", happened.copy, "--format", "csv"))))
    assert [(row["subject"], row["outcome"], row["reason"]) for row in read] == [
        (row["subject"], row["outcome"], row["reason"]) for row in rows
    ]
    table = happened.audit("show", happened.copy)
    happened.audit("show", happened.copy, "--format", "html", "--out", page)
    html = page.read_text(encoding="utf-8")
    for words in (WHY, "ε 0.5", "brand/small", f"shop ({happened.me})", "question: refused"):
        assert words in table
    for words in (WHY, WHY_NOT, "brand/small", "shop/small", happened.me):
        assert words in html
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", html), "the page loads nothing"


def test_what_the_log_adds_up_to_is_what_the_owners_ledgers_hold(happened: Happened) -> None:
    heads = [option for name in PARTIES for option in ("--ledger-head", happened.folder / f"{name}.heads")]
    out = happened.audit("replay", happened.copy, *heads)
    assert "ledger heads compared: 2\nevery price and budget adds up\n" in out
    for owner, asker in (PARTIES, PARTIES[::-1]):
        shown = json.loads(said(cleanroom("party", "ledger", "show", "--home", happened.folder / owner, "--json")))
        spent = f"epsilon {shown['spent']['epsilon']:g} ({shown['spent']['units']} units)"
        assert f"{asker} on `{owner}/small` of {owner}: spent {spent} of " in out
    assert "brand on `shop/small` of shop: spent epsilon 2 " in out


@pytest.fixture(scope="module")
def receipts(happened: Happened) -> Path:
    """Receipts about the question that was approved and about the one that was denied, alone in one folder."""
    alone = happened.folder / "alone"
    for name, plan in (("yes", happened.answers["approved"]["question"]["plan"]), ("no", happened.denied)):
        happened.audit("prove", happened.copy, plan[:12], "--out", alone / name)
    return alone


def test_a_receipt_is_checked_by_its_file_alone(happened: Happened, receipts: Path) -> None:
    kinds = {name: sorted(file.stem[7:] for file in (receipts / name).glob("*.proof")) for name in ("yes", "no")}
    assert kinds == {
        "yes": ["answer-released", "budget-debit", "question-approved", "question-asked"],
        "no": ["question-asked", "question-refused"],
    }
    for file in receipts.glob("*/*.proof"):
        elsewhere = shutil.copy(file, happened.folder / "carried.proof")
        out = said(cleanroom("audit", "verify", elsewhere, "--policy", file.with_name("policy")))
        assert f"entry     {int(file.name[:6])} of " in out
        assert "cosigned  brand, eve, shop" in out
        assert "it holds" in happened.audit("verify", elsewhere)
    said(cleanroom("audit", "verify", happened.folder / "approved.proof", "--agreement", happened.agreement))
    (refusal,) = (receipts / "no").glob("*-question-refused.proof")
    extra = parse_proof(refusal.read_bytes()).extra
    assert extra is not None
    assert WHY_NOT in base64.b64decode(json.loads(extra)["payload"]).decode("utf-8")


def test_a_receipt_with_another_entry_in_it_is_none(happened: Happened, receipts: Path) -> None:
    one, two = sorted((receipts / "yes").glob("*.proof"))[:2]
    lines, other = one.read_bytes().split(b"\n"), two.read_bytes().split(b"\n")
    swapped = happened.folder / "swapped.proof"
    swapped.write_bytes(b"\n".join([lines[0], other[1], *lines[2:]]))
    assert "error: receipt: entry " in happened.audit("verify", swapped, status=1)
