"""An auditor's commands over a folder, an agreement and nothing else: what they say and with which exit status."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanroom.crypto.signatures import SigningKey
from cleanroom.querylog.log_policy import log_key
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.policy_file import policy_text
from tests.audit_command import Said, audit
from tests.audited_room import COSIGNED, AuditedLog, Story, ordinary
from tests.command_line import ROOT, cleanroom
from tests.unit.question import agreements


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditedLog:
    """The ordinary day; nobody changes it."""
    return ordinary().write(tmp_path_factory.mktemp("day"))


def verify(log: AuditedLog, *more: object) -> Said:
    return audit("verify", log.folder, "--agreement", log.agreement, *more)


# ---- verify ----------------------------------------------------------------------------------------------------------


def test_a_log_that_holds_is_said_to_hold_and_by_whom(log: AuditedLog) -> None:
    said = verify(log)
    assert said.status == 0
    lines = said.out.splitlines()
    assert lines[0] == "log       room.test/spring/log/1"
    assert lines[1].startswith("entries   18, all of them under the signed root ")
    assert lines[2] == "cosigned  brand 2026-03-09T09:00:00Z, shop 2026-03-09T09:00:00Z"
    assert lines[3] == "it holds, by the log and the quorum whole-log"


def test_the_program_itself_ends_in_the_status_that_scripts_read(log: AuditedLog, tmp_path: Path) -> None:
    """Both ways to start it, as processes."""
    assert cleanroom("audit", "verify", log.folder, "--agreement", log.agreement).returncode == 0
    few = ordinary().write(tmp_path, ["shop"])
    command = [sys.executable, "-m", "cleanroom.audit", "verify", str(few.folder), "--agreement", str(few.agreement)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4
    assert done.stderr.startswith("error: checkpoint: entry count 18 is not cosigned by the quorum; missing: ")
    assert "Traceback" not in done.stderr


def test_the_verifier_loads_no_server_no_network_and_no_party(log: AuditedLog) -> None:
    program = (
        "import sys; from cleanroom.audit.__main__ import main\n"
        f"sys.argv = ['audit', 'verify', {str(log.folder)!r}, '--agreement', {str(log.agreement)!r}]\n"
        "try: main()\n"
        "except SystemExit as ended: assert ended.code == 0\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'grpc', 'google', 'parties', 'sqlite3', 'duckdb',"
        " 'pyarrow'}), [name for name in sys.modules if name.startswith('cleanroom.coordinator')])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[] []", done.stderr


def test_a_log_is_verified_by_a_policy_file_and_a_key_read_out(log: AuditedLog, tmp_path: Path) -> None:
    policy, vkey = tmp_path / "policy", log_key(agreements.contract()).vkey()
    policy.write_text(policy_text(log.policy), encoding="utf-8")
    assert audit("verify", log.folder, "--policy", policy).status == 0
    assert audit("verify", log.folder, "--policy", policy, "--vkey", vkey).status == 0
    alone = audit("verify", log.folder, "--vkey", vkey)
    assert alone.status == 0
    assert "no cosigner was asked for" in alone.out
    other = log_key(agreements.contract(log_number=2, follows=agreements.FOLLOWS)).vkey()
    wrong = audit("verify", log.folder, "--policy", policy, "--vkey", other)
    assert wrong.status == 2
    assert "names another key of the log than --vkey" in wrong.error


@pytest.mark.parametrize(
    "more", [["--vkey", "x"], ["--agreement", "nowhere", "--policy", "p"], [], ["--max-age", "1y", "--vkey", "x+y"]]
)
def test_wrong_usage_is_status_2_and_one_line(log: AuditedLog, more: list[str]) -> None:
    said = audit("verify", log.folder, *more)
    assert said.status == 2
    assert said.error.count("\n") == 1


def test_a_folder_that_is_none_an_agreement_that_is_none_and_an_unsigned_one_are_wrong_usage(
    log: AuditedLog, tmp_path: Path
) -> None:
    assert audit("verify", tmp_path / "none", "--agreement", log.agreement).status == 2
    for text in (b"", b"{}", log.agreement.read_bytes()[:-9]):
        (tmp_path / "a.json").write_bytes(text)
        assert audit("verify", log.folder, "--agreement", tmp_path / "a.json").status == 2
    unsigned = json.loads(log.agreement.read_bytes())
    del unsigned["signatures"]["bank"]
    (tmp_path / "a.json").write_text(json.dumps(unsigned, separators=(",", ":"), sort_keys=True), encoding="utf-8")
    said = audit("verify", log.folder, "--agreement", tmp_path / "a.json")
    assert said.status == 2
    assert "not signed by bank" in said.error


def test_an_empty_folder_has_no_checkpoint(log: AuditedLog, tmp_path: Path) -> None:
    said = audit("verify", tmp_path, "--agreement", log.agreement)
    assert (said.status, said.error) == (1, "error: checkpoint: the folder has no checkpoint\n")


@pytest.mark.parametrize(("age", "status"), [("60s", 0), ("59s", 3)])
def test_a_word_older_than_asked_for_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: str, status: int
) -> None:
    monkeypatch.setattr("cleanroom.audit.verify.time.time", lambda: float(COSIGNED + 60))
    assert verify(ordinary().write(tmp_path), "--max-age", age).status == status


def test_two_histories_are_status_5_and_leave_both_notes_as_evidence(log: AuditedLog, tmp_path: Path) -> None:
    story = Story()
    story.ask("bank", "shop")
    (tmp_path / "kept").write_bytes(story.head("shop").to_bytes())
    day = ordinary().write(tmp_path)
    said = verify(day, "--kept", tmp_path / "kept")
    assert said.status == 5
    assert "signed another history of its first 1 entries" in said.error
    evidence = sorted((tmp_path / "log.evidence").iterdir())
    sizes = sorted(int(parse_note(file.read_bytes()).text.split("\n")[1]) for file in evidence)
    assert sizes == [1, 18]
    assert all(str(file) in said.error for file in evidence)
    assert verify(day, "--kept", tmp_path / "kept").status == 5
    assert sorted((tmp_path / "log.evidence").iterdir()) == evidence


def test_a_head_kept_from_elsewhere_that_is_newer_says_that_the_folder_is_yesterday_s(tmp_path: Path) -> None:
    story = ordinary()
    day = story.write(tmp_path)
    story.answer()
    (tmp_path / "kept").write_bytes(story.head("shop").to_bytes())
    assert verify(day, "--kept", tmp_path / "kept").status == 3
    assert verify(story.write(tmp_path), "--kept", tmp_path / "kept").status == 0


def test_a_receipt_that_a_party_was_given_tells_on_a_log_with_two_histories(log: AuditedLog, tmp_path: Path) -> None:
    """Whoever was answered holds a head: no need to ask anybody for a bare note."""
    for name, story in (("same", ordinary()), ("other", Story())):
        story.answer("bank", "shop")
        told, out = story.write(tmp_path / name), tmp_path / f"{name}.receipts"
        plan = json.loads(base64.b64decode(json.loads(story.entries[-1])["payload"]))["subject"]
        assert audit("prove", told.folder, plan, "--agreement", told.agreement, "--out", out).status == 0
        (tmp_path / f"{name}.proof").write_bytes(sorted(out.glob("*.proof"))[-1].read_bytes())
    assert verify(log, "--kept", tmp_path / "same.proof").status == 3, "it is of a later head than the folder's"
    said = verify(ordinary().write(tmp_path), "--kept", tmp_path / "other.proof")
    assert said.status == 5, said.error
    (tmp_path / "other.proof").write_bytes(b"c2sp.org/tlog-proof@v1\nindex\n")
    assert verify(log, "--kept", tmp_path / "other.proof").status == 2


def needed_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bit_that_is_flipped_on_the_disk_is_noticed_and_the_file_named(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Entries, tiles, the checkpoint's text and the signatures that the quorum needs."""
    log = ordinary().write(tmp_path_factory.mktemp("flipped"))
    path = data.draw(st.sampled_from(needed_files(log.folder)))
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    said = verify(log)
    assert said.status in ((1, 4) if path.name == "checkpoint" else (1,))
    name = path.relative_to(log.folder).as_posix()
    assert said.error.startswith(f"error: {name}: ")
    if name != "checkpoint":
        assert said.error.startswith(f"error: {name}: entry ")


