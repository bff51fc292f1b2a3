"""Whatever crashes, is restored or is shown, all heads that one key ever signed are of one history, in growing times.

A state machine over real files: the log shows one of two histories, the process dies at every point between polling
and submitting, the operator restores backups and replays. The one assumption is the one that the design names: before
a restored node is served it meets, at whoever else, the newest head that its key has signed.
"""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cleanroom.cosigner.mirror import Check, Mirror
from cleanroom.cosigner.stops import RolledBackError, SplitViewError
from cleanroom.errors import AuthenticationError, CleanroomError
from cleanroom.transparency.cosignature import cosigned_at
from cleanroom.transparency.note import SignedNote, parse_signature_lines
from cleanroom.transparency.witness import Advance, Held
from cleanroom.transparency.witness_message import COSIGNED, WitnessAnswer
from cleanroom.wire.messages import LogPage
from tests.built_log import COSIGNERS, POLICY, TIME, checkpoint_of, signed, some_entries
from tests.unit.cosigner.growing_log import Clock, GrowingLog, cosigner, no_rules

SHARED = some_entries(3)
HISTORIES = [SHARED + some_entries(9, first=first) for first in (100, 200)]
TEXTS = [{checkpoint_of(one[:size]).text() for size in range(len(one) + 1)} for one in HISTORIES]
POINTS = ("fetch", "check", "before commit", "after commit", "before submit", "after submit", "before sent")


WHICH = st.integers(0, 1)


class Died(Exception):
    """The process ends here."""


class MortalMirror(Mirror):
    """Dies at one point."""

    point = ""

    def advance(self, since: Held, decision: Advance, entries: Sequence[bytes], check: Check) -> None:
        if self.point == "before commit":
            tx = self._shelf._file.transaction

            def dying() -> object:
                raise Died

            self._shelf._file.transaction = dying  # type: ignore[assignment,method-assign]
            try:
                super().advance(since, decision, entries, check)
            finally:
                self._shelf._file.transaction = tx  # type: ignore[method-assign]
        super().advance(since, decision, entries, check)
        if self.point == "after commit":
            raise Died

    def sent(self, held: Held) -> None:
        if self.point == "before sent":
            raise Died
        super().sent(held)


class Cosigning(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "mirror.db"
        self.logs = [GrowingLog(), GrowingLog()]
        self.clock = Clock()
        self.point = ""
        self.signed: list[tuple[int, str, int]] = []
        self.own = b""
        for log in self.logs:
            self._watch(log)
            log.entries = SHARED[:2]
            log.note()

    def _watch(self, log: GrowingLog) -> None:
        read_log, submit = log.read_log, log.submit_cosignature

        def read(first: int, limit: int = 256) -> LogPage:
            self._die_at("fetch")
            return read_log(first, limit)

        def submitted(size: int, answer: WitnessAnswer) -> None:
            self._die_at("before submit")
            if answer.status == COSIGNED:
                self._saw(size, answer)
            if size in log.notes:
                submit(size, answer)
            self._die_at("after submit")

        log.read_log = read  # type: ignore[method-assign]
        log.submit_cosignature = submitted  # type: ignore[method-assign]

    def _die_at(self, point: str) -> None:
        if self.point == point:
            raise Died

    def _saw(self, size: int, answer: WitnessAnswer) -> None:
        """A signature has left: from now on the world has it, whichever history it is of."""
        lines = parse_signature_lines(answer.body.decode())
        for history in HISTORIES:
            note = signed(checkpoint_of(history[:size]))
            given = SignedNote(note.text, (*note.signatures, *lines))
            try:
                time = cosigned_at(given, COSIGNERS["owner"])
            except AuthenticationError:
                continue
            assert time is not None
            self.signed.append((size, given.text, time))
            self.own = given.to_bytes()
            return
        raise AssertionError("something else than a head of the log was signed")

    @initialize()
    def start(self) -> None:
        self.mirror = MortalMirror(self.path, POLICY, name="owner", begun=False)

    def _restart(self) -> None:
        self.mirror.close()
        self.mirror = MortalMirror(self.path, POLICY, name="owner", begun=True)

    def _check(self, first: int, entries: Sequence[bytes]) -> None:
        self._die_at("check")

    @rule(which=WHICH, by=st.integers(1, 3))
    def grow(self, which: int, by: int) -> None:
        log = self.logs[which]
        log.entries = HISTORIES[which][: len(log.entries) + by]
        log.note()

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(which=WHICH, point=st.sampled_from(["", "", *POINTS]))
    def step(self, which: int, point: str) -> None:
        self.point = self.mirror.point = point
        mine = cosigner(self.mirror, self.logs[which], clock=self.clock, check=self._check)
        try:
            with suppress(CleanroomError):
                mine.step(0)
        except Died:
            self._restart()
        self.point = self.mirror.point = ""

    @rule()
    def restart(self) -> None:
        self._restart()

    @rule()
    def back_up(self) -> None:
        self._restart()
        self.mirror.close()
        shutil.copy(self.path, self.folder / "backup")
        self.mirror = MortalMirror(self.path, POLICY, name="owner", begun=True)

    @precondition(lambda self: (self.folder / "backup").exists())
    @rule()
    def restore(self) -> None:
        self.mirror.close()
        shutil.copy(self.folder / "backup", self.path)
        self.mirror = MortalMirror(self.path, POLICY, name="owner", begun=True)
        if self.own:
            with suppress(RolledBackError, SplitViewError):
                self.mirror.compare(self.own)

    @rule(first=WHICH, second=WHICH, by=st.integers(1, 3), seconds=st.integers(0, 2), replays=st.booleans())
    def go_on_and_restore(self, first: int, second: int, by: int, seconds: int, replays: bool) -> None:
        """What is signed after the backup is forgotten, and the log goes on, perhaps elsewhere."""
        self.back_up()
        self.grow(first, by)
        self.wait(seconds)
        self.step(first, "")
        self.restore()
        if replays:
            self.wait(-seconds)  # a clock that comes back earlier, too
            self.replay(second)
        self.grow(second, by)
        self.step(second, "")

    @rule(which=WHICH)
    def replay(self, which: int) -> None:
        with suppress(CleanroomError):
            self.mirror.catch_up(self.logs[which], check=no_rules, now=int(self.clock()))

    @invariant()
    def one_history(self) -> None:
        assert any(all(text in known for _, text, _ in self.signed) for known in TEXTS)

    @invariant()
    def sizes_and_times_grow(self) -> None:
        assert [size for size, _, _ in self.signed] == sorted(size for size, _, _ in self.signed)
        assert [time for _, _, time in self.signed] == sorted(time for _, _, time in self.signed)
        assert all(time >= TIME for _, _, time in self.signed)

    def teardown(self) -> None:
        if hasattr(self, "mirror"):
            self.mirror.close()
        shutil.rmtree(self.folder)


TestCosigning = Cosigning.TestCase
TestCosigning.settings = settings(max_examples=100, stateful_step_count=12, deadline=None)
