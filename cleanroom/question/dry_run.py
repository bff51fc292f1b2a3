"""What a question would cost and how exact its answer would be, before anything is spent and without any data.

The owner's own gate decides here, on the same contract and the same words: the plan is compiled over placeholder ids
and handed to `gate.decide`, so no rule is written a second time. What the gate knows and an asker does not is filled
in so that nothing is refused by guess, and named in `UNKNOWN`: what others have spent, and how old the owner's table
is. What the asker has spent is what its last receipt and its own open questions say.

The 95% half widths are those of the noise's exact law: of one number, and of all numbers of the answer at once.

A guess of sizes is one number: so many people in all, spread evenly over the cells that count people. A cell is likely
below the contract's display threshold when noise and guess together put it there with a chance of one half or more.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from cleanroom.errors import RefusedError, UsageError
from cleanroom.privacy.accountant import accountant
from cleanroom.privacy.interval import chance_below
from cleanroom.question.columns import Measure
from cleanroom.question.compile import Question, Standing, compile_plan
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import MAX_CAPACITY
from cleanroom.question.gate import LedgerView, Situation, check_words, decide
from cleanroom.question.plan import Plan
from cleanroom.question.shape import find_column, parts_of
from cleanroom.question.standing import OPEN, RoomStanding

UNKNOWN = ("what other askers have spent on the same people", "how old the owner's table is")
MAX_TOGETHER = 64  # plans that make one question of the catalogue
_PLACEHOLDER = "0" * 64


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What an asker knows of itself at one owner: units spent in all and today, questions so far, how many are open.

    `as_of` is when the owner last said so (UTC), empty before its first receipt.
    """

    units: int = 0
    units_today: int = 0
    questions: int = 0
    open_questions: int = 0
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class PartNoise:
    """Noise of one part of the answer, in `unit`: the law's parameter, and how far 95% reach."""

    counts: str
    unit: str
    numbers: int
    scale: Fraction
    half_width: Decimal
    half_width_all: Decimal


@dataclass(frozen=True, slots=True)
class GuessedCells:
    """`people` spread evenly over `cells`: expected in each, and the chance that a cell comes out below `threshold`."""

    people: int
    cells: int
    each: Fraction
    threshold: int
    chance_below: float

    @property
    def likely_below(self) -> int:
        """How many cells are likely below the threshold: all of them or none, since all are guessed alike."""
        return self.cells if self.threshold and self.chance_below >= 0.5 else 0


@dataclass(frozen=True, slots=True)
class Price:
    """What follows from the contract and the question's words alone."""

    units: int
    cells: int
    parts: tuple[PartNoise, ...]
    guess: GuessedCells | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """`price` is None where the question's words are refused already; `approval` says why a person must agree first."""

    question: Question
    accountant: str
    price: Price | None
    record: OwnRecord
    cap_units: int
    display_threshold: int
    approval: tuple[str, ...]
    refusal: RefusedError | None


def dry_run(
    contract: Contract,
    question: Question,
    record: OwnRecord,
    *,
    today: str,
    standing: RoomStanding = OPEN,
    guess: int | None = None,
) -> DryRun:
    """What would happen to the question if it were asked now; `today` is a day in UTC, YYYY-MM-DD.

    A refusal of the owner's is part of the result. Raises UsageError for what never reaches the owner: units that buy
    nothing, a guess of nobody.
    """
    if guess is not None and not 1 <= guess <= MAX_CAPACITY:
        raise UsageError(f"--guess: guess a whole number of people from 1 to {MAX_CAPACITY}")
    dataset = contract.datasets.get(question.owner)
    found = DryRun(
        question=question,
        accountant=contract.accountant,
        price=None,
        record=record,
        cap_units=dataset.consumer_caps.get(question.asker, 0) if dataset is not None else 0,
        display_threshold=dataset.display_threshold if dataset is not None else 0,
        approval=(),
        refusal=None,
    )
    situation = Situation(today=today, table_day=today, standing=standing)
    try:
        check_words(contract, question, situation)
    except RefusedError as refusal:
        return replace(found, refusal=refusal)
    plan = compile_plan(contract, question, _placeholders(question))
    found = replace(found, price=_price(contract, plan, guess))
    view = LedgerView(
        lineage_units=record.units,
        consumer_units=record.units,
        open_reservations=record.open_questions,
        questions=record.questions,
        units_today=record.units_today,
    )
    try:
        return replace(found, approval=decide(contract, plan, view, situation).approval)
    except RefusedError as refusal:
        return replace(found, refusal=refusal)


def price_of(contract: Contract, question: Question) -> Price:
    """What the question costs and how exact it is; raises UsageError for words that the contract does not know."""
    return _price(contract, compile_plan(contract, question, _placeholders(question)), None)


def _placeholders(question: Question) -> Standing:
    """No match, no set-up: ids that stand for those that a question would find or make."""
    return Standing() if question.base == "table" else Standing(*[_PLACEHOLDER] * 6)


def _price(contract: Contract, plan: Plan, guess: int | None) -> Price:
    prices, cells = accountant(contract.accountant), len(plan.groups) * plan.words
    parts = []
    for place, (part, scale) in enumerate(zip(parts_of(contract, plan), plan.scales, strict=True)):
        counts, step, unit = _part(contract, plan, place)
        one, all_at_once = (prices.noise_interval(scale, cells=number).half_width for number in (1, cells))
        parts.append(
            PartNoise(
                counts=counts,
                unit=unit,
                numbers=len(plan.groups) * part.words,
                scale=scale * Fraction(step),
                half_width=one * step,
                half_width_all=all_at_once * step,
            )
        )
    return Price(plan.cost_units, cells, tuple(parts), _guessed(contract, plan, parts[0], guess))


def _part(contract: Contract, plan: Plan, place: int) -> tuple[str, Decimal, str]:
    """What a part adds up, and what a whole step of it is, in which unit."""
    if plan.quantity.kind != "sum" and (plan.quantity.kind, place) != ("mean", 1):
        return "people", Decimal(1), "people"
    column = find_column(contract, plan.owner, plan.quantity.column, "measure")
    if not isinstance(column, Measure):
        raise UsageError(f"{column.name} is not a measure")
    return ("sum" if plan.quantity.kind == "sum" else "sum around the middle"), column.step, column.unit


def _guessed(contract: Contract, plan: Plan, first: PartNoise, people: int | None) -> GuessedCells | None:
    """None without a guess, and for sums, which no threshold is about."""
    if people is None or first.counts != "people":
        return None
    each, threshold = Fraction(people, first.numbers), contract.datasets[plan.owner].display_threshold
    law = accountant(contract.accountant).law
    chance = chance_below(each, threshold, scale=first.scale, law=law) if threshold else 0.0
    return GuessedCells(people, first.numbers, each, threshold, chance)
