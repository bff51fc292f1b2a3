"""The files of an audit: a log's folder read with bounds, small files given by hand, and what an audit writes.

A folder comes from somebody else. Only plain files count, links lead nowhere, and nothing longer than a log can have is
read: a name that is no tile's is listed and left closed.
"""

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cleanroom.errors import PeerError, UsageError
from cleanroom.transparency.export import CHECKPOINT_PATH
from cleanroom.transparency.hashes import HASH_BYTES, MAX_ENTRY_BYTES
from cleanroom.transparency.note import MAX_NOTE_BYTES
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.tile import parse_place
from cleanroom.whole_file import replace_file

MAX_FOLDER_BYTES = 1 << 31
MAX_FILES = 1_000_000


def read_log(folder: Path) -> dict[str, bytes]:
    """The files of a log by name, as `verify_folder` takes them; raises UsageError, AuditFailure for a huge one."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; give the folder that holds the log's `checkpoint` and `tile`")
    files: dict[str, bytes] = {}
    total = 0
    for name, path in _names(folder):
        limit = _most_bytes(name)
        files[name] = b"" if limit is None else _bounded(path, name, limit)
        total += len(files[name])
        if total > MAX_FOLDER_BYTES or len(files) > MAX_FILES:
            raise UsageError(f"{folder} holds more than {MAX_FOLDER_BYTES >> 30} GiB or {MAX_FILES} files")
    return files


def _names(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every plain file below the folder, by its name there; links are not followed."""
    for here, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(here, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path.relative_to(folder).as_posix(), path


def _most_bytes(name: str) -> int | None:
    """How long a log's file of this name may be; None for a name that is none."""
    if name == CHECKPOINT_PATH:
        return MAX_NOTE_BYTES
    try:
        place = parse_place(name)
    except PeerError:
        return None
    return place.width * (2 + MAX_ENTRY_BYTES if place.level is None else HASH_BYTES)


def _bounded(path: Path, name: str, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise AuditFailure(Outcome.INVALID, f"the file has more than {limit} bytes", path=name)
    return data


def write_durably(path: Path, data: bytes) -> None:
    """A file of a log, in folders that are made where they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data, draft=path.with_name(f".{path.name}.draft"))


def write_evidence(folder: Path, notes: tuple[bytes, ...]) -> tuple[Path, ...]:
    """The signed notes that prove two histories, each under its own digest; found again, they are left as they are."""
    paths = []
    for note in notes:
        path = folder / f"{sha256(note).hexdigest()[:16]}.note"
        if not path.exists():
            write_durably(path, note)
        paths.append(path)
    return tuple(paths)
