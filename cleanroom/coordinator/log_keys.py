"""The log's keys in the coordinator's home, as one contract needs them.

The contract names one. Older ones that signed heads of this very log go on signing beside it, as long as their files
are in the home: that is the overlap, for readers who do not have the new agreement yet. A key that never signed this
log signs nothing in it: the stolen one of the log before, and the next one, which no contract names yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.coordinator.former_store import former_notes
from cleanroom.coordinator.head_table import stored_heads
from cleanroom.coordinator.home import CoordinatorHome
from cleanroom.coordinator.store import Store
from cleanroom.crypto.signatures import SigningKey
from cleanroom.errors import UsageError
from cleanroom.querylog.log_policy import origin_of
from cleanroom.question.contract import Contract
from cleanroom.transparency.checkpoint import Checkpoint, sign_checkpoint
from cleanroom.transparency.note import SignedNote, parse_note
from cleanroom.transparency.note_key import KeyKind, NoteKey


@dataclass(frozen=True, slots=True)
class LogKeys:
    """`key` is the contract's, `overlap` sign beside it; `known` are all of ours, `goes` the vkeys from before."""

    key: SigningKey
    overlap: tuple[SigningKey, ...]
    known: tuple[NoteKey, ...]
    goes: tuple[str, ...]

    @staticmethod
    def of(home: CoordinatorHome, contract: Contract, store: Store) -> "LogKeys":
        """Raises StateError when a file is missing, UsageError when a new log would have the key of the one before."""
        key, number = home.log_key(contract.coordinator.log_key), contract.log_number
        others = [one for one in home.log_keys() if one.public_bytes() != key.public_bytes()]
        origin = origin_of(contract, number)
        with store.reading() as tx:
            heads = [note for _, note in stored_heads(tx)]
        overlap = _signers(origin, others, heads[-1:])
        goes = [_note_key(origin, one).vkey() for one in overlap]
        if contract.follows and not heads:
            before, notes = origin_of(contract, number - 1), former_notes(home.database(contract.room, number - 1))
            if _signers(before, [key], notes):
                raise UsageError(
                    f"log {number} would have the key of log {number - 1}: cleanroom coordinator rotate-log-key, and an"
                    " agreement with the new card"
                )
            goes = [_note_key(before, one).vkey() for one in _signers(before, others, notes[-1:])]
        return LogKeys(key, tuple(overlap), tuple(_note_key(origin, one) for one in (key, *others)), tuple(goes))


def signed_by_all(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> SignedNote:
    """The note of a head with a line of each of these keys."""
    notes = [sign_checkpoint(checkpoint, key) for key in keys]
    return SignedNote(notes[0].text, tuple(line for note in notes for line in note.signatures))


def _signers(origin: str, keys: Sequence[SigningKey], notes: Sequence[bytes]) -> list[SigningKey]:
    """Those of these keys that have a line on one of these heads."""
    parsed = [parse_note(note) for note in notes]
    return [key for key in keys if any(note.lines_of(_note_key(origin, key)) for note in parsed)]


def _note_key(origin: str, key: SigningKey) -> NoteKey:
    return NoteKey(origin, KeyKind.LOG, key.public_bytes())
