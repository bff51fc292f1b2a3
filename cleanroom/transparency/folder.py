"""The auditor's verifier: a folder and a policy in, the verified entries or the first thing that is wrong out.

Everything is computed again from the entries; nothing in the folder is believed before. In this order:

1. the checkpoint is signed by its log, and every line of a known key verifies              INVALID
2. no checkpoint that the reader kept from elsewhere shows another root for this size,
   and no two of them show two roots for one size                                           DIVERGED
3. every bundle and tile that this size needs is there and is what the entries make it      INVALID
4. kept checkpoints of smaller sizes have the roots that these entries had then             DIVERGED
5. no kept checkpoint is of a larger size: the folder is not yesterday's                    STALE
6. the policy's quorum cosigned the checkpoint, and recently if that is asked               TOO_FEW, STALE

What the entries say is not judged here; nor is it proven that a log, all cosigners included, did not lie together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cleanroom.transparency.contents import Contents, check_contents
from cleanroom.transparency.export import CHECKPOINT_PATH
from cleanroom.transparency.head import Freshness, Head, check_quorum, read_head
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import Policy


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """A log that holds; `contents.unused` names files that were neither needed nor believed."""

    head: Head
    contents: Contents


def verify_folder(
    files: Mapping[str, bytes],
    policy: Policy,
    *,
    kept: Mapping[str, bytes] | None = None,
    freshness: Freshness | None = None,
    former_keys: Sequence[NoteKey] = (),
) -> VerifiedLog:
    """The log in these files by name; `kept` are checkpoints from elsewhere by name. Raises AuditFailure.

    Kept ones may be older than the log's present key, and signed by one of `former_keys`.
    """
    if CHECKPOINT_PATH not in files:
        raise AuditFailure(Outcome.INVALID, "the folder has no checkpoint", path=CHECKPOINT_PATH)
    head = read_head(files[CHECKPOINT_PATH], policy)
    others = _of_the_same_log(head, kept or {}, replace(policy, log_keys=(*policy.log_keys, *former_keys)))
    size = head.checkpoint.size
    for path, other in others:
        if other.checkpoint.size == size and other.checkpoint.root != head.checkpoint.root:
            raise _diverged(head, other, path)
    _check_each_other(others)
    contents = check_contents(files, head.checkpoint)
    for path, other in others:
        earlier = other.checkpoint
        if earlier.size < size and earlier.root != contents.tree.root(earlier.size):
            raise _diverged(head, other, path)
    for path, other in others:
        if other.checkpoint.size > size:
            text = f"the folder ends at {size} entries, but {path} is signed for {other.checkpoint.size}"
            raise AuditFailure(Outcome.STALE, text, path=CHECKPOINT_PATH)
    check_quorum(head, policy, freshness)
    return VerifiedLog(head, contents)


def _of_the_same_log(head: Head, kept: Mapping[str, bytes], policy: Policy) -> list[tuple[str, Head]]:
    """Kept checkpoints, each signed by the log as well; those of another origin say nothing about this one."""
    others = [(path, read_head(note, policy, path)) for path, note in sorted(kept.items())]
    return [(path, other) for path, other in others if other.checkpoint.origin == head.checkpoint.origin]


def _check_each_other(others: Sequence[tuple[str, Head]]) -> None:
    """Two kept checkpoints of one size convict the log also where this folder is older than both."""
    first: dict[int, tuple[str, Head]] = {}
    for path, other in others:
        size = other.checkpoint.size
        known_path, known = first.setdefault(size, (path, other))
        if known.checkpoint.root != other.checkpoint.root:
            raise AuditFailure(
                Outcome.DIVERGED,
                f"the log signed two histories of its first {size} entries: {known_path} has one, this note the other",
                path=path,
                evidence=(known.note.to_bytes(), other.note.to_bytes()),
            )


def _diverged(head: Head, other: Head, path: str) -> AuditFailure:
    return AuditFailure(
        Outcome.DIVERGED,
        f"the log signed another history of its first {other.checkpoint.size} entries than this folder's",
        path=path,
        evidence=(head.note.to_bytes(), other.note.to_bytes()),
    )
