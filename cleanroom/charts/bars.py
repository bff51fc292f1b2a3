"""Bars from zero, one for each row, with the interval over each: blue where it can be told, grey where not."""

from cleanroom.catalogue.finding import Finding
from cleanroom.charts import look
from cleanroom.charts.drawing import Drawing
from cleanroom.charts.frame import drawn, framed, intervals, is_aside, is_shared, is_tied, line_of_reference, signs


def bars(finding: Finding) -> Drawing:
    """The chart."""
    figure, axes = framed(finding, signs(finding), from_zero=True)
    for at, row in enumerate(drawn(finding)):
        if row.value is None:
            continue
        if is_aside(row):
            face, edge, hatch = look.ASIDE, look.TIED_EDGE, ""
        elif is_tied(row):
            face, edge, hatch = look.TIED, look.TIED_EDGE, look.HATCH
        elif is_shared(row):
            face, edge, hatch = look.SHARED, look.TOLD, look.BACK
        else:
            face, edge, hatch = look.TOLD, look.TOLD, ""
        axes.barh(at, float(row.value), 0.62, facecolor=face, edgecolor=edge, hatch=hatch)
    intervals(finding, axes)
    line_of_reference(finding, axes)
    return figure
