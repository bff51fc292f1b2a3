"""A signed note: text that people can read, and a line for each signature (C2SP signed-note, Format).

    text, ending in a line feed
    (an empty line)
    — <key name> <base64(key id (4 bytes) || signature)>      one line or more; U+2014, then a space

Reading decides nothing about trust: `lines_of` picks the lines of a key that the caller knows. A line with only the
name or only the id of a known key is somebody else's and ignored. What is stored or passed on is built anew from
lines that verified; whoever forwards a line that it did not check forwards somebody's forgery.
"""

from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.note_key import NoteKey, is_key_name
from cleanroom.transparency.spelling import base64_bytes, base64_text, utf8_text

MAX_NOTE_BYTES = 128 * 1024
MAX_SIGNATURES = 100
_MARK = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature: `key_id` has four bytes, `signature` at least one."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.key_id) != 4 or not self.signature:
            raise PeerError("a signature line lacks its name, its key id or its signature")

    def text(self) -> str:
        """The line with its line feed."""
        return f"{_MARK}{self.name} {base64_text(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """`text` ends in a line feed; nothing has been verified."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise PeerError("a note's text does not end in a line feed")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise PeerError(f"a note carries 1 to {MAX_SIGNATURES} signatures")

    def to_bytes(self) -> bytes:
        """The note as it is stored and sent."""
        return (self.text + "\n" + "".join(line.text() for line in self.signatures)).encode("utf-8")

    def lines_of(self, key: NoteKey) -> tuple[bytes, ...]:
        """The signatures of all lines that name this key; each of them must verify."""
        key_id = key.key_id
        return tuple(line.signature for line in self.signatures if line.name == key.name and line.key_id == key_id)


def parse_signature_lines(text: str) -> tuple[SignatureLine, ...]:
    """One line or more, each with its line feed; raises PeerError."""
    *lines, rest = text.split("\n")  # not splitlines, which also splits at U+0085 and U+2028
    if rest or not lines or len(lines) > MAX_SIGNATURES:
        raise PeerError(f"a note ends in 1 to {MAX_SIGNATURES} signature lines")
    return tuple(_signature_line(line) for line in lines)


def _signature_line(line: str) -> SignatureLine:
    if not line.startswith(_MARK):
        raise PeerError("a signature line does not begin with an em dash and a space")
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    data = base64_bytes(encoded, "a note's signature")
    return SignatureLine(name, data[:4], data[4:])


def parse_note(data: bytes) -> SignedNote:
    """The note in these bytes, up to 128 KiB; raises PeerError."""
    if len(data) > MAX_NOTE_BYTES:
        raise PeerError(f"a note has more than {MAX_NOTE_BYTES} bytes")
    text, empty_line, signatures = utf8_text(data, "a note").rpartition("\n\n")
    if not empty_line:
        raise PeerError("a note has no empty line before its signatures")
    return SignedNote(text + "\n", parse_signature_lines(signatures))
