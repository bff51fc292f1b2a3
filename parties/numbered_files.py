"""Key and card files of which newer ones stand beside older ones: `name.suffix`, `name.2.suffix`, `name.3.suffix`.

Nothing is ever overwritten or moved, so whatever was agreed on with an older one goes on; an operator deletes files.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from cleanroom.crypto.key_files import read_secret
from cleanroom.crypto.signatures import SigningKey
from cleanroom.crypto.unsealing import SealingKey

_Key = TypeVar("_Key", SigningKey, SealingKey)


def secrets(folder: Path, name: str, length: int) -> list[bytes]:
    """Every key of this name, oldest first; raises StateError when there is none."""
    files = numbered(folder, name, "key") or [folder / f"{name}.key"]
    return [read_secret(file, length) for file in files]


def of_public(keys: Sequence[_Key], public: bytes | None) -> _Key:
    """The one of this public key; the newest where there is none such, which everything that needs it refuses."""
    return next((key for key in keys if key.public_bytes() == public), keys[-1])


def numbered(folder: Path, name: str, suffix: str) -> list[Path]:
    """`name.suffix`, `name.2.suffix` and so on, as far as they are there, oldest first."""
    found = [(1, folder / f"{name}.{suffix}")] if (folder / f"{name}.{suffix}").exists() else []
    for file in folder.glob(f"{name}.*.{suffix}"):
        number = file.name.removeprefix(f"{name}.").removesuffix(f".{suffix}")
        if number.isascii() and number.isdigit():
            found.append((int(number), file))
    return [file for _, file in sorted(found)]


def newest(folder: Path, name: str, suffix: str) -> Path:
    """The one of the highest number; the first one's name where there is none."""
    return next(reversed(numbered(folder, name, suffix)), folder / f"{name}.{suffix}")


def next_file(folder: Path, name: str, suffix: str) -> Path:
    """Where the next newer one goes."""
    found = newest(folder, name, suffix).name.split(".")
    return folder / f"{name}.{int(found[1]) + 1 if len(found) > 2 else 2}.{suffix}"
