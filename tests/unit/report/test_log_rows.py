"""What an auditor is shown of a room, and in every format: the same rows, and nothing that does anything by itself."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from cleanroom.errors import UsageError
from cleanroom.querylog.history import read_history
from cleanroom.querylog.recount import recount
from cleanroom.report.log_choice import Choice
from cleanroom.report.log_page import log_page
from cleanroom.report.log_rows import LogRow, log_rows
from cleanroom.report.log_table import log_csv, log_json, log_table
from tests.audited_room import Story, ordinary

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\"'&<img src=http://evil.example/x>"


def rows_of(story: Story, *, terms: bool = True) -> tuple[LogRow, ...]:
    known = {story.hash: story.contract} if terms else {}
    return log_rows(read_history(story.entries, known), known)


def terminal(rows: tuple[LogRow, ...]) -> str:
    out = io.StringIO()
    Console(file=out, width=400, color_system=None, markup=False, highlight=False, emoji=False).print(log_table(rows))
    return out.getvalue()


def page(story: Story) -> str:
    terms = {story.hash: story.contract}
    history = read_history(story.entries, terms)
    return log_page(log_rows(history, terms), recount(history, terms), terms, ["log  spring"])


def hostile() -> Story:
    """Every text that a party may choose is an attack."""
    story = ordinary()
    plan = story.ask()
    story.refuse(plan, rule="=cmd|' /C calc'!A0", explanation=HOSTILE, advice="@SUM(A1)")
    approved = story.ask()
    story.approve(approved, HOSTILE)
    story.say("brand", "room.paused", "f" * 64, reason=HOSTILE)
    story.say("brand", "incident", "=1+1", sender=HOSTILE, message="[bold]x[/bold] :smile:")
    other = story.ask("shop", "bank")
    story.debit(other, units=str(2**63 - 1), lineage=HOSTILE)
    story.entries += [b"\xff\xfe", b'{"a":1}', b"=HYPERLINK(1)"]
    return story


def test_a_question_s_row_says_who_when_whom_what_for_and_what_became_of_it() -> None:
    rows = {row.entries: row for row in rows_of(ordinary())}
    answered, refused, approved = rows[3, 4, 5], rows[6, 7], rows[8, 9, 10, 11]
    assert (answered.by, answered.analyst, answered.about, answered.datasets) == (
        "shop", "alice", "brand", ("brand customers",),
    )  # fmt: skip
    assert (answered.at, answered.purpose, answered.outcome) == ("2026-03-02T09:04:00Z", "to test a room", "answered")
    assert answered.says == "spread over colour by shop's tier, people shared with brand, asked anew (1)"
    assert answered.epsilon == 0.811
    assert (refused.refused_by, refused.units) == ("brand", None)
    assert refused.reason == "shop may not ask for colour (rule column-grant); ask less"
    assert refused.datasets == ("brand customers",), "the agreement knows whose people a refused question was about"
    assert (approved.approved_by, approved.reason) == ("dora", "a fair question")


def test_without_an_agreement_the_rows_are_those_that_the_entries_alone_tell() -> None:
    rows = {row.entries: row for row in rows_of(ordinary(), terms=False)}
    assert (rows[3, 4, 5].by, rows[3, 4, 5].epsilon, rows[3, 4, 5].purpose) == ("shop", 0.811, "")
    assert rows[6, 7].datasets == ()
    assert {row.doubt for row in rows.values()} == {""}


CHOICES: dict[str, tuple[Choice, list[int]]] = {
    "everything": (Choice(), [0, 3, 6, 8, 12, 15, 16, 17]),
    "a party, as asker or as owner": (Choice(party="bank"), [12, 16, 17]),
    "an analyst": (Choice(analyst="alice"), [3, 6, 8, 12, 17]),
    "a dataset": (Choice(dataset="shop customers"), [0, 8, 17]),
    "from a moment on": (Choice(since="2026-03-02T09:13:00Z"), [12, 15, 16, 17]),
    "up to a moment": (Choice(until="2026-03-02T09:07:00Z"), [0, 3, 6]),
    "a day": (Choice(since="2026-03-02", until="2026-03-02"), [0, 3, 6, 8, 12, 15, 16, 17]),
    "another day": (Choice(until="2026-03-01"), []),
    "what was refused": (Choice(kinds=("refused",)), [6]),
    "two kinds": (Choice(kinds=("match", "incident")), [0, 16]),
    "all together": (Choice(party="shop", dataset="brand customers", kinds=("answered",)), [3]),
}


@pytest.mark.parametrize(("choice", "first_entries"), CHOICES.values(), ids=CHOICES.keys())
def test_a_choice_shows_what_was_chosen(choice: Choice, first_entries: list[int]) -> None:
    assert [row.entries[0] for row in choice.of(rows_of(ordinary()))] == first_entries


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (
            Choice(party="brnd"),
            "--party: the log knows no party `brnd`; did you mean `brand`? it knows: bank, brand, shop",
        ),
        (Choice(analyst="bob"), "--analyst: the log knows no analyst `bob`; it knows: alice"),
        (
            Choice(dataset="brand"),
            "--dataset: the log knows no dataset `brand`; it knows: brand customers, shop customers",
        ),
    ],
)
def test_a_name_that_the_log_does_not_know_is_no_empty_page(choice: Choice, line: str) -> None:
    with pytest.raises(UsageError) as refused:
        choice.of(rows_of(ordinary()))
    assert str(refused.value) == line


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-3-2", "2026-03-02T09:00", "2026-03-02T09:00:00+01:00", "\uff12026-03-02"]
)
def test_a_time_has_one_spelling(moment: str) -> None:
    with pytest.raises(UsageError, match="--since is a day such as"):
        Choice(since=moment)


def test_a_terminal_gets_no_escape_and_no_mark_up() -> None:
    shown = terminal(rows_of(hostile()))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u001b[2J\\u202e" in shown
    assert "[bold]x[/bold] :smile:" in shown


def test_a_spreadsheet_gets_no_formula_in_any_cell() -> None:
    rows = rows_of(hostile())
    read = list(csv.reader(io.StringIO(log_csv(rows), newline="")))
    assert len(read) == 1 + len(rows)
    assert {len(line) for line in read} == {len(read[0])}
    for line in read:
        assert not [cell for cell in line if cell.strip()[:1] in tuple("=+-@\t\r")]
        assert not [cell for cell in line if any(letter < " " for letter in cell)]


def test_json_is_ascii_and_has_every_row_with_its_units_as_text() -> None:
    rows = rows_of(hostile())
    text = log_json(rows, {"vouched": ["x"]})
    assert text.isascii()
    assert "\x1b" not in text
    body = json.loads(text)
    assert len(body["rows"]) == len(rows)
    assert str(2**63 - 1) in [row["units"] for row in body["rows"]]
    assert any(HOSTILE in row["reason"] for row in body["rows"])


class _Seen(HTMLParser):
    """Tags, attributes and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def seen(text: str) -> _Seen:
    parser = _Seen()
    parser.feed(text)
    return parser