def test_a_link_is_no_file_of_the_log(tmp_path: Path) -> None:
    """What it leads to is somebody's choice at the moment of reading."""
    log = ordinary().write(tmp_path)
    bundle = next(log.folder.glob("tile/entries/*.p/*"))
    bundle.rename(tmp_path / "elsewhere")
    bundle.symlink_to(tmp_path / "elsewhere")
    said = verify(log)
    assert said.status == 1
    assert "the file is missing" in said.error


def test_a_pipe_and_a_file_without_end_do_not_hold_the_verifier(tmp_path: Path) -> None:
    log = ordinary().write(tmp_path)
    os.mkfifo(log.folder / "pipe")
    (log.folder / "tile" / "huge").touch()
    os.truncate(log.folder / "tile" / "huge", 1 << 40)
    assert verify(log).status == 0
    os.truncate(log.folder / "checkpoint", 1 << 40)
    said = verify(log)
    assert (said.status, said.error) == (1, "error: checkpoint: the file has more than 131072 bytes\n")


def test_what_is_not_needed_is_named_without_letting_its_name_act(tmp_path: Path) -> None:
    log = ordinary().write(tmp_path)
    (log.folder / "no\x1b[2Jtes.txt").write_bytes(b"hello")
    said = verify(log)
    assert said.status == 0
    assert "nothing signed needs it: no\\u001b[2Jtes.txt" in said.out


