"""Give every masked identifier a slot in the match, and check the slots one was given.

Step 5 of protocol section 2. The coordinator sees which tags the two lists share, without being able to say
whose they are. Each party sees distinct random slots for its own rows, in which nothing shows who matched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanroom.crypto import _kernel
from cleanroom.crypto.refusals import refusing_peer_input

if TYPE_CHECKING:
    from typing_extensions import Buffer

SLOT_BYTES = 4


def place(tags_a: Buffer, tags_b: Buffer, *, seed: Buffer) -> tuple[bytes, bytes]:
    """Return the slots of A's rows and of B's rows, each in the order of its own list; for the coordinator.

    `tags_a` and `tags_b` are n_A * 16 and n_B * 16 bytes; slots are little-endian 32-bit numbers below n_A +
    n_B. Equal tags share a slot and different tags never do; which slots is a uniform choice, drawn from
    `seed`, 32 random bytes that the coordinator forgets with the tags.

    Raises PeerError for a list of broken length or with a tag in it twice: a party would count one person
    twice.
    """
    with refusing_peer_input():
        return _kernel.place(tags_a, tags_b, seed)


def check_slots(slots: Buffer, *, limit: int) -> None:
    """Refuse slots that are not distinct and below `limit`, which is M = n'_A + n'_B; for a party.

    `slots` is little-endian 32-bit numbers; how many there must be is for the caller to check. Two rows in
    one slot would add two people's values together. Raises PeerError.
    """
    with refusing_peer_input():
        _kernel.check_slots(slots, limit)
