"""Whether a log's head may be believed: signed by its log, cosigned by the quorum, recently enough.

Four answers, in this order: a signature that does not hold, too few cosigners, too old, or the head.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.transparency.checkpoint import Checkpoint, open_checkpoint
from cleanroom.transparency.cosignature import cosigned_at
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import Policy

MAX_CLOCK_LEAD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Freshness:
    """The reader's clock in POSIX seconds, and how old the quorum's newest word may be."""

    now: int
    max_age_seconds: int


@dataclass(frozen=True, slots=True)
class Head:
    """A verified head: `cosigned_at` is the newest time of each cosigner of the policy who signed it.

    `unknown` names lines of keys that the policy does not have: they count for nobody, and a known one may have become
    such a line by a changed name or key id.
    """

    checkpoint: Checkpoint
    note: SignedNote
    cosigned_at: Mapping[str, int]
    unknown: tuple[str, ...] = ()


def read_head(data: bytes, policy: Policy, path: str = "checkpoint") -> Head:
    """The head in a note with every line of a known key verified; raises AuditFailure INVALID."""
    try:
        note = parse_note(data)
        checkpoint = open_checkpoint(note, policy.log_keys)
        times = {name: cosigned_at(note, key) for name, key in policy.cosigners.items()}
    except AuthenticationError as error:
        raise AuditFailure(Outcome.INVALID, f"a signature does not hold: {error}", path=path) from error
    except PeerError as error:
        raise AuditFailure(Outcome.INVALID, str(error), path=path) from error
    known = {(key.name, key.key_id) for key in (*policy.log_keys, *policy.cosigners.values())}
    return Head(
        checkpoint,
        note,
        {name: time for name, time in times.items() if time is not None},
        tuple(line.name for line in note.signatures if (line.name, line.key_id) not in known),
    )


def check_quorum(head: Head, policy: Policy, freshness: Freshness | None = None, path: str = "checkpoint") -> None:
    """The policy's quorum cosigned this head, recently if that is asked; raises AuditFailure TOO_FEW or STALE.

    A time that lies ahead of the reader's clock says nothing about now, so such a cosignature does not count.
    """
    counted = dict(head.cosigned_at)
    if freshness is not None:
        latest = freshness.now + MAX_CLOCK_LEAD_SECONDS
        counted = {name: time for name, time in counted.items() if time <= latest}
    if not policy.quorum.is_met_by(counted):
        missing = [name for name in policy.quorum.cosigners() if name not in counted]
        raise AuditFailure(
            Outcome.TOO_FEW_COSIGNERS,
            f"entry count {head.checkpoint.size} is not cosigned by the quorum; missing: {', '.join(missing)}",
            path=path,
        )
    if freshness is not None:
        oldest = freshness.now - freshness.max_age_seconds
        fresh = {name for name, time in counted.items() if time >= oldest}
        if not policy.quorum.is_met_by(fresh):
            old = [name for name in policy.quorum.cosigners() if name not in fresh]
            raise AuditFailure(
                Outcome.STALE,
                f"the quorum's word is older than {freshness.max_age_seconds} s; not heard since: {', '.join(old)}",
                path=path,
            )
