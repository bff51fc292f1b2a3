"""Ten mistakes of a new user, each answered by one line from which alone it can be mended, and mended by it.

Each is made at the real command line, looked at with --dry-run so that nothing needs to run, and made good by doing
what the line says. Where a room file is wrong, the line begins with the file.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cleanroom.errors import PendingError
from tests.command_line import cleanroom, refused, said
from tests.small_room import room_text, write_room
from tests.unit.source.tables import HEADER, OPAQUE, colour, load, rows, write

EPSILON = "write a plain decimal above 0 and at most 100, such as 1 or 0.5"
TERMS = 'questions = ["count", "histogram", "sum", "mean"]\ncells = 6\n'
COLUMNS = """
[parties.brand.columns.salary]
role = "hidden"

[parties.brand.columns.member]
role = "dimension"
reduce = "any"
where = { tier = ["gold"] }
values = ["yes", "no"]
"""


@dataclass(frozen=True)
class Mistake:
    """What is typed, with a room file of which one thing is changed, the line, and what is typed after reading it."""

    line: str
    typed: str = "--asker shop --owner brand --epsilon 1"
    mended: str = "--asker shop --owner brand --epsilon 1"
    wrong: tuple[str, str] = ("", "")
    right: tuple[str, str] = ("", "")


def question(words: str) -> str:
    """A question of shop at brand."""
    return f"--asker shop --owner brand {words}"


MISTAKES = {
    "an unknown column": Mistake(
        typed=question("--epsilon 1 --by color"),
        line="--by: shop has no dimension `color` in the contract of room small; did you mean `colour`?"
        " its dimensions: colour",
        mended=question("--epsilon 1 --by colour"),
    ),
    "a column in another role": Mistake(
        typed=question("--epsilon 1 --of spend"),
        line="--of: brand's column `spend` is a measure in the contract of room small and no dimension;"
        " its dimensions: colour, member",
        mended=question("--epsilon 1 --of colour"),
    ),
    "a hidden column": Mistake(
        typed=question("--epsilon 1 --sum salary"),
        line="--sum: brand's column `salary` is hidden by the contract of room small: nobody may ask for it;"
        " its measures: spend",
        mended=question("--epsilon 1 --sum spend"),
    ),
    "bounds the wrong way round": Mistake(
        wrong=('high = "100"', 'high = "-100"'),
        line="{room}: parties.shop.columns.spend: measure spend: low is below high; low is 0 and high is -100",
        right=('high = "100"', 'high = "100"'),
    ),
    "a bound beside the step": Mistake(
        wrong=('high = "100"', 'high = "99.9"'),
        line="{room}: parties.shop.columns.spend: measure spend: low and high are multiples of step; high 99.9 is none"
        " of 0.5, the nearest are 99.5 and 100.0",
        right=('high = "100"', 'high = "99.5"'),
    ),
    "over the budget": Mistake(
        typed=question("--epsilon 3"),
        wrong=('budget = { epsilon = "20" }', 'budget = { epsilon = "2" }'),
        right=('budget = { epsilon = "20" }', 'budget = { epsilon = "2" }'),
        line="shop's budget at brand does not cover this question (rule budget of brand); the most that is left buys"
        " epsilon 2 at delta 1e-9; ask with that or less",
        mended=question("--epsilon 2"),
    ),
    "an expired room": Mistake(
        wrong=('purpose = "A test"', 'purpose = "A test"\nends = "2020-01-31"'),
        line="the contract of room small ended on 2020-01-31 (rule validity of brand); agree on a new one:"
        " cleanroom room propose, then room sign at every party",
        right=('purpose = "A test"', 'purpose = "A test"\nends = "2999-01-31"'),
    ),
    "too many cells": Mistake(
        typed=question("--epsilon 1 --by colour --of colour"),
        line="the answer would have 9 cells and brand allows 6 (rule cells of brand); without shop's `colour` it"
        " has 3; without brand's `colour` it has 3",
        mended=question("--epsilon 1 --of colour"),
    ),
    "epsilon as a word": Mistake(
        typed=question("--epsilon one"), line=f"--epsilon: epsilon `one` is not a number; {EPSILON}"
    ),
    "epsilon with an exponent": Mistake(
        typed=question("--epsilon 1e0"), line=f"--epsilon: epsilon `1e0` has an exponent; {EPSILON}"
    ),
    "epsilon with a comma": Mistake(
        typed=question("--epsilon 0,5"),
        line=f"--epsilon: epsilon `0,5` has a comma where a point belongs; {EPSILON}",
        mended=question("--epsilon 0.5"),
    ),
    "epsilon 0": Mistake(typed=question("--epsilon 0"), line=f"--epsilon: epsilon `0` is not above 0; {EPSILON}"),
    "epsilon -1": Mistake(typed=question("--epsilon -1"), line=f"--epsilon: epsilon `-1` is not above 0; {EPSILON}"),
    "epsilon nan": Mistake(
        typed=question("--epsilon nan"), line=f"--epsilon: epsilon `nan` is not a number; {EPSILON}"
    ),
    "epsilon 1e308": Mistake(
        typed=question("--epsilon 1e308"), line=f"--epsilon: epsilon `1e308` has an exponent; {EPSILON}"
    ),
    "a wrong party": Mistake(
        typed="--asker shop --owner brnad --epsilon 1",
        line="--owner: {room} names no party `brnad`; did you mean `brand`? parties: shop, brand",
    ),
    "a wrong party in the room file": Mistake(
        wrong=("capacity = 400", 'capacity = 400\nconsumers = { brnad = { epsilon = "1" } }'),
        line="{room}: parties.shop.consumers: there is no other party `brnad` in this room; did you mean `brand`?"
        " others: brand",
        right=("capacity = 400", 'capacity = 400\nconsumers = { brand = { epsilon = "1" } }'),
    ),
    "a key of the room file": Mistake(
        wrong=("capacity = 400", "capasity = 400"),
        line="{room}: parties.shop: unknown key `capasity`; did you mean `capacity`? known: approval, budget, capacity,"
        " cells, columns, consumers, display_threshold, fresh_days, key, lineage, opt_out, over, overlap, questions,"
        " questions_each, source",
        right=("capacity = 400", "capacity = 400"),
    ),
    "a column that passes without approval": Mistake(
        wrong=("capacity = 400", 'capacity = 400\napproval = { columns = ["color"] }'),
        line="{room}: shop: approval: columns: there is no column `color` that could be asked for; did you mean"
        " `colour`? columns: colour, spend",
        right=("capacity = 400", 'capacity = 400\napproval = { columns = ["colour"] }'),
    ),
    "a kind of question": Mistake(
        wrong=("capacity = 400", 'capacity = 400\nquestions = ["histgram"]'),
        line="{room}: shop: questions are some of count, histogram, sum, mean, quantile, each once; `histgram` is none:"
        " did you mean `histogram`?",
        right=("capacity = 400", 'capacity = 400\nquestions = ["histogram"]'),
    ),
}


def room(folder: Path, change: tuple[str, str]) -> Path:
    """The room file with one thing written otherwise; its tables do not exist."""
    text = room_text().replace("[parties.brand]\n", f"[parties.brand]\n{TERMS}") + COLUMNS
    old, new = change
    assert old in text
    path = folder / "room.toml"
    path.write_text(text.replace(old, new, text.count(old) if "budget" in old else 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_answered_by_a_line_from_which_it_can_be_mended(tmp_path: Path, case: str) -> None:
    mistake = MISTAKES[case]
    path = room(tmp_path, mistake.wrong)
    line = refused(cleanroom("sandbox", path, *mistake.typed.split(), "--dry-run"))
    assert line == mistake.line.format(room=path)
    path = room(tmp_path, mistake.right)
    assert "cost " in said(cleanroom("sandbox", path, *mistake.mended.split(), "--dry-run"))
    assert [left.name for left in tmp_path.iterdir()] == ["room.toml"], "nothing was made by any of this"


def test_a_missing_approval_names_who_must_give_it_why_and_what_to_do() -> None:
    """The reasons are the contract's; `the answer waits` is what an asker is shown while they decide."""
    pending = PendingError("brand", "0123456789abcdef", ("9 cells are more than the 6 that pass by themselves",))
    assert str(pending) == (
        "an approver of brand must agree to question 0123456789ab first: 9 cells are more than the 6 that pass by"
        " themselves; nothing was spent on it; ask the same again later: once it is approved the answer is there, and"
        " is charged once"
    )


