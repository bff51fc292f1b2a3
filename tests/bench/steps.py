"""The steps of a match and an answer in order: when each ended, who worked on it, what was relayed.

A step's wall time runs from the end of the step before to the moment when all who take part are done with it, so the
column adds up to the total; transport, log entries and waiting for the other side are inside.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.companies import ASKER, OWNER
from tests.bench.node_log import NodeLogs


@dataclass(frozen=True, slots=True)
class Step:
    """What the table shows of one step: seconds and bytes."""

    name: str
    wall_s: float
    asker_s: float
    owner_s: float
    asker_bytes: int
    owner_bytes: int


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    ended: Callable[[NodeLogs], float]
    work: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()


_PARTS = (
    _Part(
        "match: hello, debits logged",
        lambda logs: logs.first_start("mask"),
        ("match.opened", "match.hello"),
        ("match.hello",),
    ),
    _Part("match: mask own list", lambda logs: logs.end("mask"), ("mask",), ("match.points",)),
    _Part("match: mask and tag the other's list", lambda logs: logs.end("tag"), ("tag",), ("tags",)),
    _Part("match: place, dummies compared", lambda logs: logs.end("match.dummies"), ("placement", "match.dummies"),
          ("match.dummies",)),
    _Part("set-up: base transfers", lambda logs: logs.start("setup.base"), ("setup.open",),
          ("setup.open", "setup.base")),
    _Part("set-up: matrix and challenge", lambda logs: logs.end("setup.challenge"),
          ("setup.base", "setup.matrix", "setup.challenge"), ("setup.matrix", "setup.challenge")),
    _Part("set-up: check, grow trees", lambda logs: logs.end("setup.answer"), ("setup.answer",), ("setup.answer",)),
    _Part("set-up: corrections", lambda logs: logs.end("setup.corrections"), ("setup.corrections",),
          ("setup.corrections",)),
    _Part("question: plan, gate, debit logged", lambda logs: logs.start("budget.debit"),
          ("question.asked", "question.plan"), ("question.plan",)),
    _Part("question: mask rows, draw noise", lambda logs: logs.end("budget.debit"), ("budget.debit",)),
    _Part("question: rows arrive", lambda logs: logs.end("question.rows"), ("question.rows",), ("question.rows",)),
    _Part("question: release logged and sent", lambda logs: logs.start("question.released"),
          ("answer.released", "question.release"), ("question.release", "question.released")),
    _Part("question: open the answer", lambda logs: logs.end("question.released"), ("question.released",)),
)  # fmt: skip
_LAST = "answer shown"
STEP_NAMES = (*(part.name for part in _PARTS), _LAST)


def steps_of(logs: NodeLogs, *, asked: float, answered: float) -> list[Step]:
    """Every step between the question of the analyst and the answer in hand (both seconds since the epoch)."""
    steps, before = [], asked
    for part in _PARTS:
        ended = part.ended(logs)
        steps.append(
            Step(
                part.name,
                ended - before,
                logs.seconds(ASKER, part.work),
                logs.seconds(OWNER, part.work),
                logs.bytes_sent(ASKER, part.sent),
                logs.bytes_sent(OWNER, part.sent),
            )
        )
        before = ended
    steps.append(Step(_LAST, answered - before, 0.0, 0.0, 0, 0))
    return steps
