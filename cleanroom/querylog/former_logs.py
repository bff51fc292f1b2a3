"""The entries of the logs before this one, up to the head that every party agreed to be the last good one of each.

The contract names that head for the log just before. A log's own first entry names it for the one before that; it is
under a head that was agreed on. Whatever a thief of the old key put after it is no part of the room's history.
"""

from collections.abc import Callable, Sequence

from cleanroom.errors import PeerError, StateError
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.log_policy import former_head
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import Checkpoint, parse_checkpoint
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.tree import Tree

Read = Callable[[int, int], Sequence[bytes]]
"""The first `size` entries of the log of this number, fewer where there are not as many."""


def former_entries(contract: Contract, read: Read) -> list[bytes]:
    """Oldest first; raises StateError when what is read does not begin with the agreed head's entries."""
    found: list[bytes] = []
    head, number = former_head(contract), contract.log_number - 1
    while head is not None:
        entries = check_former(read(number, head.size), head)
        found[:0] = entries
        number -= 1
        head = _followed(entries) if number else None
    return found


def check_former(entries: Sequence[bytes], head: Checkpoint) -> list[bytes]:
    """The entries under this head, out of a log that may have gone on; raises StateError."""
    prefix = list(entries[: head.size])
    tree = Tree(leaf_hash(entry) for entry in prefix)
    if (tree.size, tree.root()) != (head.size, head.root):
        raise StateError(
            f"the log goes on from a head of {head.origin} with {head.size} entries, which is no head of the"
            f" {len(entries)} entries that are here of it: sign nothing, and compare heads with the other parties"
        )
    return prefix


def _followed(entries: Sequence[bytes]) -> Checkpoint:
    try:
        text = peek_statement(entries[0]).get("follows")
        return parse_checkpoint(text if isinstance(text, str) else "")
    except (IndexError, PeerError) as error:
        raise StateError("a log that follows another does not say from which head it goes on") from error
