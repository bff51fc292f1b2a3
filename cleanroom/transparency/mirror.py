"""Holding every entry of a log: whoever follows it stores entries only when they lead to a head that the log signed.

A follower keeps the entries and the frontier after the last one. What it is handed next is stored together with the new
frontier, or not at all.
"""

from collections.abc import Sequence

from cleanroom.errors import PeerError
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.frontier import Frontier
from cleanroom.transparency.hashes import MAX_ENTRY_BYTES, leaf_hash


def follow(held: Frontier, entries: Sequence[bytes], checkpoint: Checkpoint) -> Frontier:
    """The frontier after these entries, which must be all up to this head, whose signature was verified; PeerError."""
    if held.size + len(entries) != checkpoint.size:
        raise PeerError(
            f"the log handed over {len(entries)} entries after {held.size}, but its head is of {checkpoint.size}"
        )
    frontier = held
    for entry in entries:
        if not 1 <= len(entry) <= MAX_ENTRY_BYTES:
            raise PeerError(f"entry {frontier.size} has no bytes or more than {MAX_ENTRY_BYTES}")
        frontier = frontier.with_leaf(leaf_hash(entry))
    if frontier.root() != checkpoint.root:
        raise PeerError(f"entries {held.size} to {checkpoint.size - 1} are not those whose root the log signed")
    return frontier