def test_a_page_made_of_hostile_text_has_the_tags_and_attributes_of_one_made_of_plain_text() -> None:
    plain, attacked = seen(page(ordinary())), seen(page(hostile()))
    assert attacked.tags == plain.tags
    assert not attacked.tags & {"script", "img", "iframe", "a", "link", "object", "form"}
    assert not {name for name in attacked.attributes if name.startswith("on")} | attacked.attributes & {
        "href",
        "src",
        "style",
    }


def test_a_page_loads_nothing_and_forbids_it() -> None:
    text = page(hostile())
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\(|<link|src=\"", text)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_page_shows_records_budgets_and_what_is_not_proven() -> None:
    text = page(ordinary())
    for words in (
        "Room spring: what was asked",
        "Purpose: to test a room",
        "Every price and budget was added up again from the entries and fits the agreements.",
        "Budget of “brand customers”, people of brand",
        "shop asks brand",
        "approved by dora: a fair question",
        "refused by brand: shop may not ask for colour",
        "ε 21.317 (4 rho)",
        "What this does not prove",
        "noise was honestly drawn",
    ):
        assert words in text
    assert text.count("<polyline") == 2 * 2 + 1, "two datasets with all consumers together, three consumers"


def test_a_page_names_what_does_not_add_up_and_marks_the_doubtful_row() -> None:
    story = ordinary()
    story.debit(story.ask(), units="1")
    story.entries.append(b"nonsense")
    text = page(story)
    assert "DEVIATION entry 19: 1 units were debited; by plan and contract it costs" in text
    assert 'class="doubtful"' in text
    assert "DOUBTFUL: entry 20: it is not a statement" in text
    assert "From 2026-03-02T09:01:00Z to 2026-03-02T09:19:00Z; times are UTC" in text, "what has no time has none"


def test_an_empty_room_has_a_page() -> None:
    assert "Nothing." in page(Story())
