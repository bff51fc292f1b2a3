"""Which cosigned heads are worth keeping: those that prove something no later one proves.

A head whose cosigners all signed a later one as well proves nothing more than that one does: every entry under the
smaller head is under the larger too. The newest are kept whatever they prove, as cosignatures still arrive for them.
"""

from collections.abc import Mapping, Set

from cleanroom.transparency.cosignature import with_cosignature
from cleanroom.transparency.head import Head
from cleanroom.transparency.note import SignedNote
from cleanroom.transparency.policy import Policy, Quorum

NEWEST_KEPT = 16
MAX_KEPT = 256


def superfluous(cosigners: Mapping[int, Set[str]]) -> list[int]:
    """Of heads given by size and cosigners, the sizes of those that need not be kept."""
    kept: list[Set[str]] = []
    dropped: list[int] = []
    for place, size in enumerate(sorted(cosigners, reverse=True)):
        covered = any(cosigners[size] <= later for later in kept)
        if place >= NEWEST_KEPT and (covered or len(kept) >= MAX_KEPT):
            dropped.append(size)
        else:
            kept.append(cosigners[size])
    return dropped


def merged(base: SignedNote, head: Head, policy: Policy) -> SignedNote:
    """`base` with the newest verified line of every cosigner of `head`, whose text must be the same."""
    if base.text != head.note.text:
        raise ValueError("two notes of different texts cannot be merged")
    lines = "".join(line.text() for line in head.note.signatures).encode("utf-8")
    for name in head.cosigned_at:
        base = with_cosignature(base, lines, policy.cosigners[name])
    return base


def word_of(times: Mapping[str, int], quorum: Quorum) -> int | None:
    """The latest time at which enough of these cosigners had signed again; None when they are too few."""
    for time in sorted(set(times.values()), reverse=True):
        if quorum.is_met_by({name for name, signed in times.items() if signed >= time}):
            return time
    return None
