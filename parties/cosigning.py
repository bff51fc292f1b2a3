"""What this company adds to the room's log: it holds every entry, and cosigns a head when all rules hold up to it.

Of every entry is asked, before it is stored: does it keep the room's rules, and is it ours without our knowing it? The
copy lies in the node's folder. That there is one is remembered in the node's database: a copy that is gone is not made
anew, since without it nobody knows what our key has signed. A new cosigning key has signed nothing: for it one is made.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cleanroom.cosigner.absence import absence
from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.log import Log
from cleanroom.cosigner.mirror import Check, Mirror
from cleanroom.cosigner.room_check import RoomCheck
from cleanroom.querylog.room_rules import RoomRules
from parties.desk import Desk
from parties.former_copies import begun_mark, copy_file, former_of
from parties.own_log import OwnStatements, check_continued

_LOG = logging.getLogger("cleanroom.node")
FOLLOW_S = 30.0
LATE_S = 10
"""For how long a head may lack somebody's cosignature before people are told whose."""


def open_mirror(desk: Desk, folder: Path) -> Mirror:
    """Our copy of the room's log; raises StateError when it is gone or damaged."""
    policy, contract = desk.log_policy, desk.contract
    mark = begun_mark(policy.log_keys[0].name) + policy.cosigners[desk.name].key_id.hex()
    begun = desk.database.one("SELECT 1 FROM meta WHERE name = ?", mark) is not None
    path = copy_file(folder, contract, contract.log_number)
    mirror = Mirror(path, policy, name=desk.name, begun=begun)
    if not begun:
        with desk.database.transaction():
            desk.database.run("INSERT INTO meta VALUES (?, ?)", mark, path.name)
    return mirror


def room_check(desk: Desk, mirror: Mirror) -> RoomCheck:
    """The room's rules, folded over all that is held, and over the logs before; raises StateError where one is gone."""

    def begin() -> RoomRules:
        former = former_of(desk.contract, mirror.folder, desk.database)
        return RoomRules(desk.contract, desk.contract_hash, former)

    return RoomCheck(mirror, begin)


def replay_check(desk: Desk, mirror: Mirror) -> Check:
    """What a replay asks before it holds more: the room's rules, and that it is the log which we remember."""
    rules = room_check(desk, mirror)

    def check(first: int, entries: Sequence[bytes]) -> None:
        check_continued(desk, mirror, first, entries)
        rules(first, entries)

    return check


class Cosigning:
    """One node's cosigner. `changed` is called when entries or cosignatures have come, in the thread that cosigns."""

    def __init__(self, desk: Desk, mirror: Mirror, log: Log, *, changed: Callable[[], None]) -> None:
        self.mirror = mirror
        self._desk = desk
        self._own = OwnStatements(desk, mirror)
        self._rules = room_check(desk, mirror)
        self._cosigner = Cosigner(
            mirror,
            log,
            name=desk.name,
            key=desk.keys.cosigning,
            clock=desk.clock,
            check=self._check,
            changed=changed,
            troubled=lambda line: _LOG.warning("the query log: %s", line),
        )

    @property
    def trouble(self) -> str:
        """What hinders it now, in one line; empty when nothing does."""
        return self._cosigner.trouble

    def step(self, wait_ms: int) -> bool:
        """See `Cosigner.step`."""
        return self._cosigner.step(wait_ms)

    def follow(self) -> None:
        """Bring our copy up to the newest head that is published now, in the caller's thread; raises as `step` does."""
        end = time.monotonic() + FOLLOW_S
        try:
            while self.step(0) and time.monotonic() < end:
                pass
        finally:
            self._own.close()

    def run(self, stopping: threading.Event) -> None:
        """See `Cosigner.run`."""
        try:
            self._cosigner.run(stopping)
        finally:
            self._own.close()

    def absent(self, names: Iterable[str]) -> str:
        """One line that says which of these have not cosigned the newest heads; empty when all have."""
        heard = self.mirror.heard()
        wanted = {name: heard[name] for name in names if name in heard}
        return absence(wanted, now=int(self._desk.clock()), limit_seconds=LATE_S)

    def _check(self, first: int, entries: Sequence[bytes]) -> None:
        self._own(first, entries)
        self._rules(first, entries)
