"""A whole room on one machine, kept until somebody stops it, so that questions can be asked one after the other.

The same folders and processes as in a sandbox run (`parties.sandbox`); only nobody asks here. Who does gives a node's
folder, as at a company: `cleanroom ask --home ROOM.state/parties/NAME`.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from cleanroom.errors import UsageError
from parties.processes import RoomProcesses
from parties.room_file import read_room_file
from parties.room_state import RoomState
from parties.sandbox import check_sources, tables_findings

WATCH_S = 1.0


def serve_room(
    room_path: Path,
    state_folder: Path | None,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    stopped: threading.Event,
) -> None:
    """Run coordinator and nodes until `stopped`, saying where each node's folder is and then `ready`.

    `warn` is told what in a company's table may not fit the terms.

    Raises UsageError when a process does not start, or ends while the room is served.
    """
    room = read_room_file(room_path)
    check_sources(room)
    state = RoomState(state_folder or room_path.with_suffix(".state"), room)
    with state.locked():
        state.prepare()
        with RoomProcesses(state) as running:
            for name in room.datasets:
                say(f"serves    {name}: --home {state.home(name).path}")
            for line in tables_findings(state, room.datasets):
                warn(line)
            say("ready")
            while not stopped.wait(WATCH_S):
                for process in running.processes.values():
                    if not process.running():
                        raise UsageError(f"{process.name} has ended; its log is {process.log}")
