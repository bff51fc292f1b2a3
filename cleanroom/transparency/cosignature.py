"""A cosigner's word on a log's head, with the time it gave it (C2SP tlog-cosignature, Ed25519).

    signature field = time as 8 bytes, big-endian || Ed25519("cosignature/v1\n" || "time <t>\n" || checkpoint text)

It says: at this time, the largest tree I have seen of this log has this root, and it grew from all that I saw before.
The message does not name the cosigner, so every cosigner has a key of its own, used for nothing else.
"""

from cleanroom.crypto.signatures import SigningKey, verify
from cleanroom.errors import AuthenticationError, PeerError
from cleanroom.transparency.checkpoint import Checkpoint
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_signature_lines
from cleanroom.transparency.note_key import KeyKind, NoteKey
from cleanroom.transparency.spelling import MAX_NUMBER, utf8_text

SIGNATURE_BYTES = 8 + 64


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosign(checkpoint: Checkpoint, *, name: str, key: SigningKey, time: int) -> SignatureLine:
    """The line of the cosigner `name`; `time` in POSIX seconds. Only `witness.consider` says when that is right."""
    if not 0 <= time <= MAX_NUMBER:
        raise ValueError("a cosignature's time is out of range")
    known = NoteKey(name, KeyKind.COSIGNER, key.public_bytes())
    signature = key.sign(_message(checkpoint.text(), time))
    return SignatureLine(name, known.key_id, time.to_bytes(8, "big") + signature)


def cosigned_at(note: SignedNote, key: NoteKey) -> int | None:
    """The newest time at which this cosigner signed, None when it did not; raises AuthenticationError.

    Every line of a known key must verify, or the note is refused.
    """
    if key.kind is not KeyKind.COSIGNER:
        raise ValueError("a log's key does not cosign")
    times = [_verified_time(signature, note.text, key) for signature in note.lines_of(key)]
    return max(times, default=None)


def _verified_time(signature: bytes, text: str, key: NoteKey) -> int:
    time = int.from_bytes(signature[:8], "big")
    if len(signature) != SIGNATURE_BYTES or time > MAX_NUMBER:
        raise AuthenticationError(f"the cosignature of {key.name} is malformed")
    verify(key.public, signature[8:], _message(text, time))
    return time


def with_cosignature(note: SignedNote, answer: bytes, key: NoteKey) -> SignedNote:
    """The note with the newest line of this cosigner out of a witness's answer; raises PeerError.

    Nothing else of the answer is taken: lines of other keys, and lines that do not verify, never enter the note.
    """
    lines = parse_signature_lines(utf8_text(answer, "a witness's answer"))
    offered = SignedNote(note.text, lines)
    newest = cosigned_at(offered, key)
    if newest is None:
        raise PeerError(f"a witness's answer has no cosignature of {key.name}")
    held = cosigned_at(note, key)
    if held is not None and held >= newest:
        return note
    chosen = next(signature for signature in offered.lines_of(key) if int.from_bytes(signature[:8], "big") == newest)
    others = tuple(line for line in note.signatures if (line.name, line.key_id) != (key.name, key.key_id))
    return SignedNote(note.text, (*others, SignatureLine(key.name, key.key_id, chosen)))
