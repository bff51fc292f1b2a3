"""From what an analyst asks to a plan: the same words under the same contract and match give the same plan.

Everything here can be recomputed by the owner and by an auditor from the contract and the log.
"""

from dataclasses import dataclass
from fractions import Fraction

from cleanroom.errors import UsageError
from cleanroom.ids import AnalystName, PartyName
from cleanroom.nearest import listed, meant, quoted
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.budget import SCALE_DENOMINATOR
from cleanroom.question.contract import Contract
from cleanroom.question.plan import Plan
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Shape, parts_of, shape
from cleanroom.wire.contract_file import contract_hash


@dataclass(frozen=True, slots=True)
class Question:
    """What an analyst wants to know, and for how many of the room's units.

    `by` is one of the own columns, or of the owner's where `base` is its whole table, or empty.
    """

    asker: PartyName
    owner: PartyName
    analyst: AnalystName
    by: str
    quantity: Quantity
    units: int
    base: str = "match"
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The match and set-up that a plan stands on; ids, versions and transcripts in hex, empty over a whole table."""

    match: str = ""
    match_transcript: str = ""
    asker_version: str = ""
    owner_version: str = ""
    setup: str = ""
    setup_transcript: str = ""


def check_question(contract: Contract, question: Question) -> None:
    """Refuse what the contract can never allow, before any work is done; raises UsageError."""
    if question.owner not in contract.datasets:
        raise UsageError(
            f"there is no party {quoted(question.owner)} in room {contract.room};"
            f" {meant(question.owner, contract.datasets)}parties: {listed(contract.datasets)}"
        )
    if question.owner == question.asker:
        raise UsageError("asker and owner must be two different parties")
    if question.units <= 0:
        raise UsageError("this epsilon buys less than one unit of budget; ask with a larger epsilon")
    _scaled(contract, question)


@dataclass(frozen=True, slots=True)
class _Priced:
    """A question's arithmetic with the noise that its units buy, in equal parts for each part of the quantity."""

    shape: Shape
    scales: tuple[Fraction, ...]
    cost_units: int


def _scaled(contract: Contract, question: Question) -> _Priced:
    """Raises UsageError for columns that the contract does not have, or when nothing is left for a part."""
    prices, parts = accountant(contract.accountant), parts_of(contract, question)
    if question.units < len(parts):
        raise UsageError("this epsilon buys less than one unit of budget; ask with a larger epsilon")
    share = question.units // len(parts)
    scales = tuple(prices.scale_for_units(share, part.sensitivity) for part in parts)
    cost = sum(prices.cost_units(part.sensitivity, scale) for part, scale in zip(parts, scales, strict=True))
    return _Priced(shape=shape(contract, question, scales), scales=scales, cost_units=cost)


def compile_plan(contract: Contract, question: Question, standing: Standing) -> Plan:
    """The plan: one group for every declared value of the column `by` and `other`; raises UsageError."""
    check_question(contract, question)
    priced = _scaled(contract, question)
    return Plan(
        asker=question.asker,
        owner=question.owner,
        analyst=question.analyst,
        contract=contract_hash(contract).hex(),
        base=question.base,
        match=standing.match,
        match_transcript=standing.match_transcript,
        asker_version=standing.asker_version,
        owner_version=standing.owner_version,
        setup=standing.setup,
        setup_transcript=standing.setup_transcript,
        leaves=priced.shape.leaves,
        by=question.by,
        groups=tuple((leaf,) for leaf in range(1, priced.shape.used_leaves + 1)),
        quantity=question.quantity,
        words=priced.shape.words,
        bits=priced.shape.bits,
        scales_1024=tuple(int(scale * SCALE_DENOMINATOR) for scale in priced.scales),
        cost_units=priced.cost_units,
        repeat=question.repeat,
    )
