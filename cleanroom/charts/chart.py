"""The chart of a finding, of the kind that its entry chose."""

from cleanroom.catalogue.finding import Finding
from cleanroom.charts.bars import bars
from cleanroom.charts.drawing import Drawing, settings
from cleanroom.charts.heat import heat
from cleanroom.charts.index import index


def chart(finding: Finding) -> Drawing:
    """The drawing; a heat map needs two names for each row, and is bars where there are not two."""
    kinds = {"bars": bars, "heat": heat if len(finding.rows[0].names) == 2 else bars, "index": index}
    with settings():
        return kinds[finding.chart.kind](finding)
