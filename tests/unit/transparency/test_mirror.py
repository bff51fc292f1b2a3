"""A follower holds exactly what the log signed, and a log whose entries are yesterday's is not continued.

hostile-inputs.md row 36: a restored database, a flipped bit.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.known_heads import check_known_heads
from cleanroom.transparency.mirror import follow
from tests.built_log import LOG_KEY, ORIGIN, checkpoint_of, signed, some_entries, tree_of

ENTRIES = some_entries(20)


def frontier_of(size: int) -> Frontier:
    frontier = Frontier()
    for entry in ENTRIES[:size]:
        frontier = frontier.with_leaf(leaf_hash(entry))
    return frontier


@given(st.integers(0, 20), st.integers(0, 20))
def test_entries_up_to_a_signed_head_are_followed(first: int, second: int) -> None:
    old, new = sorted((first, second))
    assert follow(frontier_of(old), ENTRIES[old:new], checkpoint_of(ENTRIES[:new])) == frontier_of(new)


@given(st.integers(0, 19), st.data())
def test_no_entry_can_be_changed_left_out_doubled_or_moved(old: int, data: st.DataObject) -> None:
    page, head = ENTRIES[old:], checkpoint_of(ENTRIES)
    at = data.draw(st.integers(0, len(page) - 1))
    bit = data.draw(st.integers(0, len(page[at]) * 8 - 1))
    changed = bytearray(page[at])
    changed[bit // 8] ^= 1 << bit % 8
    wrong = [
        [*page[:at], bytes(changed), *page[at + 1 :]],
        [*page[:at], *page[at + 1 :]],
        [*page[:at], page[at], *page[at:]],
        [*page, b"one more"],
    ]
    if len(page) > 1:
        wrong.append([*page[1:], page[0]])
    for entries in wrong:
        with pytest.raises(PeerError):
            follow(frontier_of(old), entries, head)


def test_who_holds_another_history_notices_at_the_next_head() -> None:
    other = Frontier()
    for entry in some_entries(10, first=1):
        other = other.with_leaf(leaf_hash(entry))
    with pytest.raises(PeerError, match="entries 10 to 19 are not those"):
        follow(other, ENTRIES[10:], checkpoint_of(ENTRIES))


@pytest.mark.parametrize("length", [0, 65_536])
def test_an_entry_that_no_bundle_can_hold_is_refused_even_when_signed(length: int) -> None:
    entry = b"x" * length
    head = Checkpoint(ORIGIN, 1, tree_of([entry]).root())
    with pytest.raises(PeerError, match="entry 0 has"):
        follow(Frontier(), [entry], head)


def note(entries: list[bytes]) -> bytes:
    return signed(checkpoint_of(entries)).to_bytes()


def test_a_log_that_is_all_that_was_said_of_it_goes_on() -> None:
    heads = {"the export": note(ENTRIES[:15]), "the newest cosigned head": note(ENTRIES), "the first head": note([])}
    check_known_heads(tree_of(ENTRIES), heads, [LOG_KEY])
    check_known_heads(tree_of([]), {}, [LOG_KEY])


def test_yesterday_s_database_is_not_continued() -> None:
    with pytest.raises(StateError, match="the export is of 20 entries, but only 19 are stored: a backup was restored"):
        check_known_heads(tree_of(ENTRIES[:19]), {"the export": note(ENTRIES)}, [LOG_KEY])


def test_a_database_of_another_history_is_not_continued() -> None:
    with pytest.raises(StateError, match="the first 5 stored entries are not those of the newest cosigned head"):
        check_known_heads(tree_of(some_entries(9, first=1)), {"the newest cosigned head": note(ENTRIES[:5])}, [LOG_KEY])


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data.replace(b"\n15\n", b"\n16\n")])
def test_a_head_that_was_tampered_with_stops_the_log(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(StateError, match="the export is not a head that this log signed"):
        check_known_heads(tree_of(ENTRIES), {"the export": spoil(note(ENTRIES[:15]))}, [LOG_KEY])
