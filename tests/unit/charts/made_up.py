"""Findings of all nine entries with made-up numbers, and sections of a page about them; some rows are plainly tied."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from xml.etree.ElementTree import Element

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Values
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.charts.chart import chart
from cleanroom.charts.drawing import element
from cleanroom.report.finding_page import Section
from cleanroom.report.receipt_words import Shown
from tests.unit.catalogue.planted import Planted

COLOURS, COUNTRIES = 6, 7
TIED_INDEX: tuple[list[int], list[int]] = ([900, 500, 500, 100, 100, 9], [1000, 1000, 1000, 1000, 1000, 50])
RECEIPT = Shown(
    room="three-shops",
    plan="5a" * 32,
    released_at="2026-03-02T09:30:00Z",
    origin="room.example/three-shops/log/1",
    index=41,
    size=57,
    cosigned=(("accessories", "2026-03-02T09:30:01Z"), ("bikes", "2026-03-02T09:30:02Z")),
    proof="c2sp.org/tlog-proof@v1\nindex 41\n\nroom.example\n57\n",
    policy="log room.example+1234abcd+AAAA\nquorum none\n",
)


def _planted() -> Mapping[str, tuple[Values, tuple[list[int], ...]]]:
    grid = [20 * row * column for row in (10, 6, 4, 2, 1, 1, 3) for column in (9, 7, 3, 1, 1, 2)]
    grid[0], grid[7], grid[14] = 3200, 300, 700
    return {
        "overlap": ({}, ([2412],)),
        "profile": ({"of": "colour"}, ([900, 900, 200, 100, 20, 9],)),
        "index": ({"of": "colour"}, TIED_INDEX),
        "reach": ({}, ([2412], [9100])),
        "flow": ({"by": "country", "of": "colour"}, (grid,)),
        "lift": ({"by": "helmet", "test": "yes", "control": "no", "outcome": "colour", "value": "Black"}, (
            [700, 300, 300, 100, 100, 60, 500, 400, 300, 100, 100, 60, *[10] * 6],)),
        "prior": ({"by": "country", "of": "colour"}, (grid, [sum(grid[at::6]) for at in range(6)])),
        "launch": ({"by": "country", "of": "colour", "value": "Black"}, (grid,)),
    }  # fmt: skip


def _response() -> Finding:
    """The sample has no weeks of purchase: rows as the entry makes them."""
    made = (
        ("spring", 5200, 4700, 5700, (1, 2)),
        ("summer", 4900, 4400, 5400, (1, 2)),
        ("autumn", 900, 400, 1400, (3, 4)),
    )
    rows = [
        Row((("campaign", name),), Fraction(value), Fraction(low), Fraction(high), low > 0, rank)
        for name, value, low, high, rank in made
    ]
    rows.append(Row((("campaign", "winter"),), Fraction(150), Fraction(-350), Fraction(650), False, (3, 4)))
    return replace(
        findings_but_response()["overlap"],
        entry="response",
        unit="dollars",
        rows=tuple(rows),
        sentences=(
            "Which campaign was followed by most dollars at bikes is not known: spring (4,700 to 5,700) and summer"
            " (4,400 to 5,400) cannot be told apart; further: autumn 400 to 1,400, winter -350 to 650.",
            "winter cannot be told apart from nothing.",
        ),
        chart=Chart("bars", Fraction(0)),
        compared=Compared("0, nothing bought", "may be nothing"),
    )


@cache
def findings_but_response() -> dict[str, Finding]:
    return {name: Planted(name, values, *cells).asked(people=5000) for name, (values, cells) in _planted().items()}


@cache
def findings() -> dict[str, Finding]:
    """One of each entry."""
    return {**findings_but_response(), "response": _response()}


def section(finding: Finding, number: int = 1, drawing: Element | None = None) -> Section:
    """What a page takes of it; plans are those of the index for every entry."""
    values, cells = _planted().get(finding.entry, ({}, ([1],)))
    planted = Planted(finding.entry, values, *cells) if finding.entry != "response" else Planted("overlap", {}, [1])
    answers = planted.answers()
    return Section(
        finding=finding,
        says=f"{finding.entry}, version {finding.version}: {find(finding.entry).says}",
        parameters=tuple((name, str(value)) for name, value in values.items()),
        answers=answers,
        analysts=("lena",) * len(answers),
        stored=(False,) * len(answers),
        receipts=(RECEIPT,) * len(answers),
        spending=("This cost accessories epsilon 1 of its budget at bikes.",),
        drawing=element(chart(finding), f"chart{number}") if drawing is None else drawing,
    )
