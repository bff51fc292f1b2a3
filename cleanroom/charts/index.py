"""An index chart: a point and its interval for each row, left or right of the line that everybody stands on.

What cannot be told from that line is grey and its point is hollow. There are no bars: the distance from the line
counts, and zero means nothing here.
"""

from matplotlib.lines import Line2D

from cleanroom.catalogue.finding import Finding, Row
from cleanroom.charts import look
from cleanroom.charts.drawing import Drawing
from cleanroom.charts.frame import (
    drawn,
    framed,
    interval_words,
    intervals,
    is_grey,
    is_shared,
    is_tied,
    is_told,
    line_of_reference,
    reference_sign,
    shared_words,
    tied_words,
    told_words,
)


def index(finding: Finding) -> Drawing:
    """The chart."""
    figure, axes = framed(finding, _signs(finding), from_zero=False)
    intervals(finding, axes)
    line_of_reference(finding, axes)
    for at, row in enumerate(drawn(finding)):
        if row.value is not None:
            axes.add_line(_point(float(row.value), at, *_colours(row)))
    return figure


_FULL, _PALE, _HOLLOW = (look.TOLD, look.TOLD), (look.TOLD, look.SHARED), (look.QUIET, "white")


def _colours(row: Row) -> tuple[str, str]:
    """Edge and face: full where it can be told, pale where its place cannot, hollow and grey where nothing can."""
    return _HOLLOW if is_tied(row) else _PALE if is_shared(row) else _FULL


def _point(x: float, y: float, edge: str, face: str, says: str = "") -> Line2D:
    point = Line2D([x], [y], linestyle="", marker="o", markersize=7, zorder=5, label=says)
    point.set(markeredgecolor=edge, markerfacecolor=face)
    return point


def _signs(finding: Finding) -> list[Line2D]:
    rows = drawn(finding)
    words = ((is_told, _FULL, told_words), (is_shared, _PALE, shared_words), (is_grey, _HOLLOW, tied_words))
    found = [_point(0, 0, *colours, says(finding)) for holds, colours, says in words if any(map(holds, rows))]
    found += [look.interval(interval_words(finding))] if any(row.low is not None for row in rows) else []
    return [*found, *reference_sign(finding)]
