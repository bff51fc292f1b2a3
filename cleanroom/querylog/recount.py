"""Every budget of a room added up again from its log, by nothing but the entries and the signed agreements.

For each debit: somebody asked that question of this owner; its price, recomputed from plan and contract, is what was
charged; the lineage, the consumer, the number of questions and the owner's approver allowed it at that moment. For each
match: the contract's number of them, each hidden by the promised dummies. A release needs a debit that stands, a void
takes back one that released nothing. What a node's signed ledger head says must be what the log said at its moment, by
that node's own clock: a head that says less is of a ledger that was restored from a backup.

Every deviation is named; one does not hide the next. What the log cannot show (other rooms of the same lineage, a
ledger in another folder) is no part of it: caps are compared with what was spent in this log alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName
from cleanroom.match.handshake import dummies_of_lineage
from cleanroom.querylog.consumer_chain import parse_units
from cleanroom.querylog.event import Event
from cleanroom.querylog.history import AskedQuestion, History
from cleanroom.querylog.ledger_head import LedgerHead
from cleanroom.question.contract import Contract
from cleanroom.question.dataset import Dataset
from cleanroom.question.gate import owners_columns
from cleanroom.question.plan import Plan
from cleanroom.question.price import price_units


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is not as it must be, at which entry; None where it is about no single one."""

    index: int | None
    text: str

    def line(self) -> str:
        """For the auditor."""
        return self.text if self.index is None else f"entry {self.index}: {self.text}"


@dataclass(frozen=True, slots=True)
class Moment:
    """What one consumer had spent of one lineage after an entry, and how many matches it had had."""

    index: int
    at: str
    spent: int
    matches: int


@dataclass(slots=True)
class Account:
    """One consumer's part of one lineage, `owner`'s people; `moments` has one more each time something was booked.

    `cap` is the newest that a given agreement states, in units; None where none does.
    """

    owner: str
    lineage: str
    consumer: str
    accountant: str = ""
    cap: int | None = None
    lineage_cap: int | None = None
    spent: int = 0
    questions: int = 0
    voided: int = 0
    matches: int = 0
    moments: list[Moment] = field(default_factory=list)
    units_of_day: dict[str, int] = field(default_factory=dict)

    def book(self, event: Event, units: int, *, day: str) -> None:
        """Add units of that day, and keep what it has come to with this entry."""
        self.spent += units
        self.units_of_day[day] = self.units_of_day.get(day, 0) + units
        self.moments.append(Moment(event.index, event.at, self.spent, self.matches))


