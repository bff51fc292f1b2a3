"""Who has not cosigned, since when, and which cosigned heads are kept to prove things with."""

from collections.abc import Set
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.cosigner.absence import Heard, absence
from cleanroom.cosigner.notes import MAX_KEPT, NEWEST_KEPT, superfluous, word_of
from cleanroom.transparency.policy import NOBODY, Quorum, all_of
from tests.built_log import TIME, some_entries
from tests.unit.cosigner.growing_log import Clock, GrowingLog, cosigner, open_mirror

ENTRIES = some_entries(40)


def test_nobody_is_missing_while_the_log_is_quiet() -> None:
    assert absence({"asker": Heard(5, 0, None)}, now=10**9, limit_seconds=1) == ""


def test_who_lacks_a_head_is_missing_after_the_limit_and_not_before() -> None:
    heard = {"asker": Heard(5, TIME, TIME + 10), "owner": Heard(9, TIME, None), "auditor": Heard(0, 0, TIME + 10)}
    assert absence(heard, now=TIME + 70, limit_seconds=60) == ""
    assert absence(heard, now=TIME + 71, limit_seconds=60) == (
        "the log's newest head is not cosigned by asker (lacks what came since 2023-11-14T22:13:30Z, last signed"
        " 2023-11-14T22:13:20Z), auditor (lacks what came since 2023-11-14T22:13:30Z, last signed never)"
    )


def test_the_mirror_knows_since_when_each_cosigner_lacks_a_head(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    log, clock = GrowingLog(), Clock()
    mirror = open_mirror(tmp_path / "mirror.db")
    mine = cosigner(mirror, log, clock=clock)
    for size in (1, 2, 3):
        log.entries, clock.now = ENTRIES[:size], TIME + 100 * size
        if size == 2:
            log.cosigned_by("asker", time=TIME + 200)
        mine.step(0)
    assert mirror.heard() == {
        "asker": Heard(2, TIME + 200, TIME + 300),
        "owner": Heard(3, TIME + 300, None),
        "auditor": Heard(0, 0, TIME + 100),
    }
    log.cosigned_by("asker", "auditor", time=TIME + 310)
    mine.step(0)
    assert [one.lacks_since for one in mirror.heard().values()] == [None] * 3
    assert mirror.newest_quorum_time(all_of("asker", "owner")) == TIME + 300
    assert mirror.newest_quorum_time(all_of("asker", "auditor")) == TIME + 310


def test_a_quorum_speaks_when_its_last_needed_member_does() -> None:
    times = {"a": 1, "b": 2, "c": 3}
    assert word_of(times, all_of("a", "c")) == 1
    assert word_of(times, Quorum("two", 2, ("a", "b", "c"))) == 2
    assert word_of(times, all_of("a", "d")) is None
    assert word_of({}, NOBODY) is None


def test_few_notes_are_kept_of_many_and_old_entries_can_still_be_proven(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    log = GrowingLog()
    mirror = open_mirror(tmp_path / "mirror.db")
    mine = cosigner(mirror, log)
    for size in range(1, 41):
        log.entries = ENTRIES[:size]
        if size in (3, 20):
            log.cosigned_by("asker", "auditor")
        mine.step(0)
    for one in (mirror, open_mirror(tmp_path / "mirror.db", begun=True)):
        assert one.proof(ENTRIES[0], all_of("asker", "auditor", "owner")) is not None
        assert one.proof(ENTRIES[19], all_of("asker", "owner")) is not None
        assert one.proof(ENTRIES[20], all_of("asker", "owner")) is None
        assert one.proof(ENTRIES[0], all_of("owner")) is not None
        assert len(one._shelf.notes) == NEWEST_KEPT + 1
    assert mirror.head_signed_by("auditor") == one.head_signed_by("auditor") != b""
    assert b"\n20\n" in mirror.head_signed_by("auditor")


NAMES = st.frozensets(st.sampled_from("abcd"))


@given(st.dictionaries(st.integers(1, 60), NAMES, max_size=60), NAMES, st.integers(0, 60))
def test_no_entry_becomes_unprovable_by_what_is_dropped(
    heads: dict[int, Set[str]], wanted: Set[str], index: int
) -> None:
    kept = {size: names for size, names in heads.items() if size not in superfluous(heads)}

    def provable(among: dict[int, Set[str]]) -> bool:
        return any(size > index and wanted <= names for size, names in among.items())

    assert provable(kept) == provable(heads)
    assert set(sorted(heads)[-NEWEST_KEPT:]) <= set(kept)


def test_there_is_an_end_to_what_is_kept() -> None:
    names = [f"cosigner {number}" for number in range(MAX_KEPT + 10)]
    heads = {size: frozenset({name}) for size, name in enumerate(names, start=1)}
    assert len(heads) - len(superfluous(heads)) == MAX_KEPT


@pytest.mark.parametrize("begun", [True, False])
def test_an_empty_log_has_no_head_to_show(tmp_path: Path, begun: bool) -> None:
    tmp_path.chmod(0o700)
    mirror = open_mirror(tmp_path / "mirror.db")
    if begun:
        mirror.close()
        mirror = open_mirror(tmp_path / "mirror.db", begun=True)
    assert (mirror.head(), mirror.head_signed_by("owner"), mirror.size, mirror.entries(0, 9)) == (b"", b"", 0, [])
    assert mirror.newest_quorum_time(all_of("owner")) is None
