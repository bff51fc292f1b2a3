"""A log's folder, verified before anything of it is believed; a split view leaves its two notes behind as evidence."""

from pathlib import Path

from cleanroom.audit.files import read_log, write_evidence
from cleanroom.transparency.folder import VerifiedLog, verify_folder
from cleanroom.transparency.head import Freshness
from cleanroom.transparency.outcome import AuditFailure
from cleanroom.transparency.policy import Policy


def verified(
    folder: Path, policy: Policy, *, kept: dict[str, bytes] | None = None, freshness: Freshness | None = None
) -> VerifiedLog:
    """The log in a folder; raises AuditFailure, and writes its evidence beside the folder."""
    try:
        return verify_folder(read_log(folder), policy, kept=kept, freshness=freshness)
    except AuditFailure as failure:
        raise with_evidence(failure, folder) from failure


def with_evidence(failure: AuditFailure, beside: Path) -> AuditFailure:
    """The same failure, saying where the notes that prove it were written."""
    if not failure.evidence:
        return failure
    where = beside.resolve()
    paths = write_evidence(where.with_name(f"{where.name}.evidence"), failure.evidence)
    text = f"{failure}; both signed notes are kept: {', '.join(str(path) for path in paths)}"
    return AuditFailure(failure.outcome, text, evidence=failure.evidence)


def summary(log: VerifiedLog) -> tuple[str, ...]:
    """What was verified, line by line."""
    head = log.head
    cosigners = ", ".join(f"{name} {_moment(time)}" for name, time in sorted(head.cosigned_at.items())) or "nobody"
    lines = [
        f"log       {head.checkpoint.origin}",
        f"entries   {head.checkpoint.size}, all of them under the signed root {head.checkpoint.root.hex()}",
        f"cosigned  {cosigners}",
    ]
    unused = log.contents.unused
    if unused:
        more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
        lines.append(f"not looked at, nothing signed needs it: {', '.join(unused[:3])}{more}")
    return tuple(lines)


def _moment(seconds: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"at {seconds} s, which is no date"
