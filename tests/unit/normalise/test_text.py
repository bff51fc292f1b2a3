"""What every text loses, and what makes a text unusable as a key."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parties.normalise.text import MAX_PART_BYTES, plain, usable


@given(st.lists(st.one_of(st.none(), st.text())))
def test_plain_text_agrees_with_the_standard_library(texts: list[str | None]) -> None:
    expected = [None if text is None else unicodedata.normalize("NFC", text).strip() for text in texts]
    assert plain(pa.array(texts, pa.string())).to_pylist() == expected


@pytest.mark.parametrize("text", ["NA", "null", "0012", "1e3", "=cmd()", "Kyle", "a\u200bb"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert usable(plain(pa.array([text]))).to_pylist() == [text]


@pytest.mark.parametrize("blank", [" ", "\t", "\r\n", "\u00a0", "\u2003", "\u3000", "\x1f", "\u0085"])
def test_unicode_white_space_around_a_text_is_lost_and_alone_is_no_key(blank: str) -> None:
    assert plain(pa.array([f"{blank}a{blank}b{blank}"])).to_pylist() == [f"a{blank}b"]
    assert usable(plain(pa.array([blank, ""]))).to_pylist() == [None, None]


@pytest.mark.parametrize("code_point", [0, 7, 0x1B, 0x7F, 0x80, 0x9F])
def test_a_control_character_inside_makes_a_text_unusable(code_point: int) -> None:
    assert usable(pa.array([f"a{chr(code_point)}b"])).to_pylist() == [None]


def test_a_key_part_may_have_512_bytes_and_not_one_more() -> None:
    longest = ["x" * MAX_PART_BYTES, "é" * (MAX_PART_BYTES // 2)]
    assert usable(pa.array(longest)).to_pylist() == longest
    assert usable(pa.array([longest[0] + "x", longest[1] + "x"])).to_pylist() == [None, None]


def test_no_rows_are_no_rows() -> None:
    assert usable(plain(pa.array([], pa.string()))).to_pylist() == []
