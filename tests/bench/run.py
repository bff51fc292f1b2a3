"""One measured run: make the companies, start the room's real processes, ask, and read what it took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parties.processes import RoomProcesses
from parties.room_file import read_room_file
from parties.room_state import RoomState
from parties.sandbox import SandboxQuestion, ask_room
from tests.bench.companies import ASKER, BY, DECLARED, OF, OWNER, Companies, make_companies
from tests.bench.machine import peak_memory_bytes
from tests.bench.node_log import NodeLogs, read_logs
from tests.bench.steps import Step, steps_of

ROOT = Path(__file__).resolve().parents[2]
_MOST_POINTS, _MOST_SLOTS = 20_000, 200_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that the tables show. Times in seconds, memory in bytes by process, rates a second on one core."""

    people: int
    companies: Companies
    epsilon: str
    enrol_s: float
    start_s: float
    import_s: dict[str, float]
    steps: list[Step]
    total_s: float
    repeat_s: float
    memory: dict[str, int]
    cells: int
    cells_holding_the_truth: int
    rates: dict[str, float]


def measure(folder: Path, people: int, *, seed: int, epsilon: str, progress: Callable[[str], None]) -> Measured:
    """Make, match, ask, measure; raises one of our errors when the room does."""
    progress(f"making two companies of {people:,} people")
    companies = make_companies(folder, people, seed=seed)
    room = RoomState(folder / "bench.state", read_room_file(companies.room_file))
    question = SandboxQuestion(ASKER, OWNER, BY, OF, "", epsilon)
    with room.locked():
        began = time.time()
        room.prepare()
        progress("starting the coordinator and both nodes, which import their tables")
        enrolled = time.time()
        with RoomProcesses(room) as running:
            started = time.time()
            answer = ask_room(room, question, progress)
            answered = time.time()
            ask_room(room, question, lambda _: None)
            repeated = time.time()
            memory = {name: peak_memory_bytes(process.pid) for name, process in running.processes.items()}
    logs = read_logs({name: room.home(name).log_file for name in room.room.datasets})
    progress("measuring the kernel on one core, and the log")
    return Measured(
        people=people,
        companies=companies,
        epsilon=epsilon,
        enrol_s=enrolled - began,
        start_s=started - enrolled,
        import_s=_import_seconds(logs),
        steps=steps_of(logs, asked=started, answered=answered),
        total_s=answered - started,
        repeat_s=repeated - answered,
        memory=memory,
        cells=len(answer["cells"]),
        cells_holding_the_truth=_holding(answer["cells"], companies),
        rates=_rates(points=min(people, _MOST_POINTS), slots=min(10 * people, _MOST_SLOTS)),
    )


def _import_seconds(logs: NodeLogs) -> dict[str, float]:
    return {name: logs.seconds(name, ("import",)) for name in (ASKER, OWNER)}


def _holding(cells: list[dict[str, int]], companies: Companies) -> int:
    width = DECLARED + 1
    return sum(
        cell["low"] <= int(companies.truth[number // width, number % width]) <= cell["high"]
        for number, cell in enumerate(cells)
    )


def _rates(*, points: int, slots: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.rates", str(points), str(slots)],
        env={**os.environ, "RAYON_NUM_THREADS": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    rates: dict[str, float] = json.loads(done.stdout)
    return rates
