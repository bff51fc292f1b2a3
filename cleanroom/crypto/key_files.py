"""Secrets on disk: one file a secret, mode 0600 in a 0700 folder, never overwritten, never readable by others."""

import os
import stat
from pathlib import Path

from cleanroom.errors import StateError, UsageError


def private_folder(path: Path) -> Path:
    """Create the folder with mode 0700, or check that an existing one is this user's alone; raises StateError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise StateError(f"{path} must belong to this user and to nobody else: chmod 700 {path}")
    return path


def write_secret(path: Path, secret: bytes) -> None:
    """Create a key file (O_EXCL, 0600) and make it durable; raises UsageError when it exists."""
    private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists already; a key is never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path, length: int | None = None) -> bytes:
    """Read a key file; raises StateError when it is missing, readable by others, or of another length."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe must not make us wait
    except OSError as error:
        raise StateError(f"the key file {path} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise StateError(f"the key file {path} is not a file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise StateError(f"the key file {path} must be readable by this user alone: chmod 600 {path}")
        secret = file.read(65_536)
    if length is not None and len(secret) != length:
        raise StateError(f"the key file {path} does not hold a key of this kind")
    return secret
