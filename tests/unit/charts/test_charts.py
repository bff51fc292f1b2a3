"""What a chart shows and does not: ties are grey, rows stay in their order, and a name is only ever a text."""

import io
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from xml.etree.ElementTree import Element, tostring

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cleanroom.catalogue.finding import Chart, Finding, Row
from cleanroom.charts import look
from cleanroom.charts.chart import chart
from cleanroom.charts.drawing import Drawing, _taken, element
from cleanroom.charts.frame import MANY_ROWS, MOST_ROWS
from cleanroom.charts.heat import MOST_ACROSS, MOST_DOWN
from cleanroom.charts.label import labels, lines, short
from cleanroom.report.finding_table import finding_body, finding_heads, finding_texts
from tests.unit.catalogue.planted import Planted
from tests.unit.charts.made_up import COUNTRIES, findings

KINDS = ("bars", "heat", "index")
HOSTILE = (
    "</svg><script>alert(1)</script>",
    r"$\frac{1}{0}$",
    "$x^2$ and $$",
    "x" * 10_000,
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "a\x00\x1b[31m\nb\ud800",
    '" onload="alert(1)',
    "url(http://example.net/x) @import",
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER HE}\N{CJK UNIFIED IDEOGRAPH-8272}" * 30,
    "",
)


def rows(names: tuple[str, ...], *, tied: frozenset[str] = frozenset(), ranked: bool = False) -> tuple[Row, ...]:
    """Values that grow from row to row, so that an order by value would show; those of `tied` cannot be told."""
    return tuple(
        Row(
            (("shop (a)", name), ("colour (b)", name)),
            Fraction(90 + 10 * at),
            Fraction(80 + 10 * at),
            Fraction(99 + 10 * at),
            name not in tied,
            (1, 2) if ranked else None,
        )
        for at, name in enumerate(names)
    )


def finding(kind: str, made: tuple[Row, ...]) -> Finding:
    return replace(findings()["index"], unit="people", rows=made, chart=Chart(kind, Fraction(100)))


def legend(figure: Figure) -> list[str]:
    """What the legend says, a line each."""
    return [text.get_text().replace("\n", " ") for held in figure.legends for text in held.get_texts()]


def texts(drawing: Element) -> list[str]:
    return ["".join(part.itertext()) for part in drawing.iter("text")]


@pytest.mark.parametrize("entry", list(findings()))
def test_every_entry_has_a_chart_with_its_numbers_as_texts(entry: str) -> None:
    found = findings()[entry]
    figure = chart(found)
    assert isinstance(figure, Figure)
    drawing = element(figure, "c")
    words = texts(drawing)
    for row in found.rows:
        assert any(row.names[-1][1][:20] in word for word in words)
    assert any("95%" in word for word in words), "what an interval means"
    assert {part.tag for part in drawing.iter()} <= {
        "svg",
        "defs",
        "g",
        "path",
        "use",
        "text",
        "clipPath",
        "rect",
        "pattern",
    }


