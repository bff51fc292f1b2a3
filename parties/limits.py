"""How long a peer's message can be: what the contract makes possible for its kind, and not a piece more.

Nothing of a longer message is kept, and a message of a kind that is not listed is refused before it is stored. Without
this a party of the room could fill another's disk with pieces of messages that never become whole.
"""

from collections.abc import Mapping

from cleanroom.question.contract import Contract
from parties.post import PIECE_BYTES

MAX_UNFINISHED = 32
_HEADER_BYTES = 1 << 16
_MATRIX_BLOCK_BYTES, _MATRIX_BLOCK_SLOTS, _MAX_DEPTH = 2048, 128, 8
_CORRECTION_BYTES = 32
_MAX_ROW_BYTES = 255 * 8

SHORT_KINDS = (
    "match.hello",
    "match.abort",
    "setup.open",
    "setup.base",
    "setup.challenge",
    "setup.answer",
    "setup.abort",
    "question.plan",
    "question.pending",
    "question.release",
    "question.released",
    "question.refused",
    "question.voided",
    "room.stopped",
    "log.head",
)


def most_pieces(contract: Contract) -> Mapping[str, int]:
    """The largest number of pieces of each kind of message that this contract allows."""
    capacity = max(dataset.capacity for dataset in contract.datasets.values())
    slots = 2 * capacity
    blocks = -(-slots // _MATRIX_BLOCK_SLOTS)
    long_kinds = {
        "match.points": 32 * capacity,
        "match.dummies": 8 * capacity,
        "setup.matrix": _MATRIX_BLOCK_BYTES * (blocks * _MAX_DEPTH + 1),
        "setup.corrections": _CORRECTION_BYTES * slots * (_MAX_DEPTH - 1),
        "question.rows": _MAX_ROW_BYTES * slots,
    }
    pieces = {kind: -(-(_HEADER_BYTES + size) // PIECE_BYTES) for kind, size in long_kinds.items()}
    return {**dict.fromkeys(SHORT_KINDS, 1), **pieces}
