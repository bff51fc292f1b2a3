"""Before a log is served or continued: is it at least everything that was ever said of it?

Every head that was exported, cosigned or kept elsewhere must be an older head of the very tree that the stored entries
make. A head of a larger size means that the entries are yesterday's: a backup was restored, and going on would sign a
second history. Whoever finds that stops; nothing can be repaired by writing.
"""

from collections.abc import Iterable, Mapping

from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.checkpoint import open_checkpoint
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.tree import Tree


def check_known_heads(tree: Tree, heads: Mapping[str, bytes], log_keys: Iterable[NoteKey]) -> None:
    """`heads` are signed notes by what they are called here; raises StateError naming the first that does not fit."""
    keys = tuple(log_keys)
    for name, data in heads.items():
        try:
            checkpoint = open_checkpoint(parse_note(data), keys)
        except PeerError as error:
            raise StateError(f"{name} is not a head that this log signed: {error}") from error
        if checkpoint.size > tree.size:
            raise StateError(
                f"{name} is of {checkpoint.size} entries, but only {tree.size} are stored: a backup was restored"
            )
        if checkpoint.root != tree.root(checkpoint.size):
            raise StateError(f"the first {checkpoint.size} stored entries are not those of {name}")
