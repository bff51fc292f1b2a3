"""What an auditor with a folder and public keys finds out: any flipped bit, and where; any missing or older piece.

hostile-inputs.md rows 36 to 39 from the auditor's side.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.transparency.bundle import encode_bundle
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.folder import VerifiedLog, verify_folder
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.head import Freshness
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_note
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import NOBODY, all_of
from tests.built_log import COSIGNERS, POLICY, TIME, checkpoint_of, files_of, signed, some_entries
from tests.flipped_bits import entry_at, flipped

SMALL = some_entries(3)
LARGE = some_entries(530)
FILES = {3: files_of(SMALL), 530: files_of(LARGE)}
ENTRIES = {3: SMALL, 530: LARGE}


def failure(files: dict[str, bytes], **more: object) -> AuditFailure:
    with pytest.raises(AuditFailure) as refused:
        verify_folder(files, POLICY, **more)  # type: ignore[arg-type] # a test's own keywords
    return refused.value


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 530])
def test_a_right_folder_gives_its_entries(size: int) -> None:
    found = verify_folder(files_of(LARGE[:size]), POLICY)
    assert isinstance(found, VerifiedLog)
    assert list(found.contents.entries) == LARGE[:size]
    assert found.contents.unused == ()
    assert dict(found.head.cosigned_at) == {"asker": TIME, "owner": TIME}


def assert_noticed(files: dict[str, bytes], path: str, bit: int) -> None:
    refused = failure(flipped(files, path, bit))
    assert refused.path == path
    if path == "checkpoint":
        assert refused.outcome in {Outcome.INVALID, Outcome.TOO_FEW_COSIGNERS}
        return
    assert refused.outcome is Outcome.INVALID
    index = entry_at(path, files[path], bit // 8)
    assert refused.index == index
    assert f"entry {index}" in str(refused)


def test_every_single_bit_of_a_small_folder_matters_and_is_located() -> None:
    for path, data in FILES[3].items():
        for bit in range(len(data) * 8):
            assert_noticed(FILES[3], path, bit)


@settings(max_examples=250)
@given(st.data())
def test_any_bit_of_a_larger_folder_matters_and_is_located(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(FILES[530])))
    assert_noticed(FILES[530], path, data.draw(st.integers(0, len(FILES[530][path]) * 8 - 1)))


@pytest.mark.parametrize("size", [3, 530])
def test_every_file_is_needed_and_named_when_it_is_gone(size: int) -> None:
    for path in FILES[size]:
        refused = failure({name: data for name, data in FILES[size].items() if name != path})
        assert (refused.outcome, refused.path) == (Outcome.INVALID, path)


@settings(max_examples=60)
@given(st.data())
def test_no_file_can_be_shortened_or_lengthened(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(FILES[530])))
    whole = FILES[530][path]
    cut = data.draw(st.integers(0, len(whole) - 1))
    for other in (whole[:cut], whole + b"\0", whole + whole[:32]):
        refused = failure({**FILES[530], path: other})
        assert (refused.outcome, refused.path) == (Outcome.INVALID, path)


@given(st.permutations(SMALL))
def test_entries_in_another_order_are_noticed(order: list[bytes]) -> None:
    if order == SMALL:
        return
    first = next(index for index in range(3) if order[index] != SMALL[index])
    refused = failure({**FILES[3], "tile/entries/000.p/3": encode_bundle(order)})
    assert (refused.path, refused.index) == ("tile/entries/000.p/3", first)


def test_an_entry_changed_together_with_its_hash_is_noticed_by_the_signed_root() -> None:
    changed = [SMALL[0], b"changed", SMALL[2]]
    files = {**files_of(changed), "checkpoint": FILES[3]["checkpoint"]}
    refused = failure(files)
    assert (refused.outcome, refused.path) == (Outcome.INVALID, "checkpoint")
    assert "not the root of these 3 entries" in str(refused)


def test_an_entry_removed_or_doubled_with_all_tiles_made_anew_is_noticed() -> None:
    for others in (SMALL[:2], [*SMALL, SMALL[2]]):
        files = {**files_of(others), "checkpoint": FILES[3]["checkpoint"]}
        assert failure(files).outcome is Outcome.INVALID


def test_older_partial_files_are_checked_as_well() -> None:
    older = {path: data for path, data in files_of(SMALL[:2]).items() if path != "checkpoint"}
    files = {**older, **FILES[3]}
    assert verify_folder(files, POLICY).contents.unused == ()
    for path in older:
        for bit in range(len(older[path]) * 8):
            refused = failure(flipped(files, path, bit))
            assert (refused.outcome, refused.path) == (Outcome.INVALID, path)
            if "entries" not in path:
                assert refused.index == bit // 256


def test_what_nobody_signed_is_named_and_not_believed() -> None:
    """Files beyond the checkpoint (a crash before it was written) and files that are no tiles."""
    later = {path: data for path, data in files_of(LARGE[:5]).items() if path != "checkpoint"}
    found = verify_folder({**later, **FILES[3], "tile/0/0": b"", "notes.txt": b"hello"}, POLICY)
    assert found.contents.unused == ("notes.txt", "tile/0/0", "tile/0/000.p/5", "tile/entries/000.p/5")
    assert list(found.contents.entries) == SMALL


def test_a_checkpoint_of_a_size_beyond_all_reason_ends_at_the_first_missing_file() -> None:
    files = {**FILES[3], "checkpoint": signed(Checkpoint(checkpoint_of(SMALL).origin, 2**62, bytes(32))).to_bytes()}
    refused = failure(files)
    assert (refused.outcome, refused.path, refused.index) == (Outcome.INVALID, "tile/entries/000", 0)


def test_too_few_cosigners_are_named() -> None:
    refused = failure(files_of(SMALL, ["asker", "auditor"]))
    assert refused.outcome is Outcome.TOO_FEW_COSIGNERS
    assert "missing: owner" in str(refused)


def test_who_asks_for_nobody_gets_the_log_s_word_alone() -> None:
    assert verify_folder(files_of(SMALL, []), POLICY.with_quorum(NOBODY)).head.cosigned_at == {}


def test_the_auditor_s_own_word_is_asked_for_where_the_contract_names_it() -> None:
    policy = POLICY.with_quorum(all_of("asker", "owner", "auditor"))
    assert verify_folder(files_of(SMALL, ["asker", "owner", "auditor"]), policy)
    with pytest.raises(AuditFailure, match="missing: auditor"):
        verify_folder(FILES[3], policy)


@pytest.mark.parametrize(
    ("now", "outcome"),
    [(TIME, None), (TIME + 60, None), (TIME + 61, Outcome.STALE), (TIME - 300, None)],
)
def test_a_head_is_as_fresh_as_its_quorum_s_word(now: int, outcome: Outcome | None) -> None:
    if outcome is None:
        assert verify_folder(FILES[3], POLICY, freshness=Freshness(now, 60))
    else:
        assert failure(FILES[3], freshness=Freshness(now, 60)).outcome is outcome


def test_a_word_from_the_future_counts_for_nobody() -> None:
    refused = failure(FILES[3], freshness=Freshness(TIME - 301, 60))
    assert refused.outcome is Outcome.TOO_FEW_COSIGNERS


def test_one_fresh_cosigner_does_not_make_the_other_fresh() -> None:
    head = checkpoint_of(SMALL)
    old, new = signed(head, "asker", time=TIME - 100), signed(head, "owner", time=TIME)
    note = SignedNote(old.text, (*old.signatures, *new.signatures[1:]))
    refused = failure({**FILES[3], "checkpoint": note.to_bytes()}, freshness=Freshness(TIME, 60))
    assert refused.outcome is Outcome.STALE
    assert "asker" in str(refused)
    assert "owner" not in str(refused)


KEPT: dict[str, tuple[Callable[[], bytes], Outcome | None]] = {
    "an earlier head of the same history": (lambda: signed(checkpoint_of(LARGE[:100])).to_bytes(), None),
    "the same head": (lambda: signed(checkpoint_of(LARGE)).to_bytes(), None),
    "the empty log": (lambda: signed(checkpoint_of([])).to_bytes(), None),
    "an earlier head of another history": (
        lambda: signed(checkpoint_of(some_entries(100, first=9))).to_bytes(),
        Outcome.DIVERGED,
    ),
    "another root for the same size": (
        lambda: signed(checkpoint_of(some_entries(530, first=9))).to_bytes(),
        Outcome.DIVERGED,
    ),
    "a later head": (lambda: signed(checkpoint_of(some_entries(531))).to_bytes(), Outcome.STALE),
    "a head that the log did not sign": (
        lambda: SignedNote(
            checkpoint_of(LARGE[:9]).text(), (SignatureLine("stranger.example", b"\0\0\0\0", b"x"),)
        ).to_bytes(),
        Outcome.INVALID,
    ),
}


@pytest.mark.parametrize(("note", "outcome"), KEPT.values(), ids=KEPT.keys())
def test_a_head_kept_from_elsewhere_tells_on_a_log_with_two_histories(
    note: Callable[[], bytes], outcome: Outcome | None
) -> None:
    kept = {"kept/owner": note()}
    if outcome is None:
        assert verify_folder(FILES[530], POLICY, kept=kept)
        return
    refused = failure(FILES[530], kept=kept)
    assert refused.outcome is outcome
    if outcome is Outcome.DIVERGED:
        assert refused.path == "kept/owner"
        assert [parse_note(each).text for each in refused.evidence] == [
            checkpoint_of(LARGE).text(),
            parse_note(kept["kept/owner"]).text,
        ]


@pytest.mark.parametrize("size", [3, 4, 9])
def test_two_kept_heads_of_one_size_convict_the_log_also_where_the_folder_is_older_than_both(size: int) -> None:
    one = signed(checkpoint_of(some_entries(size))).to_bytes()
    other = signed(checkpoint_of(some_entries(size, first=100))).to_bytes()
    refused = failure(FILES[3], kept={"kept/asker": one, "kept/owner": other})
    assert refused.outcome is Outcome.DIVERGED
    assert set(refused.evidence) <= {one, other, FILES[3]["checkpoint"]}
    assert len({parse_note(note).text for note in refused.evidence}) == 2


def test_a_split_view_is_told_even_when_the_folder_itself_is_broken() -> None:
    kept = {"kept/owner": signed(checkpoint_of(some_entries(3, first=9))).to_bytes()}
    refused = failure({"checkpoint": FILES[3]["checkpoint"]}, kept=kept)
    assert refused.outcome is Outcome.DIVERGED


def test_a_forged_cosignature_refuses_the_folder_even_where_it_is_not_needed() -> None:
    note = parse_note(FILES[3]["checkpoint"])
    key = COSIGNERS["auditor"]
    forged = SignedNote(note.text, (*note.signatures, SignatureLine(key.name, key.key_id, bytes(72))))
    refused = failure({**FILES[3], "checkpoint": forged.to_bytes()})
    assert (refused.outcome, refused.path) == (Outcome.INVALID, "checkpoint")


def test_the_entry_stands_under_the_root_as_it_was_received() -> None:
    """No second spelling of one entry: its bytes are hashed, not its meaning."""
    spaced = [b'{"i": 0}', *SMALL[1:]]
    assert leaf_hash(spaced[0]) != leaf_hash(SMALL[0])
    refused = failure({**FILES[3], "tile/entries/000.p/3": encode_bundle(spaced)})
    assert refused.index == 0
