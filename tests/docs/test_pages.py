"""Every command and program on a page of the documentation is there and does what the page shows."""

import re
import shlex
import subprocess
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import click
import pytest

from cleanroom.catalogue.catalogue import CATALOGUE, find
from cleanroom.catalogue.entry import Ask, Request, request
from cleanroom.demo.campaign import COSTS
from cleanroom.demo.planted import shared_members
from cleanroom.demo.shops import write_shops
from cleanroom.errors import RefusedError, UsageError
from cleanroom.ids import AnalystName, PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.interval import LEVEL
from cleanroom.question.compile import Question
from cleanroom.question.contract import Contract
from cleanroom.question.dry_run import OwnRecord, dry_run
from parties.command import main
from parties.room_file import RoomFile, read_room_file
from tests.command_line import said_until_ready
from tests.docs.pages import DOCS, PAGES, ROOT, Block, Reader, blocks, command_lines, missing_lines, parsed, prose
from tests.unit.question.agreements import card, coordinator

NAMES = ("auditors", "no-per-person-answer", "operators", "small-numbers", "tutorial")


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """What the three shops agree on."""
    terms: RoomFile = read_room_file(write_shops(tmp_path_factory.mktemp("shops")))
    return terms.contract({name: card(name) for name in terms.datasets}, coordinator())


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]


