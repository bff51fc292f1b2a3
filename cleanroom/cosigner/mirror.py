"""The whole log at its cosigner: every entry, the newest head that we signed, and who else signed which heads.

1. Nothing is signed that is not stored: `advance` commits, and only `unsent` hands out what may be signed then.
2. Every line of a known key verifies, or the note is refused and nothing of it is stored.
3. A note that carries our own signature over more than is held, or a later one than we gave, says that this state is
   older than what was signed (a restored backup, a second node): nothing more is signed until `catch_up`.
4. A note of the log whose root is not our tree's convicts the log. Both notes are kept; nothing is signed any more.

A note of a larger size than is held is kept, one for each sender, and compared before that size is stored. Thread-safe.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cleanroom.cosigner.absence import Heard
from cleanroom.cosigner.evidence import Evidence, next_number, write_evidence
from cleanroom.cosigner.log import Log, fetch
from cleanroom.cosigner.mirror_file import MirrorFile, Transaction
from cleanroom.cosigner.notes import merged, superfluous, word_of
from cleanroom.cosigner.stops import REPLAY, RolledBackError, SplitViewError
from cleanroom.errors import PeerError, StateError, UsageError
from cleanroom.transparency.checkpoint import Checkpoint, log_lines
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.head import Head, read_head
from cleanroom.transparency.inclusion import prove_inclusion
from cleanroom.transparency.mirror import follow
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.policy import Policy, Quorum
from cleanroom.transparency.proof_file import ProofFile
from cleanroom.transparency.tree import Tree
from cleanroom.transparency.witness import Advance, Held, Refusal, consider, nothing_held

Check = Callable[[int, Sequence[bytes]], None]
MAX_POLLS = 10_000


class Mirror:
    """`name` is ours in the policy; `begun`: there was a mirror of this log before. Raises StateError."""

    def __init__(self, path: Path, policy: Policy, *, name: str, begun: bool) -> None:
        if name not in policy.cosigners:
            raise UsageError(f"{name} is no cosigner of this log")
        self._policy = policy
        self._name = name
        self._origin = policy.log_keys[0].name
        self._lock = threading.RLock()
        self._evidence_folder = path.parent / "evidence"
        self._held = nothing_held(self._origin)
        self._frontier, self._tree = Frontier(), Tree()
        self._notes: dict[int, Head] = {}
        self._file = MirrorFile(path, begun=begun)
        with self._lock, self._file.transaction() as tx:
            _begin(tx, self._held)
            self._load(tx)
        for evidence in self.evidence():
            write_evidence(self._evidence_folder, evidence)

    # ---- what is held ------------------------------------------------------------------------------------------------

    @property
    def key(self) -> NoteKey:
        """Our own cosigning key, as the policy has it."""
        return self._policy.cosigners[self._name]

    @property
    def held(self) -> Held:
        """The newest head that we signed, or may sign now, and when."""
        return self._held

    @property
    def size(self) -> int:
        """How many entries are held."""
        return self._held.checkpoint.size

    def entries(self, first: int, limit: int) -> list[bytes]:
        """Up to `limit` entries from `first` on."""
        with self._lock, self._file.reading() as tx:
            rows = tx.execute("SELECT entry FROM entry WHERE position >= ? ORDER BY position LIMIT ?", (first, limit))
            return [bytes(entry) for (entry,) in rows]

    def find(self, statement: bytes) -> int | None:
        """Where the statement stands, None while it is not held."""
        with self._lock, self._file.reading() as tx:
            row = tx.execute("SELECT MIN(position) FROM entry WHERE leaf = ?", (leaf_hash(statement),)).fetchone()
            return None if row[0] is None else int(row[0])

    def proof(self, statement: bytes, quorum: Quorum) -> bytes | None:
        """The statement's proof file under the smallest head that this quorum cosigned; None while there is none.

        Raises RolledBackError or SplitViewError: nothing follows from a log that is in doubt.
        """
        with self._lock:
            self.check()
            index = self.find(statement)
            if index is None:
                return None
            for size in sorted(self._notes):
                if size > index and quorum.is_met_by(self._notes[size].cosigned_at):
                    hashes = prove_inclusion(self._tree, index, size)
                    return ProofFile(index, hashes, self._notes[size].note.to_bytes()).to_bytes()
            return None

    def head(self) -> bytes:
        """The newest head that the log signed, with every cosignature we know; b"" while the log is empty."""
        with self._lock:
            return self._notes[self.size].note.to_bytes() if self.size else b""

    def head_signed_by(self, name: str) -> bytes:
        """The newest head that this cosigner signed: shown to it, it says whether it has forgotten that; else b""."""
        with self._lock:
            sizes = [size for size, head in self._notes.items() if name in head.cosigned_at]
            return self._notes[max(sizes)].note.to_bytes() if sizes else b""

    def newest_quorum_time(self, quorum: Quorum) -> int | None:
        """When this quorum last spoke of one head together, POSIX seconds; None if it never did."""
        with self._lock:
            words = [word_of(head.cosigned_at, quorum) for head in self._notes.values()]
            return max((word for word in words if word is not None), default=None)

    def heard(self) -> dict[str, Heard]:
        """What every cosigner of the policy has signed last, for `absence`."""
        with self._lock, self._file.reading() as tx:
            rows = {name: Heard(*row) for name, *row in tx.execute("SELECT * FROM heard")}
            return {name: rows.get(name, Heard()) for name in self._policy.cosigners}

    def evidence(self) -> list[Evidence]:
        """Everything that convicts the log, oldest first."""
        with self._lock, self._file.reading() as tx:
            rows = tx.execute("SELECT number, is_split, why, ours, theirs FROM evidence ORDER BY number").fetchall()
            return [Evidence(number, bool(split), why, ours, theirs) for number, split, why, ours, theirs in rows]

    def check(self) -> None:
        """Raises SplitViewError or RolledBackError when nothing may be signed or concluded any more."""
        with self._lock:
            for evidence in self.evidence():
                if evidence.is_split:
                    raise SplitViewError(_split_text(evidence))
            if self._own_ahead():
                raise RolledBackError(
                    f"{self._name}'s cosigning key has signed more of the log {self._origin} than this state knows: a"
                    " backup was restored, or two nodes use one key. Nothing is signed before the operator has acted:"
                    f" {REPLAY}; an auditor retires its key"
                )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    # ---- signing: consider, advance, and only then unsent ------------------------------------------------------------

    def consider(self, request: bytes, now: int) -> tuple[Held, Advance | Refusal]:
        """What is held, and whether the request's head may follow it; errors as in `witness.consider` and `check`."""
        with self._lock:
            self.check()
            return self._held, consider(request, self._held, self._policy.log_keys, now)

    def advance(self, since: Held, decision: Advance, entries: Sequence[bytes], check: Check) -> None:
        """Store the head that was considered from `since` and the entries that lead to it; durable when this returns.

        Raises PeerError when the entries do not lead there or `check` refuses them, SplitViewError when a note that was
        kept for later contradicts them, StateError when another process moved the mirror.
        """
        with self._lock:
            if self._held != since:
                raise StateError("the mirror has moved on while entries were fetched; nothing was signed")
            frontier = follow(self._frontier, entries, decision.held.checkpoint)
        check(since.checkpoint.size, entries)
        with self._lock:
            self.check()
            self._compare_ahead(decision, entries, since)
            with self._file.transaction() as tx:
                _swap(tx, since, decision.held, frontier)
                first = since.checkpoint.size
                tx.executemany(
                    "INSERT INTO entry VALUES (?, ?, ?)",
                    [(first + at, leaf_hash(entry), entry) for at, entry in enumerate(entries)],
                )
                self._store_note(tx, decision.note, decision.held.time)
                tx.executemany(
                    "INSERT INTO heard VALUES (?, 0, 0, ?) ON CONFLICT DO UPDATE"
                    " SET lacks_since = COALESCE(lacks_since, excluded.lacks_since) WHERE size < ?",
                    [(name, decision.held.time, decision.held.checkpoint.size) for name in self._policy.cosigners],
                )
            self._held, self._frontier = decision.held, frontier
            for entry in entries:
                self._tree.append(leaf_hash(entry))
            self._reload_notes()
            self._take_ahead()

    def unsent(self) -> Advance | None:
        """What is stored and may be signed now, and of which the log is not known to have the signature."""
        with self._lock, self._file.reading() as tx:
            self.check()
            row = tx.execute("SELECT size, root, time FROM held WHERE sent = 0").fetchone()
            if row is None or row[0] == 0:
                return None
            stored = Held(Checkpoint(self._origin, row[0], bytes(row[1])), row[2])
            note = self._notes[row[0]].note
            return Advance(stored, SignedNote(note.text, log_lines(note, self._policy.log_keys)))

    def sent(self, held: Held) -> None:
        """The log has taken our signature of this head."""
        with self._lock, self._file.transaction() as tx:
            tx.execute("UPDATE held SET sent = 1 WHERE size = ? AND time = ?", (held.checkpoint.size, held.time))

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
            self._keep_evidence(why, self.head(), note.to_bytes(), is_split=False)

    # ---- after a restore ---------------------------------------------------------------------------------------------

    def catch_up(self, log: Log, *, check: Check, now: int) -> None:
        """Go on after a restored backup: hold everything the log has, at least all that our own key has signed.

        Raises StateError when the log ends before that, SplitViewError when it is another log than the one signed,
        PeerError when it does not continue what is held. Nothing is signed here; done twice, it changes nothing more.
        """
        since = self._held
        request, offered = _poll_all(log, since.checkpoint.size)
        with self._lock:
            for evidence in self.evidence():
                if evidence.is_split:
                    raise SplitViewError(_split_text(evidence))
            heads = [read_head(note, self._policy) for note in (*self._own_ahead(), *offered)]
            decision: Advance | Refusal | None = None
            if request:
                decision = consider(request, since, self._policy.log_keys, now)
        entries: list[bytes] = []
        checkpoint = since.checkpoint
        if isinstance(decision, Advance):
            checkpoint = decision.held.checkpoint
            entries = fetch(log, since.checkpoint.size, checkpoint.size)
        elif decision is not None:
            raise PeerError(f"nothing was caught up: {decision.reason}")
        frontier = follow(self._frontier, entries, checkpoint)
        own = [head for head in heads if self._name in head.cosigned_at]
        for head in own:
            if head.checkpoint.size > checkpoint.size:
                raise StateError(
                    f"nothing was caught up: the log ends at {checkpoint.size} entries, but our own key has signed"
                    f" {head.checkpoint.size}; ask the coordinator's operator for the whole log, or retire the key"
                )
            if self._root(head.checkpoint.size, since, entries) != head.checkpoint.root:
                ours = self._own_note(head.checkpoint.size) if decision is None else decision.note.to_bytes()
                with self._lock:
                    self._convict(head, ours)
        check(since.checkpoint.size, entries)
        times = [since.time, *(head.cosigned_at[self._name] for head in own)]
        if isinstance(decision, Advance):
            times.append(decision.held.time)
        self._catch_up(since, Held(checkpoint, max(times)), frontier, entries, decision)

    def _catch_up(
        self, since: Held, new: Held, frontier: Frontier, entries: Sequence[bytes], decision: Advance | None
    ) -> None:
        first = since.checkpoint.size
        with self._lock:
            with self._file.transaction() as tx:
                _swap(tx, since, new, frontier)
                tx.executemany(
                    "INSERT INTO entry VALUES (?, ?, ?)",
                    [(first + at, leaf_hash(entry), entry) for at, entry in enumerate(entries)],
                )
                if decision is not None:
                    self._store_note(tx, decision.note, new.time)
                tx.execute("DELETE FROM own_ahead")
            self._held, self._frontier = new, frontier
            for entry in entries:
                self._tree.append(leaf_hash(entry))
            self._reload_notes()
            self._take_ahead()

    # ---- inner workings ----------------------------------------------------------------------------------------------

    def _load(self, tx: Transaction) -> None:
        origin, size, root, time, frontier = tx.execute(
            "SELECT origin, size, root, time, frontier FROM held"
        ).fetchone()
        if origin != self._origin:
            raise UsageError(f"{self._file.path} mirrors the log {origin}, not {self._origin}")
        self._held = Held(Checkpoint(origin, size, bytes(root)), time)
        self._frontier = Frontier.from_bytes(size, bytes(frontier))
        for position, leaf, entry in tx.execute("SELECT position, leaf, entry FROM entry ORDER BY position"):
            if position != self._tree.size or leaf_hash(entry) != leaf:
                raise StateError(f"{self._file.path} is damaged at entry {self._tree.size}: restore it, then {REPLAY}")
            self._tree.append(leaf)
        if self._tree.size != size or self._tree.root() != root or self._frontier.root() != root:
            raise StateError(f"{self._file.path} does not hold the {size} entries that were signed: restore it")
        self._reload_notes()
        if size and size not in self._notes:
            raise StateError(f"{self._file.path} lacks the head that was signed: restore it")

    def _reload_notes(self) -> None:
        """As stored, read under the present keys."""
        with self._file.reading() as tx:
            stored = {size: bytes(note) for size, note in tx.execute("SELECT size, note FROM note")}
        known = {size: head for size, head in self._notes.items() if stored.get(size) == head.note.to_bytes()}
        self._notes = {
            size: known.get(size) or read_head(note, self._policy, f"{self._file.path}: head {size}")
            for size, note in stored.items()
        }
        for size, head in self._notes.items():
            if size > self._tree.size or head.checkpoint.root != self._tree.root(size):
                raise StateError(f"{self._file.path} holds a head of {size} entries that is not its own: restore it")

    def _own_ahead(self) -> list[bytes]:
        with self._file.reading() as tx:
            return [bytes(note) for (note,) in tx.execute("SELECT note FROM own_ahead")]

    def _refuse_own(self, head: Head) -> None:
        time = head.cosigned_at.get(self._name)
        if time is None or (head.checkpoint.size <= self.size and time <= self._held.time):
            return
        with self._file.transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO own_ahead VALUES (?)", (self._verified(head).to_bytes(),))
        self.check()

    def _verified(self, head: Head) -> SignedNote:
        """The note without lines that nobody verified."""
        return merged(SignedNote(head.note.text, log_lines(head.note, self._policy.log_keys)), head, self._policy)

    def _keep(self, head: Head, sender: str) -> bool:
        size = head.checkpoint.size
        if size > self.size:
            with self._file.transaction() as tx:
                tx.execute(
                    "INSERT INTO ahead VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size,"
                    " note = excluded.note WHERE excluded.size < ahead.size",
                    (sender, size, self._verified(head).to_bytes()),
                )
            return False
        if head.checkpoint.root != self._tree.root(size):
            self._convict(head, self._own_note(size))
        if size == 0:
            return False
        old = self._notes.get(size)
        new = self._verified(head) if old is None else merged(old.note, head, self._policy)
        if old is not None and new == old.note:
            return False
        with self._file.transaction() as tx:
            self._store_note(tx, new, self._held.time)
            self._hear(tx, head)
        self._reload_notes()
        return True

    def _store_note(self, tx: Transaction, note: SignedNote, time: int) -> None:
        head = read_head(note.to_bytes(), self._policy)
        tx.execute(
            "INSERT INTO note VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET note = excluded.note",
            (head.checkpoint.size, time, note.to_bytes()),
        )
        kept = {size: frozenset(one.cosigned_at) for size, one in self._notes.items()}
        kept[head.checkpoint.size] = frozenset(head.cosigned_at)
        tx.executemany("DELETE FROM note WHERE size = ?", [(size,) for size in superfluous(kept)])

    def _hear(self, tx: Transaction, head: Head) -> None:
        size = head.checkpoint.size
        for name, time in head.cosigned_at.items():
            (lacks,) = tx.execute("SELECT MIN(time) FROM note WHERE size > ?", (size,)).fetchone()
            tx.execute(
                "INSERT INTO heard VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                " lacks_since = CASE WHEN ?2 <= size THEN lacks_since ELSE ?4 END,"
                " size = MAX(size, ?2), time = MAX(time, ?3)",
                (name, size, time, lacks),
            )

    def _own_note(self, size: int) -> bytes:
        """What we hold against another note: the head of that size, or the newest one, whose entries decide."""
        return self._notes[size].note.to_bytes() if size in self._notes else self.head()

    def _convict(self, head: Head, ours: bytes) -> None:
        why = f"the log {self._origin} signed two histories of its first {head.checkpoint.size} entries"
        self._keep_evidence(why, ours, self._verified(head).to_bytes(), is_split=True)
        self.check()

    def _keep_evidence(self, why: str, ours: bytes, theirs: bytes, *, is_split: bool) -> None:
        with self._file.transaction() as tx:
            (last,) = tx.execute("SELECT COALESCE(MAX(number), 0) FROM evidence").fetchone()
            number = max(last + 1, next_number(self._evidence_folder))
            tx.execute(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", (number, int(is_split), why, ours, theirs)
            )
        for evidence in self.evidence():
            write_evidence(self._evidence_folder, evidence)

    def _root(self, size: int, since: Held, entries: Sequence[bytes]) -> bytes:
        """The root at a size up to what `entries` add to what is held."""
        if size <= since.checkpoint.size:
            return self._tree.root(size)
        frontier = self._frontier
        for entry in entries[: size - since.checkpoint.size]:
            frontier = frontier.with_leaf(leaf_hash(entry))
        return frontier.root()

    def _ahead(self, limit: int) -> list[Head]:
        with self._file.reading() as tx:
            rows = tx.execute("SELECT note FROM ahead WHERE size <= ? ORDER BY size", (limit,)).fetchall()
        return [read_head(bytes(note), self._policy) for (note,) in rows]

    def _compare_ahead(self, decision: Advance, entries: Sequence[bytes], since: Held) -> None:
        """Before anything is stored or signed: what others were shown of these entries is what we are shown."""
        for head in self._ahead(decision.held.checkpoint.size):
            if self._root(head.checkpoint.size, since, entries) != head.checkpoint.root:
                self._convict(head, decision.note.to_bytes())

    def _take_ahead(self) -> None:
        for head in self._ahead(self.size):
            self._keep(head, "")
        with self._file.transaction() as tx:
            tx.execute("DELETE FROM ahead WHERE size <= ?", (self.size,))


def _begin(tx: Transaction, held: Held) -> None:
    tx.execute(
        "INSERT OR IGNORE INTO held VALUES (1, ?, 0, ?, 0, x'', 1)", (held.checkpoint.origin, held.checkpoint.root)
    )


def _swap(tx: Transaction, since: Held, new: Held, frontier: Frontier) -> None:
    moved = tx.execute(
        "UPDATE held SET size = ?, root = ?, time = ?, frontier = ?, sent = 0 WHERE size = ? AND root = ? AND time = ?",
        (
            new.checkpoint.size,
            new.checkpoint.root,
            new.time,
            frontier.to_bytes(),
            since.checkpoint.size,
            since.checkpoint.root,
            since.time,
        ),
    )
    if moved.rowcount != 1:
        raise StateError("another process moved this mirror; nothing was signed")


def _split_text(evidence: Evidence) -> str:
    return (
        f"{evidence.why}; nothing is signed or answered any more. Both notes are kept: {evidence.number}-ours.note and"
        f" {evidence.number}-theirs.note in the folder evidence: show them to the other parties"
    )


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
