"""Where a mirror keeps things: the file, and in memory what is asked often. It stores; it decides nothing.

Entries, tree and held head change in one transaction, and the memory only after it is on disk. Opening computes the
tree again from the entries: what does not lead to the head that was signed is not used.

When the log's key was changed, heads that only the old key signed prove nothing any more (`retired`): they stay as
evidence of what was seen, and each counts again when the log shows it with the new key's line.
"""

from collections.abc import Sequence
from pathlib import Path

from cleanroom.cosigner.absence import Heard
from cleanroom.cosigner.evidence import Evidence, next_number, write_evidence
from cleanroom.cosigner.mirror_file import MirrorFile, Transaction
from cleanroom.cosigner.notes import merged, superfluous
from cleanroom.cosigner.stops import REPLAY
from cleanroom.errors import StateError, UsageError
from cleanroom.transparency.checkpoint import Checkpoint, log_lines, parse_checkpoint
from cleanroom.transparency.cosignature import cosigned_at
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.head import Head, read_head
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.tree import Tree
from cleanroom.transparency.witness import Held, nothing_held


class Shelf:
    """`held`, `frontier`, `tree` and `notes` (by size) are as stored. Raises StateError or UsageError."""

    def __init__(self, path: Path, policy: Policy, *, begun: bool) -> None:
        self.policy = policy
        self.origin = policy.log_keys[0].name
        self.held = nothing_held(self.origin)
        self.frontier, self.tree = Frontier(), Tree()
        self.notes: dict[int, Head] = {}
        self.retired: dict[int, bytes] = {}
        self._path = path
        self._evidence_folder = path.parent / "evidence"
        self._file = MirrorFile(path, begun=begun)
        with self._file.transaction() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO held VALUES (1, ?, 0, ?, 0, x'', 1)", (self.origin, self.held.checkpoint.root)
            )
            self._load(tx)
        for evidence in self.evidence():
            write_evidence(self._evidence_folder, evidence)

    def _load(self, tx: Transaction) -> None:
        row = tx.execute("SELECT origin, size, root, time, frontier FROM held").fetchone()
        origin, size, root, time, frontier = row
        if origin != self.origin:
            raise UsageError(f"{self._path} mirrors the log {origin}, not {self.origin}")
        self.held = Held(Checkpoint(origin, size, bytes(root)), time)
        self.frontier = Frontier.from_bytes(size, bytes(frontier))
        for position, leaf, entry in tx.execute("SELECT position, leaf, entry FROM entry ORDER BY position"):
            if position != self.tree.size or leaf_hash(entry) != leaf:
                raise StateError(f"{self._path} is damaged at entry {self.tree.size}: restore it, then {REPLAY}")
            self.tree.append(leaf)
        if self.tree.size != size or self.tree.root() != root or self.frontier.root() != root:
            raise StateError(f"{self._path} does not hold the {size} entries that were signed: restore it")
        self._read_notes(tx)
        if size and size not in {*self.notes, *self.retired}:
            raise StateError(f"{self._path} lacks the head that was signed: restore it")

    def _read_notes(self, tx: Transaction) -> None:
        """All of them, under the present keys: lines of keys that the policy no longer has count for nobody."""
        for size, note in tx.execute("SELECT size, note FROM note").fetchall():
            head = self._stored_head(bytes(note), f"{self._path}: head {size}")
            if size > self.tree.size or head.checkpoint.root != self.tree.root(size):
                raise StateError(f"{self._path} holds a head of {size} entries that is not its own: restore it")
            if self._has_log_line(head.note):
                self.notes[size] = head
            else:
                self.retired[size] = bytes(note)

    def _has_log_line(self, note: SignedNote) -> bool:
        return any(note.lines_of(key) for key in self.policy.log_keys)

    def _stored_head(self, note: bytes, path: str = "a stored note") -> Head:
        """Every line was verified when it was stored; where the log's present key signed, all are verified again."""
        parsed = parse_note(note)
        if self._has_log_line(parsed):
            return read_head(note, self.policy, path)
        times = {name: cosigned_at(parsed, key) for name, key in self.policy.cosigners.items()}
        return Head(parse_checkpoint(parsed.text), parsed, {name: at for name, at in times.items() if at is not None})

    # ---- reading -----------------------------------------------------------------------------------------------------

    def entries(self, first: int, limit: int) -> list[bytes]:
        """Up to `limit` entries from `first` on."""
        with self._file.reading() as tx:
            rows = tx.execute("SELECT entry FROM entry WHERE position >= ? ORDER BY position LIMIT ?", (first, limit))
            return [bytes(entry) for (entry,) in rows]

    def find(self, statement: bytes) -> int | None:
        """The first place of an entry."""
        with self._file.reading() as tx:
            row = tx.execute("SELECT MIN(position) FROM entry WHERE leaf = ?", (leaf_hash(statement),)).fetchone()
            return None if row[0] is None else int(row[0])

    def heard(self) -> dict[str, Heard]:
        """Every cosigner of the policy."""
        with self._file.reading() as tx:
            rows = {name: Heard(*row) for name, *row in tx.execute("SELECT * FROM heard")}
            return {name: rows.get(name, Heard()) for name in self.policy.cosigners}

    def evidence(self) -> list[Evidence]:
        """Oldest first."""
        with self._file.reading() as tx:
            rows = tx.execute("SELECT number, is_split, why, ours, theirs FROM evidence ORDER BY number").fetchall()
            return [Evidence(number, bool(split), why, ours, theirs) for number, split, why, ours, theirs in rows]

    def own_ahead(self) -> list[Head]:
        """Notes with signatures of our own that this state does not know."""
        with self._file.reading() as tx:
            return [self._stored_head(bytes(note)) for (note,) in tx.execute("SELECT note FROM own_ahead")]

    def ahead(self, limit: int) -> list[Head]:
        """Notes of larger sizes than were held when they came, up to this size."""
        with self._file.reading() as tx:
            rows = tx.execute("SELECT note FROM ahead WHERE size <= ? ORDER BY size", (limit,)).fetchall()
        heads = [self._stored_head(bytes(note)) for (note,) in rows]
        return [head for head in heads if self._has_log_line(head.note)]

    def unsent(self) -> Held | None:
        """The held head as it is on disk, None when nothing is held or the log has our signature of it."""
        with self._file.reading() as tx:
            row = tx.execute("SELECT size, root, time FROM held WHERE sent = 0 AND size > 0").fetchone()
        return None if row is None else Held(Checkpoint(self.origin, row[0], bytes(row[1])), row[2])

    def root_after(self, size: int, entries: Sequence[bytes]) -> bytes:
        """The root at a size up to what these entries would add to what is held."""
        if size <= self.tree.size:
            return self.tree.root(size)
        frontier = self.frontier
        for entry in entries[: size - self.tree.size]:
            frontier = frontier.with_leaf(leaf_hash(entry))
        return frontier.root()

    def verified(self, head: Head) -> SignedNote:
        """The head's note without lines that nobody verified."""
        return merged(SignedNote(head.note.text, log_lines(head.note, self.policy.log_keys)), head, self.policy)

    # ---- writing -----------------------------------------------------------------------------------------------------

    def store(
        self, since: Held, new: Held, frontier: Frontier, entries: Sequence[bytes], note: SignedNote | None
    ) -> None:
        """Go from one held head to the next, with everything in between; raises StateError when `since` is not held."""
        head = None if note is None else read_head(note.to_bytes(), self.policy)
        first, leaves = since.checkpoint.size, [leaf_hash(entry) for entry in entries]
        with self._file.transaction() as tx:
            _swap(tx, since, new, frontier)
            tx.executemany(
                "INSERT INTO entry VALUES (?, ?, ?)",
                [(first + at, *pair) for at, pair in enumerate(zip(leaves, entries, strict=True))],
            )
            dropped = [] if head is None else self._store_note(tx, head, new.time)
            tx.executemany(
                "INSERT INTO heard VALUES (?, 0, 0, ?) ON CONFLICT DO UPDATE"
                " SET lacks_since = COALESCE(lacks_since, excluded.lacks_since) WHERE size < ?",
                [(name, new.time, new.checkpoint.size) for name in self.policy.cosigners],
            )
        self.held, self.frontier = new, frontier
        for leaf in leaves:
            self.tree.append(leaf)
        self._remember(head, dropped)

    def add_lines(self, head: Head) -> bool:
        """Keep what a verified head adds to the stored note of its size; whether that is anything."""
        old = self.notes.get(head.checkpoint.size)
        note = self.verified(head) if old is None else merged(old.note, head, self.policy)
        if old is not None and note == old.note:
            return False
        new = read_head(note.to_bytes(), self.policy)
        with self._file.transaction() as tx:
            dropped = self._store_note(tx, new, self.held.time)
            self._hear(tx, head)
        self._remember(new, dropped)
        return True

    def _store_note(self, tx: Transaction, head: Head, time: int) -> list[int]:
        """Sizes of the notes that went because of it."""
        tx.execute(
            "INSERT INTO note VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET note = excluded.note",
            (head.checkpoint.size, time, head.note.to_bytes()),
        )
        kept = {size: frozenset(one.cosigned_at) for size, one in self.notes.items()}
        kept[head.checkpoint.size] = frozenset(head.cosigned_at)
        dropped = superfluous(kept)
        tx.executemany("DELETE FROM note WHERE size = ?", [(size,) for size in dropped])
        return dropped

    def _remember(self, head: Head | None, dropped: Sequence[int]) -> None:
        if head is not None:
            self.notes[head.checkpoint.size] = head
            self.retired.pop(head.checkpoint.size, None)
        for size in dropped:
            del self.notes[size]

    def _hear(self, tx: Transaction, head: Head) -> None:
        """A cosigner lacks what came after its largest head, since we held the first such one."""
        size = head.checkpoint.size
        for name, time in head.cosigned_at.items():
            (lacks,) = tx.execute("SELECT MIN(time) FROM note WHERE size > ?", (size,)).fetchone()
            tx.execute(
                "INSERT INTO heard VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                " lacks_since = CASE WHEN ?2 <= size THEN lacks_since ELSE ?4 END,"
                " size = MAX(size, ?2), time = MAX(time, ?3)",
                (name, size, time, lacks),
            )

    def keep_ahead(self, head: Head, sender: str) -> None:
        """One note for each sender: that of the smallest size, which is compared first."""
        with self._file.transaction() as tx:
            tx.execute(
                "INSERT INTO ahead VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size,"
                " note = excluded.note WHERE excluded.size < ahead.size",
                (sender, head.checkpoint.size, self.verified(head).to_bytes()),
            )

    def forget_ahead(self) -> None:
        """What was compared."""
        with self._file.transaction() as tx:
            tx.execute("DELETE FROM ahead WHERE size <= ?", (self.held.checkpoint.size,))

    def keep_own_ahead(self, head: Head) -> None:
        """A signature of our own that this state does not know."""
        with self._file.transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO own_ahead VALUES (?)", (self.verified(head).to_bytes(),))

    def forget_own_ahead(self, heads: Sequence[Head]) -> None:
        """These are known now."""
        with self._file.transaction() as tx:
            tx.executemany("DELETE FROM own_ahead WHERE note = ?", [(head.note.to_bytes(),) for head in heads])

    def keep_evidence(self, why: str, ours: bytes, theirs: bytes, *, is_split: bool) -> None:
        """Rows first, then files; the same note is kept once."""
        with self._file.transaction() as tx:
            (last,) = tx.execute("SELECT COALESCE(MAX(number), 0) FROM evidence").fetchone()
            number = max(last + 1, next_number(self._evidence_folder))
            tx.execute(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)", (number, int(is_split), why, ours, theirs)
            )
        for evidence in self.evidence():
            write_evidence(self._evidence_folder, evidence)

    def sent(self, held: Held) -> None:
        """The log has our signature of this head."""
        with self._file.transaction() as tx:
            tx.execute("UPDATE held SET sent = 1 WHERE size = ? AND time = ?", (held.checkpoint.size, held.time))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _swap(tx: Transaction, since: Held, new: Held, frontier: Frontier) -> None:
    old, head = since.checkpoint, new.checkpoint
    moved = tx.execute(
        "UPDATE held SET size = ?, root = ?, time = ?, frontier = ?, sent = 0 WHERE size = ? AND root = ? AND time = ?",
        (head.size, head.root, new.time, frontier.to_bytes(), old.size, old.root, since.time),
    )
    if moved.rowcount != 1:
        raise StateError("another process moved this mirror; nothing was signed")
