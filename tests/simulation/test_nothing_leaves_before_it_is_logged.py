"""The owner is who makes "no answer without a log entry" true: what each proof has to come before, it comes before.

Protocol section 4. The coordinator takes a statement of the owner's and keeps the proof to itself: the owner goes no
further. When it gives the proof out after all, the same question is answered.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.errors import UnavailableError
from cleanroom.privacy.law import Law
from cleanroom.querylog.dsse import peek_statement
from cleanroom.wire.messages import Envelope, Published
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, stepped_room

AFTER: dict[str, set[str]] = {"budget.debit": set(), "answer.released": {"question.rows"}}


@dataclass
class CountedNoise:
    """Zeros, counted."""

    draws: int = 0

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """`count` zeros."""
        self.draws += 1
        return [0] * count


def without_answer(party: SteppedParty, kind: str) -> None:
    """A coordinator that takes statements of this kind and does not say that it did."""

    def lost(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            raise UnavailableError("the coordinator does not answer")

    party.relayed.appended = lost


def without_heads(party: SteppedParty, kind: str) -> None:
    """A coordinator that takes statements of this kind and publishes nothing to their party from then on."""
    taken: list[bytes] = []

    def note(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            taken.append(statement)

    def quiet(published: Published) -> Published:
        return Published(b"", (), 0) if taken else published

    party.relayed.appended, party.relayed.heads = note, quiet


def without_the_askers_signature(party: SteppedParty, kind: str) -> None:
    """A coordinator that keeps back who else has cosigned, once a statement of this kind was taken."""
    taken: list[bytes] = []

    def note(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            taken.append(statement)

    def alone(published: Published) -> Published:
        return replace(published, notes=(), version=0) if taken else published

    party.relayed.appended, party.relayed.heads = note, alone


WITHHELD: dict[str, Callable[[SteppedParty, str], None]] = {
    "the answer": without_answer,
    "the heads": without_heads,
    "the asker's signature": without_the_askers_signature,
}


def kinds_sent(room: SteppedRoom, name: str) -> set[str]:
    """The kinds of messages about questions that reached the other side."""
    return {
        item.kind
        for party in room.parties.values()
        for item in (delivery.item for delivery in party.relayed.received)
        if isinstance(item, Envelope) and item.sender == name and item.kind.startswith("question.")
    }


@pytest.mark.parametrize("how", WITHHELD)
@pytest.mark.parametrize("kind", AFTER)
def test_without_the_proof_of_its_statement_the_owner_goes_no_further(tmp_path: Path, kind: str, how: str) -> None:
    noise = CountedNoise()
    with stepped_room(tmp_path, noise=noise) as room:
        brand, room.patience_s = room["brand"], 2.0
        WITHHELD[how](brand, kind)
        with pytest.raises(AssertionError, match="no answer"):
            room.ask("shop", "brand")
        assert kinds_sent(room, "brand") == AFTER[kind]
        assert noise.draws == len(AFTER[kind])
        assert brand.spent("shop") > 0, "what is reserved counts as spent while the proof is waited for"
        brand.relayed.appended = lambda _: None
        brand.relayed.heads = lambda published: published
        room.settle()
        assert room["shop"].states("question") == ["answered"]
        assert noise.draws == 1
        assert room.incidents() == []
