"""Copying a log into a folder: only what leads to a signed head is stored, and an earlier copy only grows.

1. The folder's present log, if there is one, is verified first; a broken one is not continued.
2. Every head that the log offers is signed by it, and is a head of the very tree that is copied, or the log has shown
   two histories.
3. The newest head with the quorum becomes the folder's checkpoint, or the newest one while there is none; it is written
   last, so whoever finds it finds all it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cleanroom.audit.files import read_log, write_durably
from cleanroom.cosigner.log import Log, fetch
from cleanroom.errors import PeerError, UsageError
from cleanroom.transparency.export import CHECKPOINT_PATH, exported
from cleanroom.transparency.folder import VerifiedLog, verify_folder
from cleanroom.transparency.hashes import leaf_hash
from cleanroom.transparency.head import Head, read_head
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import NOBODY, Policy
from cleanroom.transparency.tile import new_places
from cleanroom.transparency.tree import Tree
from cleanroom.transparency.witness_message import parse_request

MAX_POLLS = 10_000


@dataclass(frozen=True, slots=True)
class Copied:
    """How many entries the folder had and has now, and whether its head meets the policy's quorum."""

    before: int
    size: int
    has_quorum: bool


def copy_log(folder: Path, log: Log, policy: Policy, *, former_keys: Sequence[NoteKey] = ()) -> Copied:
    """Bring the folder up to date; raises AuditFailure, PeerError, UnavailableError or UsageError.

    An earlier copy may have a head that one of the log's `former_keys` signed.
    """
    held = _held(folder, replace(policy, log_keys=(*policy.log_keys, *former_keys)))
    size = held.head.checkpoint.size if held is not None else 0
    newest, heads = _offered(log, size, policy)
    if newest is not None and newest.checkpoint.size < size:
        raise AuditFailure(
            Outcome.STALE,
            f"the log ends at {newest.checkpoint.size} entries now, but this copy has {size}: it was set back",
        )
    if held is not None:
        heads.append(held.head)
    signed = [head for head in heads if any(head.note.lines_of(key) for key in policy.log_keys)]
    if not signed:
        raise UsageError("the log has no head yet: nothing was stated in this room")
    target = _best([head for head in signed if head.checkpoint.size >= size], policy)
    entries, tree = _entries(log, held, target)
    for other in heads:
        if other.checkpoint.size <= tree.size and other.checkpoint.root != tree.root(other.checkpoint.size):
            raise _two_histories(other, target)
    places = new_places(size, target.checkpoint.size)
    for path, data in exported(tree, lambda start, end: entries[start:end], places):
        write_durably(folder / path, data)
    write_durably(folder / CHECKPOINT_PATH, target.note.to_bytes())
    return Copied(size, tree.size, policy.quorum.is_met_by(target.cosigned_at))


def _held(folder: Path, policy: Policy) -> VerifiedLog | None:
    if not folder.exists() or not any(folder.iterdir()):
        return None
    files = read_log(folder)
    if CHECKPOINT_PATH not in files:
        if all(name.startswith("tile/") for name in files):
            return None  # a first copy that was cut off: what it left is written again
        raise UsageError(f"{folder} holds something else than a log; choose a new folder")
    return verify_folder(files, policy.with_quorum(NOBODY))


def _offered(log: Log, size: int, policy: Policy) -> tuple[Head | None, list[Head]]:
    """The log's newest head, None when it is of this size, and every head that it hands out, signatures verified."""
    seen, heads = 0, []
    for _ in range(MAX_POLLS):
        news = log.poll_checkpoint(size, seen, 0)
        heads += [read_head(note, policy, "an offered head") for note in news.notes]
        if not news.notes:
            if not news.request:
                return None, heads
            newest = read_head(parse_request(news.request).checkpoint, policy, "the newest head")
            return newest, [*heads, newest]
        seen = news.version
    raise PeerError("the log offers cosigned heads without end")


def _best(heads: Sequence[Head], policy: Policy) -> Head:
    return max(
        heads,
        key=lambda head: (policy.quorum.is_met_by(head.cosigned_at), head.checkpoint.size, len(head.cosigned_at)),
    )


def _entries(log: Log, held: VerifiedLog | None, target: Head) -> tuple[list[bytes], Tree]:
    """All entries of the target, and their tree; those that are held already are not asked for again."""
    size, root = target.checkpoint.size, target.checkpoint.root
    if held is not None:
        entries = [*held.contents.entries, *fetch(log, held.head.checkpoint.size, size)]
        tree = _tree(entries)
        if tree.root() == root:
            return entries, tree
    entries = fetch(log, 0, size)
    tree = _tree(entries)
    if tree.root() != root:
        raise AuditFailure(Outcome.INVALID, f"the {size} entries that the log hands over are not those it signed")
    if held is not None and tree.root(held.head.checkpoint.size) != held.head.checkpoint.root:
        raise _two_histories(held.head, target)
    return entries, tree


def _tree(entries: Sequence[bytes]) -> Tree:
    return Tree(leaf_hash(entry) for entry in entries)


def _two_histories(one: Head, other: Head) -> AuditFailure:
    size = min(one.checkpoint.size, other.checkpoint.size)
    return AuditFailure(
        Outcome.DIVERGED,
        f"the log signed two histories of its first {size} entries; nothing was copied",
        evidence=(one.note.to_bytes(), other.note.to_bytes()),
    )
