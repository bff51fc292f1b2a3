"""Match keys of one and of several parts."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from parties.normalise.composite import match_keys
from parties.normalise.text import MAX_PART_BYTES

_PARTS = st.text(min_size=1, max_size=20)
_PERSON = st.tuples(_PARTS, _PARTS, _PARTS)


def test_one_part_is_its_own_bytes() -> None:
    assert match_keys([pa.array(["é", "00 12"])]).to_pylist() == ["é".encode(), b"00 12"]


def test_several_parts_stand_behind_their_lengths() -> None:
    keys = match_keys([pa.array(["ab", "a"]), pa.array(["c", "bc"])])
    assert keys.to_pylist() == [b"\x00\x02ab\x00\x01c", b"\x00\x01a\x00\x02bc"]
    assert keys.type == pa.large_binary()


def test_the_longest_part_has_a_length_of_its_own() -> None:
    longest = "x" * MAX_PART_BYTES
    assert match_keys([pa.array([longest]), pa.array(["y"])]).to_pylist() == [
        b"\x02\x00" + longest.encode() + b"\x00\x01y"
    ]


def test_a_missing_part_makes_the_key_missing() -> None:
    assert match_keys([pa.array(["a", None, None]), pa.array([None, "b", None], pa.string())]).to_pylist() == [None] * 3
    assert match_keys([pa.array(["a", None])]).to_pylist() == [b"a", None]


@given(st.lists(_PERSON, unique=True, min_size=1, max_size=30))
def test_different_people_have_different_keys(people: list[tuple[str, str, str]]) -> None:
    keys = match_keys([pa.array(part, pa.string()) for part in zip(*people, strict=True)])
    assert len(set(keys.to_pylist())) == len(people)
