"""A heat map for findings whose rows have two names: the first down, the second across, both in the contract's order.

The darker, the larger; each cell has its estimate and its interval in figures, so lightness only helps to find it. A
cell that cannot be told apart is not shaded at all but hatched grey, whatever its estimate; one that is compared with
nothing is white.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch, Rectangle

from cleanroom.catalogue.finding import Finding, Row
from cleanroom.charts import look
from cleanroom.charts.drawing import Drawing
from cleanroom.charts.frame import (
    ASIDE,
    BELOW,
    SIGN,
    WIDTH,
    interval_words,
    is_aside,
    is_grey,
    is_tied,
    tied_words,
    unit_words,
)
from cleanroom.charts.label import fitting, inches, labels, lines, short
from cleanroom.report.figure import show_range, show_within

MOST_DOWN, MOST_ACROSS = 25, 20
_CELL, _GAP, _LINE, _SIGN = 0.44, 0.1, 0.2, 0.18
_NAME, _HEAD, _BOLD = 22, 30, 1.15


def heat(finding: Finding) -> Drawing:
    """The chart."""
    downs = list(dict.fromkeys(row.names[0][1] for row in finding.rows))
    acrosses = list(dict.fromkeys(row.names[1][1] for row in finding.rows))
    down, across = downs[:MOST_DOWN], acrosses[:MOST_ACROSS]
    shown = [row for row in finding.rows if row.names[0][1] in down and row.names[1][1] in across]
    (down_head, _), (across_head, _) = finding.rows[0].names
    lefts, tops = labels(down, _NAME), labels(across, _NAME)
    left = max(inches(lefts, look.TEXT), _BOLD * inches([short(down_head, _HEAD)], look.TEXT)) + _GAP
    widest = max(inches([_figures(row)[1] for row in shown], look.SMALL), inches(["100.5"], look.TEXT)) + 0.08
    width = max(WIDTH, left + widest * len(across))
    cell = (width - left) / len(across)
    slanted = inches(tops, look.TEXT) > cell
    head = _LINE + _GAP + (0.75 * inches(tops, look.TEXT) + _LINE if slanted else _LINE)
    signs = _signs(finding, shown)
    rest = len(finding.rows) - len(shown)
    unit = lines(unit_words(finding), fitting(WIDTH - left, look.TEXT - 1))
    says = [lines(text, fitting(width - left - SIGN, look.TEXT - 1)) for _, text in signs]
    more = sum(text.count("\n") for text in (unit, *says))
    bottom = 0.34 + 0.14 * more + _SIGN * (len(signs) + bool(rest))
    height = head + _CELL * len(down) + bottom
    if slanted:
        width += 0.7 * inches(tops[-1:], look.TEXT)
    figure = Drawing(figsize=(width, height))
    axes = figure.add_axes((left / width, bottom / height, cell * len(across) / width, _CELL * len(down) / height))
    axes.set_xlim(0, len(across))
    axes.set_ylim(len(down), 0)
    axes.set_axis_off()
    most = max((float(row.value) for row in shown if row.value is not None), default=0.0)
    for row in shown:
        _cell(axes, row, across.index(row.names[1][1]), down.index(row.names[0][1]), most)
    for at, name in enumerate(lefts):
        y = (bottom + _CELL * (len(down) - at - 0.5) - BELOW) / height
        figure.text((left - _GAP) / width, y, name, ha="right", va="baseline")
    top = (bottom + _CELL * len(down) + 0.06) / height
    for at, name in enumerate(tops):
        x = (left + cell * (at + 0.5)) / width
        turned = {"rotation": 45, "rotation_mode": "anchor", "ha": "left"} if slanted else {"ha": "center"}
        figure.text(x, top, name, va="baseline" if slanted else "bottom", **turned)
    figure.text((left - _GAP) / width, top, short(down_head, _HEAD), ha="right", va="bottom", weight="bold")
    figure.text(left / width, 1, short(across_head, 2 * _HEAD), ha="left", va="top", weight="bold")
    figure.text(left / width, (bottom - 0.08) / height, unit, va="top", size=look.TEXT - 1, linespacing=1.1)
    figure.legend(
        handles=[sign for sign, _ in signs],
        labels=says,
        loc="lower left",
        bbox_to_anchor=(left / width, _SIGN * bool(rest) / height),
        frameon=False,
        fontsize=look.TEXT - 1,
        borderpad=0.0,
        borderaxespad=0.0,
        labelspacing=0.45,
        handlelength=2.2,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
    )
    if rest:
        figure.text(left / width, 0, f"{rest:,} more in the table", va="bottom", size=look.TEXT - 1)
    return figure


def _cell(axes: Axes, row: Row, x: int, y: int, most: float) -> None:
    value, interval = _figures(row)
    if is_aside(row):
        box = Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, facecolor=look.ASIDE, edgecolor="#d4d4d4")
        ink = "#444444"
    elif is_tied(row) or row.value is None:
        box = Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, facecolor=look.TIED, edgecolor="#d4d4d4", hatch="////")
        ink = "#444444"
    else:
        part = float(row.value) / most if most > 0 else 0.0
        shade = look.shade(part)
        box = Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, facecolor=shade, edgecolor="none")
        ink = look.ink_on(shade)
    axes.add_patch(box)
    axes.text(x + 0.5, y + 0.36, value, ha="center", va="center", color=ink)
    axes.text(x + 0.5, y + 0.73, interval, ha="center", va="center", color=ink, size=look.SMALL)


def _figures(row: Row) -> tuple[str, str]:
    """Estimate and interval, with as many digits as the interval deserves; a question mark where nothing is known."""
    if row.low is None or row.high is None:
        return "?", ""
    value = "?" if row.value is None else show_within(row.value, row.low, row.high)
    return value, " to ".join(dict.fromkeys(show_range(row.low, row.high)))


def _signs(finding: Finding, shown: list[Row]) -> list[tuple[Any, str]]:
    """The legend of what a chart shows, and of nothing else."""
    nothing, tied = Patch(facecolor="none", edgecolor="none"), look.tied("")
    shades = tuple(Patch(facecolor=look.shade(part), edgecolor="none") for part in (0.1, 0.5, 0.9))
    found: list[tuple[Any, str]] = [] if all(is_tied(row) for row in shown) else [(shades, "the darker, the more")]
    found += [(tied, f"not shaded: {tied_words(finding)}")] if any(is_grey(row) for row in shown) else []
    found += [(look.aside(""), ASIDE)] if any(is_aside(row) for row in shown) else []
    found += [(nothing, "small: " + interval_words(finding))] if any(row.low is not None for row in shown) else []
    found += [(nothing, "?: cannot be told")] if any(_figures(row)[0] == "?" for row in shown) else []
    return found
