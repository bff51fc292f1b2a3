"""Text from a log does nothing where it is shown: not in a terminal, not in a spreadsheet, not on paper."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.report.visible import MOST_CHARACTERS, cell_text, visible

HOSTILE = {
    "a terminal's escape": ("\x1b[2J\x1b]0;owned\x07", "\\u001b[2J\\u001b]0;owned\\u0007"),
    "an eight-bit escape": ("\x9b31m", "\\u009b31m"),
    "writing turned around": ("\u202eevil\u2066", "\\u202eevil\\u2066"),
    "nothing to be seen": ("a\u200bb\ufeff\u00ad", "a\\u200bb\\ufeff\\u00ad"),
    "new lines of every kind": ("a\nb\rc\u2028d\x85e", "a\\u000ab\\u000dc\\u2028d\\u0085e"),
    "half a character": ("\ud800", "\\ud800"),
    "a tag": ("\U000e0041", "\\U000e0041"),
    "ordinary words": ("Ötzi's 50% — 東京 ✓", "Ötzi's 50% — 東京 ✓"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_would_not_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_unseen_is_left_whatever_the_text(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for letter in shown)
    shown.encode("utf-8")


def test_a_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
    assert visible("x" * (MOST_CHARACTERS + 1)) == "x" * MOST_CHARACTERS + "…"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", " =", "  @"])  # noqa: RUF001 # the very letter that is meant
def test_a_formula_is_a_text_in_a_cell(start: str) -> None:
    assert cell_text(f"{start}cmd|' /C calc'!A0").startswith("'")


@pytest.mark.parametrize("text", ["", " ", "brand", "0.811", "'=1", "a=b"])
def test_other_texts_stay_as_they_are_in_a_cell(text: str) -> None:
    assert cell_text(text) == text
