"""Canaries in the answers of real nodes are guessed right as often as the charge says, and no more often.

T5 of the privacy rules, at every seat of `tests.audit.one_run`: 600 canaries at sigma 1 here, 5,000 at sigma 2 in the
slow part. False alarms below 1e-5 for each seat (computed in a test below); audits of broken noise fail to see it less
often than that.
"""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from cleanroom.privacy import opendp_door
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import NoiseSource
from tests.audit.one_run import SEATS, Canaries, canaries, false_alarm, honest_chance, most_right, promised_chance
from tests.live_room import NoNoise
from tests.reference.tail_laws import binomial_tails

FEW, MANY = (24, 25), (50, 100)
SCALES = {FEW: Fraction(1), MANY: Fraction(2)}


class HalfTheScale:
    """A source that draws with half of sigma."""

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        return opendp_door.draw(law, count, scale / 2)


class Reused:
    """A source that draws once and hands out the same numbers for every question after."""

    def __init__(self) -> None:
        self._kept: dict[int, list[int]] = {}

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        return self._kept.setdefault(count, opendp_door.draw(law, count, scale))


BROKEN: dict[str, tuple[NoiseSource, str]] = {
    "no noise, seen by the asker": (NoNoise(), "asker"),
    "no noise, seen with the coordinator": (NoNoise(), "coordinator too"),
    "half of sigma, seen by the asker": (HalfTheScale(), "asker"),
    "half of sigma, seen with the coordinator": (HalfTheScale(), "coordinator too"),
    "noise used twice, seen over two questions": (Reused(), "two questions"),
}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with canaries(tmp_path_factory.mktemp("few"), *FEW) as room:
        yield room


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with canaries(tmp_path_factory.mktemp("many"), *MANY) as room:
        yield room


def audit(room: Canaries, seat: str, noise: NoiseSource | None = None) -> bool:
    """Whether the room passes the audit, with its own noise or another."""
    honest = room.noise.source
    room.noise.source = noise or honest
    try:
        return room.guess(seat, SCALES[room.rows, room.columns]).passed
    finally:
        room.noise.source = honest


@pytest.mark.parametrize("seat", SEATS)
def test_of_600_canaries_no_more_are_found_than_the_charge_allows(few: Canaries, seat: str) -> None:
    assert audit(few, seat)


@pytest.mark.parametrize("broken", BROKEN)
def test_the_audit_of_600_canaries_rejects(few: Canaries, broken: str) -> None:
    noise, seat = BROKEN[broken]
    assert not audit(few, seat, noise)


@pytest.mark.slow
@pytest.mark.parametrize("seat", SEATS)
def test_of_5000_canaries_no_more_are_found_than_the_charge_allows(many: Canaries, seat: str) -> None:
    assert audit(many, seat)


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN)
def test_the_audit_of_5000_canaries_rejects(many: Canaries, broken: str) -> None:
    noise, seat = BROKEN[broken]
    assert not audit(many, seat, noise)


@pytest.mark.parametrize("size", [FEW, MANY], ids=str)
@pytest.mark.parametrize("seat", SEATS)
def test_an_honest_node_fails_as_rarely_as_said(seat: str, size: tuple[int, int]) -> None:
    assert false_alarm(seat, size[0] * size[1], SCALES[size]) <= 1e-5


@pytest.mark.parametrize("size", [FEW, MANY], ids=str)
@pytest.mark.parametrize("seat", ["asker", "coordinator too"])
def test_half_of_sigma_escapes_as_rarely_as_said(seat: str, size: tuple[int, int]) -> None:
    count, scale = size[0] * size[1], SCALES[size]
    most = most_right(count, promised_chance(seat, scale))
    assert binomial_tails(most, count, honest_chance(seat, scale / 2))[0] <= 1e-5
