"""The page loads nothing, runs nothing, and shows every text as it is; what stands where."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from cleanroom.catalogue.finding import Finding
from cleanroom.report.finding_page import Section, finding_page
from cleanroom.report.visible import MOST_CHARACTERS
from tests.unit.charts.made_up import RECEIPT, findings, section

HOSTILE = '</svg></style><script src="http://example.net/x.js">alert(1)</script><img src=x onerror=alert(1)>'
SPELLED = "\N{RIGHT-TO-LEFT OVERRIDE}\x1b[31m"

PAGE = {"html", "head", "meta", "title", "style", "body", "section", "figure", "figcaption", "div", "h1", "h2", "h3"}
WORDS = {"p", "ul", "li", "pre", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
ELEMENTS = PAGE | WORDS | {"svg", "defs", "g", "path", "use", "text", "clippath", "rect", "pattern", "span"}


class Tags(HTMLParser):
    """Every element and attribute of a page as a browser's parser finds them, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def hostile(text: str) -> Section:
    """A section in which everything that somebody else wrote is this text."""
    found = findings()["index"]
    rows = tuple(replace(row, names=((text, text),)) for row in found.rows)
    made: Finding = replace(
        found, asker=text, owner=text, unit=text, base=text, rows=rows, sentences=(text, text), not_covered=(text,)
    )
    one = section(found)
    answers = tuple(replace(answer, asker=text, owner=text, column=text, unit=text) for answer in one.answers)
    receipt = replace(RECEIPT, room=text, plan=text, origin=text, cosigned=((text, text),), proof=text, policy=text)
    return replace(
        section(made),
        says=text,
        parameters=((text, text),),
        answers=answers,
        analysts=(text, text),
        receipts=(receipt, receipt),
        spending=(text,),
    )


@pytest.mark.parametrize("entry", list(findings()))
def test_a_page_has_answer_chart_table_cost_receipt_and_limits_in_this_order(entry: str) -> None:
    found = findings()[entry]
    page = Tags(finding_page("Title", [section(found)]))
    last = 0
    for part in (
        "Title", found.sentences[0], "Intervals hold", "The numbers", "What was asked and spent", "This cost",
        "The receipt", "entry 41 of the 57", "cosigned by accessories", "cleanroom audit verify", "What is not covered",
        found.not_covered[0],
    ):  # fmt: skip
        last = page.text.index(part, last)
    assert (f"Base: {found.base}." in page.text) == bool(found.base)
    assert len(page.of("svg")) == 1
    assert len(page.of("tr")) > len(found.rows)
    assert page.of("svg")[0]["role"] == "img"


@pytest.mark.parametrize("text", [HOSTILE, r"$\frac{1}{0}$", "n" * 10_000, SPELLED, "\ud800"])
def test_no_text_becomes_anything_but_text(text: str) -> None:
    page = finding_page(text, [hostile(text)])
    page.encode("utf-8")
    tags = Tags(page)
    assert {tag for tag, _ in tags.found} <= ELEMENTS
    assert not any(name.startswith("on") or name in ("src", "action") for _, held in tags.found for name in held)
    assert not set("\N{RIGHT-TO-LEFT OVERRIDE}\x1b") & set(page)
    assert "n" * (MOST_CHARACTERS + 1) not in page
    if text in (HOSTILE, r"$\frac{1}{0}$"):
        assert tags.text.count(text) > 20


def test_nothing_is_loaded_from_anywhere() -> None:
    page = finding_page("All", [section(found, at) for at, found in enumerate(findings().values(), start=1)])
    tags = Tags(page)
    (policy,) = [held["content"] for held in tags.of("meta") if held.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert not re.search(r"https?:|//|@import|data:", page)
    assert all(text.startswith("#") for text in re.findall(r"url\(([^)]*)\)", page))
    addresses = [held["href"] for _, held in tags.found if "href" in held]
    assert addresses
    assert all(address is not None and address.startswith("#") for address in addresses)


def test_of_several_findings_each_has_its_number_its_page_and_its_own_marks() -> None:
    page = finding_page("Two", [section(findings()["index"], 1), section(findings()["profile"], 2)])
    tags = Tags(page)
    assert len(tags.of("section")) == 2
    assert "1. accessories asked bikes: index, of colour" in tags.text
    assert "2. accessories asked bikes: profile, of colour" in tags.text
    named = [held["id"] for _, held in tags.found if "id" in held]
    assert len(named) == len(set(named))
    assert "section + section { break-before: page }" in page


def test_what_cannot_be_told_is_grey_in_the_table_and_said_under_the_chart() -> None:
    found = findings()["profile"]
    tags = Tags(finding_page("One", [section(found)]))
    greyed = [held.get("class") == "tied" for held in tags.of("tr")]
    assert greyed[1 : 1 + len(found.rows)] == [not row.differs for row in found.rows]
    assert any(greyed)
    assert "What is grey cannot be told apart from each other: a difference may be noise alone." in tags.text
    assert "Rows whose places overlap cannot be told apart from each other." in tags.text
    plain = replace(found, rows=tuple(replace(row, differs=True, rank=None) for row in found.rows))
    text = Tags(finding_page("One", [section(plain)])).text
    assert "grey" not in text
    assert "places overlap" not in text


@pytest.mark.parametrize(("entry", "said"), [("profile", True), ("flow", True), ("reach", False), ("lift", False)])
def test_rows_that_are_no_values_of_the_contract_are_not_said_to_be_in_its_order(entry: str, said: bool) -> None:
    tags = Tags(finding_page("One", [section(findings()[entry])]))
    assert ("Rows stand in the order of the contract" in tags.text) == said


def test_a_page_says_on_which_day_it_was_answered_and_breaks_no_time() -> None:
    one = section(findings()["reach"])
    later = replace(RECEIPT, released_at="2026-11-23T00:00:00Z")
    page = finding_page("One", [replace(one, receipts=(later, RECEIPT))])
    assert "Answered on 23 November 2026 (UTC), as the node of bikes says." in page
    assert '<span class="time">2026-03-02T09:30:01Z</span>' in page
    strange = replace(RECEIPT, released_at="yesterday")
    assert "Answered on" not in finding_page("One", [replace(one, receipts=(RECEIPT, strange))])


def test_a_page_says_where_the_policy_of_its_command_is() -> None:
    tags = Tags(finding_page("One", [section(findings()["overlap"])]))
    assert "POLICY, the keys whose signatures count, is in the folded part below" in tags.text
    unshown = replace(RECEIPT, policy=f"{RECEIPT.policy}# {SPELLED}\n", proof=SPELLED)
    assert (
        "folded" not in Tags(finding_page("One", [replace(section(findings()["overlap"]), receipts=(unshown,))])).text
    )


def test_the_receipt_on_the_page_is_the_file_and_a_stored_answer_says_that_it_cost_nothing() -> None:
    one = replace(section(findings()["overlap"]), stored=(True,))
    page = finding_page("One", [one])
    assert f"<pre>{RECEIPT.proof}</pre>" in page
    assert f"<pre>{RECEIPT.policy}</pre>" in page
    assert ">nothing: stored answer</td>" in page
    strange = replace(one, receipts=(replace(RECEIPT, policy=f"{RECEIPT.policy}# {SPELLED}\n"),))
    assert "quorum none" not in finding_page("One", [strange]), "a file that a page cannot show letter by letter"
