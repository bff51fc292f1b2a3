"""A sandbox run: prepare the room, start its processes, ask at the asker's door, read the owner's ledger, stop."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleanroom.answer.view import View, parse_levels
from cleanroom.client.door import ask_door
from cleanroom.errors import PendingError, UsageError
from cleanroom.ids import AnalystName, PartyName
from cleanroom.nearest import listed, meant, quoted
from cleanroom.question.compile import Question
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import partition_cells, quantity_cells
from parties.processes import RoomProcesses
from parties.requests import at_option, check_price, units_asked_for
from parties.room_file import RoomFile, read_room_file
from parties.room_state import RoomState
from parties.source.report import worth_a_look


@dataclass(frozen=True, slots=True)
class SandboxQuestion:
    """What was typed: `of` a dimension of the owner, `total`, `mean` or `quantile` a measure; none for a count.

    `at` are levels of quantiles as text, `top` the length of a ranking, `base` the people asked about, and `again` asks
    for a new answer where one is stored. `epsilon` is what it may cost; with `accuracy`, the most.
    """

    asker: str
    owner: str
    by: str
    of: str
    total: str
    epsilon: str
    mean: str = ""
    quantile: str = ""
    at: str = ""
    top: int = 0
    base: str = "match"
    again: bool = False
    accuracy: str = ""

    def quantity(self) -> Quantity:
        """What is added up per cell; raises UsageError for more than one quantity."""
        typed = {"histogram": self.of, "sum": self.total, "mean": self.mean, "quantile": self.quantile}
        asked = [Quantity(kind, column) for kind, column in typed.items() if column]
        if len(asked) > 1:
            raise UsageError("--of, --sum, --mean and --quantile exclude each other: ask once for each")
        return asked[0] if asked else Quantity("count")

    def option(self) -> str:
        """The option by which the owner's column was typed."""
        return {"histogram": "--of", "count": "--owner"}.get(self.quantity().kind, f"--{self.quantity().kind}")

    def view(self) -> View:
        """What is to be read off the answer; raises UsageError."""
        return View(levels=parse_levels(self.at), top=self.top)

    def request(self) -> dict[str, Any]:
        """The request at the asker's door."""
        quantity = self.quantity()
        return {
            "command": "ask",
            "owner": self.owner,
            "by": self.by,
            "quantity": quantity.kind,
            "column": quantity.column,
            "epsilon": self.epsilon,
            "accuracy": self.accuracy,
            "base": self.base,
            "at": self.at,
            "top": self.top,
            "again": self.again,
        }


def run_sandbox(
    room_path: Path, question: SandboxQuestion, state_folder: Path | None, *, progress: Callable[[str], None]
) -> dict[str, Any]:
    """The answer with the owner's ledger afterwards; raises one of our errors, in one line."""
    room = read_room_file(room_path)
    check_names(room, question)
    check_columns(room, question)
    check_sources(room)
    state = RoomState(state_folder or room_path.with_suffix(".state"), room)
    with state.locked():
        progress(f"preparing {room.room} in {state.folder}")
        state.prepare()
        progress("starting the coordinator and the nodes")
        with RoomProcesses(state):
            try:
                return ask_room(state, question, progress)
            except PendingError as pending:
                raise _to_approve(state, pending) from None


def _to_approve(state: RoomState, pending: PendingError) -> PendingError:
    """In a sandbox one person is everybody: say what the owner's approver would type."""
    short, home = pending.plan[:12], state.home(PartyName(pending.owner)).path
    words = f"cleanroom party approvals approve {short} --home {home} --reason WHY"
    advice = f"look at it with `show {short}` instead of `approve`, agree with: {words}; then ask the same again"
    return PendingError(pending.owner, pending.plan, pending.reasons, advice)


def ask_room(state: RoomState, question: SandboxQuestion, progress: Callable[[str], None]) -> dict[str, Any]:
    """Ask in a room that is running."""
    asker, owner = state.home(PartyName(question.asker)), state.home(PartyName(question.owner))
    for line in tables_findings(state, (PartyName(question.asker), PartyName(question.owner))):
        progress(line)
    answer = ask_door(asker.socket_file, question.request(), progress=progress)
    ledger = ask_door(owner.socket_file, {"command": "ledger"})
    seconds = answer.pop("seconds")
    return {**answer, "total": ledger["total"], "matches": ledger["matches"], "seconds": seconds}


def tables_findings(state: RoomState, parties: Iterable[PartyName]) -> Iterator[str]:
    """What each node found in its own table that may mean wrong terms, a line a finding: see it before you ask."""
    for party in parties:
        home = state.home(party)
        found = tuple(worth_a_look(ask_door(home.socket_file, {"command": "report"})["lines"]))
        yield from (f"warning, for the operator of {party}: {line}" for line in found)
        if found:
            yield f"all that was found there: cleanroom party check --home {home.path}"


def check_names(room: RoomFile, question: SandboxQuestion) -> None:
    """Refuse wrong names and numbers before anything is created; raises UsageError."""
    for option, name in (("--asker", question.asker), ("--owner", question.owner)):
        if name not in room.datasets:
            raise UsageError(
                f"{option}: {room.path} names no party {quoted(name)}; {meant(name, room.datasets)}parties:"
                f" {listed(room.datasets)}"
            )
    if question.asker == question.owner:
        raise UsageError("--asker and --owner must be two different parties")
    check_price(question.epsilon, question.accuracy)


def check_sources(room: RoomFile) -> None:
    """Refuse a room whose tables are not there, before anything is created; raises UsageError."""
    for name in room.datasets:
        if name not in room.sources:
            raise UsageError(f"{room.path}: parties.{name}: `source` is missing; a sandbox reads every party's table")
    for name, source in room.sources.items():
        for path in (source.path, source.opt_out):
            if path is not None and not path.is_file():
                raise UsageError(f"{room.path}: parties.{name}: there is no file {path}")


def check_columns(room: RoomFile, question: SandboxQuestion, *, looking: bool = False) -> None:
    """Refuse unknown columns, and an accuracy that costs more than was said, before anything is created.

    Raises UsageError, which lists the columns that are known.
    """
    asker, owner, quantity = PartyName(question.asker), PartyName(question.owner), question.quantity()
    with at_option("--by"):
        partition_cells(room, asker if question.base == "match" else owner, question.by)
    with at_option(question.option()):
        quantity_cells(room, owner, quantity)
        question.view().check(room, owner, quantity)
    if question.accuracy:
        asked = Question(asker, owner, AnalystName("sandbox"), question.by, quantity, 1, question.base)
        units_asked_for(room, asked, question.accuracy, most=question.epsilon, looking=looking)
