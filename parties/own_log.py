"""Is this node's memory as new as what it said? Compare the log with the statements in the database, entry by entry.

A node that finds a statement of its own in the log that it does not hold was restored from a backup: it has forgotten
debits, used question numbers and set-ups, and going on could release differences of people. It then kills every
set-up and stops until its operator has acted. Our own copy of the log is read on from the last entry that was
compared; a restored database has an older mark, so nothing is skipped.

Pauses and closings that stand in the log are honoured as well: a coordinator that did not deliver them cannot hide
them from a node that reads its log.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from cleanroom.cosigner.stops import RolledBackError
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import PeerError, StateError
from cleanroom.querylog.dsse import open_statement, peek_statement
from cleanroom.question.stop import CLOSED, PAUSED, Stop, read_earlier_stop
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.proof_file import parse_proof
from cleanroom.transparency.witness import Held
from parties.database import Database
from parties.desk import Desk, holds_statement
from parties.heads import REPLAY
from parties.setup_rows import SetupRows

PAGE = 256
_RESTORED = (
    "the log holds statements of this node that its database does not know: a backup was restored, or two nodes use one"
    " identity. All set-ups are dead; replay the missing debits before serving again:"
    f" {REPLAY}"
)
_COPY_RESTORED = (
    "our copy of the log is older than what this node remembers of it: a backup was restored. All set-ups are dead;"
    f" catch up with the log before serving again: {REPLAY}"
)
_NEWEST_PROOFS = 64


class Copy(Protocol):
    """Our copy of the log, as far as it is read here: `cosigner.mirror`."""

    @property
    def held(self) -> Held: ...
    @property
    def size(self) -> int: ...
    def entries(self, first: int, limit: int) -> list[bytes]: ...


class RestoredError(RolledBackError):
    """The log has a statement of ours that we do not hold, or our copy of it was once longer.

    It was seen when it had `size` entries under `root`.
    """

    def __init__(self, size: int, root: bytes, why: str = _RESTORED) -> None:
        super().__init__(why)
        self.size = size
        self.root = root


def check_restored(desk: Desk) -> None:
    """Raises StateError while a restored backup waits for its replay."""
    row = desk.database.one("SELECT value FROM meta WHERE name = 'restored'")
    if row is not None:
        raise StateError(row[0])


def note_restored(desk: Desk, rows: SetupRows, error: RolledBackError) -> None:
    """For good: no set-up lives on, and no start serves before the replay, which must find what was found now."""
    with desk.database.transaction():
        rows.kill_all()
        desk.database.run("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", str(error))
        if isinstance(error, RestoredError):
            desk.database.run(
                "INSERT OR REPLACE INTO meta VALUES ('restored-log', ?)",
                f"{desk.contract.room} {error.size} {error.root.hex()}",
            )


def check_own_statements(desk: Desk, rows: SetupRows, own_log: "OwnLog") -> None:
    """At the start. Raises StateError for a restored backup, PeerError for another log than was checked before."""
    check_restored(desk)
    try:
        own_log.read_on()
    except RestoredError as error:
        note_restored(desk, rows, error)
        raise


def remembered_places(desk: Desk) -> list[tuple[int, bytes]]:
    """Heads of this log that our copy has had, as size and root: our database's, not our copy's, word for it."""
    places = [log_mark(desk)]
    rows = desk.database.all(
        "SELECT proof FROM statement WHERE proof != '' ORDER BY rowid DESC LIMIT ?", _NEWEST_PROOFS
    )
    for (proof,) in rows:
        head = parse_checkpoint(parse_note(parse_proof(proof.encode("utf-8")).checkpoint).text)
        if head.origin == desk.log_policy.log_keys[0].name:
            places.append((head.size, head.root))
    return places


def check_copy(desk: Desk, rows: SetupRows, mirror: Copy) -> None:
    """At the start, before anything is signed: our copy is as long as we remember it, and the same log.

    Raises RestoredError, noted for good: what was signed under the copy that is gone, this one does not know.
    """
    size, root = max(remembered_places(desk))
    if mirror.size < size:
        error = RestoredError(size, root, _COPY_RESTORED)
        note_restored(desk, rows, error)
        raise error
    check_place(mirror, size, root)


def check_continued(desk: Desk, mirror: Copy, first: int, entries: Sequence[bytes]) -> None:
    """Before these are held after the first `first`: they lead through what we remember; raises PeerError."""
    end = _frontier(entry for _, entry in walk(mirror, 0, first))
    roots = dict(place for place in remembered_places(desk) if first < place[0])
    for entry in entries:
        end = end.with_leaf(leaf_hash(entry))
        if roots.pop(end.size, end.root()) != end.root():
            raise PeerError(f"entry {end.size - 1} of the log is not the one that this node saw there before")
    if roots:
        raise PeerError(f"the log ends at {end.size} entries, and this node has seen {max(roots)} before")


class OwnStatements:
    """The rule of our own that every entry is asked before we cosign it. Used by the thread that cosigns alone."""

    def __init__(self, desk: Desk, mirror: Copy) -> None:
        self._mirror = mirror
        self._beside = desk.database.beside
        self._database: Database | None = None
        self._name = str(desk.name)
        self._identity = desk.keys.identity

    def __call__(self, first: int, entries: Sequence[bytes]) -> None:
        """Raises RestoredError: an entry is ours, and we do not know it."""
        if self._database is None:
            self._database = self._beside()
        if any(is_forgotten(self._database, self._name, self._identity, entry) for entry in entries):
            end = _frontier(entry for _, entry in walk(self._mirror, 0, first))
            for entry in entries:
                end = end.with_leaf(leaf_hash(entry))
            raise RestoredError(end.size, end.root())

    def close(self) -> None:
        """Close this thread's connection."""
        if self._database is not None:
            self._database.close()
            self._database = None


