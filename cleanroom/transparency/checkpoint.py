"""A log's head, three lines that say everything: which log, how many entries, which root (C2SP tlog-checkpoint).

    <origin>
    <size>
    <base64 of the root>

The log signs this text with its Ed25519 key, whose name is the origin. Extension lines are refused: nobody would
audit them, and witnesses disagree on whether they are signed (audit-log.md section 4).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.ids import RoomName
from cleanroom.transparency.hashes import HASH_BYTES
from cleanroom.transparency.note import SignatureLine, SignedNote
from cleanroom.transparency.note_key import KeyKind, NoteKey, is_key_name
from cleanroom.transparency.spelling import MAX_NUMBER, base64_text, decimal, hash_bytes


def log_origin(host: str, room: RoomName, number: int) -> str:
    """The name of a room's log; `number` grows when a log key was compromised and the log begins anew."""
    return f"{host}/{room}/log/{number}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of `size` entries has this root of 32 bytes. Who said so is another question."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.origin):
            raise PeerError("a checkpoint's origin is not a plain name")
        if not 0 <= self.size <= MAX_NUMBER or len(self.root) != HASH_BYTES:
            raise PeerError("a checkpoint's size or root is out of range")

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The head in a note's text, without any check of who signed it; raises PeerError."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise PeerError("a checkpoint has exactly three lines: origin, size and root")
    return Checkpoint(lines[0], decimal(lines[1], "a checkpoint's size"), hash_bytes(lines[2], "a checkpoint's root"))


def sign_checkpoint(checkpoint: Checkpoint, log_key: SigningKey) -> SignedNote:
    """The note of a log whose key is `log_key`."""
    key = NoteKey(checkpoint.origin, KeyKind.LOG, log_key.public_bytes())
    signature = log_key.sign(checkpoint.text().encode("utf-8"))
    return SignedNote(checkpoint.text(), (SignatureLine(key.name, key.key_id, signature),))


def log_lines(note: SignedNote, log_keys: Iterable[NoteKey]) -> tuple[SignatureLine, ...]:
    """The lines of these log keys, every one verified, at least one; raises AuthenticationError.

    A bad line under a known key refuses the whole note (signed-note, Signatures). More than one key is known while a
    log changes its key.
    """
    found: list[SignatureLine] = []
    for key in log_keys:
        if key.kind is KeyKind.LOG:
            for signature in note.lines_of(key):
                verify(key.public, signature, note.text.encode("utf-8"))
                found.append(SignatureLine(key.name, key.key_id, signature))
    if not found:
        raise AuthenticationError("a checkpoint is not signed by the log it names")
    return tuple(found)


def open_checkpoint(note: SignedNote, log_keys: Iterable[NoteKey]) -> Checkpoint:
    """The head that its log signed; raises PeerError or AuthenticationError."""
    checkpoint = parse_checkpoint(note.text)
    log_lines(note, [key for key in log_keys if key.name == checkpoint.origin])
    return checkpoint
