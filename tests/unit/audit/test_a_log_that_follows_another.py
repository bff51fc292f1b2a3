"""An auditor with the folders of two logs, the first of which ended with a stolen key: do they belong together?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.crypto.signatures import SigningKey
from cleanroom.querylog.log_policy import former_head, log_key
from tests.audit_command import Said, audit
from tests.audited_room import AuditedLog, Story
from tests.unit.querylog.test_changed_keys import COORDINATOR, NEW_LOG_KEY, follows
from tests.unit.question import agreements


def first_log() -> Story:
    """One question is answered, one debited and open."""
    story = Story()
    story.answer()
    story.debit(story.ask())
    return story


def second_log(first: Story, **more: Any) -> Story:
    """Goes on from all of it; signed with the same key, which is the coordinator's and the nodes' business."""
    contract = agreements.contract(log_number=2, follows=follows(first.entries))
    story, head = Story(contract, minutes=60, repeats=10), former_head(contract)
    assert head is not None
    fields = {"comes": [log_key(contract).vkey()], "goes": ["old"], "follows": head.text()}
    story.say("coordinator", "key.rotated", story.hash, key=COORDINATOR, **{**fields, **more})
    story.answer()
    return story


@pytest.fixture
def logs(tmp_path: Path) -> tuple[AuditedLog, AuditedLog]:
    """Both, written; the first one has grown after its last good head, by the thief."""
    first = first_log()
    second = second_log(first).write(tmp_path / "second")
    first.say("shop", "incident", "ab" * 32, sender="brand", message="match.points")
    return first.write(tmp_path / "first"), second


def run(command: str, logs: tuple[AuditedLog, AuditedLog], *more: object) -> Said:
    first, second = logs
    return audit(command, second.folder, "--agreement", first.agreement, "--agreement", second.agreement, *more)


def test_the_tie_holds_and_what_the_thief_added_is_no_part_of_it(logs: tuple[AuditedLog, AuditedLog]) -> None:
    for command in ("verify", "replay"):
        done = run(command, logs, "--former", logs[0].folder)
        assert done.status == 0, done.out + done.error
        assert "follows   log 1 from its head of 5 entries, on which all parties agreed; its folder fits" in done.out
        assert "no part of it: 1 entries after that head" in done.out
    together = run("replay", logs, "--former", logs[0].folder).out
    alone = run("replay", logs).out
    assert "3 questions debited" in together
    assert "1 questions debited" in alone
    assert "its folder: --former" in alone


def test_another_log_or_a_shorter_one_is_not_what_was_gone_on_from(
    logs: tuple[AuditedLog, AuditedLog], tmp_path: Path
) -> None:
    other = first_log()
    other.entries[0] = Story().say("shop", "incident", "cd" * 32, sender="brand", message="match.points")
    short = first_log()
    del short.entries[-1]
    for number, story in enumerate((other, short)):
        wrong = story.write(tmp_path / str(number))
        done = run("verify", logs, "--former", wrong.folder)
        assert done.status == 1
        assert "the former log does not fit" in done.error
        assert done.error.count("\n") == 1


def test_a_log_that_begins_with_another_head_or_in_another_name_is_wrong(tmp_path: Path) -> None:
    first = first_log()
    forger = SigningKey(bytes(range(32)))
    head = former_head(second_log(first).contract)
    assert head is not None
    other = replace(head, size=head.size - 1)
    for number, story in enumerate((second_log(first, follows=other.text()), second_log(first))):
        if number:
            kept = story.entries[1:]
            story.entries.clear()
            story.say("coordinator", "key.rotated", story.hash, key=forger, comes=[], goes=[], follows=head.text())
            story.entries += kept
        log = story.write(tmp_path / str(number))
        done = audit("verify", log.folder, "--agreement", log.agreement)
        assert done.status == 1
        assert "rule beginning" in done.error


def test_deviations_are_named_by_log_and_entry(tmp_path: Path) -> None:
    first = first_log()
    first.debit(first.ask(), units="1")
    second = second_log(first)
    second.debit(second.ask(), units="1")
    both = first.write(tmp_path / "first"), second.write(tmp_path / "second")
    done = run("replay", both, "--former", both[0].folder)
    assert done.status == 1
    assert "deviation: entry 6 of log 1: 1 units were debited" in done.out
    assert "deviation: entry 5: 1 units were debited" in done.out


def test_a_first_log_follows_nothing(logs: tuple[AuditedLog, AuditedLog]) -> None:
    first, _ = logs
    done = audit("verify", first.folder, "--agreement", first.agreement, "--former", first.folder)
    assert done.status == 2
    assert "first log" in done.error


def test_a_head_that_was_kept_before_the_log_s_key_was_changed_is_compared_by_the_agreement_of_then(
    tmp_path: Path,
) -> None:
    old = first_log()
    kept = tmp_path / "kept.note"
    kept.write_bytes(old.head("shop", "brand").to_bytes())
    card = replace(agreements.coordinator(), log_key=NEW_LOG_KEY.public_bytes())
    new = Story(agreements.contract(coordinator=card), entries=list(old.entries), minutes=60, log_seed=NEW_LOG_KEY)
    new.say("shop", "incident", "ab" * 32, sender="brand", message="match.points")
    logs = old.write(tmp_path / "old"), new.write(tmp_path / "new")
    assert run("verify", logs, "--kept", kept).status == 0
    alone = audit("verify", logs[1].folder, "--agreement", logs[1].agreement, "--kept", kept)
    assert alone.status == 1
    new.entries[0] = new.entries[-1]
    forked = logs[0], new.write(tmp_path / "forked")
    assert run("verify", forked, "--kept", kept).status == 5
    both = audit("verify", logs[0].folder, "--agreement", logs[0].agreement, "--agreement", logs[1].agreement)
    assert both.status == 1, "the folder itself is signed with the present key, or does not hold"
