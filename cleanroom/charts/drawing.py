"""A drawing: a matplotlib figure that knows nothing of windows, and how it becomes an element of a page.

The file that matplotlib writes is read again, and only shapes and texts are taken over: no metadata, no style sheet, no
picture, no address. Anything else in it is an error, so a page holds what is listed here and nothing that a later
version might add. Identifiers get a prefix of the chart's, as a page may hold several charts.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import Element, fromstring, tostring

import matplotlib as mpl
from matplotlib.figure import Figure

from cleanroom.charts.look import SETTINGS, UNITS

_TAGS = frozenset({"clipPath", "defs", "g", "path", "pattern", "rect", "svg", "text", "tspan", "use"})
_LEFT_OUT = frozenset({"metadata", "style"})
_PLAIN = frozenset({"clip-path", "d", "height", "href", "id", "patternUnits", "style", "transform", "viewBox", "width"})
_ATTRIBUTES = _PLAIN | {"x", "y", "fill", "fill-opacity", "stroke", "stroke-linecap", "stroke-linejoin", "stroke-width"}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_WITHIN = re.compile(r"url\(#([\w-]+)\)")
_ADDRESS = re.compile(r"url\((?!#)|@import|expression", re.IGNORECASE)
_FONT_FAMILY = re.compile(r"font-family: [^;]*;? ?")


class Drawing(Figure):
    """A figure that a notebook shows as it stands in a report."""

    def _repr_svg_(self) -> str:
        drawing = element(self, "chart")
        drawing.set("xmlns", "http://www.w3.org/2000/svg")
        return tostring(drawing, encoding="unicode")


@contextmanager
def settings() -> Iterator[None]:
    """Within it, everything is drawn as `look` says."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's own fonts show it
        yield


def element(figure: Figure, prefix: str) -> Element:
    """The drawing as an element of a page; `prefix` tells it apart from others on the page."""
    file = io.BytesIO()
    with settings():
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
    found = fromstring(file.getvalue().decode("utf-8"))  # noqa: S314 # written by ourselves a moment ago
    drawing = _taken(found, prefix)
    used = {part.get("href", "")[1:] for part in drawing.iter()}
    used |= {name for part in drawing.iter() for text in part.attrib.values() for name in _WITHIN.findall(text)}
    for part in drawing.iter():
        if part.get("id") not in used:
            part.attrib.pop("id", None)
    width = figure.get_size_inches()[0] * UNITS
    drawing.attrib.pop("height", None)
    drawing.attrib |= {"width": f"{width:g}", "role": "img", "style": f"min-width: {width:g}px"}
    drawing.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    return drawing


def _taken(found: Element, prefix: str) -> Element:
    """The same element without names of XML, and with everything that is not on the lists refused."""
    tag = found.tag.rpartition("}")[2]
    if tag not in _TAGS:
        raise ValueError(f"cannot happen: a chart has an element {tag}")
    made = Element(tag)
    for name, value in found.attrib.items():
        _set(made, name.rpartition("}")[2], value, prefix)
    if tag in ("text", "tspan"):
        made.text = found.text
    for part in found:
        if part.tag.rpartition("}")[2] not in _LEFT_OUT:
            made.append(_taken(part, prefix))
    return made


def _set(made: Element, name: str, value: str, prefix: str) -> None:
    if name in ("version", "type"):
        return
    if name not in _ATTRIBUTES or _ADDRESS.search(value) or (name == "href" and not value.startswith("#")):
        raise ValueError(f"cannot happen: a chart has an attribute {name}={value[:40]!r}")
    if name == "id":
        value = f"{prefix}-{value}"
    elif name == "href":
        value = f"#{prefix}-{value[1:]}"
    elif name == "style":
        value = _FONT_FAMILY.sub("", value)  # the page chooses the letters, from what its reader has
    made.set(name, _WITHIN.sub(rf"url(#{prefix}-\1)", value))
