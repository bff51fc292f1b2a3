"""The seam that draws noise anew: what a node would answer, from exact cells of anywhere and noise of a seed.

Everything but the noise is the product's: the asks, the plan that an epsilon buys, the answer's JSON, and how it is
read. The exact cells come from a test; the product never sees them.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from cleanroom.answer.result import answer_body
from cleanroom.catalogue.entry import Ask, Entry, Own, Values, request
from cleanroom.catalogue.finding import Finding
from cleanroom.ids import AnalystName, PartyName
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.law import Law
from cleanroom.question.compile import Question, Standing, compile_plan
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.shape import partition_cells, quantity_cells
from cleanroom.report.answer import Answer, read_answer
from parties.room_file import RoomFile
from tests.reference.drawn_noise import Noise
from tests.reference.planted_cells import Key, Truth
from tests.unit.question.agreements import STANDING, card, coordinator

_ACCOUNTANTS: dict[Law, str] = {"gaussian": "zcdp", "laplace": "pure"}


class Seam:
    """Two companies of a room: one asks, the other answers, and nobody needs a node.

    The law of the noise says which accountant the room has. `threshold` is the owner's for showing people. Contracts
    and plans are made once for each set of words, so that an answer costs a test about a millisecond.
    """

    def __init__(self, terms: RoomFile, asker: str, owner: str) -> None:
        self.terms, self.asker, self.owner = terms, PartyName(asker), PartyName(owner)
        self._contracts: dict[tuple[Law, int], Contract] = {}
        self._plans: dict[tuple[Law, int, Ask, str], Plan] = {}

    def asks(self, entry: Entry, values: Values) -> tuple[Ask, ...]:
        """The plans of a catalogue question."""
        return entry.asks(self.terms, request(self.terms, entry, self.asker, self.owner, values))

    def names(self, ask: Ask) -> list[Key]:
        """The cells in the order of an answer."""
        splitter = self.asker if ask.base == "match" else self.owner
        ofs = quantity_cells(self.terms, self.owner, ask.quantity)
        return [(by, of) for by in partition_cells(self.terms, splitter, ask.by) for of in ofs]

    def finding(
        self,
        entry: Entry,
        values: Values,
        truth: Truth,
        noise: Noise,
        *,
        epsilon: str = "1",
        threshold: int = 0,
        own: Own | None = None,
    ) -> Finding:
        """Ask once, with noise of its own."""
        contract = self._contract(noise.law, threshold)
        made = request(contract, entry, self.asker, self.owner, values)
        asks = entry.asks(contract, made)
        answers = [self.answer(ask, truth(ask), noise, epsilon=epsilon, threshold=threshold) for ask in asks]
        return entry.read(contract, made, answers, own or Own())

    def answer(
        self, ask: Ask, exact: Mapping[Key, int], noise: Noise, *, epsilon: str = "1", threshold: int = 0
    ) -> Answer:
        """The answer to one ask, for exact cells in whole steps; a cell that is not there is 0."""
        contract, plan = self._contract(noise.law, threshold), self._plan(ask, noise.law, threshold, epsilon)
        names = self.names(ask)
        (scale,) = plan.scales
        drawn = noise.draw(scale, len(names)).tolist()
        cells = [exact.get(name, 0) + each for name, each in zip(names, drawn, strict=True)]
        return read_answer(answer_body(contract, plan, cells, stored=False, seconds={}))

    def _contract(self, law: Law, threshold: int) -> Contract:
        if (law, threshold) not in self._contracts:
            datasets = {n: replace(one, display_threshold=threshold) for n, one in self.terms.datasets.items()}
            terms = replace(self.terms, accountant=_ACCOUNTANTS[law], datasets=datasets)
            agreed = terms.contract({name: card(name) for name in datasets}, coordinator())
            self._contracts[law, threshold] = agreed
        return self._contracts[law, threshold]

    def _plan(self, ask: Ask, law: Law, threshold: int, epsilon: str) -> Plan:
        place = (law, threshold, ask, epsilon)
        if place not in self._plans:
            contract = self._contract(law, threshold)
            units = math.floor(accountant(contract.accountant).units_for_epsilon(Fraction(epsilon)) * ask.share)
            question = Question(
                self.asker, self.owner, AnalystName("lena"), ask.by, ask.quantity, units=units, base=ask.base
            )
            standing = STANDING if ask.base == "match" else Standing()
            self._plans[place] = compile_plan(contract, question, standing)
        return self._plans[place]
