"""Whether a cosigner may sign a log's new head: the whole decision, without database, clock or network.

Rules, in the order of C2SP tlog-witness: a well-formed request (400), the log that this witness follows (404), signed
by it (403), not asking for less than it says is old (400), from exactly the size that is held (409), one root for one
size (422), a valid consistency proof (422). So two heads that this key signed are always consistent.

    1. in one transaction: read what is held, `consider` the request, store `Advance.held` and `Advance.note`, commit
    2. only then `answer`

A signature that leaves before its state is on disk could be followed, after a crash, by one on another history. What
a party's cosignature says beyond consistency (it holds every entry, all room rules hold) the party checks after
`consider` and before it stores. A log that shows two roots for one size has signed its own conviction: `evidence`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import AuthenticationError, PeerError, StateError
from cleanroom.transparency.checkpoint import Checkpoint, log_lines, parse_checkpoint
from cleanroom.transparency.consistency import verify_consistency
from cleanroom.transparency.cosignature import cosign
from cleanroom.transparency.hashes import EMPTY_ROOT
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.note_key import NoteKey
from cleanroom.transparency.spelling import MAX_NUMBER
from cleanroom.transparency.witness_message import (
    INCONSISTENT,
    MALFORMED,
    OTHER_SIZE,
    UNKNOWN_LOG,
    UNSIGNED,
    WitnessAnswer,
    WitnessRequest,
    cosigned_answer,
    parse_request,
)

MAX_CLOCK_STEP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Held:
    """The newest head that this witness signed, and the time it wrote; both only grow. Raises PeerError."""

    checkpoint: Checkpoint
    time: int

    def __post_init__(self) -> None:
        if not 0 <= self.time <= MAX_NUMBER:
            raise PeerError("a cosignature's time is out of range")


def nothing_held(origin: str) -> Held:
    """Before the first entry of a log whose beginning the witness knows: a log of its own contract.

    A witness that joins later starts from a checkpoint given out of band, never from the first that it is shown.
    """
    return Held(Checkpoint(origin, 0, EMPTY_ROOT), 0)


@dataclass(frozen=True, slots=True)
class Advance:
    """May be signed once `held` is stored. `note` has the log's verified lines only: no stranger's line is stored."""

    held: Held
    note: SignedNote


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered and why. `evidence` is a log-signed note to keep beside the held one.

    With `is_fork` the two notes convict the log by themselves: one size, two roots. Without it a proof failed, which
    may be the proof's fault: the entries decide.
    """

    answer: WitnessAnswer
    reason: str
    evidence: SignedNote | None = None
    is_fork: bool = False


def consider(request: bytes, held: Held, log_keys: Sequence[NoteKey], now: int) -> Advance | Refusal:
    """What to do with a request at the POSIX second `now`; raises StateError when this machine's clock went back."""
    try:
        asked = parse_request(request)
        note = parse_note(asked.checkpoint)
        checkpoint = parse_checkpoint(note.text)
    except PeerError as error:
        return Refusal(WitnessAnswer(MALFORMED), str(error))
    if checkpoint.origin != held.checkpoint.origin:
        return Refusal(WitnessAnswer(UNKNOWN_LOG), "a checkpoint of a log that this witness does not follow")
    try:
        lines = log_lines(note, [key for key in log_keys if key.name == checkpoint.origin])
    except AuthenticationError as error:
        return Refusal(WitnessAnswer(UNSIGNED), str(error))
    signed = SignedNote(note.text, lines)
    refusal = _refusal(asked, checkpoint, held.checkpoint, signed)
    return refusal or Advance(Held(checkpoint, _time(held.time, now)), signed)


def _refusal(asked: WitnessRequest, new: Checkpoint, held: Checkpoint, signed: SignedNote) -> Refusal | None:
    is_fork = new.size == held.size and new.root != held.root
    if asked.old_size > new.size:
        return Refusal(WitnessAnswer(MALFORMED), "the log would shrink")
    if asked.old_size != held.size:
        answer = WitnessAnswer(OTHER_SIZE, f"{held.size}\n".encode("ascii"))
        reason = "the log asks from another size than this witness holds"
        return Refusal(answer, reason, signed if is_fork else None, is_fork)
    try:
        verify_consistency(asked.proof, old_size=held.size, old_root=held.root, new_size=new.size, new_root=new.root)
    except PeerError as error:
        return Refusal(WitnessAnswer(INCONSISTENT), str(error), signed, is_fork)
    return None


def _time(last: int, now: int) -> int:
    """Never before the last one: a clock that was set back a little waits, one that was set back a lot is mended."""
    if last - now > MAX_CLOCK_STEP_SECONDS:
        raise StateError("this machine's clock stands before the last cosignature it gave; set the clock")
    return max(now, last)


def answer(advance: Advance, *, name: str, key: SigningKey) -> WitnessAnswer:
    """The cosignature, for after `advance.held` was committed."""
    line = cosign(advance.held.checkpoint, name=name, key=key, time=advance.held.time)
    return cosigned_answer(SignedNote(advance.note.text, (line,)))
