"""Two drawings of a room's history, as SVG elements: what happened when, and how each dataset's budget burned down.

Shapes and dashes say what colours say, so both can be read in grey and on paper. Positions are numbers that are made
here; every word that comes from the log is the text of an element, which the writer of the page escapes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

from cleanroom.querylog.recount import Account, Moment
from cleanroom.report.log_rows import LogRow
from cleanroom.report.visible import visible

WIDTH, LEFT, RIGHT = 960, 210, 24
LANE = 34
MOST_LANES = 12
_SHAPES = {
    "answered": ("circle", "filled"), "refused": ("cross", ""), "voided": ("circle", "hollow"),
    "charged": ("circle", "half"), "asked": ("dash", ""), "approved": ("dash", ""),
}  # fmt: skip
LEGEND = (
    ("answered", "answered"),
    ("voided", "voided, nothing spent"),
    ("charged", "paid, not answered"),
    ("refused", "refused"),
    ("asked", "waits"),
    ("match", "match"),
    ("event", "stop, terms, incident"),
)


def moment(text: str) -> float | None:
    """POSIX seconds of a time in the log; None for what is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Moments from left to right."""

    start: float
    end: float

    @staticmethod
    def of(moments: Iterable[float]) -> "TimeAxis":
        """An axis that holds them all, a minute wide at least."""
        found = list(moments) or [0.0]
        first, last = min(found), max(found)
        return TimeAxis(first, max(last, first + 60))

    def x(self, at: float) -> float:
        """Where a moment lies."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - self.start) / (self.end - self.start)

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Five moments with their labels, as fine as the axis is long."""
        form = "%Y-%m-%d" if self.end - self.start > 4 * 86400 else "%m-%d %H:%M"
        form = "%H:%M:%S" if self.end - self.start < 3600 else form
        found = []
        for part in range(5):
            at = self.start + (self.end - self.start) * part / 4
            found.append((self.x(at), datetime.fromtimestamp(at, UTC).strftime(form)))
        return found


def svg(height: float, title: str) -> Element:
    """An empty drawing that grows with the page."""
    drawing = Element("svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "class": "drawing"})
    SubElement(drawing, "title").text = visible(title)
    return drawing


def _text(parent: Element, x: float, y: float, text: str, anchor: str = "start", kind: str = "label") -> None:
    at = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor, "class": kind}
    SubElement(parent, "text", at).text = visible(text)


def _line(parent: Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    ends = {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}"}
    SubElement(parent, "line", {**ends, "class": kind})


def _axis(parent: Element, axis: TimeAxis, top: float, bottom: float) -> None:
    for place, (x, label) in enumerate(axis.ticks()):
        _line(parent, x, top, x, bottom, "grid")
        _text(parent, x, bottom + 16, label, "end" if place == 4 else "middle" if place else "start", "tick")


def mark(parent: Element, shape: str, x: float, y: float, title: str = "") -> None:
    """One event's sign."""
    group = SubElement(parent, "g", {"class": f"mark {shape if shape in _SHAPES else 'other'}"})
    if title:
        SubElement(group, "title").text = visible(title)
    form, fill = _SHAPES.get(shape, ("square" if shape == "match" else "triangle", ""))
    if form == "circle":
        SubElement(group, "circle", {"cx": f"{x:g}", "cy": f"{y:g}", "r": "5", "class": fill})
    if fill == "half":
        SubElement(group, "path", {"d": f"M {x:g} {y - 5:g} A 5 5 0 0 1 {x:g} {y + 5:g} Z", "class": "filled"})
    elif form == "cross":
        _line(group, x - 4.5, y - 4.5, x + 4.5, y + 4.5, "stroke")
        _line(group, x - 4.5, y + 4.5, x + 4.5, y - 4.5, "stroke")
    elif form == "dash":
        _line(group, x, y - 6, x, y + 6, "stroke")
    elif form == "square":
        SubElement(
            group, "rect", {"x": f"{x - 4:g}", "y": f"{y - 4:g}", "width": "8", "height": "8", "class": "hollow"}
        )
    elif form == "triangle":
        SubElement(group, "path", {"d": f"M {x:g} {y - 6:g} L {x + 5.5:g} {y + 4:g} L {x - 5.5:g} {y + 4:g} Z"})


