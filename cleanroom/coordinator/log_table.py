"""The log as it is stored: every entry once, in the order in which it came, and the tree's frontier after the last.

    log    position, leaf hash (unique: no entry stands twice), the entry's bytes as received
    head   size, root and frontier, moved by compare-and-swap in the transaction that stores the entry

The writer says from which head it goes on. Finding another one in the database means that a second process writes the
same log; neither may guess what the other said, so the one that finds it ends.
"""

from collections.abc import Iterator

from cleanroom.coordinator.store import Transaction
from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.tree import Tree
from cleanroom.wire.messages import MAX_LOG_PAGE_BYTES, LogEntry, LogPage


class OtherWriterError(StateError):
    """Another process has written to this room's log."""


def find_entry(tx: Transaction, entry: bytes) -> int | None:
    """Where an entry stands, None when the log does not have it."""
    row = tx.execute("SELECT position FROM log WHERE digest = ?", (leaf_hash(entry),)).fetchone()
    return None if row is None else int(row[0])


def append_entry(tx: Transaction, entry: bytes, tip: Frontier) -> Frontier:
    """The frontier after a new entry, which goes on from `tip`; raises OtherWriterError when the log has another."""
    leaf = leaf_hash(entry)
    after = tip.with_leaf(leaf)
    moved = tx.execute(
        "UPDATE head SET size = ?, root = ?, frontier = ? WHERE size = ? AND root = ?",
        (after.size, after.root(), after.to_bytes(), tip.size, tip.root()),
    )
    if moved.rowcount != 1:
        raise OtherWriterError(
            f"another process has written to this room's log beyond the {tip.size} entries known here:"
            " this one ends; run one coordinator for one home"
        )
    tx.execute("INSERT INTO log VALUES (?, ?, ?)", (tip.size, leaf, entry))
    return after


def read_tip(tx: Transaction) -> Frontier:
    """The frontier after the last entry; raises StateError when head and frontier contradict each other."""
    size, root, nodes = tx.execute("SELECT size, root, frontier FROM head").fetchone()
    try:
        tip = Frontier.from_bytes(size, nodes)
    except PeerError as error:
        raise StateError(f"the stored head of {size} entries does not add up: {error}") from error
    if tip.root() != root:
        raise StateError(f"the stored head of {size} entries does not add up: its frontier leads to another root")
    return tip


def leaves_from(tx: Transaction, first: int) -> list[bytes]:
    """The leaf hashes of entry `first` and of all after it."""
    return [leaf for (leaf,) in tx.execute("SELECT digest FROM log WHERE position >= ? ORDER BY position", (first,))]


def entries_between(tx: Transaction, start: int, end: int) -> list[bytes]:
    """Entries `start` to `end - 1`."""
    rows = tx.execute("SELECT statement FROM log WHERE position >= ? AND position < ? ORDER BY position", (start, end))
    return [entry for (entry,) in rows]


def read_entries(tx: Transaction, first: int, limit: int) -> LogPage:
    """Up to `limit` entries and about 3 MiB from `first` on."""
    entries: list[LogEntry] = []
    size = 0
    for index, entry in tx.execute(
        "SELECT position, statement FROM log WHERE position >= ? ORDER BY position LIMIT ?", (first, limit)
    ):
        size += len(entry)
        if entries and size > MAX_LOG_PAGE_BYTES:
            break
        entries.append(LogEntry(index, entry))
    return LogPage(tuple(entries))


def stored_entries(tx: Transaction) -> Iterator[bytes]:
    """Every entry in order; raises StateError naming the first that is missing or is not the one its hash is of."""
    rows = tx.execute("SELECT position, digest, statement FROM log ORDER BY position")
    for index, (position, leaf, entry) in enumerate(rows):
        if position != index:
            raise StateError(f"the stored log has no entry {index}")
        if leaf != leaf_hash(entry):
            raise StateError(f"entry {index} of the stored log is not the one whose hash is stored beside it")
        yield entry


def stored_tree(tx: Transaction) -> Tree:
    """The tree over all entries, computed anew; raises StateError as `stored_entries` does."""
    return Tree(leaf_hash(entry) for entry in stored_entries(tx))
