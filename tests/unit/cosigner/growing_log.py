"""A log in memory for cosigners: it grows, publishes heads, collects cosignatures, and misbehaves when told to."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cleanroom.cosigner.cosigner import Cosigner
from cleanroom.cosigner.mirror import Mirror
from cleanroom.crypto.signatures import SigningKey
from cleanroom.transparency.consistency import prove_consistency
from cleanroom.transparency.cosignature import with_cosignature
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.witness_message import COSIGNED, WitnessAnswer, WitnessRequest
from cleanroom.wire.messages import LogEntry, LogPage, Published
from tests.built_log import COSIGNERS, POLICY, SEEDS, TIME, checkpoint_of, signed, tree_of


def unchecked(request: bytes) -> Published:
    """A poll's answer with any request, as if its reader had let it through."""
    answer = object.__new__(Published)
    for name, value in (("request", request), ("notes", ()), ("version", 0)):
        object.__setattr__(answer, name, value)
    return answer


@dataclass
class GrowingLog:
    """The newest head is over all `entries`; `shown` is the whole answer to a poll, `extra` goes before the notes."""

    entries: list[bytes] = field(default_factory=list)
    notes: dict[int, SignedNote] = field(default_factory=dict)
    grown: list[int] = field(default_factory=list)
    answers: list[tuple[int, WitnessAnswer]] = field(default_factory=list)
    page: int = 256
    shown: bytes | None = None
    extra: tuple[bytes, ...] = ()
    before_submit: Callable[[int, WitnessAnswer], None] = lambda size, answer: None

    def read_log(self, first: int, limit: int = 256) -> LogPage:
        found = self.entries[first : first + min(limit, self.page)]
        return LogPage(tuple(LogEntry(first + at, entry) for at, entry in enumerate(found)))

    def poll_checkpoint(self, held_size: int, seen: int, wait_ms: int) -> Published:
        if self.shown is not None:
            return unchecked(self.shown)
        size = len(self.entries)
        request = b"" if size == held_size else self.request(held_size)
        grown = self.grown[seen : seen + 16 - len(self.extra)]
        notes = (self.notes[one].to_bytes() for one in sorted(set(grown)))
        return Published(request, (*self.extra, *notes), min(seen, len(self.grown)) + len(grown))

    def request(self, held_size: int) -> bytes:
        proof = prove_consistency(tree_of(self.entries), min(held_size, len(self.entries)), len(self.entries))
        return WitnessRequest(held_size, proof, self.note().to_bytes()).to_bytes()

    def note(self) -> SignedNote:
        return self.notes.setdefault(len(self.entries), signed(checkpoint_of(self.entries)))

    def submit_cosignature(self, size: int, answer: WitnessAnswer) -> None:
        self.before_submit(size, answer)
        self.answers.append((size, answer))
        if answer.status == COSIGNED:
            note = self.notes[size]
            for key in COSIGNERS.values():
                if f"\N{EM DASH} {key.name} ".encode() in answer.body:
                    self.notes[size] = with_cosignature(note, answer.body, key)
            self.grown.append(size)

    def cosigned_by(self, *names: str, time: int = TIME) -> None:
        """Others sign the newest head."""
        note = self.note()
        for name in names:
            lines = signed(checkpoint_of(self.entries), name, time=time)
            text = "".join(line.text() for line in lines.signatures).encode()
            note = with_cosignature(note, text, COSIGNERS[name])
        self.notes[len(self.entries)] = note
        self.grown.append(len(self.entries))


@dataclass
class Clock:
    now: float = TIME

    def __call__(self) -> float:
        return self.now


def no_rules(first: int, entries: Sequence[bytes]) -> None:
    """A cosigner of consistency alone."""


def open_mirror(path: Path, name: str = "owner", *, begun: bool = False) -> Mirror:
    return Mirror(path, POLICY, name=name, begun=begun)


def cosigner(
    mirror: Mirror,
    log: GrowingLog,
    *,
    name: str = "owner",
    key: SigningKey | None = None,
    clock: Callable[[], float] | None = None,
    check: Callable[[int, Sequence[bytes]], None] = no_rules,
    changed: Callable[[], None] = lambda: None,
) -> Cosigner:
    return Cosigner(
        mirror, log, name=name, key=key or SEEDS[name], clock=clock or Clock(), check=check, changed=changed
    )


def on_disk(path: Path) -> tuple[int, bytes, int]:
    """Size, root and time as another process reads them now."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        size, root, time = connection.execute("SELECT size, root, time FROM held").fetchone()
        return size, bytes(root), time
    finally:
        connection.close()