def timeline(rows: Sequence[LogRow], axis: TimeAxis) -> Element:
    """One lane for each asker and owner, one for what concerns the room; a sign for each record."""
    lanes: dict[str, list[tuple[float, LogRow]]] = {}
    for row in rows:
        at = moment(row.at)
        if at is not None:
            lanes.setdefault(_lane(row), []).append((at, row))
    names = sorted(lanes, key=lambda name: (name == _ROOM, name))
    shown = names[: MOST_LANES - 1] if len(names) > MOST_LANES else names
    bottom = LANE * (len(shown) + (len(shown) < len(names))) + 8
    drawing = svg(bottom + 24, "What happened when")
    _axis(drawing, axis, 4, bottom)
    for place, name in enumerate(shown):
        _draw_lane(drawing, axis, LANE * place + LANE / 2 + 4, name, lanes[name])
    if len(shown) < len(names):
        rest = [one for name in names[len(shown) :] for one in lanes[name]]
        _draw_lane(drawing, axis, LANE * len(shown) + LANE / 2 + 4, f"{len(names) - len(shown)} more", rest)
    return drawing


_ROOM = "the room"


def _lane(row: LogRow) -> str:
    return f"{row.by} asks {row.about}" if row.kind == "question" else _ROOM


def _draw_lane(drawing: Element, axis: TimeAxis, y: float, name: str, events: Sequence[tuple[float, LogRow]]) -> None:
    _line(drawing, LEFT, y, WIDTH - RIGHT, y, "lane")
    _text(drawing, LEFT - 12, y + 4, name if len(name) <= 30 else f"{name[:29]}…", "end")
    for at, row in events:
        shape = row.outcome if row.kind == "question" else "match" if row.kind == "match" else "event"
        mark(drawing, shape, axis.x(at), y, f"{row.at} {row.kind} {row.outcome}: {row.says}")


def burn_down(accounts: Sequence[Account], axis: TimeAxis, title: str) -> Element:
    """What is left of one dataset's budget: a line for each consumer in parts of its own cap, a thick one for all."""
    height, top = 170.0, 12.0
    drawing = svg(height + 28, title)
    _axis(drawing, axis, top, height)
    for part, label in ((0.0, "100% left"), (0.5, "50%"), (1.0, "nothing left")):
        y = top + (height - top) * part
        _line(drawing, LEFT, y, WIDTH - RIGHT, y, "grid")
        _text(drawing, LEFT - 8, y + 4, label, "end", "tick")
    capped = [account for account in accounts if account.cap]
    steps = [(_steps(account.moments, account.cap or 1), f"burn burn{at % 4}") for at, account in enumerate(capped)]
    cap = next((account.lineage_cap for account in accounts if account.lineage_cap), None)
    if cap is not None:
        steps.append((_steps(together(accounts), cap), "burn burnall"))
    for parts, kind in steps:
        points, left = [(float(LEFT), top)], top
        for at, part in parts:
            y = top + (height - top) * min(1.0, part)
            points += [(axis.x(at), left), (axis.x(at), y)]
            left = y
        points.append((float(WIDTH - RIGHT), left))
        SubElement(drawing, "polyline", {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points), "class": kind})
    return drawing


def swatch(kind: str) -> Element:
    """The line of a drawing, for the table beside it."""
    drawing = Element("svg", {"viewBox": "0 0 36 10", "width": "36", "height": "10", "class": "swatch"})
    _line(drawing, 0, 5, 36, 5, f"burn {kind}")
    return drawing


def together(accounts: Sequence[Account]) -> list[Moment]:
    """What all consumers of one lineage had spent after each of its entries."""
    latest: dict[int, int] = {}
    found = []
    for one, place in sorted(
        ((one, place) for place, account in enumerate(accounts) for one in account.moments),
        key=lambda pair: pair[0].index,
    ):
        latest[place] = one.spent
        found.append(Moment(one.index, one.at, sum(latest.values()), 0))
    return found


def _steps(moments: Sequence[Moment], cap: int) -> list[tuple[float, float]]:
    """(when, part of the cap that is spent from then on)."""
    found = ((moment(one.at), one.spent / cap) for one in moments)
    return [(at, part) for at, part in found if at is not None]
