"""The room as an analyst's program has it: ask, look first, see what is left and what is allowed.

    room = cleanroom.connect("bikes")  # the folder of the company's node, or its socket
    room.dry_run("index", owner="accessories", of="colour", epsilon="1")
    result = room.ask("index", owner="accessories", of="colour", epsilon="1")

Rules kept here:

- Nothing is spent that was not said: a question without a price is refused, in a line that says what it would cost.
- Before the first plan of a question is asked, the own node decides on all of them together; what would be refused is
  refused then. A plan that was answered before is free, and stays so when a program runs again.
- No number is shown before the receipt of its answer was checked.
- Where an owner's approver must look first, every plan is handed in before that is said, so that they are approved at
  once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cleanroom.catalogue import catalogue
from cleanroom.catalogue.entry import Ask, Entry, Own, Request
from cleanroom.catalogue.entry import request as entry_request
from cleanroom.catalogue.finding import Finding
from cleanroom.client.door import ask_door, door_of
from cleanroom.client.forecast import Forecast
from cleanroom.client.progress import Progress, shown_progress
from cleanroom.client.report_file import write_report
from cleanroom.client.result import Result
from cleanroom.client.room_sheets import Settings, budget_sheet, catalogue_sheet
from cleanroom.client.sheet import Sheet
from cleanroom.client.typed import Number, entry_words, plain_words, price
from cleanroom.errors import CleanroomError, PendingError, UsageError
from cleanroom.querylog.receipt import check_receipt
from cleanroom.question.contract import Contract
from cleanroom.report.answer import read_answer
from cleanroom.wire.contract_file import parse_contract

_ASSUMED = "1"
_SAY = 'say what the question may cost (--epsilon E; in Python epsilon="E")'
_ACCURACY = "asks several plans, which share what an epsilon buys: say epsilon instead of accuracy"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the own node says of itself: contract, own name, number of people in the own table."""

    contract: Contract
    party: str
    people: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A question as the door takes it: `request` for all plans, each plan's own words, and how it is read."""

    request: dict[str, Any]
    plans: tuple[dict[str, Any], ...]
    entry: Entry | None = None
    asked: Request | None = None
    known: _Known | None = None


