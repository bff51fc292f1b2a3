"""A receipt that anybody can check alone: this entry stands in the log, and these cosigners saw it (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <base64>                 optional; signed by nobody, so believed by nobody
    index <n>
    <base64 of a hash>             the inclusion proof, from the leaf upwards, up to 63 lines
    (an empty line)
    the cosigned checkpoint

The specification is a draft; the first line is what tells a later format from this one.
"""

from dataclasses import dataclass

from cleanroom.errors import PeerError
from cleanroom.transparency.hashes import HASH_BYTES, leaf_hash
from cleanroom.transparency.head import Freshness, Head, check_quorum, read_head
from cleanroom.transparency.inclusion import verify_inclusion
from cleanroom.transparency.note import MAX_NOTE_BYTES, parse_note
from cleanroom.transparency.outcome import AuditFailure, Outcome
from cleanroom.transparency.policy import Policy
from cleanroom.transparency.spelling import MAX_NUMBER, base64_bytes, base64_text, decimal, hash_bytes, utf8_text

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
MAX_EXTRA_BYTES = 48_000  # other readers take lines of less than 64 KiB
MAX_PROOF_BYTES = MAX_NOTE_BYTES + MAX_EXTRA_BYTES * 4 // 3 + 64 * 46


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What a receipt says; nothing is verified. `checkpoint` is the whole signed note. Raises PeerError."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_NUMBER or len(self.hashes) > MAX_HASHES:
            raise PeerError("a receipt's index or proof is out of range")
        if any(len(part) != HASH_BYTES for part in self.hashes):
            raise PeerError("a receipt has a hash that is not 32 bytes")
        if self.extra is not None and len(self.extra) > MAX_EXTRA_BYTES:
            raise PeerError("a receipt's extra data is too long")
        parse_note(self.checkpoint)

    def to_bytes(self) -> bytes:
        """The file."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {base64_text(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [base64_text(part) for part in self.hashes]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode("ascii") + self.checkpoint


def parse_proof(data: bytes) -> ProofFile:
    """The receipt in a file; raises PeerError."""
    if len(data) > MAX_PROOF_BYTES:
        raise PeerError("a receipt is too long")
    head, empty_line, checkpoint = data.partition(b"\n\n")
    if not empty_line:
        raise PeerError("a receipt has no empty line before its checkpoint")
    first, *lines = utf8_text(head, "a receipt").split("\n")
    if first != FIRST_LINE:
        raise PeerError(f"a receipt begins with the line {FIRST_LINE}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = base64_bytes(lines.pop(0).removeprefix("extra "), "a receipt's extra data")
    if not lines or not lines[0].startswith("index "):
        raise PeerError("a receipt does not say the entry's index")
    index = decimal(lines.pop(0).removeprefix("index "), "a receipt's index")
    return ProofFile(index, tuple(hash_bytes(line, "a receipt's hash") for line in lines), checkpoint, extra)


def verify_proof(data: bytes, entry: bytes, policy: Policy, freshness: Freshness | None = None) -> tuple[int, Head]:
    """The entry's index and the cosigned head that covers it, by nothing but these bytes; raises AuditFailure."""
    try:
        proof = parse_proof(data)
    except PeerError as error:
        raise AuditFailure(Outcome.INVALID, str(error), path="receipt") from error
    head = read_head(proof.checkpoint, policy, "receipt")
    try:
        verify_inclusion(
            leaf_hash(entry), proof.hashes, head.checkpoint.root, index=proof.index, size=head.checkpoint.size
        )
    except PeerError as error:
        raise AuditFailure(Outcome.INVALID, str(error), path="receipt", index=proof.index) from error
    check_quorum(head, policy, freshness, "receipt")
    return proof.index, head
