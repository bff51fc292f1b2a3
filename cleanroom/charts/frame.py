"""What bars and index charts share: a line for each row, its name on the left, its interval in words on the right.

Rows keep the order of the finding, which is the contract's, and never that of their values: a chart that sorts noise
ranks it. Of a very long finding the first rows are drawn, and the chart says how many more the table has.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cleanroom.answer.number import percent
from cleanroom.catalogue.finding import Finding, Row
from cleanroom.charts import look
from cleanroom.charts.drawing import Drawing
from cleanroom.charts.label import fitting, inches, labels, lines
from cleanroom.report.figure import show_range
from cleanroom.report.finding_table import own_units, with_unit

WIDTH = 7.2
ASIDE = "compared with nothing"
MOST_ROWS, MANY_ROWS = 40, 25
_ROW, _THIN_ROW, _TOP, _AXIS, _UNIT, _LEGEND = 0.34, 0.24, 0.12, 0.56, 0.14, 0.18
_GAP, _NAME, _EDGE, SIGN = 0.12, 28, 0.08, 0.4
_SIZE = look.TEXT / look.UNITS
BELOW, _LINE = 0.36 * _SIZE, 1.05 * _SIZE  # from the middle of a line down to its foot; from one line to the next


def drawn(finding: Finding) -> tuple[Row, ...]:
    """The rows that a chart holds."""
    return finding.rows[:MOST_ROWS]


def is_tied(row: Row) -> bool:
    """Whether a row is drawn grey: it cannot be told apart, or nothing is known about it."""
    return not row.differs or row.low is None


def is_grey(row: Row) -> bool:
    """Whether there is something grey to see of a row: of one about which nothing is known there is not."""
    return row.differs is False and row.low is not None


def is_aside(row: Row) -> bool:
    """Whether a row is compared with nothing: it has neither a colour nor hatches."""
    return row.differs is None and row.low is not None


def is_told(row: Row) -> bool:
    """Whether a row can be told apart, and so can its place if it has one."""
    return not is_tied(row) and not is_shared(row)


def is_shared(row: Row) -> bool:
    """Whether a row that can be told from its reference may have one place or another among the rows."""
    return not is_tied(row) and row.rank is not None and row.rank[0] != row.rank[1]


def framed(finding: Finding, signs: Sequence[Any], *, from_zero: bool) -> tuple[Drawing, Axes]:
    """An empty chart with names, intervals in words, a scale that holds everything, and a legend."""
    rows = drawn(finding)
    wholes = [" · ".join(value for _, value in row.names) for row in rows]
    many = len(rows) > MANY_ROWS
    names = labels(wholes, _NAME) if many else [lines(name, _NAME) for name in labels(wholes)]
    high = _THIN_ROW if many else _ROW
    words = [_words(finding, row) for row in rows]
    left, right = inches(names, look.TEXT) + _GAP + _EDGE, inches(words, look.TEXT) + _GAP + _EDGE
    unit = lines(unit_words(finding), fitting(WIDTH - left, look.TEXT - 1))
    more = wrapped(signs, WIDTH - left)
    height = (
        _TOP
        + high * len(rows)
        + _AXIS
        + _UNIT * unit.count("\n")
        + _LEGEND * (len(signs) + (len(rows) < len(finding.rows)))
        + _UNIT * more
    )
    figure = Drawing(figsize=(WIDTH, height))
    bottom = height - _TOP - high * len(rows)
    place = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, high * len(rows) / height)
    axes = figure.add_axes(place)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    least, most = _ends(finding, from_zero=from_zero)
    axes.set_xlim(least, most)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace("-", "\N{MINUS SIGN}")))
    axes.tick_params(axis="x", length=0, labelsize=look.TEXT - 1, labelcolor=look.QUIET)
    axes.grid(visible=True, axis="x", color=look.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    for at, (row, name, said) in enumerate(zip(rows, names, words, strict=True)):
        foot = bottom + high * (len(rows) - at - 0.5) - BELOW
        colour = look.QUIET if is_tied(row) else look.INK
        for line, text in enumerate(name.split("\n")):
            y = foot + _LINE * (name.count("\n") / 2 - line)
            figure.text((left - _GAP) / WIDTH, y / height, text, ha="right", va="baseline", color=look.INK)
        x = (WIDTH - right + _GAP) / WIDTH
        figure.text(x, foot / height, said, ha="left", va="baseline", color=colour)
    figure.text(left / WIDTH, (bottom - 0.3) / height, unit, ha="left", va="top", size=look.TEXT - 1, linespacing=1.1)
    _legend(finding, figure, signs, left)
    return figure, axes


def intervals(finding: Finding, axes: Axes) -> None:
    """The interval of each row, black or grey, and what nothing is known about in words."""
    for at, row in enumerate(drawn(finding)):
        if row.low is None or row.high is None:
            continue
        colour = look.QUIET if is_tied(row) else look.INK
        ends = [float(row.low), float(row.high)]
        axes.plot(
            ends,
            [at, at],
            color=colour,
            linewidth=1.4,
            marker="|",
            markersize=7,
            markeredgewidth=1.4,
            zorder=4,
            solid_capstyle="butt",
        )


def line_of_reference(finding: Finding, axes: Axes) -> None:
    """The line of what rows are compared with, and where that may lie if it is an estimate."""
    if finding.chart.around is not None:
        low, high = ([float(end)] * 2 for end in finding.chart.around)
        axes.fill_betweenx([0, 1], low, high, transform=axes.get_xaxis_transform(), color=look.BAND, lw=0, zorder=0.5)
    if finding.chart.reference is not None:
        axes.axvline(float(finding.chart.reference), color=look.INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=3)


def tied_words(finding: Finding) -> str:
    """What grey means."""
    return f"cannot be told apart from {finding.compared.alike}" if finding.compared else "cannot be told apart"


def told_words(finding: Finding) -> str:
    """What blue means."""
    return f"estimate that differs from {finding.compared.what}" if finding.compared else "estimate"


def unit_words(finding: Finding) -> str:
    """What the numbers are, under the scale."""
    own = dict.fromkeys(finding.unit_of(row) for row in finding.rows if finding.unit_of(row) != finding.unit)
    unit = f"% of {finding.base}" if finding.unit == "%" else finding.unit
    return "; ".join((unit, *(f"{each} where said so" for each in own)))


def wrapped(signs: Sequence[Any], width: float) -> int:
    """Break what a legend says into lines that fit; how many lines more that makes."""
    for sign in signs:
        sign.set_label(lines(sign.get_label(), fitting(width - SIGN, look.TEXT - 1)))
    return sum(sign.get_label().count("\n") for sign in signs)


def shared_words(finding: Finding) -> str:
    """What pale blue means."""
    return f"{told_words(finding)}; place not certain"


def interval_words(finding: Finding) -> str:
    """What the black line means."""
    return f"interval that holds the truth with {percent(finding.level)} or more, over {finding.covers}"


def signs(finding: Finding) -> list[Any]:
    """The legend of what a chart shows, and of nothing else."""
    rows = drawn(finding)
    found: list[Any] = [look.told(told_words(finding))] if any(is_told(row) for row in rows) else []
    found += [look.shared(shared_words(finding))] if any(is_shared(row) for row in rows) else []
    found += [look.tied(tied_words(finding))] if any(is_grey(row) for row in rows) else []
    found += [look.aside(ASIDE)] if any(is_aside(row) for row in rows) else []
    found += [look.interval(interval_words(finding))] if any(row.low is not None for row in rows) else []
    return [*found, *reference_sign(finding)]


def reference_sign(finding: Finding) -> list[Any]:
    """The legend's sign of the line that rows are compared with, where there is one."""
    if finding.chart.reference is None or finding.compared is None:
        return []
    return [(look.reference if finding.chart.around is None else look.band)(finding.compared.what)]


