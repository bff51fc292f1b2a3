"""Files given by hand are read within a bound; files that others rely on are replaced as a whole, durably."""

import os
from contextlib import suppress
from pathlib import Path

from cleanroom.errors import UsageError

MAX_INPUT_BYTES = 1 << 20


def read_input(path: Path, limit: int = MAX_INPUT_BYTES) -> bytes:
    """A file given by hand; raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise UsageError(f"{path} is longer than {limit} bytes")
    return data


def write_output(path: Path, data: bytes) -> None:
    """A file that somebody asked for, all of it or nothing; raises UsageError."""
    try:
        _put(path, data, path.with_name(f".{path.name}.{os.getpid()}"))
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UsageError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None


def replace_file(path: Path, data: bytes, *, mode: int | None = None, draft: Path | None = None) -> None:
    """All of it or nothing, on the disk when this returns; `mode` says who may read it, else the umask does.

    It is written to `draft` first, by default a name of this process's own. A fixed one is for a folder that has one
    writer: what a crash left behind is then written over. Where writing fails, nothing is left behind.
    """
    _put(path, data, draft or path.with_name(f".{path.name}.{os.getpid()}"), mode)
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _put(path: Path, data: bytes, draft: Path, mode: int | None = None) -> None:
    try:
        with draft.open("wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
