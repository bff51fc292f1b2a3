"""Before the log is served or continued: is it what was stored, and at least all that was ever said of it?

1. every entry is there and is the one its leaf hash is of; the entries lead to the stored head
2. every published head, and the exported checkpoint, is an older head of this very log; each line of a known cosigner
   verifies
3. the exported files are what these entries make them; what is missing there is written again later

Anything else ends the start, in one line: a backup was restored, the database was deleted or its write-ahead file lost,
a bit has turned. Nothing of this can be mended by writing; going on would sign a second history. Where the entries lead
elsewhere, the exported tiles tell which of them was changed.
"""

from cleanroom.coordinator.head_table import stored_heads
from cleanroom.coordinator.log_folder import LogFolder
from cleanroom.coordinator.log_table import entries_between, read_tip, stored_tree
from cleanroom.coordinator.store import Store
from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.checkpoint import parse_checkpoint
from cleanroom.transparency.contents import first_wrong
from cleanroom.transparency.export import exported
from cleanroom.transparency.head import read_head
from cleanroom.transparency.known_heads import check_known_heads
from cleanroom.transparency.note import parse_note
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.tile import parse_place, places
from cleanroom.transparency.tree import Tree


def checked_tree(store: Store, folder: LogFolder, policy: Policy) -> Tree:
    """The tree over all stored entries; raises StateError saying what does not add up, and from which entry on."""
    with store.reading() as tx:
        tree, tip, heads = stored_tree(tx), read_tip(tx), stored_heads(tx)
    exported_note = folder.checkpoint()
    try:
        if tree.size != tip.size:
            raise StateError(f"the stored log has {tree.size} entries, but its head says {tip.size}")
        if tree.root() != tip.root():
            raise StateError(f"the stored entries do not lead to the stored head of {tip.size} entries")
        known = {} if exported_note is None else {f"the checkpoint in {folder.path}": exported_note}
        known |= {f"the stored head of {size} entries": note for size, note in heads}
        check_known_heads(tree, known, policy.log_keys)
    except StateError as error:
        raise _naming_the_entry(error, folder, exported_note, tree) from error
    for size, note in heads:
        name = f"the stored head of {size} entries"
        if (found := _checked_size(note, policy, name)) != size:
            raise StateError(f"{name} is of {found}")
    if exported_note is not None:
        size = _checked_size(exported_note, policy, f"the checkpoint in {folder.path}")
        _check_files(store, folder, tree, size)
    return tree


def _checked_size(note: bytes, policy: Policy, name: str) -> int:
    """The size of a head all of whose known lines verify."""
    try:
        return read_head(note, policy, name).checkpoint.size
    except PeerError as error:
        raise StateError(str(error)) from error


def _size_of(note: bytes) -> int:
    return parse_checkpoint(parse_note(note).text).size


def _check_files(store: Store, folder: LogFolder, tree: Tree, size: int) -> None:
    def entries(start: int, end: int) -> list[bytes]:
        with store.reading() as tx:
            return entries_between(tx, start, end)

    present = (place for place in places(size) if folder.has(place))
    for path, right in exported(tree, entries, present):
        place = parse_place(path)
        data = folder.file(place) or b""
        if data != right:
            index = first_wrong(place, data, right)
            raise StateError(
                f"{folder.path / path} is not what the stored log makes it, from entry {index} on:"
                " if the database is the right one, delete that folder and start again"
            )


def _naming_the_entry(error: StateError, folder: LogFolder, note: bytes | None, tree: Tree) -> StateError:
    """The same refusal with the first entry that the exported leaf tiles contradict, where they do."""
    try:
        size = 0 if note is None else _size_of(note)
    except PeerError:
        return error
    for place in places(size):
        known = min(place.width, tree.size - place.first)
        if place.level == 0 and known > 0:
            right = b"".join(tree.node(0, place.first + at) for at in range(known))
            data = (folder.file(place) or right)[: len(right)]
            if data != right:
                index = first_wrong(place, data, right)
                return StateError(f"{error}; entry {index} is the first that is not the exported one")
        if place.level == 1:
            break
    return error
