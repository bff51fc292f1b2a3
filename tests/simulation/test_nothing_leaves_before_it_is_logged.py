"""The owner is who makes "no answer without a log entry" true: what each proof has to come before, it comes before.

Protocol section 4. The coordinator takes a statement of the owner's and keeps the proof to itself: the owner goes no
further. When it gives the proof out after all, the same question is answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from cleanroom.errors import UnavailableError
from cleanroom.privacy.law import Law
from cleanroom.querylog.chain import LogProof
from cleanroom.querylog.dsse import peek_statement
from cleanroom.wire.messages import Envelope
from tests.simulation.stepped_room import SteppedRoom, stepped_room

AFTER: dict[str, set[str]] = {"budget.debit": set(), "answer.released": {"question.rows"}}


@dataclass
class CountedNoise:
    """Zeros, counted."""

    draws: int = 0

    def draw(self, count: int, scale: Fraction, law: Law) -> list[int]:
        """`count` zeros."""
        self.draws += 1
        return [0] * count


def withheld(kind: str) -> Callable[[LogProof, bytes], LogProof]:
    """A coordinator that takes statements of this kind and gives no proof of them."""

    def proof(given: LogProof, statement: bytes) -> LogProof:
        if peek_statement(statement)["kind"] == kind:
            raise UnavailableError("the coordinator keeps the proof to itself")
        return given

    return proof


def kinds_sent(room: SteppedRoom, name: str) -> set[str]:
    """The kinds of messages about questions that reached the other side."""
    return {
        item.kind
        for party in room.parties.values()
        for item in (delivery.item for delivery in party.relayed.received)
        if isinstance(item, Envelope) and item.sender == name and item.kind.startswith("question.")
    }


@pytest.mark.parametrize("kind", AFTER)
def test_without_the_proof_of_its_statement_the_owner_goes_no_further(tmp_path: Path, kind: str) -> None:
    noise = CountedNoise()
    with stepped_room(tmp_path, noise=noise) as room:
        brand, room.patience_s = room["brand"], 2.0
        brand.relayed.proof = withheld(kind)
        with pytest.raises(AssertionError, match="no answer"):
            room.ask("shop", "brand")
        assert kinds_sent(room, "brand") == AFTER[kind]
        assert noise.draws == len(AFTER[kind])
        assert brand.spent("shop") > 0, "what is reserved counts as spent while the proof is waited for"
        brand.relayed.proof = lambda proof, _: proof
        room.settle()
        assert room["shop"].states("question") == ["answered"]
        assert noise.draws == 1
        assert room.incidents() == []
