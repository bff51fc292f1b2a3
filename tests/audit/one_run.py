"""The one-run audit: how many canaries does an asker find in the answers of real nodes? T5 of the privacy rules.

A canary is a made-up person alone in one declared cell of a cross-tab, hidden by a fair coin. A Gaussian release is
mu-Gaussian-private (Dong, Roth, Su, 2019; the count of right guesses in one run: Steinke, Nasr, Jagielski, 2023, and
here exactly binomial, since every canary has a cell, a coin and a noise of its own), so of m canaries no more than a
Binomial(m, Phi(mu / 2)) are guessed right. Three seats:

- `asker`: the coin is whether the canary is at the owner at all; in, if its cell is 1 or more. mu = 1 / sigma.
- `coordinator too`: the asker knows that every canary is there; the coin is which of two cells it is in; the larger
  one. Two cells move by one each, mu = sqrt(2) / sigma.
- `two questions`: as `asker`, and a second answer in which nobody is in any of these cells is subtracted, which takes
  the noise away if it was used twice. The noises of two answers add, mu = 1 / (sqrt(2) sigma).

Everything but the noise source is the product's: keys, seals, coordinator, databases, trees, gate, ledger and release.
"""

import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import Any

from cleanroom.privacy.budget import cost_units
from cleanroom.privacy.law import Law
from cleanroom.privacy.noise import DiscreteNoise, NoiseSource
from parties.inquiry import Inquiry
from tests.live_room import LiveRoom, live_room, room_file
from tests.reference.discrete_gaussian_law import probabilities
from tests.reference.tail_laws import binomial_tails

ALPHA = 1e-6
ROOM_FOR_DUMMIES = 100
ASKER = "asker"
SEATS = ("asker", "coordinator too", "two questions")


@dataclass
class Switched:
    """The owner's noise: the real one until an audit of the audit puts a broken one in its place."""

    source: NoiseSource = field(default_factory=DiscreteNoise)

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """What the present source draws."""
        return self.source.draw(count, scale, law)


@dataclass(frozen=True, slots=True)
class Found:
    """`right` of `canaries` guesses were right; more than `most` happens to an honest node once in a million."""

    canaries: int
    right: int
    chance: float
    most: int

    @property
    def passed(self) -> bool:
        """Whether an honest node may have answered so."""
        return self.right <= self.most


def promised_chance(seat: str, scale: Fraction) -> float:
    """Phi(mu / 2): the chance of one right guess at most."""
    mu = {"asker": 1.0, "coordinator too": math.sqrt(2.0), "two questions": math.sqrt(0.5)}[seat] / float(scale)
    return NormalDist().cdf(mu / 2)


def honest_chance(seat: str, scale: Fraction) -> float:
    """The chance of one right guess under the law of the noise itself, to the last term."""
    one = {x: float(p) for x, p in probabilities(scale).items()}
    if seat == "asker":
        return (1 + one[0]) / 2
    same = math.fsum(p * p for p in one.values())
    if seat == "two questions":
        return (1 + same) / 2
    apart_by_one = math.fsum(p * one.get(x + 1, 0.0) for x, p in one.items())
    return (1 + same) / 2 + apart_by_one / 2


def most_right(canaries: int, chance: float) -> int:
    """The quantile: more right guesses than this have probability `ALPHA` at most."""
    low, high = 0, canaries
    while high > low:
        middle = (low + high) // 2
        if binomial_tails(middle + 1, canaries, chance)[1] <= ALPHA:
            high = middle
        else:
            low = middle + 1
    return low


def false_alarm(seat: str, canaries: int, scale: Fraction) -> float:
    """How often an honest node fails: `ALPHA`, or a little more where the integers show through a small sigma."""
    most = most_right(canaries, promised_chance(seat, scale))
    return binomial_tails(most + 1, canaries, honest_chance(seat, scale))[1]


@dataclass
class Canaries:
    """A room of `rows` × `columns` canaries, in which all three seats can be taken."""

    room: LiveRoom
    noise: Switched
    rows: int
    columns: int
    present: Sequence[bool]
    second: Sequence[bool]
    asked: int = 0

    def guess(self, seat: str, scale: Fraction) -> Found:
        """Ask as this seat would, and count the right guesses."""
        cells = self.rows * self.columns
        if seat == "coordinator too":
            answer = self._ask("every", "group", scale)
            pairs = [answer[2 * at : 2 * at + 2] for at in range(cells)]
            right = sum(
                (two > one or (one == two and secrets.randbits(1) == 1)) == coin
                for (one, two), coin in zip(pairs, self.second, strict=True)
            )
        else:
            answer = self._ask("some", "group", scale)
            if seat == "two questions":
                answer = [a - b for a, b in zip(answer, self._ask("some", "nobody", scale), strict=True)]
            right = sum((cell >= 1) == coin for cell, coin in zip(answer, self.present, strict=True))
        chance = promised_chance(seat, scale)
        return Found(cells, right, chance, most_right(cells, chance))

    def _ask(self, owner: str, by: str, scale: Fraction) -> list[int]:
        """The declared cells of one answer, at this noise, always drawn anew."""
        self.asked += 1
        question = replace(
            self.room.question(ASKER, owner, by=by, of="mark", repeat=self.asked), units=cost_units(1, scale)
        )
        answer = Inquiry(self.room.parties[ASKER].node, question).run(timeout_s=120.0, progress=lambda _: None)
        assert not answer["stored"]
        assert Fraction(answer["question"]["sigma"]) == scale
        return [cell["value"] for cell in answer["cells"] if "other" not in (cell["by"], cell["of"])]


def _dimension(name: str, values: Sequence[str]) -> dict[str, Any]:
    return {"role": "dimension", "from": name, "reduce": "most_frequent", "values": list(values)}


@contextmanager
def canaries(folder: Path, rows: int, columns: int) -> Iterator[Canaries]:
    """A running room: the asker, an owner at which canaries are or are not, and one at which all of them are."""
    count = rows * columns
    present, second = ([secrets.randbits(1) == 1 for _ in range(count)] for _ in range(2))
    groups, marks = [f"g{at}" for at in range(rows)], [f"m{at}" for at in range(columns)]
    sides = [f"{side}{at}" for at in range(columns) for side in ("l", "r")]
    names = [f"canary{at}@example.org" for at in range(count)]
    asker = [{"email": name, "group": groups[at // columns], "nobody": "none"} for at, name in enumerate(names)]
    some = [{"email": name, "mark": marks[at % columns]} for at, name in enumerate(names) if present[at]]
    every = [{"email": name, "mark": sides[2 * (at % columns) + second[at]]} for at, name in enumerate(names)]
    parties = {
        ASKER: {
            "people": asker,
            "columns": {"group": _dimension("group", groups), "nobody": _dimension("nobody", groups)},
        },
        "some": {"people": some, "columns": {"mark": _dimension("mark", marks)}},
        "every": {"people": every, "columns": {"mark": _dimension("mark", sides)}},
    }
    noise = Switched()
    terms = room_file(folder, parties, capacity=count + ROOM_FOR_DUMMIES)
    with live_room(folder, terms, noise={"some": noise, "every": noise}) as room:
        yield Canaries(room, noise, rows, columns, present, second)