def _words(finding: Finding, row: Row) -> str:
    """The interval as text; with places where rows are ranked."""
    rank = ""
    if row.rank is not None:
        best, worst = row.rank
        rank = f", place {best}" if best == worst else f", place {best} to {worst}"
    if row.low is None or row.high is None:
        return f"cannot be told{rank}"
    said = " to ".join(dict.fromkeys(show_range(row.low, row.high)))
    return (with_unit(said, finding.unit_of(row)) if finding.unit == "%" or own_units(finding) else said) + rank


def _ends(finding: Finding, *, from_zero: bool) -> tuple[float, float]:
    """A scale that holds every number, with some air."""
    ends = [float(end) for row in drawn(finding) for end in (row.low, row.high, row.value) if end is not None]
    if not ends:
        return 0.0, 1.0
    ends += [0.0] if from_zero else []
    ends += [float(end) for end in (finding.chart.reference, *(finding.chart.around or ())) if end is not None]
    least, most = min(ends), max(ends)
    air = 0.04 * (most - least) or max(abs(most) * 0.1, 1.0)
    return least - (0.0 if from_zero and least == 0 else air), most + air


def _legend(finding: Finding, figure: Drawing, handles: Sequence[Any], left: float) -> None:
    if handles:
        figure.legend(
            handles=list(handles),
            loc="lower left",
            bbox_to_anchor=(left / WIDTH, 0.0),
            frameon=False,
            fontsize=look.TEXT - 1,
            borderpad=0.0,
            borderaxespad=0.0,
            labelspacing=0.45,
            handlelength=2.2,
        )
    rest = len(finding.rows) - len(drawn(finding))
    if rest:
        figure.text(1, 0, f"{rest:,} more in the table", ha="right", va="bottom", size=look.TEXT - 1)
