"""Planted numbers over the sample room's terms: exact cells that a test writes down, and noise drawn anew."""

from functools import cache
from pathlib import Path

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Own, Values
from cleanroom.catalogue.finding import Finding
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.report.answer import Answer
from parties.room_file import RoomFile, read_room_file
from tests.reference.drawn_noise import Noise
from tests.reference.redrawn_answers import Seam

SAMPLE = Path(__file__).parents[2] / "samples" / "adventureworks.toml"
ASKER, OWNER = PartyName("accessories"), PartyName("bikes")


@cache
def sample() -> RoomFile:
    """Accessories' columns country, subcategory, helmet; bikes' colour (five values) and country (six)."""
    return read_room_file(SAMPLE)


@cache
def seam() -> Seam:
    """Accessories asks bikes."""
    return Seam(sample(), ASKER, OWNER)


class Planted:
    """A catalogue question whose exact answers are known: the cells of each of its asks, in the order of an answer."""

    def __init__(
        self, entry: str, values: Values, *cells: list[int], room_accountant: str = "zcdp", threshold: int = 0
    ) -> None:
        self.entry, self.values, self._threshold = find(entry), values, threshold
        self._noise = Noise(accountant(room_accountant).law, 1)
        self.asks = seam().asks(self.entry, values)
        self._exact = {
            ask: dict(zip(seam().names(ask), exact, strict=True)) for ask, exact in zip(self.asks, cells, strict=True)
        }

    def asked(self, epsilon: str = "1", people: int | None = None) -> Finding:
        """Asked once, with new noise."""
        return seam().finding(
            self.entry,
            self.values,
            self._exact.__getitem__,
            self._noise,
            epsilon=epsilon,
            threshold=self._threshold,
            own=Own(people),
        )

    def answers(self) -> tuple[Answer, ...]:
        """The answers to each of its asks, with new noise."""
        return tuple(
            seam().answer(ask, exact, self._noise, threshold=self._threshold) for ask, exact in self._exact.items()
        )