class OwnLog:
    """Reads our copy of the log on, in the worker."""

    def __init__(self, desk: Desk, mirror: Copy) -> None:
        self._desk = desk
        self._mirror = mirror
        self._next: int | None = None

    def read_on(self) -> bool:
        """Compare what is new, and honour every stop in it; whether there was one that we did not know.

        Raises RestoredError; PeerError for a copy that is not the log which this node compared before.
        """
        desk, head = self._desk, self._mirror.held.checkpoint
        at_start = self._next is None
        first = self._next_entry()
        if first == head.size:
            return False
        stops: list[Stop] = []
        for _, entry in walk(self._mirror, first, head.size):
            if is_forgotten(desk.database, desk.name, desk.keys.identity, entry):
                raise RestoredError(head.size, head.root)
            stop = _stop(desk, entry)
            if stop is not None:
                stops.append(stop)
        news = False
        if stops or at_start:  # between two starts the mark lags behind, which costs the next start a moment
            with desk.database.transaction():
                news = sum(desk.stops.add(stop) for stop in stops) > 0
                desk.database.run(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", mark_name(desk), f"{head.size} {head.root.hex()}"
                )
        self._next = head.size
        return news

    def _next_entry(self) -> int:
        if self._next is not None:
            return self._next
        size, root = log_mark(self._desk)
        check_place(self._mirror, size, root)
        return size


def check_place(mirror: Copy, size: int, root: bytes) -> None:
    """Our copy of the log begins with the entries that this root is over; raises PeerError."""
    if mirror.size < size:
        raise PeerError("the coordinator's log is shorter than it was")
    if _frontier(entry for _, entry in walk(mirror, 0, size)).root() != root:
        raise PeerError("the coordinator's log is not a continuation of the log that this node checked before")


def _frontier(entries: Iterable[bytes]) -> Frontier:
    frontier = Frontier()
    for entry in entries:
        frontier = frontier.with_leaf(leaf_hash(entry))
    return frontier


def walk(mirror: Copy, first: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The entries from `first` to `end` - 1 of our copy, each with its index."""
    while first < end:
        page = mirror.entries(first, min(PAGE, end - first))
        yield from enumerate(page, start=first)
        first += len(page)


def log_mark(desk: Desk) -> tuple[int, bytes]:
    """Up to which entry the log was compared, and its root there."""
    row = desk.database.one("SELECT value FROM meta WHERE name = ?", mark_name(desk))
    if row is None:
        return 0, Frontier().root()
    size, root = row[0].split()
    return int(size), bytes.fromhex(root)


def mark_name(desk: Desk) -> str:
    """One mark a log: a home whose room was closed goes on in another one, which has another log."""
    return f"log-mark/{desk.log_policy.log_keys[0].name}"


def own_body(name: str, identity: SigningKey, statement: bytes) -> dict[str, Any] | None:
    """The body of a statement that we signed; None for everybody else's.

    A forgery in our name is the coordinator's shame and no reason to stop.
    """
    try:
        body = peek_statement(statement)
        if body.get("actor") != name:
            return None
        return open_statement(str(body.get("kind")), statement, identity.public_bytes())
    except PeerError:
        return None


def _stop(desk: Desk, statement: bytes) -> Stop | None:
    """A stop of this room that its party signed, under the present terms or former ones; None for everything else."""
    try:
        if peek_statement(statement).get("kind") not in (PAUSED, CLOSED):
            return None
        return read_earlier_stop(statement, desk.contract)
    except PeerError:
        return None


_REMEMBERED = frozenset(
    {
        "answer.released",
        "budget.debit",
        "budget.voided",
        "match.debit",
        "question.approved",
        "question.refused",
        "room.closed",
        "room.paused",
        "room.resumed",
    }
)
"""What this node puts into the log itself, and what spends or decides.

Other statements of ours prove nothing when somebody else puts them there: a `ledger.head` is in its asker's hands, a
`contract.signed` also stands on proposals that never came into force.
"""


def is_forgotten(database: Database, name: str, identity: SigningKey, statement: bytes) -> bool:
    """Whether this is a statement of ours that spends or decides, and that this database does not hold."""
    body = own_body(name, identity, statement)
    return body is not None and body.get("kind") in _REMEMBERED and not holds_statement(database, statement)
