"""How many entries a second the coordinator's log takes: checked, judged by the room's rules, and on disk, one by one.

Once for the log alone, and once while its heads are published and its folder is exported beside it, as in service.
"""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanroom.coordinator.exporter import Exporter
from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.sequencer import Sequencer
from cleanroom.coordinator.start_check import checked_tree
from cleanroom.coordinator.store import Store
from cleanroom.errors import StateError
from cleanroom.querylog.log_policy import log_policy
from cleanroom.transport.event_log import EventLog
from tests.rooms import Room, build_room

_ENTRIES = 500


def log_rates(folder: Path) -> dict[str, float]:
    """Entries a second: `log_entries` alone, `log_entries_exported` with publishing and export."""
    return {
        "log_entries": _rate(build_room(folder / "alone"), is_exported=False),
        "log_entries_exported": _rate(build_room(folder / "exported"), is_exported=True),
    }


def _rate(room: Room, *, is_exported: bool) -> float:
    store = Store(room.home.database(room.contract.room), room.contract.room, room.hash)
    shop = room.member("shop").name
    statements = [
        room.statement("shop", "match.debit", os.urandom(32).hex(), peer="brand", observer="coordinator")
        for _ in range(_ENTRIES)
    ]
    with _served(room, store) as heads:
        changed = heads.grew if is_exported else lambda: None
        sequencer = Sequencer(store, room.contract, room.hash, changed=changed, fail=_fail)
        started = time.perf_counter()
        for statement in statements:
            sequencer.append(shop, statement)
        taken = time.perf_counter() - started
    store.close()
    return _ENTRIES / taken


@contextmanager
def _served(room: Room, store: Store) -> Iterator[Heads]:
    log, folder = EventLog(io.StringIO()), LogFolder(room.home.log_folder(room.contract.room))
    policy = log_policy(room.contract)
    tree = checked_tree(store, folder, policy)
    heads = Heads(store, tree, policy, room.home.log_key(), log=log, fail=_fail, changed=lambda: exporter.ring())
    exporter = Exporter(folder, heads, store, log)
    heads.start()
    exporter.start()
    yield heads
    heads.stop()
    exporter.stop()


def _fail(error: StateError) -> None:
    raise error
