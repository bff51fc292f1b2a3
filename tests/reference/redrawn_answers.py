"""The seam that draws noise anew: answers to a catalogue question's asks, from exact cells and noise of a stated law.

Everything but the noise is the product's: the asks, the price of an epsilon, the JSON that is read. Exact cells come
from pandas (`true_answer`) or from the test itself; the product never sees them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import Any

import pandas as pd

from cleanroom.catalogue.entry import Ask, Entry, Own, Values, request
from cleanroom.catalogue.finding import Finding
from cleanroom.ids import PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.question.contract import Contract
from cleanroom.question.shape import Terms, partition_cells, parts_of, quantity_cells
from cleanroom.report.answer import Answer, read_answer
from tests.reference.drawn_noise import drawn_noise
from tests.reference.true_answer import Cells, true_answer


@dataclass(frozen=True)
class Asked:
    """An ask with who asks whom: what the product needs to price it."""

    asker: PartyName
    owner: PartyName
    ask: Ask

    @property
    def base(self) -> str:
        return self.ask.base

    @property
    def by(self) -> str:
        return self.ask.by

    @property
    def quantity(self) -> Any:
        return self.ask.quantity

    def names(self, terms: Terms) -> list[tuple[str | None, str | None]]:
        """The cells in the order of an answer."""
        splitter = self.asker if self.base == "match" else self.owner
        ofs = quantity_cells(terms, self.owner, self.quantity)
        return [(by, of) for by in partition_cells(terms, splitter, self.by) for of in ofs]


@dataclass
class RedrawnAnswers:
    """Counts and histograms only. `exact` may be filled by a test that plants its numbers; pandas fills the rest."""

    terms: Any
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    room_accountant: str = "zcdp"
    exact: dict[tuple[str, str, Ask], Cells] = field(default_factory=dict)
    threshold: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        self._seeds = count(self.seed * 1_000_000)

    def truth(self, asker: str, owner: str, ask: Ask) -> Cells:
        """The exact cells of an ask."""
        if (asker, owner, ask) not in self.exact:
            contract: Contract = self.terms  # what is read of a contract here, a room file has too
            self.exact[asker, owner, ask] = true_answer(
                contract, dict(self.frames), asker, owner, ask.by, ask.quantity, ask.base
            )
        return self.exact[asker, owner, ask]

    def asks(self, entry: Entry, asker: str, owner: str, values: Values) -> tuple[Ask, ...]:
        """The plans of a catalogue question."""
        return entry.asks(self.terms, request(self.terms, entry, asker, owner, values))

    def finding(
        self, entry: Entry, asker: str, owner: str, values: Values, *, epsilon: str = "1", own: Own | None = None
    ) -> Finding:
        """Ask once, with noise of its own."""
        made = request(self.terms, entry, asker, owner, values)
        answers = [self.answer(made.asker, made.owner, ask, epsilon) for ask in entry.asks(self.terms, made)]
        return entry.read(self.terms, made, answers, own or Own())

    def answer(self, asker: PartyName, owner: PartyName, ask: Ask, epsilon: str = "1") -> Answer:
        """The answer to one ask."""
        of, asked = accountant(self.room_accountant), Asked(asker, owner, ask)
        (part,) = parts_of(self.terms, asked)
        units = int(of.units_for_epsilon(Fraction(epsilon)) * ask.share)
        scale = of.scale_for_units(units, part.sensitivity)
        truth = self.truth(asker, owner, ask)
        names = asked.names(self.terms)
        noise = drawn_noise(of.law, scale, (len(names),), seed=next(self._seeds)).tolist()
        values = [truth[name] + drawn for name, drawn in zip(names, noise, strict=True)]
        return read_answer(self._body(asked, names, values, scale))

    def _body(
        self, asked: Asked, names: Sequence[tuple[str | None, str | None]], values: Sequence[int], scale: Fraction
    ) -> dict[str, Any]:
        of = accountant(self.room_accountant)
        half_width = of.noise_interval(scale).half_width
        scales = {"sigma": None, "laplace_scale": float(scale)} if of.law == "laplace" else {"sigma": float(scale)}
        return {
            "question": {
                "asker": asked.asker,
                "owner": asked.owner,
                "by": asked.by or None,
                "base": asked.base,
                "quantity": asked.quantity.kind,
                "column": asked.quantity.column or None,
                "epsilon": 1.0,
                "delta": float(of.delta),
                "unit": "people",
                "analyst": "lena",
                "display_threshold": self.threshold,
                **scales,
            },
            "interval": 0.95,
            "cells": [
                {
                    "by": by,
                    "of": of_,
                    "value": value,
                    "low": value - half_width,
                    "high": value + half_width,
                    **({"below_threshold": value < self.threshold} if self.threshold else {}),
                }
                for (by, of_), value in zip(names, values, strict=True)
            ],
            "spent": [],
        }