def test_these_are_the_pages() -> None:
    assert tuple(page.stem for page in PAGES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_fence_is_one_that_a_test_follows(name: str) -> None:
    page = DOCS / f"{name}.md"
    known = {("sh", ""), ("sh", "keep"), ("sh", "refused"), ("sh", "install"), ("python", "")}
    known |= {("text", ""), ("text", "exact"), ("text", "values")}
    assert {(block.language, block.how) for block in blocks(page)} <= known
    written = page.read_text(encoding="utf-8")
    assert written.count("```") == 2 * len(blocks(page))
    for block in blocks(page):
        written = written.replace(block.text, "")
    assert not re.search(r"^    \S", written, re.MULTILINE), "a block without a fence, which no test follows"


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_the_options_that_the_page_types(name: str) -> None:
    for block in blocks(DOCS / f"{name}.md"):
        for words in command_lines(block):
            try:
                parsed(words)
            except click.UsageError as error:
                pytest.fail(f"{block.where}: {' '.join(words)}: {error.message}")


def check_allowed(contract: Contract, wanted: Request, ask: Ask) -> None:
    """Raises what the owner's gate refuses: base, quantity, columns' grants, number of cells, and budget."""
    units = int(accountant(contract.accountant).units_for_epsilon(Fraction(1)) * ask.share)
    question = Question(wanted.asker, wanted.owner, AnalystName("lena"), ask.by, ask.quantity, units, ask.base)
    refusal = dry_run(contract, question, OwnRecord(), today="2026-01-01").refusal
    if refusal is not None:
        raise refusal


@pytest.mark.parametrize("name", NAMES)
def test_every_question_fits_the_three_shops(name: str, shops: Contract) -> None:
    """Its words, and what the owner's gate decides on each of its plans; no node is asked."""
    for block in blocks(DOCS / f"{name}.md"):
        for words in command_lines(block):
            if words[:1] != ["ask"] or words[1].startswith("-"):
                continue
            typed = parsed(words).params
            entry = find(words[1])
            values = {parameter.name: typed[f"parameter_{parameter.name}"] or "" for parameter in entry.parameters}
            asker = Path(typed["home"]).name
            try:
                wanted = request(shops, entry, asker, typed["owner"], values)
                for ask in entry.asks(shops, wanted):
                    check_allowed(shops, wanted, ask)
            except (UsageError, RefusedError) as error:
                if block.how != "refused":
                    pytest.fail(f"{block.where}: {error}")


def test_a_question_that_an_owner_does_not_allow_is_found(shops: Contract) -> None:
    bags = PartyName("bags")
    closed = replace(shops, datasets={**shops.datasets, bags: replace(shops.datasets[bags], bases=("match",))})
    wanted = request(closed, find("index"), "sportswear", "bags", {"of": "colour"})
    over_match, over_table = find("index").asks(closed, wanted)
    check_allowed(closed, wanted, over_match)
    with pytest.raises(RefusedError, match="over the table"):
        check_allowed(closed, wanted, over_table)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_is_named_in_a_sentence_is_there(name: str) -> None:
    """With its options, as far as they are named; what stands for a reader's own names may be left out."""
    for line in re.findall(r"`cleanroom ([^`]+)`", " ".join(prose(DOCS / f"{name}.md").split())):
        words = shlex.split(line)
        here: click.Command = main.cli
        while isinstance(here, click.Group):
            assert words[0] in here.commands, f"{name}: cleanroom {line}"
            here = here.commands[words.pop(0)]
        known = {option for parameter in here.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, f"{name}: cleanroom {line}"


@pytest.mark.parametrize("name", NAMES)
def test_every_number_in_a_sentence_is_one_that_the_product_has(name: str) -> None:
    """Numbers of steps, versions and of what a page itself supposes stand here with their reason."""
    computed = {
        str(100 * LEVEL): "how sure an interval is",
        str(COSTS["mail"]): "what the mails cost",
        str(COSTS["video"]): "what the video cost",
        str(shared_members("sportswear", "bags")): "who shops at both",
    }
    supposed = {
        "3.11": "Python, as pyproject.toml has it",
        "100": "an index that says: just the same; and out of 100",
        "8": "a section of the page",
        "0": "an exit status",
        "115": "a group that is supposed, beside one of 100",
    }
    text = re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose(DOCS / f"{name}.md"))
    assert set(re.findall(r"\d+(?:\.\d+)?", text)) <= {*computed, *supposed}


@pytest.mark.parametrize("block", all_blocks(), ids=lambda block: block.where)
def test_programs_are_python_and_installing_names_our_own_scripts(block: Block) -> None:
    if block.language == "python":
        compile(block.text, block.where, "exec")
    if block.how == "install":
        first, path = block.text.splitlines()
        assert path == 'export PATH="$PWD/.venv/bin:$PATH"'
        assert (ROOT / first.split()[0]).is_file()


def test_links_lead_to_pages_and_headings_that_are_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            name, _, heading = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.is_file(), f"{page.name}: {target}"
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert not heading or heading in anchors, f"{page.name}: {target}"


def test_the_tutorial_uses_every_question_but_flow() -> None:
    """The three shops have no stages, and `flow` is about these."""
    tutorial = blocks(DOCS / "tutorial.md")
    asked = {words[1] for block in tutorial for words in command_lines(block) if words[0] == "ask"}
    assert asked == set(CATALOGUE) - {"flow"}


def test_a_page_that_shows_what_was_not_said_is_found() -> None:
    said = "Between 40% and 50% of\nthe 513 to 621 customers\n│ black │ 44 │\n"
    assert missing_lines(said, "Between 1% and 2% of the 3 to 4 customers\n…\nblack 7\n") == []
    assert missing_lines(said, "black 7\nBetween 1% and 2%\n") == ["Between 1% and 2%"]
    assert missing_lines(said, "white 7\n") == ["white 7"]
    assert missing_lines(said, "black 44\n", values=True) == []
    assert missing_lines(said, "black 7\n", values=True) == ["black 7"]


def test_what_a_page_shows_where_nothing_was_said_is_found(tmp_path: Path) -> None:
    shown = Block("text", "", "Between 1% and 2%\n", "page.md:1")
    with Reader(tmp_path) as reader, pytest.raises(AssertionError, match=r"page\.md:1: the page shows"):
        reader.follow([Block("sh", "", "true\n", "page.md:0"), shown])
    with pytest.raises(AssertionError, match=r"page\.md:1: the page shows"):
        reader.follow([Block("sh", "install", "", "page.md:0"), shown])


def test_a_program_that_is_never_ready_is_ended() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process, pytest.raises(AssertionError, match="it never was ready"):
        said_until_ready(process, patience_s=0.1)


def test_programs_in_which_nothing_is_drawn_print_what_the_pages_show(tmp_path: Path) -> None:
    """They need no room, at most the shops' files."""
    write_shops(tmp_path / "shops")
    shown = [(first, then) for first, then in pairwise(all_blocks()) if then.how == "exact"]
    assert len(shown) == 5
    with Reader(tmp_path) as reader:
        for pair in shown:
            reader.follow(pair)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "small-numbers"])
def test_a_reader_who_types_the_page_sees_what_it_shows(name: str, tmp_path: Path) -> None:
    """Noise would have to be off by more than 4 standard deviations to change a sentence that is shown: a false alarm
    about once in 10,000 runs, most of it from hikers and green bags."""
    with Reader(tmp_path) as reader:
        reader.follow(blocks(DOCS / f"{name}.md"))
    for page in tmp_path.glob("*.html"):
        assert not re.search(r"(src|href)=.?https?:|@import", page.read_text(encoding="utf-8")), page.name
    if name == "tutorial":
        assert {page.name for page in tmp_path.glob("*.html")} == {"campaign.html", "green-bag.html"}
        assert "The effect is" in (tmp_path / "campaign.html").read_text(encoding="utf-8")
        assert (tmp_path / "green-bag.html").read_text(encoding="utf-8").count("<svg") == 2
