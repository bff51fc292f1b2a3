"""Published heads: what each cosigner is handed, what is kept of what they answer, and what is forgotten."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.coordinator import head_table
from cleanroom.coordinator.head_table import KEPT_HEADS, stored_heads
from cleanroom.errors import PeerError, StateError
from cleanroom.ids import PartyName
from cleanroom.transparency.checkpoint import open_checkpoint, parse_checkpoint
from cleanroom.transparency.consistency import verify_consistency
from cleanroom.transparency.cosignature import cosigned_at
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.witness_message import OTHER_SIZE, WitnessAnswer, parse_request
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.wire.messages import MAX_NOTES
from tests.built_log import COSIGNERS, LOG_KEY, TIME
from tests.unit.coordinator.written_log import WrittenLog, answer


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WrittenLog]:
    """Empty; its head of no entries is published."""
    log = WrittenLog(tmp_path)
    yield log
    log.close()


def sizes(log: WrittenLog) -> list[int]:
    """Of the heads that are kept."""
    with log.store.reading() as tx:
        return [size for size, _ in stored_heads(tx)]


def test_a_published_head_is_signed_by_the_log_and_proven_from_what_the_caller_holds(log: WrittenLog) -> None:
    log.grow(5)
    assert log.publish()
    old = log.head()
    log.now_s += 2
    log.grow(6)
    assert log.publish()
    request = parse_request(log.poll("owner", held_size=5).request)
    new = open_checkpoint(parse_note(request.checkpoint), [LOG_KEY])
    assert (request.old_size, old.size, new.size) == (5, 5, 11)
    verify_consistency(request.proof, old_size=5, old_root=old.root, new_size=11, new_root=new.root)


def test_who_holds_the_newest_head_is_asked_nothing(log: WrittenLog) -> None:
    assert log.poll("owner", held_size=0).request == b""
    log.grow(1)
    log.publish()
    assert log.poll("owner", held_size=1).request == b""
    assert log.poll("owner", held_size=0).request != b""


def test_nothing_is_published_while_nothing_is_new(log: WrittenLog) -> None:
    assert not log.publish()
    log.grow(1)
    assert log.publish()
    assert not log.publish()


def test_the_next_head_waits_for_those_who_took_this_one_and_no_longer_than_two_seconds(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    first = log.head("owner")
    log.grow(1)
    assert not log.publish()
    log.heads.submit(PartyName("owner"), 1, answer(first, "owner"))
    assert log.publish()
    log.head("owner")
    log.grow(1)
    log.now_s += 1.9
    assert not log.publish()
    log.now_s += 0.1
    assert log.publish()


def test_nobody_waits_for_a_poll_whose_caller_has_gone(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    gone = log.heads.poll(PartyName("owner"), 0, 0, 20.0, lambda: False)
    assert (gone.request, gone.notes) == (b"", ())
    log.grow(1)
    assert log.publish()


def test_a_refusal_counts_as_an_answer_and_is_told_to_the_operator(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    log.head("owner")
    log.grow(1)
    log.heads.submit(PartyName("owner"), 1, WitnessAnswer(OTHER_SIZE, b"7\n"))
    assert log.publish()
    assert '"code": "409", "event": "cosigner refuses", "index": 1, "party": "owner"' in log.logged.getvalue()


def test_cosigned_heads_come_oldest_first_and_no_more_than_sixteen_at_once(log: WrittenLog) -> None:
    for _ in range(MAX_NOTES + 3):
        log.grow(1)
        log.publish()
        log.cosign("owner")
    first = log.poll("asker", held_size=MAX_NOTES + 3)
    assert [parse_checkpoint(parse_note(note).text).size for note in first.notes] == list(range(1, MAX_NOTES + 1))
    second = log.poll("asker", held_size=MAX_NOTES + 3, seen=first.version)
    assert len(second.notes) == 3
    assert log.poll("asker", held_size=MAX_NOTES + 3, seen=second.version).notes == ()


def test_an_older_head_that_grows_comes_again_and_before_a_newer_one(log: WrittenLog) -> None:
    for _ in range(2):
        log.grow(1)
        log.publish()
        log.cosign("owner")
    seen = log.poll("asker", held_size=2).version
    newest = log.head("asker")
    log.heads.submit(PartyName("asker"), 2, answer(newest, "asker"))
    with log.store.reading() as tx:
        older = parse_checkpoint(parse_note(dict(stored_heads(tx))[1]).text)
    log.heads.submit(PartyName("asker"), 1, answer(older, "asker"))
    news = log.poll("auditor", held_size=2, seen=seen)
    assert [parse_checkpoint(parse_note(note).text).size for note in news.notes] == [1, 2]


def test_a_line_of_another_head_or_of_another_cosigner_is_not_taken(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    first = log.head("owner")
    log.cosign("owner")
    log.grow(1)
    log.publish()
    for wrong in (answer(first, "owner"), answer(log.head("asker"), "asker")):
        with pytest.raises(PeerError):
            log.heads.submit(PartyName("owner"), 2, wrong)
    with log.store.reading() as tx:
        assert len(parse_note(dict(stored_heads(tx))[2]).signatures) == 1


def test_the_newest_time_of_a_cosigner_replaces_the_older_one_and_never_the_other_way(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    log.cosign("owner", time=TIME + 5)
    log.cosign("owner", time=TIME)
    log.cosign("owner", time=TIME + 9)
    (note,) = log.poll("asker", held_size=1).notes
    assert cosigned_at(parse_note(note), COSIGNERS["owner"]) == TIME + 9
    assert len(parse_note(note).signatures) == 2


def test_the_last_64_heads_are_kept_and_the_last_one_that_the_whole_quorum_signed(log: WrittenLog) -> None:
    log.grow(1)
    log.publish()
    log.cosign("asker", "owner")
    for _ in range(KEPT_HEADS + 5):
        log.grow(1)
        log.publish()
    last = KEPT_HEADS + 6
    assert sizes(log) == [1, *range(last - KEPT_HEADS + 1, last + 1)]
    log.cosign("asker", "owner")
    log.grow(1)
    log.publish()
    assert sizes(log) == list(range(last - KEPT_HEADS + 2, last + 2))


def test_a_version_is_never_given_again_though_its_head_is_forgotten(
    log: WrittenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_table, "KEPT_HEADS", 2)
    log.grow(1)
    log.publish()
    log.cosign("owner")
    seen = log.poll("asker", held_size=1).version
    for _ in range(4):
        log.grow(1)
        log.publish()
    log.cosign("owner")
    assert log.poll("asker", held_size=5, seen=seen).version > seen


def test_an_answer_about_a_forgotten_head_has_no_effect(log: WrittenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_table, "KEPT_HEADS", 1)
    log.grow(1)
    log.publish()
    first = log.head("owner")
    log.now_s += 2
    log.grow(1)
    log.publish()
    log.heads.submit(PartyName("owner"), 1, answer(first, "owner"))
    assert log.poll("asker", held_size=2).notes == ()


def test_what_was_published_and_cosigned_is_there_after_a_restart(tmp_path: Path) -> None:
    log = WrittenLog(tmp_path)
    log.grow(3)
    log.publish()
    log.cosign("asker", "owner")
    before = log.poll("auditor", held_size=3)
    log.close()
    again = WrittenLog(tmp_path)
    assert again.poll("auditor", held_size=3) == before
    assert again.heads.to_export().size == 3
    again.close()


def test_a_head_that_is_not_that_of_the_stored_entries_is_not_signed(log: WrittenLog) -> None:
    log.grow(2)
    with log.store.transaction() as tx:
        tx.execute("DROP TRIGGER log_is_never_changed")
        tx.execute("UPDATE log SET digest = zeroblob(32) WHERE position = 1")
    with pytest.raises(StateError, match="not the head of the stored entries"):
        log.publish()
    assert sizes(log) == [0]


def test_the_publisher_that_finds_such_a_head_ends_the_process(log: WrittenLog) -> None:
    log.grow(2)
    with log.store.transaction() as tx:
        tx.execute("DROP TRIGGER log_is_never_changed")
        tx.execute("UPDATE log SET digest = zeroblob(32) WHERE position = 1")
    log.heads.grew()
    log.heads.start()
    log.heads._thread.join(10)
    (failure,) = log.failures
    assert "not the head of the stored entries" in str(failure)
    log.heads.stop()


def test_waiting_cosigners_are_sent_home_when_the_process_ends(log: WrittenLog) -> None:
    refused: list[CallRefused] = []

    def wait() -> None:
        with pytest.raises(CallRefused) as caught:
            log.heads.poll(PartyName("owner"), 0, 0, 20.0, lambda: True)
        refused.append(caught.value)

    thread = threading.Thread(target=wait)
    thread.start()
    log.heads.stop()
    thread.join(10)
    assert [refusal.reason for refusal in refused] == [Reason.STOPPING]
