"""Whatever is asked, over the match or over the owner's whole table: each number of the answer carries its own noise.

Answers are taken twice, once with zeros for noise and once with numbers that tell apart which draw went where.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from cleanroom.ids import PartyName, analyst_name
from cleanroom.privacy.law import Law
from cleanroom.question.compile import Question
from cleanroom.question.quantity import BASES, QUANTITIES, Quantity
from tests.live_room import NoNoise
from tests.simulation.stepped_room import COLUMNS, SteppedRoom, people, stepped_room

SPEND = {**COLUMNS["spend"], "edges": ["2", "5"]}
COLUMN = {"count": "", "histogram": "colour"}
CELLS = {"count": 1, "histogram": 3, "sum": 1, "mean": 2, "quantile": 3}


@dataclass
class Numbered:
    """Draws 1000, 2000, 3000 …, or zeros, and remembers the scales."""

    zero: bool = True
    drawn: int = 0
    scales: list[Fraction] = field(default_factory=list)

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """The next numbers."""
        self.scales.append(scale)
        if self.zero:
            return NoNoise().draw(count, scale, law)
        self.drawn += count
        return [1000 * (self.drawn - count + at + 1) for at in range(count)]


NOISE = Numbered()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteppedRoom]:
    parties: dict[str, dict[str, Any]] = {
        name: {"people": people(*numbers), "columns": {**COLUMNS, "spend": SPEND}, "over": ["match", "table"]}
        for name, numbers in (("shop", (0, 40)), ("brand", (20, 60)))
    }
    with stepped_room(tmp_path_factory.mktemp("noise"), parties, noise=NOISE) as opened:
        yield opened


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", QUANTITIES)
def test_every_number_of_an_answer_carries_noise_of_its_own(
    room: SteppedRoom, monkeypatch: pytest.MonkeyPatch, kind: str, base: str
) -> None:
    units = room.question("shop", "brand", epsilon="1").units
    answers = []
    for repeat, zero in enumerate((True, False)):
        NOISE.zero, NOISE.drawn = zero, 0
        NOISE.scales.clear()
        question = Question(
            asker=PartyName("shop"),
            owner=PartyName("brand"),
            analyst=analyst_name("ann"),
            by="colour",
            quantity=Quantity(kind, COLUMN.get(kind, "spend")),
            units=units,
            base=base,
            repeat=repeat,
        )
        monkeypatch.setattr(room, "question", lambda *_, question=question, **__: question)
        asked = room.ask("shop", "brand")
        answers.append(asked.cells)
        assert tuple(NOISE.scales) == asked.plan.scales, "drawn with other scales than were charged"
        monkeypatch.undo()
    noise = [noisy - exact for exact, noisy in zip(*answers, strict=True)]
    assert len(noise) == 3 * CELLS[kind]
    assert sorted(noise) == [1000 * (at + 1) for at in range(len(noise))]