def test_a_missing_approval_is_seen_before_it_is_asked_for(tmp_path: Path) -> None:
    path = room(tmp_path, ("[parties.brand]\n", '[parties.brand]\napproval = { mode = "required" }\n'))
    text = said(cleanroom("sandbox", path, *question("--epsilon 1").split(), "--dry-run"))
    assert (
        "approval  an approver of brand must agree first: every question needs approval; ask, and it waits for them"
        in text.splitlines()
    )


def test_a_declared_value_that_nobody_has_is_told_to_the_operator_who_declared_it(tmp_path: Path) -> None:
    """A typing error in declared values costs nothing but an empty cell, so a load says which value it may be."""
    content = HEADER + rows(3) + b"a,Bleu,7/1/2018,1\n"
    report = load(write(tmp_path, content), [colour(values=("Red", "Blue"))], OPAQUE)[1]
    assert report.lines()[-1] == (
        "column colour: 1 people outside the declared values, counted as other; nobody has the declared value `Blue`:"
        " is it spelled as in the table?"
    )
    fits = load(write(tmp_path, content), [colour(values=("Red", "Bleu"))], OPAQUE)[1]
    assert fits.lines()[-1] == "column colour: nothing to report"


def test_the_sandbox_shows_a_declared_value_that_nobody_has(tmp_path: Path) -> None:
    path = write_room(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace('["red", "blue"]', '["red", "bleu"]', 1), encoding="utf-8")
    done = cleanroom("sandbox", path, *question("--epsilon 1").split())
    said(done)
    (warning,) = [line for line in done.stderr.splitlines() if "warning" in line]
    assert warning.startswith("  warning, for the operator of shop: column colour: ")
    assert warning.endswith("; nobody has the declared value `bleu`: is it spelled as in the table?")


@pytest.mark.parametrize(
    ("epsilon", "wrong"),
    [("0", "is not above 0"), ("-1", "is not above 0"), ("nan", "is not a number"), ("1e308", "has an exponent")],
)
def test_an_impossible_epsilon_is_refused_before_a_node_is_looked_for(tmp_path: Path, epsilon: str, wrong: str) -> None:
    line = refused(cleanroom("ask", "--home", tmp_path / "nowhere", "--owner", "brand", "--epsilon", epsilon))
    assert line == f"--epsilon: epsilon `{epsilon}` {wrong}; {EPSILON}"
