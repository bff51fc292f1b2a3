"""The whole log at its cosigner: every entry, the newest head that we signed, and who else signed which heads.

1. Nothing is signed that is not stored: `advance` commits, and only `unsent` hands out what may be signed then.
2. Every line of a known key verifies, or the note is refused and nothing of it is stored.
3. A note that carries our own signature over more than is held, or a later one than we gave, says that this state is
   older than what was signed (a restored backup, a second node): nothing more is signed until `catch_up`.
4. A note of the log whose root is not our tree's convicts the log. Both notes are kept; nothing is signed any more.

A note of a larger size than is held is kept, one for each sender, and compared before that size is stored; two of one
size with two roots convict the log at once. Thread-safe.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cleanroom.cosigner.absence import Heard
from cleanroom.cosigner.evidence import Evidence
from cleanroom.cosigner.log import Log, fetch
from cleanroom.cosigner.notes import word_of
from cleanroom.cosigner.shelf import Shelf
from cleanroom.cosigner.stops import REPLAY, RolledBackError, SplitViewError
from cleanroom.errors import PeerError, StateError, UsageError
from cleanroom.transparency.checkpoint import log_lines
from cleanroom.transparency.head import Head, read_head
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.mirror import follow
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.policy import Policy, Quorum
from cleanroom.transparency.proof_file import ProofFile
from cleanroom.transparency.spelling import MAX_NUMBER
from cleanroom.transparency.witness import Advance, Held, Refusal, consider

Check = Callable[[int, Sequence[bytes]], None]
MAX_POLLS = 10_000


class Mirror:
    """`name` is ours in the policy; `begun`: there was a mirror of this log before. Raises StateError, UsageError."""

    def __init__(self, path: Path, policy: Policy, *, name: str, begun: bool) -> None:
        if name not in policy.cosigners:
            raise UsageError(f"{name} is no cosigner of this log")
        self._policy = policy
        self._name = name
        self.folder = path.parent
        self._lock = threading.RLock()
        self._shelf = Shelf(path, policy, begun=begun)

    # ---- what is held ------------------------------------------------------------------------------------------------

    @property
    def key(self) -> NoteKey:
        """Our own cosigning key, as the policy has it."""
        return self._policy.cosigners[self._name]

    @property
    def held(self) -> Held:
        """The newest head that we signed, or may sign now, and when."""
        return self._shelf.held

    @property
    def size(self) -> int:
        """How many entries are held."""
        return self._shelf.held.checkpoint.size

    def entries(self, first: int, limit: int) -> list[bytes]:
        """Up to `limit` entries from `first` on."""
        with self._lock:
            return self._shelf.entries(first, limit)

    def find(self, statement: bytes) -> int | None:
        """Where the statement stands, None while it is not held."""
        with self._lock:
            return self._shelf.find(statement)

    def proof(self, statement: bytes, quorum: Quorum) -> bytes | None:
        """The statement's proof file under the smallest head that this quorum cosigned; None while there is none.

        Raises RolledBackError or SplitViewError: nothing follows from a log that is in doubt.
        """
        with self._lock:
            self.check()
            index = self._shelf.find(statement)
            if index is None:
                return None
            for size, head in sorted(self._shelf.notes.items()):
                if size > index and quorum.is_met_by(head.cosigned_at):
                    hashes = prove_inclusion(self._shelf.tree, index, size)
                    return ProofFile(index, hashes, head.note.to_bytes()).to_bytes()
            return None

    def head(self) -> bytes:
        """The newest head that the log signed, with every cosignature we know; b"" while the log is empty."""
        with self._lock:
            sizes = self._shelf.notes.keys()
            return self._shelf.notes[max(sizes)].note.to_bytes() if sizes else b""

    def head_signed_by(self, name: str) -> bytes:
        """The newest head that this cosigner signed: shown to it, it says whether it has forgotten that; else b""."""
        with self._lock:
            sizes = [size for size, head in self._shelf.notes.items() if name in head.cosigned_at]
            return self._shelf.notes[max(sizes)].note.to_bytes() if sizes else b""

    def newest_quorum_time(self, quorum: Quorum) -> int | None:
        """When this quorum last spoke of one head together, POSIX seconds; None if it never did."""
        with self._lock:
            words = [word_of(head.cosigned_at, quorum) for head in self._shelf.notes.values()]
            return max((word for word in words if word is not None), default=None)

    def heard(self) -> dict[str, Heard]:
        """What every cosigner of the policy has signed last, for `absence`."""
        with self._lock:
            return self._shelf.heard()

    def withheld(self) -> int:
        """Of how many entries others have shown us a signed head, while the log shows us fewer; 0 when it does not."""
        with self._lock:
            sizes = [head.checkpoint.size for head in self._shelf.ahead(MAX_NUMBER)]
            return max((size for size in sizes if size > self.size), default=0)

    def evidence(self) -> list[Evidence]:
        """Everything that convicts the log, oldest first."""
        with self._lock:
            return self._shelf.evidence()

    def check(self) -> None:
        """Raises SplitViewError or RolledBackError when nothing may be signed or concluded any more."""
        with self._lock:
            self._check_split()
            if self._shelf.own_ahead():
                raise RolledBackError(
                    f"{self._name}'s cosigning key has signed more of the log {self._shelf.origin} than this state"
                    " knows: a backup was restored, or two nodes use one key. Nothing is signed before the operator has"
                    f" acted: {REPLAY}; an auditor retires its key"
                )

    def _check_split(self) -> None:
        for evidence in self._shelf.evidence():
            if evidence.is_split:
                raise SplitViewError(
                    f"{evidence.why}; nothing is signed or answered any more. Both notes are kept:"
                    f" {evidence.number}-ours.note and {evidence.number}-theirs.note in the folder evidence: show them"
                    " to the other parties"
                )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._shelf.close()

    # ---- signing: consider, advance, and only then unsent ------------------------------------------------------------

    def consider(self, request: bytes, now: int) -> tuple[Held, Advance | Refusal]:
        """What is held, and whether the request's head may follow it; errors as in `witness.consider` and `check`."""
        with self._lock:
            self.check()
            return self.held, consider(request, self.held, self._policy.log_keys, now)

    def advance(self, since: Held, decision: Advance, entries: Sequence[bytes], check: Check) -> None:
        """Store the head that was considered from `since` and the entries that lead to it; durable when this returns.

        Raises PeerError when the entries do not lead there or `check` refuses them, SplitViewError when a note that was
        kept for later contradicts them, StateError when the mirror moved in between.
        """
        with self._lock:
            frontier = follow(self._shelf.frontier, entries, decision.held.checkpoint)
        check(since.checkpoint.size, entries)
        with self._lock:
            self.check()
            for head in self._shelf.ahead(decision.held.checkpoint.size):
                if self._shelf.root_after(head.checkpoint.size, entries) != head.checkpoint.root:
                    self._convict(head, decision.note.to_bytes())
            self._shelf.store(since, decision.held, frontier, entries, decision.note)
            self._take_ahead()

    def unsent(self) -> Advance | None:
        """What is on disk and may be signed now, and of which the log is not known to have the signature."""
        with self._lock:
            self.check()
            stored = self._shelf.unsent()
            head = None if stored is None else self._shelf.notes.get(stored.checkpoint.size)
            if stored is None or head is None:  # the log's key was changed, and its new line under this head is to come
                return None
            note = head.note
            return Advance(stored, SignedNote(note.text, log_lines(note, self._policy.log_keys)))

    def sent(self, held: Held) -> None:
        """The log has taken our signature of this head."""
        with self._lock:
            self._shelf.sent(held)

    # ---- notes of others ---------------------------------------------------------------------------------------------

    def refuse_own(self, note: bytes) -> None:
        """Raises RolledBackError when the note carries our signature and we do not know that we gave it."""
        with self._lock:
            self._refuse_own(read_head(note, self._policy))

    def take(self, note: bytes, *, sender: str = "") -> bool:
        """Keep what a note adds; whether it added a line. Raises PeerError, RolledBackError or SplitViewError."""
        head = read_head(note, self._policy)
        with self._lock:
            self._refuse_own(head)
            return self._keep(head, sender)

    def compare(self, note: bytes, *, sender: str = "peer") -> None:
        """Somebody else's note of this log; errors as in `take`. Evidence is kept before this raises SplitViewError."""
        self.take(note, sender=sender)

    def convict(self, note: bytes) -> None:
        """Another history, as the caller found by reading the log again; raises SplitViewError, always."""
        head = read_head(note, self._policy)
        with self._lock:
            self._convict(head, self._own_note(head.checkpoint.size))

    def keep_broken(self, note: SignedNote, why: str) -> None:
        """The log's signed head over an entry that breaks a rule of the room."""
        with self._lock:
            self._shelf.keep_evidence(why, self.head(), note.to_bytes(), is_split=False)

    def _refuse_own(self, head: Head) -> None:
        time = head.cosigned_at.get(self._name)
        if time is None or (head.checkpoint.size <= self.size and time <= self.held.time):
            return
        self._shelf.keep_own_ahead(head)
        self.check()

    def _keep(self, head: Head, sender: str) -> bool:
        size = head.checkpoint.size
        if size > self.size:
            for other in self._shelf.ahead(size):
                if other.checkpoint.size == size and other.checkpoint.root != head.checkpoint.root:
                    self._convict(head, other.note.to_bytes())
            self._shelf.keep_ahead(head, sender)
            return False
        if head.checkpoint.root != self._shelf.tree.root(size):
            self._convict(head, self._own_note(size))
        return size > 0 and self._shelf.add_lines(head)

    def _take_ahead(self) -> None:
        """What was kept for later and has been compared: its lines are as good as any."""
        for head in self._shelf.ahead(self.size):
            self._keep(head, "")
        self._shelf.forget_ahead()

    def _own_note(self, size: int) -> bytes:
        """What we hold against another note: the head of that size, or the newest one, whose entries decide."""
        notes, retired = self._shelf.notes, self._shelf.retired
        if size in notes:
            return notes[size].note.to_bytes()
        return retired.get(size) or self.head() or retired[max(retired)]

    def _convict(self, head: Head, ours: bytes) -> None:
        why = f"the log {self._shelf.origin} signed two histories of its first {head.checkpoint.size} entries"
        self._shelf.keep_evidence(why, ours, self._shelf.verified(head).to_bytes(), is_split=True)
        self._check_split()

    # ---- after a restore ---------------------------------------------------------------------------------------------

    def catch_up(self, log: Log, *, check: Check, now: int) -> None:
        """Go on after a restored backup: hold everything the log has, at least all that our own key has signed.

        Raises StateError when the log ends before that, SplitViewError when it is another log than the one signed,
        PeerError when it does not continue what is held. Nothing is signed here; done twice, it changes nothing more.
        """
        since = self.held
        request, offered = _poll_all(log, self.size)
        with self._lock:
            self._check_split()
            unknown = self._shelf.own_ahead()
            heads = [*unknown, *(read_head(note, self._policy) for note in offered)]
        new, entries, note = since, list[bytes](), None
        if request:
            decision = consider(request, since, self._policy.log_keys, now)
            if isinstance(decision, Refusal):
                raise PeerError(f"nothing was caught up: {decision.reason}")
            new, note = decision.held, decision.note
            entries = fetch(log, since.checkpoint.size, new.checkpoint.size)
        frontier = follow(self._shelf.frontier, entries, new.checkpoint)
        own = [head for head in heads if self._name in head.cosigned_at]
        with self._lock:
            for head in own:
                self._check_caught_up(head, new, entries, note)
        check(since.checkpoint.size, entries)
        time = max(new.time, *(head.cosigned_at[self._name] for head in own), 0)
        with self._lock:
            self._shelf.store(since, Held(new.checkpoint, time), frontier, entries, note)
            self._shelf.forget_own_ahead(unknown)
            self._take_ahead()

    def _check_caught_up(self, own: Head, new: Held, entries: Sequence[bytes], note: SignedNote | None) -> None:
        """What our own key has signed is in what would be held."""
        signed, size = own.checkpoint, new.checkpoint.size
        if signed.size > size:
            raise StateError(
                f"nothing was caught up: the log ends at {size} entries, but our own key has signed {signed.size}; ask"
                " the coordinator's operator for the whole log, or retire the key"
            )
        if self._shelf.root_after(signed.size, entries) != signed.root:
            self._convict(own, self._own_note(signed.size) if note is None else note.to_bytes())


def _poll_all(log: Log, held_size: int) -> tuple[bytes, list[bytes]]:
    """The newest request and every cosigned head that the log offers; raises PeerError when that does not end."""
    seen = 0
    notes: list[bytes] = []
    for _ in range(MAX_POLLS):
        news = log.poll_checkpoint(held_size, seen, 0)
        if not news.notes:
            return news.request, notes
        notes += news.notes
        seen = news.version
    raise PeerError("the log offers cosigned heads without end")
