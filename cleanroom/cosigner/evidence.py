"""What convicts a log, as files that can be handed to anybody: the note we held and the note that contradicts it.

They are rows of the mirror first; the files are written from them again at every start. Whoever has the log's public
key can check them without us: `evidence/<n>-ours.note` and `evidence/<n>-theirs.note`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cleanroom.crypto.key_files import private_folder


@dataclass(frozen=True, slots=True)
class Evidence:
    """`ours` is empty where we held nothing yet; `is_split`: two histories, otherwise a broken rule of the room."""

    number: int
    is_split: bool
    why: str
    ours: bytes
    theirs: bytes


def next_number(folder: Path) -> int:
    """The first number whose files are not in the folder, which several mirrors may share."""
    names = [path.name.partition("-")[0] for path in folder.glob("*.note")]
    return 1 + max((int(name) for name in names if name.isascii() and name.isdecimal()), default=0)


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Both files, durable when this returns; those that are there already are left alone."""
    private_folder(folder)
    for whose, note in (("ours", evidence.ours), ("theirs", evidence.theirs)):
        path = folder / f"{evidence.number}-{whose}.note"
        if note and not path.exists():
            draft = path.with_suffix(".draft")
            with draft.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
