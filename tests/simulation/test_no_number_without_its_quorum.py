"""A release leaves, and a number is shown, only with a proof that asker, owner and required auditor cosigned its leaf.

Whoever makes up such a proof holds the log's own key and can relay, drop and reorder everybody's signatures: true ones
of other heads, of parties that were not asked, of too few. The owner checks what it releases by its own copy of the
log, each side checks what the other one sends by the proof file alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from cleanroom.errors import CleanroomError
from cleanroom.ids import PartyName
from cleanroom.querylog.dsse import peek_statement
from cleanroom.querylog.log_policy import cosigner_key
from cleanroom.transparency.checkpoint import open_checkpoint, parse_checkpoint
from cleanroom.transparency.cosignature import cosign
from cleanroom.transparency.note import SignatureLine, SignedNote, parse_note
from cleanroom.transparency.proof_file import ProofFile, parse_proof
from cleanroom.wire.messages import Envelope, Published
from tests.simulation.stepped_auditor import EYE, SteppedAuditor, audited_room
from tests.simulation.stepped_room import SteppedParty, SteppedRoom, once
from tests.simulation.test_nothing_leaves_before_it_is_logged import CountedNoise

ASKER, OWNER, THIRD = "shop", "brand", "airline"


class Liar:
    """The coordinator: it makes notes out of other notes."""

    def __init__(self, room: SteppedRoom) -> None:
        self.room = room
        self.log, *_ = (key for key in room["shop"].opened.desk.log_policy.log_keys)

    def line(self, note: SignedNote, name: str) -> tuple[SignatureLine, ...]:
        """Somebody's line in a note."""
        key = cosigner_key(self.room.contract, PartyName(name))
        return tuple(one for one in note.signatures if one.name == key.name)

    def of(self, note: SignedNote, *names: str) -> SignedNote:
        """The note with the log's line and these."""
        own = tuple(one for one in note.signatures if one.name == self.log.name)
        return SignedNote(note.text, (*own, *(line for name in names for line in self.line(note, name))))

    def third(self, note: SignedNote) -> SignedNote:
        """With the true line of a party that was neither asked nor asks."""
        head = parse_checkpoint(note.text)
        name = cosigner_key(self.room.contract, PartyName(THIRD)).name
        key = self.room[THIRD].opened.desk.keys.cosigning
        line = cosign(head, name=name, key=key, time=int(self.room[THIRD].opened.desk.clock()))
        return SignedNote(note.text, (*note.signatures, line))

    def elsewhere(self, note: SignedNote, name: str) -> SignedNote:
        """With somebody's true line of an older head."""
        mine = parse_checkpoint(note.text).size
        notes = self.room[name].node.watch.mirror._shelf.notes
        older = [line for size, one in sorted(notes.items()) if size < mine for line in self.line(one.note, name)]
        return SignedNote(note.text, (*note.signatures, *older[:1]))


Lie = Callable[[Liar, SignedNote, str], SignedNote]
LIES: dict[str, Lie] = {
    "cosigned by nobody": lambda liar, note, _: liar.of(note),
    "cosigned by whom it suits alone": lambda liar, note, peer: liar.of(note, peer),
    "without the auditor's cosignature": lambda liar, note, _: liar.of(note, ASKER, OWNER),
    "with a third party's cosignature instead": lambda liar, note, peer: liar.third(liar.of(note, peer, EYE)),
    "with a cosignature of an older head": lambda liar, note, peer: liar.elsewhere(
        liar.of(note, peer, EYE), other_than(peer)
    ),
}


def other_than(peer: str) -> str:
    """The other side of the question."""
    return OWNER if peer == ASKER else ASKER


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SteppedRoom, SteppedAuditor, CountedNoise]]:
    """A room with an answer; every lie leaves it in working order."""
    noise = CountedNoise()
    with audited_room(tmp_path_factory.mktemp("room"), ASKER, OWNER, THIRD, noise=noise) as (room, eye):
        room.ask(ASKER, OWNER, epsilon="0.5")
        room.settle()
        yield room, eye, noise


class Watched:
    """What has left and been shown so far."""

    def __init__(self, room: SteppedRoom) -> None:
        self.room = room
        self.counter = len(room.log("question.asked"))

    def question(self) -> dict[str, str]:
        """One that was never asked."""
        return {"epsilon": f"0.{1000 + self.counter}"}

    def released(self) -> set[str]:
        """Plans of which a release has reached the asker's mailbox."""
        return {
            delivery.item.subject_id.hex()
            for delivery in self.room[ASKER].relayed.received
            if isinstance(delivery.item, Envelope) and delivery.item.kind == "question.release"
        }

    def shown(self) -> list[tuple[Any, ...]]:
        """Answers that the asker could show."""
        return self.room[ASKER].look("SELECT id FROM bulk WHERE kind = 'answer' ORDER BY id")

    def asked_in_vain(self) -> None:
        """No answer, for whatever reason."""
        with pytest.raises((AssertionError, CleanroomError)):
            self.room.ask(ASKER, OWNER, **self.question())

    def asked(self) -> None:
        """Asked until answered, as an analyst does when told so."""
        with suppress(CleanroomError):
            self.room.ask(ASKER, OWNER, **self.question())
        assert self.room.ask(ASKER, OWNER, **self.question()).state == "answered"