# ---- show ------------------------------------------------------------------------------------------------------------


def show(log: AuditedLog, *more: object) -> Said:
    return audit("show", log.folder, "--agreement", log.agreement, *more)


def test_show_tells_who_asked_what_and_whose_word_it_is(log: AuditedLog) -> None:
    said = show(log)
    assert said.status == 0
    assert "purpose   to test a room" in said.out
    for words in ("shop (alice)", "question: answered", "ε 0.811", "approved by dora", "rule", "room.paused"):
        assert words in said.out


def test_show_shows_nothing_of_a_log_that_does_not_hold(tmp_path: Path) -> None:
    log = ordinary().write(tmp_path, ["shop"])
    said = show(log)
    assert (said.status, said.out) == (4, "")


def test_show_without_an_agreement_says_that_nobody_vouches_for_it(log: AuditedLog) -> None:
    said = audit("show", log.folder)
    assert said.status == 0
    assert said.out.startswith("NOT VERIFIED: no agreement was given")
    assert "question: answered" in said.out


def test_show_writes_a_file_in_every_format(log: AuditedLog, tmp_path: Path) -> None:
    for form, begins in (
        ("csv", '"entries","kind"'),
        ("json", "{\n"),
        ("html", "<!DOCTYPE html>\n"),
        ("table", "log  "),
    ):
        out = tmp_path / f"out.{form}"
        said = show(log, "--format", form, "--out", out)
        assert (said.status, said.out) == (0, f"written: {out}\n")
        assert out.read_text(encoding="utf-8").startswith(begins)


def test_show_says_what_was_chosen(log: AuditedLog) -> None:
    said = show(log, "--kind", "refused", "--party", "shop")
    assert "chosen    party shop, only refused" in said.out
    assert "question: refused" in said.out
    assert "question: answered" not in said.out
    assert show(log, "--party", "nobody").status == 2


# ---- replay ----------------------------------------------------------------------------------------------------------


def replay(log: AuditedLog, *more: object) -> Said:
    return audit("replay", log.folder, "--agreement", log.agreement, *more)


def test_replay_says_what_everybody_has_spent_and_that_it_adds_up(log: AuditedLog) -> None:
    said = replay(log)
    assert said.status == 0
    assert (
        "shop on `brand customers` of brand: spent epsilon 0.811 (10994428246 units) of epsilon 21.317 (4398046511104"
        " units), 1 questions debited, 0 of them voided, 1 matches" in said.out
    )
    assert said.out.endswith("ledger heads compared: 0\nevery price and budget adds up\n")


def test_replay_names_every_deviation_and_ends_in_1(tmp_path: Path) -> None:
    story = ordinary()
    story.debit(story.ask(), units="1")
    story.release(story.ask("bank", "brand"))
    said = replay(story.write(tmp_path))
    assert said.status == 1
    found = [line for line in said.out.splitlines() if line.startswith("deviation: ")]
    assert [line.split(":")[1] for line in found] == [" entry 19", " entry 21"]
    assert said.error == "error: 2 deviations\n"


def test_replay_takes_a_changed_agreement_beside_the_one_before(tmp_path: Path) -> None:
    old, new = Story(), Story(agreements.contract(purpose="changed terms"))
    old.answer()
    new.entries, new.minutes, new.repeats = old.entries, old.minutes, old.repeats
    new.answer()
    log = new.write(tmp_path)
    before = tmp_path / "before.json"
    before.write_bytes(old.agreement.file_bytes())
    assert replay(log).status == 1
    both = audit("replay", log.folder, "--agreement", before, "--agreement", log.agreement)
    assert both.status == 0, both.out


def test_replay_refuses_a_ledger_head_that_no_party_signed(log: AuditedLog, tmp_path: Path) -> None:
    story = Story()
    forged = story.say("brand", "ledger.head", "0" * 64, key=SigningKey.generate())
    for text in (forged, b"nonsense", story.say("brand", "ledger.head", "0" * 64)):
        (tmp_path / "heads").write_bytes(text + b"\n")
        said = replay(log, "--ledger-head", tmp_path / "heads")
        assert said.status == 2
        assert f"{tmp_path / 'heads'}, line 1 is no ledger head" in said.error


def test_replay_needs_an_agreement(log: AuditedLog) -> None:
    assert audit("replay", log.folder).status == 2


# ---- prove -----------------------------------------------------------------------------------------------------------


def plan_of(story: Story) -> str:
    payload = json.loads(base64.b64decode(json.loads(story.entries[3])["payload"]))
    return str(payload["subject"])


