"""A log's folder, verified before anything of it is believed; a split view leaves its two notes behind as evidence."""

from collections.abc import Sequence
from pathlib import Path

from cleanroom.audit.files import read_log, write_evidence
from cleanroom.transparency.folder import VerifiedLog, verify_folder
from cleanroom.transparency.head import Freshness, Head
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.outcome import AuditFailure
from cleanroom.transparency.policy import Policy


def verified(
    folder: Path,
    policy: Policy,
    *,
    kept: dict[str, bytes] | None = None,
    freshness: Freshness | None = None,
    former_keys: Sequence[NoteKey] = (),
) -> VerifiedLog:
    """The log in a folder; raises AuditFailure, and writes its evidence beside the folder."""
    try:
        return verify_folder(read_log(folder), policy, kept=kept, freshness=freshness, former_keys=former_keys)
    except AuditFailure as failure:
        raise with_evidence(failure, folder) from failure


def unverified_entries(folder: Path) -> tuple[bytes, ...]:
    """The entries as the folder has them, up to the first that cannot be read."""
    from cleanroom.transparency.bundle import BrokenBundle, decode_bundle
    from cleanroom.transparency.tile import parse_place

    files, entries = read_log(folder), list[bytes]()
    bundles = [parse_place(name) for name, data in files.items() if name.startswith("tile/entries/") and data]
    widest = {place.index: place for place in sorted(bundles, key=lambda place: place.width)}
    for index in sorted(widest):
        try:
            found = decode_bundle(files[widest[index].path], widest[index].width)
        except BrokenBundle:
            break
        if widest[index].first != len(entries):
            break
        entries += found
    return tuple(entries)


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
    if head.unknown:
        lines.append(uncounted(head))
    if log.contents.unused:
        lines.append(f"not looked at, nothing signed needs it: {_some(log.contents.unused)}")
    return tuple(lines)


def uncounted(head: Head) -> str:
    """Whose lines under a head count for nobody: of other keys, or changed in their name or key id."""
    return f"not counted, of keys that these terms do not name: {_some(head.unknown)}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _moment(seconds: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"at {seconds} s, which is no date"
