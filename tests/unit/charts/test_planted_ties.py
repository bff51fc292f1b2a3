"""What is equal in truth is drawn alike, from the planted number through the noise to the colour on the page.

Statements hold with 95% or more, so an honest chart would colour a tie in fewer than 5% of the draws; what is asserted
is five standard errors above that.
"""

import re
from collections.abc import Mapping

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from cleanroom.catalogue.entry import Values
from cleanroom.catalogue.finding import Finding
from cleanroom.charts import look
from cleanroom.charts.chart import chart
from tests.unit.catalogue.planted import Planted
from tests.unit.catalogue.test_ties import most_wrong

DRAWS = 8
PLACE = re.compile(r", place [0-9]+$")
UNRELATED = [40 * row * column for row in (10, 6, 4, 2, 1, 1, 3) for column in (9, 7, 3, 1, 1, 2)]
BY_COUNTRY: dict[str, str] = {"by": "country", "of": "colour"}
MATCH = [900, 1800, 900, 900, 2700, 900]


# For each question its parameters, its planted cells, and how many of its first rows are equal in truth: to each other,
# or to what the question compares with.
TIES: Mapping[str, tuple[Values, tuple[list[int], ...], int]] = {
    "profile": ({"of": "colour"}, ([800, 800, 800, 0, 0, 9],), 3),
    "index": ({"of": "colour"}, (MATCH, [2 * people for people in MATCH]), 5),
    "flow": (BY_COUNTRY, (UNRELATED,), 42),
    "prior": (BY_COUNTRY, (UNRELATED, [sum(UNRELATED[at::6]) for at in range(6)]), 42),
    "launch": (BY_COUNTRY | {"value": "Black"}, (UNRELATED,), 6),
}


def stands_out(found: Finding, rows: int) -> bool:
    """Whether the chart has one of these rows in another colour than grey, or at a place of its own."""
    figure = chart(found)
    (axes,) = figure.axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    if points:
        coloured = any(point.get_markerfacecolor() != "white" for point in points[:rows])
    else:
        coloured = any(to_hex(patch.get_facecolor()) != look.TIED for patch in axes.patches[:rows])
    return coloured or any(PLACE.search(words) for words in placed(figure)[:rows])


def placed(figure: Figure) -> list[str]:
    """The texts that give a row's place or places, in the order of the rows."""
    return [words.get_text() for words in figure.findobj(Text) if ", place " in words.get_text()]


@pytest.mark.parametrize("entry", TIES)
def test_what_is_equal_is_neither_coloured_nor_given_a_place(entry: str) -> None:
    values, cells, rows = TIES[entry]
    planted = Planted(entry, values, *cells)
    assert sum(stands_out(planted.asked(), rows) for _ in range(DRAWS)) <= most_wrong(DRAWS)


def test_what_is_plainly_different_stands_out() -> None:
    """So the test above does not hold because nothing is ever coloured."""
    profile = Planted("profile", {"of": "colour"}, [1800, 800, 300, 0, 0, 9]).asked()
    assert stands_out(profile, 1)
    assert [bool(PLACE.search(words)) for words in placed(chart(profile))] == [True, True, True, False, False]
    index = Planted("index", {"of": "colour"}, [900, 300, 300, 300, 300, 9], [1000, 1000, 1000, 1000, 1000, 50])
    assert stands_out(index.asked(), 1)
    assert stands_out(Planted("flow", BY_COUNTRY, [9000, *UNRELATED[1:]]).asked(), 1)