def test_a_receipt_is_checked_alone_by_whoever_has_the_folder_of_receipts(log: AuditedLog, tmp_path: Path) -> None:
    out = tmp_path / "receipts"
    said = audit("prove", log.folder, plan_of(ordinary())[:12], "--agreement", log.agreement, "--out", out)
    assert said.status == 0
    assert sorted(file.name for file in out.iterdir()) == [
        "000003-question-asked.proof",
        "000004-budget-debit.proof",
        "000005-answer-released.proof",
        "README",
        "policy",
    ]
    for file in out.glob("*.proof"):
        for whose in (["--policy", out / "policy"], ["--agreement", log.agreement]):
            checked = audit("verify", file, *whose)
            assert checked.status == 0, checked.error
            assert f"entry     {int(file.name[:6])} of 18 is the one in this receipt" in checked.out


def test_any_flipped_bit_of_a_receipt_is_noticed_but_in_unneeded_lines(log: AuditedLog, tmp_path: Path) -> None:
    out = tmp_path / "receipts"
    audit("prove", log.folder, plan_of(ordinary()), "--agreement", log.agreement, "--out", out)
    file = out / "000004-budget-debit.proof"
    whole = file.read_bytes()
    for bit in range(0, 8 * len(whole), 37):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        assert audit("verify", file, "--policy", out / "policy").status in (1, 4), bit


def test_a_long_entry_stands_beside_its_receipt(tmp_path: Path) -> None:
    story = ordinary()
    plan = story.ask()
    story.refuse(plan, explanation="x" * 36_000)
    assert len(story.entries[-1]) > 48_000
    log, out = story.write(tmp_path), tmp_path / "receipts"
    assert audit("prove", log.folder, plan.hash(), "--agreement", log.agreement, "--out", out).status == 0
    assert (out / "000019-question-refused.entry").read_bytes() == story.entries[-1]
    proof = out / "000019-question-refused.proof"
    assert audit("verify", proof, "--policy", out / "policy").status == 0
    (out / "000019-question-refused.entry").rename(tmp_path / "entry")
    lost = audit("verify", proof, "--policy", out / "policy")
    assert lost.status == 2
    assert "give the entry's bytes: --entry FILE" in lost.error
    assert audit("verify", proof, "--policy", out / "policy", "--entry", tmp_path / "entry").status == 0
    (tmp_path / "entry").write_bytes(b"another")
    assert audit("verify", proof, "--policy", out / "policy", "--entry", tmp_path / "entry").status == 1


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        ("0" * 64, "names nothing in this log"),
        ("xyz", "8 to 64 hex digits"),
        ("../../etc", "8 to 64 hex digits"),
    ],
)
def test_a_question_that_is_not_there_has_no_receipt(log: AuditedLog, tmp_path: Path, plan: str, line: str) -> None:
    said = audit("prove", log.folder, plan, "--agreement", log.agreement, "--out", tmp_path / "out")
    assert said.status == 2
    assert line in said.error
    assert not (tmp_path / "out").exists()


def test_receipts_never_replace_a_folder(log: AuditedLog, tmp_path: Path) -> None:
    said = audit("prove", log.folder, plan_of(ordinary()), "--agreement", log.agreement, "--out", tmp_path)
    assert (said.status, "choose a new folder" in said.error) == (2, True)


# ---- init ------------------------------------------------------------------------------------------------------------


def test_init_makes_keys_card_and_request_and_says_what_to_do_next(tmp_path: Path) -> None:
    home = tmp_path / "eve"
    said = audit("init", "eve", "--out", home, "--domain", "room.test")
    assert said.status == 0
    assert (home / "keys" / "cosigning.key").stat().st_mode & 0o777 == 0o600
    card = (home / "card.toml").read_text(encoding="ascii")
    key = base64.b64encode(SigningKey((home / "keys" / "cosigning.key").read_bytes()).public_bytes()).decode()
    assert f'[auditors.eve]\nkey = "{key}"\nrequired = true\n' in card
    fingerprint = next(line.split()[1] for line in said.out.splitlines() if line.startswith("fingerprint"))
    assert f"# {fingerprint}\n" in card
    for words in (
        "puts it into the room file",
        "read it out to every party",
        "have the coordinator's operator sign it",
    ):
        assert words in said.out
    again = audit("init", "eve", "--out", home)
    assert (again.status, "already holds an auditor" in again.error) == (2, True)


def test_init_without_a_domain_makes_no_request_and_says_so(tmp_path: Path) -> None:
    said = audit("init", "eve", "--out", tmp_path / "eve", "--optional")
    assert "no request  without --domain" in said.out
    assert not (tmp_path / "eve" / "request.csr").exists()
    assert "required = false" in (tmp_path / "eve" / "card.toml").read_text(encoding="ascii")


def test_a_name_that_could_lead_elsewhere_is_none(tmp_path: Path) -> None:
    assert audit("init", "../eve", "--out", tmp_path / "eve").status == 2