# ---- a proof that the other side sends -------------------------------------------------------------------------------


PROOFS: dict[str, Callable[[Liar, str, str], str]] = {
    **{
        name: lambda liar, proof, sender, lie=lie: remade(liar, proof, sender, lie)  # type: ignore[misc] # bound now
        for name, lie in LIES.items()
    },
    "of another entry": lambda liar, _, sender: other_proof(liar.room[sender]),
    "none": lambda *_: "",
}


def remade(liar: Liar, proof: str, sender: str, lie: Lie) -> str:
    """The proof under another note of the same head."""
    parsed = parse_proof(proof.encode())
    note = lie(liar, parse_note(parsed.checkpoint), sender)
    return ProofFile(parsed.index, parsed.hashes, note.to_bytes()).to_bytes().decode()


def other_proof(party: SteppedParty) -> str:
    """A true one, of what this party said first."""
    return str(party.look("SELECT proof FROM statement WHERE proof != '' ORDER BY rowid LIMIT 1")[0][0])


QUICK = ("without the auditor's cosignature", "with a third party's cosignature instead")


def all_of(lies: Mapping[str, object]) -> list[object]:
    """Two of them at once, the others with the slow tests."""
    return [pytest.param(lie, marks=() if lie in QUICK else pytest.mark.slow) for lie in lies]


@pytest.mark.parametrize("lie", all_of(PROOFS))
@pytest.mark.parametrize(("sender", "kind"), [(ASKER, "question.plan"), (OWNER, "question.released")])
def test_a_plan_or_an_answer_whose_proof_lacks_somebody_of_the_quorum_gets_nowhere(
    sender: str, kind: str, lie: str, audited: tuple[SteppedRoom, SteppedAuditor, CountedNoise]
) -> None:
    """A hostile asker gets no unit charged and no row read; a hostile owner gets no number shown."""
    room, _, noise = audited
    watched, liar = Watched(room), Liar(room)
    spent, draws, shown = room[OWNER].spent(ASKER), noise.draws, watched.shown()

    def change(header: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        return {**header, "proof": PROOFS[lie](liar, header["proof"], sender)}, blob

    once(room[sender], kind, change)
    room.patience_s = 1.0
    watched.asked_in_vain()
    assert watched.shown() == shown
    if kind == "question.plan":
        assert (room[OWNER].spent(ASKER), noise.draws) == (spent, draws)
    room.patience_s = 20.0
    room.settle()
    watched.asked()
    assert len(watched.shown()) == len(shown) + 1
    room.settle()


# ---- a head that the log shows to the owner --------------------------------------------------------------------------


def lying_about(liar: Liar, kind: str, lie: Lie) -> None:
    """Once the owner has said this, its copy gets no other cosignatures than these."""
    said: list[bytes] = []
    owner = liar.room[OWNER]

    def note(statement: bytes) -> None:
        if peek_statement(statement)["kind"] == kind:
            said.append(statement)

    def changed(published: Published) -> Published:
        if not said:
            return published
        return replace(published, notes=tuple(lie(liar, parse_note(one), OWNER).to_bytes() for one in published.notes))

    owner.relayed.appended, owner.relayed.heads = note, changed


@pytest.mark.parametrize("lie", all_of(LIES))
@pytest.mark.parametrize("kind", ["budget.debit", "answer.released"])
def test_the_owner_releases_nothing_under_a_head_that_lacks_somebody_of_the_quorum(
    kind: str, lie: str, audited: tuple[SteppedRoom, SteppedAuditor, CountedNoise]
) -> None:
    room, _, noise = audited
    watched, owner = Watched(room), room[OWNER]
    released, shown, draws = watched.released(), watched.shown(), noise.draws
    lying_about(Liar(room), kind, LIES[lie])
    room.patience_s = 1.0
    watched.asked_in_vain()
    assert (watched.released(), watched.shown()) == (released, shown)
    assert noise.draws == draws + (kind == "answer.released")
    owner.relayed.appended, owner.relayed.heads = lambda _: None, lambda published: published
    owner.node.watch.cosigning._cosigner._seen = 0  # what it was offered it asks for once
    room.patience_s = 20.0
    assert room.ask(ASKER, OWNER, **watched.question()).state == "answered"
    assert len(watched.released()) == len(released) + 1
    assert noise.draws == draws + 1
    room.settle()


def test_the_answer_carries_a_proof_that_all_three_cosigned(
    audited: tuple[SteppedRoom, SteppedAuditor, CountedNoise],
) -> None:
    """And the asker's receipt is that proof."""
    room, _, _ = audited
    asked = room.ask(ASKER, OWNER, epsilon="0.5")
    receipt = room[ASKER].node.asking.receipt(asked.plan)
    note = parse_note(parse_proof(receipt["proof"].encode()).checkpoint)
    open_checkpoint(note, room[ASKER].opened.desk.log_policy.log_keys)
    assert all(Liar(room).line(note, name) for name in (ASKER, OWNER, EYE))
