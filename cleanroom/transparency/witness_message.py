"""What a log sends to a witness and what it hears, byte for byte as in C2SP tlog-witness, whatever carries it.

    old <size>
    <base64 of a hash>             the consistency proof, up to 63 lines
    (an empty line)
    the signed checkpoint

Answers: 200 signature lines; 400 malformed, or old above the checkpoint's size; 403 no signature of the log; 404 not a
log it follows; 409 the witness holds another size, which it says; 422 a failing proof, or a second root for one size.
"""

from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import HASH_BYTES
from cleanroom.transparency.note import MAX_NOTE_BYTES, SignedNote
from cleanroom.transparency.spelling import MAX_NUMBER, base64_text, decimal, hash_bytes, utf8_text

MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 64 * 46
SIZE_CONTENT_TYPE = "text/x.tlog.size"
COSIGNED, MALFORMED, UNSIGNED, UNKNOWN_LOG, OTHER_SIZE, INCONSISTENT = 200, 400, 403, 404, 409, 422
_STATUSES = frozenset({COSIGNED, MALFORMED, UNSIGNED, UNKNOWN_LOG, OTHER_SIZE, INCONSISTENT})


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """`checkpoint` is the whole note, not read yet. Raises PeerError."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.old_size <= MAX_NUMBER or len(self.proof) > MAX_PROOF_LINES:
            raise PeerError(f"a witness is asked with a size and up to {MAX_PROOF_LINES} hashes")
        if any(len(part) != HASH_BYTES for part in self.proof):
            raise PeerError("a consistency proof has a hash that is not 32 bytes")

    def to_bytes(self) -> bytes:
        """The request's body."""
        lines = [f"old {self.old_size}", *(base64_text(part) for part in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode("ascii") + self.checkpoint


def parse_request(data: bytes) -> WitnessRequest:
    """The request in a body; raises PeerError."""
    if len(data) > MAX_REQUEST_BYTES:
        raise PeerError("a witness request is too long")
    head, empty_line, checkpoint = data.partition(b"\n\n")
    if not empty_line:
        raise PeerError("a witness request has no empty line before its checkpoint")
    first, *lines = utf8_text(head, "a witness request").split("\n")
    if not first.startswith("old "):
        raise PeerError("a witness request begins with the old size")
    old_size = decimal(first.removeprefix("old "), "the old size")
    if len(lines) > MAX_PROOF_LINES:
        raise PeerError(f"a consistency proof has up to {MAX_PROOF_LINES} hashes")
    return WitnessRequest(old_size, tuple(hash_bytes(line, "a consistency proof") for line in lines), checkpoint)


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """A status of the list above and the body that goes with it. Raises PeerError."""

    status: int
    body: bytes = b""

    def __post_init__(self) -> None:
        if self.status not in _STATUSES or len(self.body) > MAX_NOTE_BYTES:
            raise PeerError("a witness gave an answer that the specification does not know")

    def held_size(self) -> int:
        """The size that the witness holds, out of a 409; raises PeerError."""
        text = utf8_text(self.body, "a witness's answer")
        if self.status != OTHER_SIZE or not text.endswith("\n"):
            raise PeerError("a witness's answer does not say its size")
        return decimal(text[:-1], "a witness's size")


def cosigned_answer(note: SignedNote) -> WitnessAnswer:
    """200 with the lines of this note, which are the witness's own."""
    return WitnessAnswer(COSIGNED, "".join(line.text() for line in note.signatures).encode("utf-8"))
