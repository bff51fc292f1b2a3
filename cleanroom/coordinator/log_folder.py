"""The log as files for auditors, one folder a room: every file appears whole and durable, the checkpoint last.

Each file is written beside its place, forced to disk and renamed; then the folders are forced to disk; then the
checkpoint in the same way. So whoever finds a checkpoint finds all that it needs, whenever the power goes. The database
is the truth: the folder may be deleted and is made again.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from cleanroom.crypto.key_files import private_folder
from cleanroom.errors import PeerError, StateError
from cleanroom.transparency.export import CHECKPOINT_PATH
from cleanroom.transparency.note import MAX_NOTE_BYTES
from cleanroom.transparency.tile import Place, parse_place, partial_places

_DRAFT = ".draft"
_MAX_FILE_BYTES = 256 * (2 + 65_535)


class LogFolder:
    """Raises StateError when the folder is open to others or cannot be read."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self.path = private_folder(path)

    def checkpoint(self) -> bytes | None:
        """The exported checkpoint, None before the first."""
        return self._read(CHECKPOINT_PATH, MAX_NOTE_BYTES)

    def has(self, place: Place) -> bool:
        """Whether this tile or bundle is there."""
        return (self.path / place.path).exists()

    def file(self, place: Place) -> bytes | None:
        """A tile or a bundle, None when it is not there."""
        return self._read(place.path, _MAX_FILE_BYTES)

    def write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Put these files, by name, in their places; durable when this returns."""
        touched: set[Path] = set()
        for name, data in files:
            path = self.path / name
            touched |= _make_folder(path.parent)
            draft = path.with_name(path.name + _DRAFT)
            with draft.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        for folder in sorted(touched):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def forget(self, places: Iterable[Place]) -> None:
        """Delete files that no checkpoint needs any more; what is gone already is gone."""
        for place in places:
            path = self.path / place.path
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)

    def sweep(self, size: int) -> None:
        """Delete drafts of a process that was killed, and partial tiles that a log of this size does not need."""
        needed = {place.path for place in partial_places(size)}
        for path in list(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if name.endswith(_DRAFT) or (_is_partial(name) and name not in needed):
                path.unlink(missing_ok=True)
                _remove_if_empty(path.parent)

    def _read(self, name: str, limit: int) -> bytes | None:
        path = self.path / name
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"{path} cannot be read: {error.strerror}") from None
        if len(data) > limit:
            raise StateError(f"{path} is longer than such a file can be")
        return data


def _make_folder(folder: Path) -> set[Path]:
    """The folder, made if needed; every folder whose list of names has changed or will change."""
    touched = {folder}
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700)
        touched.add(path.parent)
    return touched


def _is_partial(name: str) -> bool:
    try:
        return parse_place(name).width < 256
    except PeerError:
        return False


def _remove_if_empty(folder: Path) -> None:
    if folder.suffix == ".p":
        try:
            folder.rmdir()
        except OSError:
            return
