"""How every chart looks: one dark blue for what can be told, light grey with hatches for what cannot, black intervals.

Pale blue, hatched, is what can be told from the line that it is compared with, but not from its neighbours in rank.
White with a grey edge is what is compared with nothing.
Blue and grey differ in lightness as well as in hue, and grey is hatched, so a chart reads the same in colour, in grey,
on paper and with any kind of colour blindness. All settings that a drawing depends on are set here, whatever the
reader's own matplotlib is set to: text stays text, a dollar sign is a dollar sign and begins no formula, and the same
finding is the same file, byte by byte.
"""

from typing import Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

INK, TOLD, GRID, QUIET = "#1b1b1b", "#0b5cab", "#dddddd", "#5a5a5a"
SHARED, TIED, TIED_EDGE, HATCH, ASIDE = "#cfe0f2", "#f1f1f1", "#a8a8a8", "//////", "white"
BAND = "#e6e0cf"  # sand: neither blue nor the grey of what is tied
BACK = "\\\\\\\\"
PALEST, DARKEST = (0.91, 0.94, 0.98), (0.03, 0.19, 0.42)
TEXT, SMALL = 9.0, 7.0
UNITS = 72.0  # to the inch, in a drawing's file

SETTINGS: Any = {
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "hatch.linewidth": 0.7,
    "path.effects": [],
    "path.sketch": None,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "svg.hashsalt": "cleanroom",
    "text.parse_math": False,
    "text.usetex": False,
}


def told(says: str) -> Patch:
    """The legend's sign of what can be told."""
    return Patch(facecolor=TOLD, edgecolor=TOLD, label=says)


def shared(says: str) -> Patch:
    """The legend's sign of a place that is not certain."""
    return Patch(facecolor=SHARED, edgecolor=TOLD, hatch=BACK, label=says)


def tied(says: str) -> Patch:
    """The legend's sign of what cannot be told apart."""
    return Patch(facecolor=TIED, edgecolor=TIED_EDGE, hatch=HATCH, label=says)


def aside(says: str) -> Patch:
    """The legend's sign of what is compared with nothing."""
    return Patch(facecolor=ASIDE, edgecolor=TIED_EDGE, label=says)


def interval(says: str) -> Line2D:
    """The legend's sign of an interval."""
    return Line2D([0], [0], color=INK, linewidth=1.4, marker="|", markersize=6, label=says)


def reference(says: str) -> Line2D:
    """The legend's sign of the line that rows are compared with."""
    return Line2D([0], [0], color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label=says)


def band(says: str) -> Patch:
    """The legend's sign of that line where it is an estimate, with the interval in which it lies."""
    return Patch(facecolor=BAND, edgecolor=INK, linestyle=(0, (4, 3)), linewidth=0.8, label=says)


def shade(part: float) -> tuple[float, float, float]:
    """The darker, the larger; `part` of the largest, from 0 to 1."""
    part = min(max(part, 0.0), 1.0)
    red, green, blue = (pale + (dark - pale) * part for pale, dark in zip(PALEST, DARKEST, strict=True))
    return red, green, blue


def ink_on(shade: tuple[float, float, float]) -> str:
    """Black or white, whichever stands out more; of these two one always has a contrast above 4.5 (WCAG 2, 1.4.3)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    return "black" if light / 0.05 > 1.05 / light else "white"
