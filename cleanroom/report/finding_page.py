"""Findings as one page that loads nothing: answer, chart, table, what was asked and spent, receipt, limits.

The page is a tree of elements, so text can only ever be text: the writer escapes it, and nothing from a contract, a
party or an answer becomes a tag, an attribute, a style or an address. A policy inside the page forbids scripts and
everything from outside as well. The chart comes drawn; here it is put in its place. Readable in grey and on paper,
where each finding begins on a page of its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from cleanroom.catalogue.finding import Finding
from cleanroom.report.answer import Answer
from cleanroom.report.finding_style import POLICY, STYLE
from cleanroom.report.finding_table import apart, caption, finding_heads, finding_texts
from cleanroom.report.receipt_words import Shown, day
from cleanroom.report.visible import visible

_NOISE = (
    "What is said here about the owner's customers was computed from numbers with noise in them, which the owner added"
    " before they left its node. The estimate is the best guess; what can be relied on is the interval."
)
_BROAD = 720.0  # a wider drawing gets a page of its own on paper, turned
_ORDER = "Rows stand in the order of the contract, not in that of their values."
_PLACES = "Rows whose places overlap cannot be told apart from each other."
_ALONE = (
    "Anybody can check that this question was asked and answered as the log says, without us: write the receipt when"
    " asking (the same question again costs nothing), or copy it from this page on a screen, and verify it."
)
_COMMANDS = "cleanroom ask {entry} … --receipt FILE\ncleanroom audit verify FILE --policy POLICY"
_FOLDED = "FILE is the receipt; POLICY, the keys whose signatures count, is in the folded part below (on a screen)."
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT[\d:]+Z)")
_COPY = (
    "The receipt and the policy, to be saved as they stand, each with a line break at the end. Compare the keys in the"
    " policy with those in your room's agreement before relying on them, or give --agreement FILE instead of --policy."
)
_NOT_PROVEN = (
    "The receipt shows that this question and its answer stand in the log that everybody named there signed. It proves"
    " neither that noise was honestly drawn or a company's table was true, nor that this page shows the numbers as they"
    " were answered: whoever doubts it asks the same question again, which costs nothing."
)


@dataclass(frozen=True, slots=True)
class Section:
    """One finding as the page takes it.

    `parameters` are what was asked for, by name; `answers` the plans that were answered, each with the words of its
    receipt and whether it was stored; `spending` says what it cost; `drawing` is the chart, an element with no text
    that was not made visible before.
    """

    finding: Finding
    says: str
    parameters: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    analysts: tuple[str, ...]
    stored: tuple[bool, ...]
    receipts: tuple[Shown, ...]
    spending: tuple[str, ...]
    drawing: Element


def finding_page(title: str, sections: Sequence[Section]) -> str:
    """The page."""
    page = Element("html", {"lang": "en"})
    head = SubElement(page, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "title").text = visible(title)
    SubElement(head, "style").text = STYLE
    body = SubElement(page, "body")
    SubElement(body, "h1").text = visible(title)
    _paragraph(body, _NOISE, "note")
    for number, section in enumerate(sections, start=1):
        _section(SubElement(body, "section"), section, number if len(sections) > 1 else 0)
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def _paragraph(parent: Element, text: str, kind: str = "") -> None:
    SubElement(parent, "p", {"class": kind} if kind else {}).text = visible(text)


def _heading(parent: Element, text: str) -> None:
    SubElement(parent, "h3").text = visible(text)


def _section(parent: Element, section: Section, number: int) -> None:
    finding = section.finding
    words = ", ".join(f"{name} {value}" for name, value in section.parameters)
    asked = f"{finding.asker} asked {finding.owner}: {finding.entry}{f', {words}' if words else ''}"
    SubElement(parent, "h2").text = visible(f"{number}. {asked}" if number else asked)
    when = day(section.receipts)
    if when:
        _paragraph(parent, f"Answered on {when} (UTC), as the node of {finding.owner} says.", "note")
    first, *others = finding.sentences
    _paragraph(parent, first, "answer")
    broad = float(section.drawing.get("width", "0")) > _BROAD
    figure = SubElement(parent, "figure", {"class": "broad"} if broad else {})
    holder = SubElement(figure, "div", {"class": "wide"})
    section.drawing.set("aria-label", visible(f"Chart: {first}"))
    holder.append(section.drawing)
    _paragraph(figure, "Charts and tables go on to the right.", "note hint")
    under = SubElement(figure, "figcaption")
    under.text = visible(" ".join(_under(finding)))
    for sentence in others:
        _paragraph(parent, sentence)
    _heading(parent, "The numbers")
    _numbers(parent, finding)
    _heading(parent, "What was asked and spent")
    _paragraph(parent, section.says)
    _plans(parent, section)
    for line in section.spending:
        _paragraph(parent, line)
    _heading(parent, "The receipt")
    _receipts(parent, section)
    _heading(parent, "What is not covered")
    listed = SubElement(parent, "ul")
    for text in (*finding.not_covered, _NOT_PROVEN):
        SubElement(listed, "li").text = visible(text)


def _under(finding: Finding) -> Iterator[str]:
    """What a reader of the chart has to know."""
    yield caption(finding)
    yield from apart(finding, "What is grey")
    if any(row.rank is not None and row.rank[0] != row.rank[1] for row in finding.rows):
        yield _PLACES
    if len(finding.rows) > 1 and finding.declared_rows:
        yield _ORDER


def _table(parent: Element, heads: Sequence[str], names: int) -> Element:
    """An empty table whose first columns are names and whose others are numbers, if `names` is not negative."""
    table = SubElement(SubElement(parent, "div", {"class": "wide"}), "table")
    row = SubElement(SubElement(table, "thead"), "tr")
    for place, head in enumerate(heads):
        kind = {"class": "number"} if 0 <= names <= place else {}
        SubElement(row, "th", {"scope": "col", **kind}).text = visible(head)
    return SubElement(table, "tbody")


def _numbers(parent: Element, finding: Finding) -> None:
    names = len(finding.rows[0].names)
    if finding.base:
        _paragraph(parent, f"Base: {finding.base}.", "note lead")
    rows = _table(parent, finding_heads(finding), names)
    for row, texts in zip(finding.rows, finding_texts(finding), strict=True):
        line = SubElement(rows, "tr", {} if row.differs and row.low is not None else {"class": "tied"})
        for place, text in enumerate(texts):
            SubElement(line, "td", {"class": "name" if place < names else "number"}).text = visible(text)


def _plans(parent: Element, section: Section) -> None:
    heads = ("plan", "what the owner's node was asked", "by", "noise", "epsilon", "charged")
    rows = _table(parent, heads, -1)
    kinds = {1: "what", 4: "narrow"}
    for number, (answer, analyst, stored) in enumerate(
        zip(section.answers, section.analysts, section.stored, strict=True), start=1
    ):
        line = SubElement(rows, "tr")
        charged = "nothing: stored answer" if stored else "yes"
        texts = (
            f"{number}",
            plan_words(answer),
            f"{analyst} of {answer.asker}",
            f"{answer.law}, scale {float(answer.scale):.4g} {answer.unit}",
            f"{answer.epsilon:g}" + (f" at delta {answer.delta:g}".replace("e-0", "e-") if answer.delta else ""),
            charged,
        )
        for place, text in enumerate(texts):
            SubElement(line, "td", {"class": kinds.get(place, "")}).text = visible(text)


def plan_words(answer: Answer) -> str:
    """A plan in one line."""
    column = f"{answer.owner}'s {answer.column}"
    numbers = {
        "count": "how many people",
        "histogram": f"how many people have each value of {column}",
        "quantile": f"how many people lie in each bin of {column}",
    }.get(answer.quantity, f"the {answer.quantity} of {column}")
    split = f", split by {answer.splitter}'s {answer.by}" if answer.by else ""
    over = f"that {answer.asker} shares with it" if answer.base == "match" else "of its whole table"
    return f"{numbers}{split}, over the people {over}"


def _receipts(parent: Element, section: Section) -> None:
    listed = SubElement(parent, "ul")
    for number, shown in enumerate(section.receipts, start=1):
        _with_times(SubElement(listed, "li"), f"Plan {number}: {shown.line()}")
    _paragraph(parent, _ALONE)
    SubElement(parent, "pre", {"class": "command"}).text = _COMMANDS.format(entry=section.finding.entry)
    files = list(_files(section.receipts))
    if not files:
        return
    _paragraph(parent, _FOLDED, "note")
    details = SubElement(parent, "details")
    SubElement(details, "summary").text = f"The receipt{'s' if len(section.receipts) > 1 else ''} and the policy"
    _paragraph(details, _COPY)
    for name, text in files:
        _paragraph(details, name, "note")
        SubElement(details, "pre").text = text


def _with_times(parent: Element, text: str) -> None:
    """The text, whose times are not broken at the end of a line."""
    before, *parts = _TIME.split(visible(text))
    parent.text = before
    for time, after in zip(parts[::2], parts[1::2], strict=True):
        span = SubElement(parent, "span", {"class": "time"})
        span.text, span.tail = time, after


def _files(receipts: Sequence[Shown]) -> Iterator[tuple[str, str]]:
    """Each file once, and only such as a page shows letter by letter."""
    seen = set()
    for number, shown in enumerate(receipts, start=1):
        for name, text in ((f"plan-{number}.proof", shown.proof), ("policy", shown.policy)):
            if text not in seen and all(visible(line) == line for line in text.split("\n")):
                seen.add(text)
                yield name, text
