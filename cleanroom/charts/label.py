"""Names in a chart: somebody else's text, made visible, short enough for its place, and still told apart.

A name is cut in its middle, since names that begin alike often end differently. Names that are alike when cut get the
number of their row. The whole name stands in the table beside the chart.
"""

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from unicodedata import east_asian_width

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cleanroom.charts.look import UNITS
from cleanroom.report.visible import visible

MOST_LETTERS = 50
_LETTER = 0.55  # of the size of the text: a usual letter, also for scripts that the measured font lacks


def short(text: str, most: int = MOST_LETTERS) -> str:
    """The text on one line, cut in the middle if it is wider than `most` letters."""
    shown = " ".join(visible(text).split())
    if letters(shown) <= most:
        return shown
    head, tail = "", ""
    while letters(head + tail) < most - 2:
        head += shown[len(head)]
        tail = shown[-1 - len(tail)] + tail
    return f"{head}…{tail}"


def labels(texts: Sequence[str], most: int = MOST_LETTERS) -> tuple[str, ...]:
    """Each text cut; those that look alike with the number of their row."""
    cut = [short(text, most) for text in texts]
    alike = Counter(cut)
    return tuple(f"{text} [{row}]" if alike[text] > 1 else text for row, text in enumerate(cut, start=1))


def lines(text: str, most: int) -> str:
    """The text in at most two lines of `most` letters, cut in the middle if it needs more."""
    limit = 2 * most
    broken = wrap(short(text, limit), most)
    while len(broken) > 2 or any(letters(line) > most for line in broken):
        limit -= 2
        broken = wrap(short(text, limit), most)
    return "\n".join(broken)


def fitting(width: float, size: float) -> int:
    """How many usual letters fit into so many inches."""
    return max(int(width * UNITS / (_LETTER * size)), 8)


def letters(text: str) -> int:
    """How wide a text is, in letters; those of East Asia are two wide."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def inches(texts: Sequence[str], size: float) -> float:
    """How wide the widest line of these texts is, in the letters that are measured here or in wide ones."""
    font = FontProperties(family="DejaVu Sans", size=size)
    found = [0.0]
    for line in (line for text in texts for line in text.split("\n")):
        measured, _, _ = text_to_path.get_text_width_height_descent(line or " ", font, ismath=False)
        found.append(max(measured, letters(line) * _LETTER * size))
    return max(found) / UNITS
