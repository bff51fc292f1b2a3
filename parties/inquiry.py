"""From an analyst's question to an answer: find or make the match, the set-up, the plan; then wait, and say for whom.

Each step looks at durable state and starts what is missing, so it can be repeated at any time, also after a crash of
either node: the same question ends in the same stored answer, the newest one. What has to wait names the party it
waits for. Asking `again` wants a new answer, charged again: a question over a whole table names no version of it, so
its stored answer would otherwise stand for ever. An answer that is still on its way is waited for, not asked twice.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cleanroom.answer.result import answer_body
from cleanroom.answer.view import USUAL_VIEW, View
from cleanroom.errors import CleanroomError, PendingError, RefusedError, UnavailableError
from cleanroom.question.compile import Question, Standing, check_question, compile_plan
from cleanroom.question.plan import Plan
from cleanroom.wire.canonical import parse_canonical
from parties.asking import Asked
from parties.match_rows import Match
from parties.node import Node
from parties.setup_rows import Setup

WAKE_S = 1.0
# Masking a place of a list takes 45 microseconds on a core without vector instructions, and the two nodes of a sandbox
# share the cores. Capacities are public, so waiting longer for larger ones says nothing about anybody.
WORK_S_PER_PLACE = 0.0002


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is under way, with whom, since when (seconds since the epoch), and who keeps the log waiting, if anybody."""

    what: str
    since: float
    hindrance: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The question ends without an answer here, for this reason; returned, so that what was written meanwhile stays."""

    error: CleanroomError


def standing_of(match: Match, setup: Setup) -> Standing:
    """What a plan of ours stands on: a match and a set-up of ours, both ready."""
    return Standing(
        match=match.id,
        match_transcript=match.transcript,
        asker_version=match.own_version,
        owner_version=match.peer_version,
        setup=setup.joint_id,
        setup_transcript=setup.transcript,
    )


def gone_on_with(known: Sequence[Asked], *, again: bool) -> Asked | None:
    """Of what was asked in the same words, by rising repeat, the one that asking goes on with; None for a new one.

    One whose analyst had to wait for approval, and has not been told its end yet, comes before a new one.
    """
    useless = ("refused", "failed", "answered") if again else ("refused", "failed")
    return next((asked for asked in reversed(known) if asked.waits or asked.state not in useless), None)


class Inquiry:
    """One question of one analyst, followed to its end."""

    def __init__(self, node: Node, question: Question, *, view: View = USUAL_VIEW, again: bool = False) -> None:
        self._node = node
        self._question = question
        self._view = view
        self._again = again
        self._match = ""
        self._setup = ""
        self._matches_left = 2
        self._setups_left = 2
        self._plan_hash = ""
        self._matched_at: float | None = None
        self._new = False

    def run(self, *, timeout_s: float, progress: Callable[[str], None]) -> dict[str, Any]:
        """The answer as JSON; raises RefusedError, UsageError or UnavailableError that names who did not answer.

        Raises PendingError when the owner's approver must agree first; asking again goes on from there.

        `timeout_s` is how long nothing may change, beside the time that lists of the contract's capacity take.
        """
        contract = self._node.desk.contract
        check_question(contract, self._question)
        self._view.check(contract, self._question.owner, self._question.quantity)
        places = sum(contract.datasets[name].capacity for name in (self._question.asker, self._question.owner))
        timeout_s += WORK_S_PER_PLACE * places
        started, shown = time.monotonic(), ""
        begun = self._node.desk.clock()
        while True:
            state = self._node.call(self._step)
            if isinstance(state, Ended):
                raise state.error
            if isinstance(state, Asked):
                return self._body(state, started)
            words = f"{state.what}: {state.hindrance}" if state.hindrance else state.what
            if words != shown:
                shown = words
                progress(shown)
            self._give_up_after(timeout_s, replace(state, since=max(state.since, begun)))
            with self._node.changed:
                self._node.changed.wait(timeout=WAKE_S)

    def _body(self, asked: Asked, started: float) -> dict[str, Any]:
        """The answer as JSON, with its receipt."""
        now = time.monotonic()
        matched = self._matched_at or now
        seconds = {"match": round(matched - started, 3), "answer": round(now - matched, 3)}
        body = answer_body(
            self._node.desk.contract,
            asked.plan,
            asked.cells,
            stored=not self._new,
            seconds=seconds,
            view=self._view,
        )
        return {**body, "receipt": self._node.call(lambda: self._node.asking.receipt(asked.plan))}

    def _give_up_after(self, timeout_s: float, state: Waiting) -> None:
        if self._node.desk.clock() - state.since <= timeout_s:
            return
        troubles = dict.fromkeys((state.hindrance, self._node.trouble, self._node.watch.trouble))
        words = "; ".join(trouble for trouble in troubles if trouble)
        trouble = f" ({words})" if words else ""
        raise UnavailableError(
            f"{self._question.owner} did not answer within {timeout_s:.0f} seconds while {state.what}{trouble};"
            " nothing was shown, ask again to go on"
        )

    def _step(self) -> Asked | Waiting | Ended:
        if self._question.base == "table":
            self._matched_at = self._matched_at or time.monotonic()
            return self._ask(Standing())
        match = self._node.matching.usable(self._question.owner)
        if match is None:
            return self._start_match()
        self._match = match.id
        if match.state != "ready":
            return self._waiting("match", match.id, f"matching with {match.peer} ({match.state})")
        setup = self._node.setups.usable(match.id, self._question.by)
        if setup is None:
            refusal = self._node.refusals.get(self._setup)
            if refusal is not None:
                raise refusal
            if self._setups_left == 0:
                raise UnavailableError(f"{self._question.owner} ended the set-up of this question; ask again")
            self._setups_left -= 1
            self._setup = self._node.setups.start(match, self._question.by)
            return self._waiting("setup", self._setup, f"setting up trees with {match.peer} (opened)")
        if setup.state != "ready":
            return self._waiting("setup", setup.id, f"setting up trees with {match.peer} ({setup.state})")
        self._matched_at = self._matched_at or time.monotonic()
        return self._ask(standing_of(match, setup))

    def _start_match(self) -> Waiting:
        refusal = self._node.refusals.get(self._match)
        if refusal is not None:
            raise refusal
        if self._matches_left == 0:
            raise UnavailableError(f"the match with {self._question.owner} was ended; ask again to start a new one")
        self._matches_left -= 1
        self._match = self._node.matching.start(self._question.owner)
        return self._waiting("match", self._match, f"matching with {self._question.owner} (opened)")

    def _ask(self, standing: Standing) -> Asked | Waiting | Ended:
        asking = self._node.asking
        if self._plan_hash:
            asked = asking.find(self._plan_hash)
            if asked is not None and asked.state == "pending":
                return Ended(PendingError(asked.plan.owner, asked.plan_hash, asked.waits))
            if asked is not None and asked.state in ("refused", "failed"):
                return self._end_of(asked)
        else:
            plan = compile_plan(self._node.desk.contract, self._question, standing)
            asked, plan = self._newest(plan)
            if asked is None:
                self._new = True
                asking.start(plan)
                asked = asking.find(plan.hash())
            elif asked.state in ("refused", "failed"):
                return self._end_of(asked)
            elif asked.state == "pending":
                asking.ask_again(asked)
            self._plan_hash = asked.plan_hash if asked else ""
        if asked is None:
            raise UnavailableError("the question was lost with its match; ask again")
        if asked.state == "answered":
            if asked.waits:
                asking.told(asked.plan_hash)
            return asked
        return self._waiting("question", asked.plan_hash, f"asking {asked.plan.owner} ({asked.state})")

    def _newest(self, plan: Plan) -> tuple[Asked | None, Plan]:
        """The question to go on with, and the plan to ask if there is none."""
        known = self._node.asking.repeats(plan)
        if not known:
            return None, plan
        return gone_on_with(known, again=self._again), replace(plan, repeat=known[-1].plan.repeat + 1)

    def _end_of(self, asked: Asked) -> Ended:
        self._node.asking.told(asked.plan_hash)
        if asked.state == "failed":
            self._node.desk.stops.check_open()
            return Ended(
                UnavailableError(
                    asked.refusal or f"{asked.plan.owner} could not answer: its match or table changed; ask again"
                )
            )
        refusal = parse_canonical(asked.refusal.encode("utf-8"))
        return Ended(RefusedError(refusal["rule"], refusal["owner"], refusal["explanation"], refusal["advice"]))

    def _waiting(self, table: str, identifier: str, what: str) -> Waiting:
        self._node.desk.stops.check_open()  # a stored answer is shown in a stopped room, nothing is waited for in it
        column = "plan_hash" if table == "question" else "id"
        row = self._node.desk.database.one(f"SELECT since FROM {table} WHERE {column} = ?", identifier)  # noqa: S608 # both names are literals above
        since = row[0] if row else self._node.desk.clock()
        return Waiting(what, since, self._node.watch.uncovered(self._question.owner))
