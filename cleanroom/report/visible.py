"""Text that somebody else wrote, made harmless to look at: what would not be seen is spelled out.

Control and escape characters, marks that turn the direction of writing, line separators and whatever the character
tables do not know come out as `\\u202e`. A reader sees what stands there, and a terminal, a page or a cell does
nothing with it. Long texts are cut.
"""

import unicodedata

MOST_CHARACTERS = 2_000
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_FORMULA = "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"


def visible(text: str) -> str:
    """The text on one line."""
    cut = text[:MOST_CHARACTERS]
    shown = "".join(_spelled(letter) if unicodedata.category(letter) in _UNSEEN else letter for letter in cut)
    return shown + ("…" if len(text) > MOST_CHARACTERS else "")


def cell_text(text: str) -> str:
    """The text for a spreadsheet's cell, which takes no formula from it: a quote stands before one."""
    shown = visible(text)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULA and shown.strip() else shown


def _spelled(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
