"""Planted numbers over the sample room's terms: exact cells that a test writes down, and noise drawn anew."""

from functools import cache
from pathlib import Path
from typing import Any

from cleanroom.catalogue.catalogue import find
from cleanroom.catalogue.entry import Own, Values
from cleanroom.catalogue.finding import Finding
from cleanroom.ids import PartyName
from parties.room_file import RoomFile, read_room_file
from tests.reference.redrawn_answers import Asked, RedrawnAnswers

SAMPLE = Path(__file__).parents[2] / "samples" / "adventureworks.toml"
ASKER, OWNER = PartyName("accessories"), PartyName("bikes")


@cache
def sample() -> RoomFile:
    """Accessories' columns country, subcategory, helmet; bikes' colour (five values) and country (six)."""
    return read_room_file(SAMPLE)


class Planted:
    """A catalogue question whose exact answers are known: the cells of each of its asks, in the order of an answer."""

    def __init__(self, entry: str, values: Values, *cells: list[int], **seam: Any) -> None:
        self.entry, self.values, self.seam = find(entry), values, RedrawnAnswers(sample(), **seam)
        for ask, exact in zip(self.seam.asks(self.entry, ASKER, OWNER, values), cells, strict=True):
            names = Asked(ASKER, OWNER, ask).names(sample())
            self.seam.exact[ASKER, OWNER, ask] = dict(zip(names, exact, strict=True))

    def asked(self, epsilon: str = "1", people: int | None = None) -> Finding:
        """Asked once, with new noise."""
        return self.seam.finding(self.entry, ASKER, OWNER, self.values, epsilon=epsilon, own=Own(people))