class Room:
    """A connection to the own node; see the module. `progress` makes what shows the progress of a question."""

    def __init__(
        self, node: Path, *, progress: Callable[[str, int], AbstractContextManager[Progress]] = shown_progress
    ) -> None:
        self._door = door_of(node)
        self._progress = progress
        known = self._known()
        self.name, self.party = str(known.contract.room), known.party
        self._owners = [name for name in known.contract.datasets if name != known.party]

    def __repr__(self) -> str:
        return f"room {self.name}, asking as {self.party}; owners: {', '.join(self._owners)}; node at {self._door}"

    def ask(
        self,
        question: str | None = None,
        /,
        *,
        owner: str,
        epsilon: Number | None = None,
        accuracy: Number | None = None,
        again: bool = False,
        **words: Any,
    ) -> Result:
        """Ask a question of the catalogue, or without its name a plain one: by, of, sum, mean, quantile, at, top,
        whole_table.

        `epsilon` is what all of it may cost. `accuracy` says how far noise may move a number; it costs what that takes,
        and `epsilon` is then the most that it may. The same question again gives the stored answer and costs nothing;
        with `again` it is charged every time it runs. Raises one of `cleanroom.errors`.
        """
        prepared = self._prepared(question, owner, words)
        if epsilon is None and accuracy is None:
            raise UsageError(self._what_it_would_cost(prepared, again=again))
        priced = self._priced(prepared, epsilon, accuracy) | {"again": again}
        if prepared.entry is None:
            return self._asked(prepared, priced)
        forecast = self._forecast(prepared, priced)
        if forecast.refusal is not None:
            raise forecast.refusal
        result = self._asked(prepared, priced)
        as_said = [plan["stored"] for plan in forecast.raw["plans"]] == [answer["stored"] for answer in result.answers]
        return replace(result, cost=forecast.raw["cost"] if as_said else None)

    def dry_run(
        self,
        question: str | None = None,
        /,
        *,
        owner: str,
        epsilon: Number | None = None,
        accuracy: Number | None = None,
        again: bool = False,
        guess: int | None = None,
        **words: Any,
    ) -> Forecast:
        """What the same call of `ask` would cost, how exact it would be, and who must agree; nothing is asked.

        Without a price, epsilon 1 is assumed. `guess` is how many people you expect in all.
        """
        prepared = self._prepared(question, owner, words)
        if epsilon is None and accuracy is None:
            epsilon = _ASSUMED
        return self._forecast(prepared, self._priced(prepared, epsilon, accuracy) | {"again": again, "guess": guess})

    def budget(self) -> Sheet:
        """What this company has left at every owner, and how the own node knows."""
        return budget_sheet(ask_door(self._door, {"command": "budget"}))

    def settings(self) -> Settings:
        """All owners' rules: columns, values, bounds, thresholds, budgets, and what of it this company may ask."""
        return Settings(ask_door(self._door, {"command": "settings"}))

    def report(self, file: str | Path, *results: Result, title: str = "") -> Path:
        """Write several results as one page, in their order; see `Result.report`."""
        return write_report(Path(file), results, title=title)

    def catalogue(self) -> Sheet:
        """The questions that have a name."""
        return catalogue_sheet()

    def _known(self) -> _Known:
        said = ask_door(self._door, {"command": "own"})
        return _Known(parse_contract(said["contract"].encode("utf-8")), said["party"], said["people"])

    def _prepared(self, question: str | None, owner: str, words: Mapping[str, Any]) -> _Prepared:
        if question is None:
            plan, view = plain_words(words)
            return _Prepared({"owner": owner, **view}, (plan,))
        entry, known = catalogue.find(question), self._known()
        asked = entry_request(known.contract, entry, known.party, owner, entry_words(words))
        asks = entry.asks(known.contract, asked)
        return _Prepared({"owner": owner}, tuple(map(_plan, asks)), entry, asked, known)

    def _priced(self, prepared: _Prepared, epsilon: Number | None, accuracy: Number | None) -> dict[str, Any]:
        if accuracy is not None and prepared.entry is not None and len(prepared.plans) > 1:
            raise UsageError(f"{prepared.entry.name} {_ACCURACY}")
        return {"epsilon": price("epsilon", epsilon), "accuracy": price("accuracy", accuracy)}

    def _forecast(self, prepared: _Prepared, priced: Mapping[str, Any]) -> Forecast:
        request = {**prepared.request, **priced, "command": "dry-run-together", "plans": list(prepared.plans)}
        return Forecast(ask_door(self._door, request))

    def _what_it_would_cost(self, prepared: _Prepared, *, again: bool) -> str:
        forecast = self._forecast(prepared, {"epsilon": _ASSUMED, "again": again})
        raw = forecast.raw
        if forecast.refusal is not None:
            return f"{_SAY}; with epsilon {_ASSUMED} it would be refused: {forecast.refusal}"
        cost, left = raw["cost"]["epsilon"], raw["budget"]["left_before"]["epsilon"]
        noise = ", ".join(f"±{part['half_width']:g} {part['unit']}" for plan in raw["plans"] for part in plan["noise"])
        charged = "nothing, as it is stored" if raw["stored"] else f"epsilon {cost:g} of the {left:g} that are left"
        return (
            f"{_SAY}: with epsilon {_ASSUMED} it would cost {charged} at"
            f" {prepared.request['owner']}, and noise would be {noise} at 95%; nothing was asked"
        )

    def _asked(self, prepared: _Prepared, priced: Mapping[str, Any]) -> Result:
        answers: list[dict[str, Any]] = []
        receipts, pending = [], []
        with self._progress(f"asking {prepared.request['owner']}", len(prepared.plans)) as progress:
            for plan in prepared.plans:
                request = {**prepared.request, **priced, **plan, "command": "ask"}
                try:
                    answer = ask_door(self._door, request, progress=progress.say)
                    answers.append(answer)
                    receipts.append(check_receipt(answer))
                except PendingError as error:
                    pending.append(error)
                    progress.advance()
                    continue
                except (CleanroomError, KeyboardInterrupt) as error:
                    _note_charged(error, [answer for answer in answers if not answer["stored"]])
                    raise
                progress.advance()
        if pending:
            raise _all_of(pending, answered=len(answers), again=priced["again"])
        return Result(tuple(answers), tuple(receipts), _finding(prepared, answers), asked=prepared.asked)


def _finding(prepared: _Prepared, answers: Sequence[Mapping[str, Any]]) -> Finding | None:
    if prepared.entry is None or prepared.asked is None or prepared.known is None:
        return None
    read = tuple(read_answer(answer) for answer in answers)
    return prepared.entry.read(prepared.known.contract, prepared.asked, read, Own(people=prepared.known.people))


def _plan(ask: Ask) -> dict[str, Any]:
    return {
        "by": ask.by,
        "quantity": ask.quantity.kind,
        "column": ask.quantity.column,
        "base": ask.base,
        "share": str(ask.share),
    }


def _note_charged(error: BaseException, charged: Sequence[Mapping[str, Any]]) -> None:
    """Whoever gets no answer is told what was spent on it all the same."""
    if charged:
        error.add_note(f"{len(charged)} of its plans had been answered and charged before that")
    if isinstance(error, KeyboardInterrupt):
        error.add_note("the plan that was being asked goes on at the node and is charged if it is answered")
    if charged or isinstance(error, KeyboardInterrupt):
        error.add_note("the same question goes on from there and pays nothing twice, if it is asked without `again`")


def _all_of(pending: Sequence[PendingError], *, answered: int, again: bool) -> PendingError:
    """One error for all plans that wait: the first, naming the others, and how many were answered and paid for.

    Whoever went on with `again` would pay once more for those.
    """
    first, others = pending[0], [error.plan[:12] for error in pending[1:]]
    if not others and not answered:
        return first
    more = f"the same holds for {', '.join(others)} of the same question; " if others else ""
    more += f"{answered} of its plans are answered and stay so; " if answered else ""
    how = "later, this time without `again`" if again else "again later"
    advice = f"{more}ask the same {how}: what is approved by then is charged once, the rest waits on"
    return PendingError(first.owner, first.plan, first.reasons, advice)
