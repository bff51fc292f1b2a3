"""The example that each entry gives is what it says of these numbers, to the letter: words, arithmetic and rounding."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.catalogue.catalogue import CATALOGUE, find
from cleanroom.catalogue.entry import Ask, Own, Request, Values, request
from cleanroom.question.shape import Terms, partition_cells, quantity_cells
from cleanroom.report.answer import Answer, Cell
from parties.room_file import RoomFile, read_room_file
from tests.unit.catalogue.two_shops import two_shops


@dataclass(frozen=True)
class Example:
    """A question, the noisy cells of each of its plans with their noise's scale, and which sentences are the example.

    `columns` are the two shops' columns under other names, with other values.
    """

    values: Values
    cells: Sequence[Sequence[int]]
    scale: str
    said: slice = field(default_factory=lambda: slice(1))
    people: int | None = None
    columns: tuple[tuple[str, str], ...] = ()


COLOURS = (('"red", "blue"', '"blue", "black", "white"'),)
RUNNING = ("segment", "category"), ("north", "running")
EXAMPLES = {
    "overlap": Example({}, [[1203]], "11.5", slice(2), people=5000),
    "profile": Example({"of": "colour"}, [[241, 187, 173, 602]], "3.5", columns=COLOURS),
    "index": Example({"of": "colour"}, [[241, 187, 173, 602], [500, 560, 520, 1900]], "3", columns=COLOURS),
    "reach": Example({}, [[1203], [5848]], "11.5", people=5000),
    "flow": Example(
        {"by": "stage", "of": "stage"},
        [[300, 440, 260, 900, 600, 500, 700, 500, 400, 250, 190, 130]],
        "8",
        slice(2, 3),
        columns=(
            ("segment", "stage"),
            ("north", "loyal"),
            ("colour", "stage"),
            ('"red", "blue"', '"aware", "bought"'),
        ),
    ),
    "lift": Example(
        {"by": "ads", "test": "seen", "control": "held-back", "outcome": "travel", "value": "yes"},
        [[2400, 7600, 10, 2025, 7975, 10, 90, 900, 10]],
        "10",
        columns=(("colour", "travel"), ('"red", "blue"', '"yes", "no"')),
    ),
    "response": Example(
        {"by": "saw", "weeks": ("spend_w01", "spend_w02", "spend_w03", "spend_w04"), "lags": "0"},
        [[6900, 0, 0, 0, 0, 0, 0], [0, 6850, 4750, 0, 0, 0, 0], [0, 0, 0, 4800, 0, 0, 0]],
        "380",
        columns=(("euros", "dollars"),),
    ),
    "prior": Example(
        {"by": "category", "of": "colour"},
        [[1000, 490, 2510, 950, 700, 2350, 960, 740, 2300, 300, 200, 780], [3170, 2060, 8250]],
        "18",
        slice(2),
        columns=(*RUNNING, ('"red", "blue"', '"black", "blue"')),
    ),
    "launch": Example(
        {"by": "category", "of": "colour", "value": "black"},
        [[360, 360, 880, 280, 360, 960, 260, 390, 920, 5, 5, 9]],
        "7",
        columns=(*RUNNING, ('"red", "blue"', '"black", "blue"')),
    ),
}


def renamed(folder: Path, columns: Sequence[tuple[str, str]]) -> RoomFile:
    """The terms of the two shops, under the names that the examples have."""
    two_shops(folder)
    path = folder / "room.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in (("shop", "sportswear"), ("brand", "bags"), *columns):
        text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, text)
    path.write_text(text, encoding="utf-8")
    return read_room_file(path)


def answered(terms: Terms, wanted: Request, ask: Ask, values: Sequence[int], scale: Fraction) -> Answer:
    """The numbers as an answer; nothing here depends on their own intervals."""
    names = [
        (by, of)
        for by in partition_cells(terms, wanted.asker, ask.by)
        for of in quantity_cells(terms, wanted.owner, ask.quantity)
    ]
    measure = terms.datasets[wanted.owner].measure(ask.quantity.column)
    return Answer(
        asker=wanted.asker,
        owner=wanted.owner,
        by=ask.by or None,
        quantity=ask.quantity.kind,
        column=ask.quantity.column or None,
        unit=measure.unit if measure else "people",
        epsilon=1.0,
        delta=1e-9,
        law="gaussian",
        scale=scale,
        level=Fraction(95, 100),
        cells=tuple(
            Cell(by, of, Fraction(value), Fraction(value), Fraction(value))
            for (by, of), value in zip(names, values, strict=True)
        ),
        spent=(),
        total=(),
        base=ask.base,
    )


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_example_is_what_the_question_answers(name: str, tmp_path: Path) -> None:
    example, entry = EXAMPLES[name], find(name)
    terms = renamed(tmp_path, example.columns)
    wanted = request(terms, entry, "sportswear", "bags", example.values)
    answers = [
        answered(terms, wanted, ask, cells, Fraction(example.scale))
        for ask, cells in zip(entry.asks(terms, wanted), example.cells, strict=True)
    ]
    found = entry.read(terms, wanted, answers, Own(example.people))
    assert entry.sentence == " ".join(found.sentences[example.said])