@dataclass(frozen=True, slots=True)
class Recount:
    """All accounts in the order of their first entries, and everything that is wrong."""

    accounts: tuple[Account, ...]
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A ledger head that `owner` signed at `at`, from the file `source`."""

    owner: str
    at: str
    head: LedgerHead
    source: str


@dataclass(slots=True)
class _Debit:
    event: Event
    account: Account
    units: int
    state: str = "open"


class _Recounting:
    """One walk over the log."""

    def __init__(self, history: History, terms: Mapping[str, Contract]) -> None:
        self._terms = terms
        self._questions = {question.subject: question for question in history.questions}
        self._known = {event.index for question in history.questions for event in question.events}
        self._approved: dict[str, int] = {}
        self._debits: dict[str, _Debit] = {}
        self._matched: set[tuple[str, str]] = set()
        self._closed = False
        self.accounts: dict[tuple[str, str, str], Account] = {}
        self.deviations: list[Deviation] = []

    def wrong(self, event: Event, text: str) -> None:
        self.deviations.append(Deviation(event.index, text))

    def take(self, event: Event) -> None:
        """The next entry."""
        if event.doubt:
            self.wrong(event, event.doubt)
        if not event.believed:
            return
        match event.kind:
            case "question.approved" if event.index in self._known:
                self._approved[event.subject] = event.index
            case "budget.debit":
                self._debit(event)
            case "answer.released":
                self._release(event)
            case "budget.voided":
                self._void(event)
            case "match.debit":
                self._match(event)
            case "question.asked" if self._closed:
                self.wrong(event, f"{event.actor} asked after the room was closed")
            case "room.closed":
                self._closed = True
            case _:
                pass

    def _account(self, event: Event, consumer: str) -> Account:
        key = (event.actor, event.text("lineage"), consumer)
        account = self.accounts.setdefault(key, Account(*key))
        contract = self._terms.get(event.contract)
        if contract is not None and event.actor in contract.datasets:
            dataset = contract.datasets[PartyName(event.actor)]
            account.accountant, account.lineage_cap = contract.accountant, dataset.cap_units
            account.cap = dataset.consumer_caps.get(PartyName(consumer), 0)
            if dataset.lineage != account.lineage:
                self.wrong(event, f"{event.actor} booked on `{account.lineage}`; its people are `{dataset.lineage}`")
        return account

    def _debit(self, event: Event) -> None:
        try:
            units = parse_units(event.text("units"))
        except CleanroomError as error:
            self.wrong(event, f"a debit's {error}")
            return
        if event.subject in self._debits:
            first = self._debits[event.subject].event.index
            self.wrong(event, f"question {event.subject[:12]} is debited a second time; the first is entry {first}")
        account = self._account(event, event.text("consumer"))
        question, contract = self._questions.get(event.subject), self._terms.get(event.contract)
        if question is None or question.asked is None or event.index not in self._known:
            self.wrong(event, f"{event.actor} debited a question {event.subject[:12]} that nobody asked it")
        elif question.asked.index > event.index:
            self.wrong(event, f"question {event.subject[:12]} was debited before it was asked")
        if question is not None and question.plan is not None:
            self._check_price(event, question.plan, contract, units)
            if contract is not None and question.plan.owner in contract.datasets:
                self._check_allowed(event, question, contract.datasets[question.plan.owner], account, units)
        account.book(event, units, day=event.at[:10])
        account.questions += 1
        self._debits.setdefault(event.subject, _Debit(event, account, units))
        self._check_caps(event, account)

    def _check_price(self, event: Event, plan: Plan, contract: Contract | None, units: int) -> None:
        if contract is None:
            self.wrong(event, f"its price was not checked: give the agreement {event.contract[:12]} as well")
            return
        try:
            price = price_units(contract, plan)
        except CleanroomError as error:
            self.wrong(event, f"its plan has no price under its contract: {error}")
            return
        if price != units:
            self.wrong(event, f"{units} units were debited; by plan and contract it costs {price}")
        stated = (event.text("consumer"), event.text("quantity"), event.text("match"), event.text("accountant"))
        if stated != (plan.asker, plan.quantity.kind, plan.match, contract.accountant):
            self.wrong(event, "consumer, quantity, match or accountant of the debit are not those of its question")
        if plan.contract != event.contract:
            self.wrong(event, "the question was asked under other terms than it was debited under")

    def _check_allowed(
        self, event: Event, question: AskedQuestion, dataset: Dataset, account: Account, units: int
    ) -> None:
        plan = question.plan
        if plan is None:
            return
        if account.questions >= dataset.questions_each:
            self.wrong(event, f"{plan.asker} had its {dataset.questions_each} questions already")
        reasons = dataset.approval.reasons(
            columns=owners_columns(plan),
            cells=len(plan.groups) * plan.words,
            units=units,
            units_today=account.units_of_day.get(event.at[:10], 0),
        )
        if reasons and self._approved.get(event.subject, event.index) >= event.index:
            self.wrong(event, f"no approver of {event.actor} had agreed, though {'; '.join(reasons)}")

    def _check_caps(self, event: Event, account: Account) -> None:
        if account.cap is not None and account.spent > account.cap:
            self.wrong(
                event, f"{account.consumer} has spent {account.spent} units of `{account.lineage}`, above its cap of"
                f" {account.cap}",
            )  # fmt: skip
        together = sum(one.spent for one in self._of_lineage(account))
        if account.lineage_cap is not None and together > account.lineage_cap:
            self.wrong(
                event, f"all together have spent {together} units of `{account.lineage}`, above its cap of"
                f" {account.lineage_cap}",
            )  # fmt: skip

    def _of_lineage(self, account: Account) -> list[Account]:
        wanted = (account.owner, account.lineage)
        return [one for one in self.accounts.values() if (one.owner, one.lineage) == wanted]

    def _standing(self, event: Event, what: str) -> _Debit | None:
        """The debit that a release or void is about; None, and said, where it has none that stands."""
        debit = self._debits.get(event.subject)
        if debit is None or debit.event.actor != event.actor:
            self.wrong(event, f"{event.actor} {what} question {event.subject[:12]}, which it never debited")
            return None
        if debit.state != "open":
            self.wrong(event, f"{event.actor} {what} question {event.subject[:12]}, which was {debit.state} before")
            return None
        if event.text("consumer") != debit.account.consumer:
            self.wrong(event, f"{event.actor} {what} question {event.subject[:12]} for somebody who did not ask it")
        return debit

    def _release(self, event: Event) -> None:
        debit = self._standing(event, "released an answer to")
        if debit is not None:
            debit.state = "released"

    def _void(self, event: Event) -> None:
        debit = self._standing(event, "voided the debit of")
        if debit is not None:
            debit.state = "voided"
            debit.account.book(event, -debit.units, day=debit.event.at[:10])
            debit.account.voided += 1

    def _match(self, event: Event) -> None:
        account = self._account(event, event.text("peer"))
        if (event.actor, event.subject) in self._matched:
            self.wrong(event, f"{event.actor} debits match {event.subject[:12]} a second time")
        self._matched.add((event.actor, event.subject))
        account.matches += 1
        account.book(event, 0, day=event.at[:10])
        contract, party = self._terms.get(event.contract), PartyName(event.actor)
        if contract is None or party not in contract.datasets:
            return
        most = contract.datasets[party].overlap.matches
        if sum(one.matches for one in self._of_lineage(account)) > most:
            self.wrong(event, f"the overlap of `{account.lineage}` was shown more often than the agreed {most} times")
        least, dummies = dummies_of_lineage(contract, party), event.body.get("dummies")
        if type(dummies) is not int or dummies < least:
            self.wrong(event, f"the match is hidden by fewer than the promised {least} dummies")


def recount(history: History, terms: Mapping[str, Contract], heads: Iterable[SignedHead] = ()) -> Recount:
    """Every account and every deviation; `terms` are contracts of signed agreements by their hash in hex."""
    walk = _Recounting(history, terms)
    for event in history.events:
        walk.take(event)
    said = {found.index for found in walk.deviations}
    for stray in history.strays:
        if stray.index not in said:
            walk.wrong(stray, f"{stray.kind or 'an entry'} of {stray.actor or 'nobody'} belongs to nothing in the log")
    rooms = {contract.room for contract in terms.values()}
    for signed in heads:
        walk.deviations += _head_deviations(signed, walk.accounts, rooms)
    last = len(history.events)
    order = sorted(walk.deviations, key=lambda found: last if found.index is None else found.index)
    return Recount(tuple(walk.accounts.values()), tuple(order))


def _head_deviations(
    signed: SignedHead, accounts: Mapping[tuple[str, str, str], Account], rooms: Collection[str]
) -> Sequence[Deviation]:
    head = signed.head
    if head.room not in rooms:
        return (Deviation(None, f"{signed.source}: a ledger head of room {head.room}, which is another one"),)
    account = accounts.get((signed.owner, head.lineage, head.consumer))
    moments = [Moment(-1, "", 0, 0), *(account.moments if account is not None else ())]
    ends = [*(moment.at for moment in moments[1:]), "9999"]
    then = [moment for moment, end in zip(moments, ends, strict=True) if moment.at <= signed.at <= end]
    if any((moment.spent, moment.matches) == (head.spent, head.matches) for moment in then):
        return ()
    newest = then[-1] if then else moments[-1]
    text = (
        f"{signed.source}: at {signed.at} the ledger of {signed.owner} said that {head.consumer} had spent {head.spent}"
        f" units of `{head.lineage}` and had {head.matches} matches; by the log it was {newest.spent} units and"
        f" {newest.matches} matches: the ledger was restored from a backup, or this copy of the log is too old"
    )
    return (Deviation(None, text),)
