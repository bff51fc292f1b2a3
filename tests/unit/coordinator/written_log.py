"""A coordinator's log over a real database and folder, without a server; entries, heads and a clock by hand."""

import io
from pathlib import Path

from cleanroom.coordinator.exporter import Exporter
from cleanroom.coordinator.heads import Heads
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.log_table import append_entry, read_tip
from cleanroom.coordinator.start_check import checked_tree
from cleanroom.coordinator.store import Store
from cleanroom.errors import StateError
from cleanroom.ids import PartyName, RoomName
from cleanroom.transparency.checkpoint import Checkpoint, parse_checkpoint
from cleanroom.transparency.cosignature import cosign
from cleanroom.transparency.folder import VerifiedLog, verify_folder
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.witness_message import WitnessAnswer, cosigned_answer, parse_request
from cleanroom.transport.event_log import EventLog
from cleanroom.wire.messages import Published
from tests.built_log import COSIGNERS, LOG_SEED, POLICY, SEEDS, TIME

ROOM, CONTRACT = RoomName("spring"), bytes(32)


class WrittenLog:
    """Opens as the coordinator does, the start's check included; `now_s` is the publishing clock."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 0.0
        self.logged = io.StringIO()
        self.failures: list[StateError] = []
        self.folder = LogFolder(folder / "rooms" / "spring.log")
        self.path = folder / "rooms" / "spring.sqlite"
        self.store = Store(self.path, ROOM, CONTRACT)
        self.heads = Heads(
            self.store,
            checked_tree(self.store, self.folder, POLICY),
            POLICY,
            LOG_SEED,
            log=EventLog(self.logged),
            fail=self.failures.append,
            clock=lambda: self.now_s,
        )
        self.exporter = Exporter(self.folder, self.heads, self.store, EventLog(self.logged))

    def append(self, *entries: bytes) -> None:
        """One transaction each, as the sequencer does."""
        for entry in entries:
            with self.store.transaction() as tx:
                append_entry(tx, entry, read_tip(tx))

    def grow(self, count: int) -> None:
        """As many entries, none like another."""
        with self.store.transaction() as tx:
            first = read_tip(tx).size
        self.append(*(b"entry %d" % number for number in range(first, first + count)))

    def poll(self, name: str, held_size: int = 0, seen: int = 0) -> Published:
        """At once."""
        return self.heads.poll(PartyName(name), held_size, seen, 0.0, lambda: True)

    def head(self, name: str = "auditor") -> Checkpoint:
        """What a cosigner that holds nothing is shown."""
        return parse_checkpoint(parse_note(parse_request(self.poll(name).request).checkpoint).text)

    def cosign(self, *names: str, time: int = TIME) -> None:
        """Each takes the newest head and signs it."""
        for name in names:
            head = self.head(name)
            self.heads.submit(PartyName(name), head.size, answer(head, name, time))

    def publish(self) -> bool:
        """When it is due."""
        return self.heads.publish_if_due()

    def verified(self) -> VerifiedLog:
        """The folder as an auditor verifies it."""
        return verify_folder(self.files(), POLICY)

    def files(self) -> dict[str, bytes]:
        """The folder by name."""
        root = self.folder.path
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def close(self) -> None:
        """As after a clean stop."""
        self.store.close()


def answer(head: Checkpoint, name: str, time: int = TIME) -> WitnessAnswer:
    """A cosigner's signature over a head."""
    line = cosign(head, name=COSIGNERS[name].name, key=SEEDS[name], time=time)
    return cosigned_answer(SignedNote(head.text(), (line,)))
