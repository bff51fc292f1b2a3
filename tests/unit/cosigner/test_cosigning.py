"""A cosigner stores before it signs, holds what it signs, and gives proofs that anybody can check alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cleanroom.cosigner.stops import BrokenRuleError
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, StateError, UnavailableError, UsageError
from cleanroom.transparency.policy import all_of
from cleanroom.transparency.proof_file import verify_proof
from cleanroom.transparency.witness_message import COSIGNED, WitnessAnswer
from cleanroom.wire.messages import Published
from tests.built_log import POLICY, TIME, some_entries, tree_of
from tests.unit.cosigner.growing_log import Clock, GrowingLog, cosigner, on_disk, open_mirror

BOTH = all_of("asker", "owner")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def test_what_is_signed_is_on_disk_before_the_signature_leaves(folder: Path) -> None:
    path, seen = folder / "mirror.db", []
    log = GrowingLog(some_entries(5))
    log.before_submit = lambda size, answer: seen.append((size, *on_disk(path)))
    assert cosigner(open_mirror(path), log).step(0)
    assert seen == [(5, 5, tree_of(log.entries).root(), TIME)]
    assert [(size, answer.status) for size, answer in log.answers] == [(5, COSIGNED)]


def test_the_mirror_is_readable_by_its_owner_alone(folder: Path) -> None:
    open_mirror(folder / "mirror.db")
    assert (folder / "mirror.db").stat().st_mode & 0o777 == 0o600
    (folder / "mirror.db").chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        open_mirror(folder / "mirror.db", begun=True)


def test_every_entry_is_held_and_found(folder: Path) -> None:
    log = GrowingLog(some_entries(700), page=100)
    mirror = open_mirror(folder / "mirror.db")
    cosigner(mirror, log).step(0)
    assert mirror.entries(0, 1000) == log.entries
    assert (mirror.find(log.entries[699]), mirror.find(b"other")) == (699, None)
    again = open_mirror(folder / "mirror.db", begun=True)
    assert (again.held, again.head(), again.entries(0, 1000)) == (mirror.held, mirror.head(), log.entries)


def test_a_proof_waits_for_the_quorum_and_is_verified_alone(folder: Path) -> None:
    log = GrowingLog(some_entries(3))
    mirror = open_mirror(folder / "mirror.db")
    mine = cosigner(mirror, log)
    mine.step(0)
    assert mirror.proof(log.entries[1], BOTH) is None
    log.cosigned_by("asker")
    assert mine.step(0)
    proof = mirror.proof(log.entries[1], BOTH)
    assert proof is not None
    index, head = verify_proof(proof, log.entries[1], POLICY.with_quorum(BOTH))
    assert (index, head.checkpoint.size) == (1, 3)
    assert mirror.proof(log.entries[1], all_of("asker", "owner", "auditor")) is None
    assert mirror.proof(b"never logged", BOTH) is None


def test_a_proof_is_made_under_the_smallest_head_that_will_do(folder: Path) -> None:
    log, entries = GrowingLog(), some_entries(4)
    mirror = open_mirror(folder / "mirror.db")
    mine = cosigner(mirror, log)
    for entry in entries:
        log.entries.append(entry)
        log.cosigned_by("asker")
        mine.step(0)
    sizes = [verify_proof(mirror.proof(entry, BOTH) or b"", entry, POLICY)[1].checkpoint.size for entry in entries]
    assert sizes == [1, 2, 3, 4]


def test_a_signature_that_did_not_arrive_is_given_again_byte_for_byte(folder: Path) -> None:
    log, lost, clock = GrowingLog(some_entries(2)), [], Clock()

    def lose(size: int, answer: WitnessAnswer) -> None:
        lost.append((size, answer))
        raise UnavailableError("gone")

    log.before_submit = lose
    with pytest.raises(UnavailableError):
        cosigner(open_mirror(folder / "mirror.db"), log, clock=clock).step(0)
    log.before_submit = lambda size, answer: None
    clock.now += 100
    mine = cosigner(open_mirror(folder / "mirror.db", begun=True), log, clock=clock)
    mine.step(0)
    assert log.answers == lost
    mine.step(0)
    assert log.answers == lost


def test_entries_that_break_a_rule_are_not_signed_and_the_head_is_evidence(folder: Path) -> None:
    log = GrowingLog(some_entries(3))
    mirror = open_mirror(folder / "mirror.db")

    def refuse(first: int, entries: object) -> None:
        raise PeerError(f"entry {first + 1}: rule once: said twice")

    with pytest.raises(BrokenRuleError, match="entry 1: rule once"):
        cosigner(mirror, log, check=refuse).step(0)
    assert (mirror.size, log.answers) == (0, [])
    (evidence,) = mirror.evidence()
    assert (evidence.is_split, evidence.theirs) == (False, log.note().to_bytes())
    assert (folder / "evidence" / "1-theirs.note").read_bytes() == log.note().to_bytes()
    cosigner(mirror, log).step(0)
    assert mirror.size == 3


def test_a_log_that_withholds_or_swaps_entries_is_not_signed(folder: Path) -> None:
    log = GrowingLog(some_entries(3))
    log.note()
    mirror = open_mirror(folder / "mirror.db")
    log.shown = log.request(0)
    whole, log.entries = log.entries, log.entries[:2]
    with pytest.raises(PeerError, match="withholds entry 2"):
        cosigner(mirror, log).step(0)
    log.entries = [*whole[:2], b"another"]
    with pytest.raises(PeerError, match="not those whose root"):
        cosigner(mirror, log).step(0)
    assert (mirror.size, log.answers) == (0, [])


def test_only_the_key_of_the_contract_signs(folder: Path) -> None:
    with pytest.raises(UsageError, match="not the one that the contract names for owner"):
        cosigner(open_mirror(folder / "mirror.db"), GrowingLog(), key=SigningKey(bytes([9]) * 32))
    with pytest.raises(UsageError, match="no cosigner"):
        open_mirror(folder / "other.db", "stranger")


def test_who_waits_hears_of_every_change_and_of_nothing_else(folder: Path) -> None:
    log, heard = GrowingLog(some_entries(2)), []
    mine = cosigner(open_mirror(folder / "mirror.db"), log, changed=lambda: heard.append(1))
    assert (mine.step(0), len(heard)) == (True, 1)
    mine.step(0)
    assert (mine.step(0), len(heard)) == (False, 1)
    log.cosigned_by("asker")
    assert (mine.step(0), len(heard)) == (True, 2)


def test_a_clock_set_back_stops_signing_until_it_is_mended(folder: Path) -> None:
    log, clock = GrowingLog(some_entries(2)), Clock()
    mirror = open_mirror(folder / "mirror.db")
    mine = cosigner(mirror, log, clock=clock)
    mine.step(0)
    log.entries.append(b"more")
    clock.now = TIME - 61
    with pytest.raises(StateError, match="clock"):
        mine.step(0)
    clock.now = TIME - 60
    mine.step(0)
    assert (mirror.size, mirror.held.time) == (3, TIME)


def test_cosignatures_that_the_log_only_said_it_sent_are_asked_for_again(folder: Path, monkeypatch: Any) -> None:
    """After a whole poll in which nothing came, from the first one on; otherwise only what is new."""
    log = GrowingLog(some_entries(3))
    mirror = open_mirror(folder / "mirror.db")
    mine = cosigner(mirror, log)
    mine.step(0)
    log.cosigned_by("asker")
    honest = log.poll_checkpoint

    def stripped(held_size: int, seen: int, wait_ms: int) -> Published:
        return replace(honest(held_size, seen, wait_ms), notes=())

    monkeypatch.setattr(log, "poll_checkpoint", stripped)
    mine.step(0)
    monkeypatch.setattr(log, "poll_checkpoint", honest)
    mine.step(0)
    mine.step(0)
    assert mirror.proof(log.entries[1], BOTH) is None
    mine.step(1)  # waits in vain
    mine.step(1)
    assert mirror.proof(log.entries[1], BOTH) is not None