@pytest.mark.parametrize("entry", [name for name, found in findings().items() if found.unit == "%"])
def test_a_chart_in_percent_says_whose_base_it_is(entry: str) -> None:
    """In lines that fit: spaces are where they were broken."""
    said = " ".join(" ".join(texts(element(chart(findings()[entry]), "c"))).split())
    assert f"% of {findings()[entry].base}" in said


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_a_text_and_never_a_formula_a_tag_or_a_direction(kind: str) -> None:
    drawing = element(chart(finding(kind, rows(HOSTILE))), "c")
    words = texts(drawing)
    assert any(word.startswith("$") and "frac{1}{0}" in word for word in words)
    assert any("</svg>" in word for word in words)
    assert any("\\u202e" in word for word in words)
    assert not any(letter in word for word in words for letter in "\N{RIGHT-TO-LEFT OVERRIDE}\x00\x1b\ud800")
    assert max(map(len, words)) < 120
    assert not list(drawing.iter("script"))
    assert "<script" not in tostring(drawing, encoding="unicode", method="html")
    assert all(
        "alert" not in value and "example.net" not in value for part in drawing.iter() for value in part.attrib.values()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_dollar_stays_a_dollar_wherever_the_figure_is_saved(kind: str) -> None:
    """A person's own matplotlib reads formulas; this text would be an error there."""
    figure = chart(finding(kind, rows((r"$\frac{1}{0$", "b"))))
    with mpl.rc_context({"text.parse_math": True}):
        figure.savefig(io.BytesIO(), format="png", dpi=20)


def test_the_same_finding_is_the_same_drawing_whatever_matplotlib_is_set_to() -> None:
    found = findings()["profile"]
    first = tostring(element(chart(found), "c"))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": True}):
        assert tostring(element(chart(found), "c")) == first
        assert mpl.rcParams["font.size"] == 30, "the person's settings are left as they are"


def test_bars_that_cannot_be_told_apart_are_grey_and_hatched_whatever_their_length() -> None:
    made = rows(("a", "b", "c"), tied=frozenset("c"))
    (axes,) = chart(finding("bars", made)).axes
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [look.TOLD, look.TOLD, look.TIED]
    assert [bar.get_hatch() or "" for bar in axes.patches] == ["", "", look.HATCH]
    (axes,) = chart(finding("bars", rows(("a", "b"), tied=frozenset("b"), ranked=True))).axes
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [look.SHARED, look.TIED]


def test_points_that_cannot_be_told_from_the_line_are_hollow_and_grey() -> None:
    (axes,) = chart(finding("index", rows(("a", "b"), tied=frozenset("b")))).axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [point.get_markerfacecolor() for point in points] == [look.TOLD, "white"]
    assert [line.get_color() for line in axes.lines if line.get_marker() == "|"] == [look.INK, look.QUIET]


def test_cells_that_cannot_be_told_apart_are_hatched_and_not_shaded() -> None:
    (axes,) = chart(finding("heat", rows(("a", "b"), tied=frozenset("b")))).axes
    told, tied = (box for box in axes.patches if isinstance(box, Rectangle))
    assert (to_hex(tied.get_facecolor()), bool(tied.get_hatch())) == (look.TIED, True)
    assert not told.get_hatch()
    assert to_hex(told.get_facecolor()) != look.TIED


def test_figures_stand_out_from_every_shade_that_they_stand_on() -> None:
    """White on a middle blue had a contrast of 2.9; the Web's guidelines ask for 4.5 (WCAG 2, 1.4.3)."""

    def light(colour: str) -> float:
        parts = (int(to_hex(colour)[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05

    made = tuple(
        Row((("a", str(at // 10)), ("b", str(at % 10))), Fraction(at), Fraction(at), Fraction(at)) for at in range(101)
    )
    (axes,) = chart(finding("heat", made)).axes
    assert len(axes.texts) == 2 * len(axes.patches) == 202
    for place, words in enumerate(axes.texts):
        ground, ink = light(axes.patches[place // 2].get_facecolor()), light(words.get_color())  # type: ignore[arg-type]
        assert max(ground, ink) / min(ground, ink) >= 4.5


@pytest.mark.parametrize("by", ["", "country"])
def test_what_a_profile_does_not_name_has_neither_a_colour_nor_hatches(by: str) -> None:
    """It stood out as the only blue bar beside grey values, though its size depends on what the contract names."""
    groups = [300, 310, 100, 60, 50, 900] * (COUNTRIES if by else 1)
    found = Planted("profile", {"of": "colour", "by": by} if by else {"of": "colour"}, groups).asked()
    figure = chart(found)
    (axes,) = figure.axes
    for row, patch in zip(found.rows, axes.patches, strict=True):
        assert (row.differs is None) == (row.names[-1][1] == "other")
        if row.differs is None:
            assert to_hex(patch.get_facecolor()) == "#ffffff"
            assert not patch.get_hatch()
    assert any("compared with nothing" in line for line in legend(figure))
    assert "not compared" in finding_texts(found)[-1]


def test_a_legend_says_from_what_grey_cannot_be_told_apart() -> None:
    def grey(found: Finding) -> Finding:
        known = {"value": Fraction(1), "low": Fraction(0), "high": Fraction(2)}
        return replace(found, rows=tuple(replace(row, **known, differs=False) for row in found.rows))  # type: ignore[arg-type]

    expected = {
        "profile": "cannot be told apart from each other",
        "index": "cannot be told apart from 100, as among all customers of bikes",
        "flow": "not shaded: cannot be told apart from what it would be if country at accessories and colour at bikes"
        " had nothing to do with each other",
        "prior": "not shaded: cannot be told apart from the average of all shared customers",
        "launch": "cannot be told apart from the average of all shared customers, 45.05% to 45.93%",
        "response": "cannot be told apart from 0, nothing bought",
    }
    for name, words in expected.items():
        (line,) = (line for line in legend(chart(grey(findings()[name]))) if "told apart" in line)
        assert line.startswith(words)


def test_an_average_is_drawn_as_the_interval_that_rows_are_compared_with() -> None:
    """A line at its estimate alone could lie beside a grey bar whose interval does not reach it."""
    planted = Planted("launch", {"by": "country", "of": "colour", "value": "Black"}, [3, 2, 2, 1, 0, 1] * COUNTRIES)
    for _ in range(20):
        launch = planted.asked("0.5")
        assert launch.chart.around is not None
        low, high = launch.chart.around
        for row in launch.rows:
            if row.low is not None and row.high is not None and row.differs is not None:
                assert row.differs == (row.low > high or row.high < low)
    (axes,) = chart(launch).axes
    (band,) = axes.collections
    ends = np.asarray(band.get_paths()[0].vertices)[:, 0].tolist()
    assert [min(ends), max(ends)] == [float(low), float(high)]
    body = finding_body(launch)
    assert (body["reference_low"], body["reference_high"]) == (float(low), float(high))


def test_percentage_points_are_not_called_percent() -> None:
    found = findings()["lift"]
    test, control, effect = (words for words in texts(element(chart(found), "c")) if " to " in words)
    assert test.endswith("%")
    assert control.endswith("%")
    assert effect.endswith(" points")
    assert "%" not in effect
    table = finding_texts(found)
    assert [("%" in cells[1], "points" in cells[1]) for cells in table] == [(True, False), (True, False), (False, True)]
    assert finding_heads(found)[1] == "estimate"


def test_a_question_mark_is_explained_where_the_interval_is_everything_too() -> None:
    made = (*rows(("a", "b")), Row((("shop (a)", "c"), ("colour (b)", "c")), None, Fraction(0), Fraction(100), False))
    assert "?: cannot be told" in legend(chart(finding("heat", made)))
    assert "?: cannot be told" not in legend(chart(finding("heat", made[:2])))


def test_a_name_and_its_interval_stand_on_one_line_within_the_drawing() -> None:
    """Centred by their letters, a name with a tail stood higher than one without; the longest touched the edge."""
    made = tuple(replace(row, names=row.names[:1]) for row in rows(("ace", "gypsy", "long" * 6)))
    figure = chart(finding("bars", made))
    names = sorted(figure.texts[:6], key=lambda text: -text.get_position()[1])
    for name, interval in zip(names[::2], names[1::2], strict=True):
        assert name.get_position()[1] == interval.get_position()[1]
        assert name.get_verticalalignment() == interval.get_verticalalignment() == "baseline"
    drawn = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    ends = [text.get_window_extent(drawn) for text in names]
    assert min(end.x0 for end in ends) > 2
    assert max(end.x1 for end in ends) < figure.bbox.width - 2


def test_blue_and_grey_differ_in_lightness_as_well() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert lightness(look.TIED) - lightness(look.TOLD) > 0.5
    assert lightness(look.SHARED) - lightness(look.TOLD) > 0.4
    shades = [lightness(mpl.colors.to_hex(look.shade(part / 10))) for part in range(11)]
    assert shades == sorted(shades, reverse=True)


@pytest.mark.parametrize("kind", ["bars", "index"])
def test_rows_keep_the_order_of_the_finding_and_not_that_of_their_values(kind: str) -> None:
    """From the top: by value each would stand elsewhere."""
    made = rows(("a", "b", "c", "d"))
    made = (made[2], made[0], made[3], made[1])
    figure = chart(finding(kind, made))
    names = [text for text in figure.texts if text.get_text()[:1] in "abcd" and " · " in text.get_text()]
    assert [text.get_text()[0] for text in sorted(names, key=lambda text: -text.get_position()[1])] == list("cadb")
    (axes,) = figure.axes
    middles = [float(sum(line.get_xdata()) / 2) for line in axes.lines if line.get_marker() == "|"]  # type: ignore[arg-type]
    assert middles == [float((row.low + row.high) / 2) for row in made if row.low is not None and row.high is not None]
    assert axes.yaxis_inverted()


@pytest.mark.parametrize("kind", KINDS)
def test_where_nothing_is_known_the_chart_says_so(kind: str) -> None:
    nothing = tuple(replace(row, value=None, low=None, high=None) for row in rows(("a", "b")))
    words = texts(element(chart(finding(kind, nothing)), "c"))
    assert any("cannot be told" in word for word in words)
    assert not any("interval" in word or "darker" in word for word in words)


@pytest.mark.parametrize(("kind", "most"), [("bars", MOST_ROWS), ("index", MOST_ROWS), ("heat", MOST_DOWN)])
@pytest.mark.parametrize("more", [0, 1])
def test_a_very_long_finding_says_how_much_of_it_is_in_the_table_alone(kind: str, most: int, more: int) -> None:
    long = rows(tuple(f"n{at}" for at in range(most + more)))
    made = tuple(replace(row, names=(("a", row.names[0][1]), ("b", "x"))) for row in long)
    words = texts(element(chart(finding(kind, made)), "c"))
    assert [word for word in words if "more in the table" in word] == ["1 more in the table"] * more


def test_a_very_broad_heat_map_says_so_too() -> None:
    long = rows(tuple(f"n{at}" for at in range(MOST_ACROSS + 1)))
    made = tuple(replace(row, names=(("a", "x"), ("b", row.names[0][1]))) for row in long)
    assert "1 more in the table" in texts(element(chart(finding("heat", made)), "c"))


def test_many_rows_are_thin_so_that_they_fit_a_page() -> None:
    few, many = (rows(tuple(f"n{at}" for at in range(count))) for count in (MANY_ROWS, MANY_ROWS + 1))
    assert chart(finding("bars", many)).get_size_inches()[1] < chart(finding("bars", few)).get_size_inches()[1]


def test_what_a_page_must_not_hold_is_refused() -> None:
    """A picture would be data of another kind: no chart has one."""
    figure = Drawing(figsize=(2, 2))
    figure.add_axes((0, 0, 1, 1)).imshow([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="an element image"):
        element(figure, "c")


@pytest.mark.parametrize(
    "held",
    [
        {"onload": "alert(1)"},
        {"style": "fill: url(http://example.net/x)"},
        {"href": "http://example.net/x"},
        {"{http://www.w3.org/1999/xlink}href": "//example.net/x"},
    ],
    ids=str,
)
def test_an_attribute_that_could_run_or_load_something_is_refused(held: dict[str, str]) -> None:
    """Matplotlib writes none of these; a version that did would be noticed here and not by a reader."""
    with pytest.raises(ValueError, match="an attribute "):
        _taken(Element("use", held), "c")


def test_a_notebook_shows_the_drawing_itself() -> None:
    assert Drawing(figsize=(2, 2))._repr_svg_().startswith('<svg width="144"')


def test_names_are_cut_in_the_middle_and_stay_different() -> None:
    assert short("abcdefghij", 10) == "abcdefghij"
    assert short("abcdefghijk", 10) == "abcd…hijk"
    assert labels(("x" * 60 + "1", "x" * 60 + "2"))[0] != labels(("x" * 60 + "1", "x" * 60 + "2"))[1]
    assert labels((f"{'x' * 60}1{'y' * 60}", f"{'x' * 60}2{'y' * 60}"))[1].endswith("[2]")
    assert lines("aaaa bbbb cccc", 9) == "aaaa bbbb\ncccc"
    assert all(len(line) <= 9 for line in lines("z" * 500, 9).split("\n"))


def test_no_window_is_opened_and_a_command_draws_nothing_by_being_loaded() -> None:
    code = (
        "import sys, parties.command.main, parties.command.entry, parties.serve, cleanroom.client.room\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import cleanroom.charts.chart\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
