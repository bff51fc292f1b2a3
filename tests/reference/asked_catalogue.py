"""What a node would answer to a catalogue question: exact cells from anywhere, noise from a seed, as answers.

The scale of the noise is the one that the plan would have: each ask gets its share of the units that epsilon buys.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cleanroom.catalogue.entry import Ask, Entry, Own, Request
from cleanroom.catalogue.finding import Finding
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.law import Law
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms, partition_cells, quantity_cells
from cleanroom.report.answer import Answer, Cell, Spent
from tests.reference.combined_law import one_noise

Key = tuple[str | None, str | None]
Truth = Callable[[Ask], Mapping[Key, int]]
LEVEL = Fraction(95, 100)
_EXACT_UP_TO = 64


class Noise:
    """Draws of either law from one seed; above scale 64 a rounded continuous law, which nobody could tell apart."""

    def __init__(self, law: Law, seed: int) -> None:
        self.law: Law = law
        self._luck = np.random.default_rng(seed)

    def draw(self, scale: Fraction, count: int) -> NDArray[np.int64]:
        if scale <= _EXACT_UP_TO:
            table = one_noise(self.law, scale)
            return self._luck.choice(list(table), size=count, p=list(table.values()))
        kind = self._luck.normal if self.law == "gaussian" else self._luck.laplace
        return np.round(kind(0.0, float(scale), count)).astype(np.int64)


class NoNoise(Noise):
    """The stated scale, and nothing drawn."""

    def draw(self, scale: Fraction, count: int) -> NDArray[np.int64]:
        return np.zeros(count, dtype=np.int64)


def asked(
    entry: Entry, terms: Terms, request: Request, truth: Truth, noise: Noise, *, epsilon: str = "1", threshold: int = 0
) -> Finding:
    """The finding, for exact cells in whole steps and this noise."""
    answers = [
        answer_to(ask, terms, request, truth(ask), noise, epsilon=epsilon, threshold=threshold)
        for ask in entry.asks(terms, request)
    ]
    return entry.read(terms, request, answers, Own())


def answer_to(
    ask: Ask,
    terms: Terms,
    request: Request,
    exact: Mapping[Key, int],
    noise: Noise,
    *,
    epsilon: str = "1",
    threshold: int = 0,
) -> Answer:
    """One answer over the match."""
    step, sensitivity, unit, possible = _measured(terms, request, ask.quantity)
    of_room = accountant("zcdp" if noise.law == "gaussian" else "pure")
    units = of_room.units_for_epsilon(Fraction(epsilon))
    scale = of_room.scale_for_units(math.floor(units * ask.share), sensitivity)
    half_width = of_room.noise_interval(scale).half_width
    bys = partition_cells(terms, request.asker, ask.by)
    keys = [(by, of) for by in bys for of in quantity_cells(terms, request.owner, ask.quantity)]
    drawn = noise.draw(scale, len(keys)).tolist()
    people = ask.quantity.kind != "sum"
    return Answer(
        asker=request.asker,
        owner=request.owner,
        by=ask.by or None,
        quantity=ask.quantity.kind,
        column=ask.quantity.column or None,
        unit=unit,
        epsilon=float(epsilon),
        delta=float(of_room.delta),
        law=noise.law,
        scale=scale * step,
        level=LEVEL,
        cells=tuple(
            _cell(key, exact.get(key, 0) + each, half_width, step, threshold if people else 0)
            for key, each in zip(keys, drawn, strict=True)
        ),
        spent=(Spent(request.owner, request.asker, None, float(epsilon), float(of_room.delta)),),
        total=(),
        possible=possible,
        threshold=threshold if people else 0,
    )


def _cell(key: Key, steps: int, half_width: int, step: Fraction, threshold: int) -> Cell:
    by, of = key
    return Cell(by, of, steps * step, (steps - half_width) * step, (steps + half_width) * step, steps < threshold > 0)


def _measured(
    terms: Terms, request: Request, quantity: Quantity
) -> tuple[Fraction, int, str, tuple[Fraction, Fraction] | None]:
    """Step, sensitivity, unit, and between which ends any sum lies."""
    if quantity.kind in ("count", "histogram"):
        return Fraction(1), 1, "people", None
    column = terms.datasets[request.owner].measure(quantity.column)
    assert column is not None
    assert quantity.kind == "sum"
    most = min(terms.datasets[request.owner].capacity, terms.datasets[request.asker].capacity)
    ends = (min(Fraction(column.low), Fraction(0)) * most, max(Fraction(column.high), Fraction(0)) * most)
    return Fraction(column.step), column.sensitivity, column.unit, ends


def least_held(draws: int, level: float = 0.95) -> float:
    """Five standard errors below the level: an honest entry falls there once in a million runs or so."""
    return level - 5 * math.sqrt(level * (1 - level) / draws)


def split_or_not(cells: Mapping[Key, int]) -> Truth:
    """The cells by segment, and where an ask splits nobody, added up over the segments."""
    whole: Counter[Key] = Counter()
    for (_, of), count in cells.items():
        whole[None, of] += count
    return lambda ask: cells if ask.by else whole


def table_of(bys: Sequence[str | None], ofs: Sequence[str | None], counts: Sequence[Sequence[int]]) -> dict[Key, int]:
    """Cells from a table, groups down, values across."""
    return {(by, of): count for by, row in zip(bys, counts, strict=True) for of, count in zip(ofs, row, strict=True)}
