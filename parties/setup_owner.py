"""A set-up from the owner's side: one tree a slot, of which the asker learns all leaves but one, we never know which.

    offered ─matrix→ challenged ─answer, checked→ ready

The order is the protection: the matrix is stored before the challenge is drawn, the answer is checked before any
correction leaves, and Delta is erased when they have. An asker whose columns do not hold one list of choices is
caught here, before it could learn anything.
"""

import os

from cleanroom.crypto.transfer_owner import (
    OFFER_RANDOMNESS_BYTES,
    base_ot_finish,
    base_ot_offer,
    extension_check,
    tree_corrections,
)
from cleanroom.errors import PeerError, RefusedError, UsageError
from cleanroom.question.shape import leaves_for, partition_cells
from parties.desk import Desk
from parties.matching import Matching
from parties.post import Message
from parties.setup_rows import SetupRows


class SetupOwner:
    """All set-ups in which this node's people are asked about."""

    def __init__(self, desk: Desk, rows: SetupRows, matching: Matching) -> None:
        self._desk = desk
        self._rows = rows
        self._matching = matching

    def on_open(self, message: Message) -> None:
        """The asker wants a set-up: offer base OTs under a fresh Delta."""
        self._desk.stops.check_open()
        contract, database = self._desk.contract, self._desk.database
        match = self._matching.find(message.text("match"))
        if match is None and self._rows.were_replayed():
            self._desk.send(
                message.sender, "match.abort", message.hex("match", 32).hex(), {}
            )  # lost with what we forgot
            return
        if match is None or match.peer != message.sender:
            raise PeerError("a set-up was opened for a match that these two parties do not have")
        if match.state != "ready":
            self._desk.send(message.sender, "match.abort", match.id, {})  # ours ended, by a new table or a restart
            return
        by = message.text("by")
        try:
            leaves = leaves_for(len(partition_cells(contract, message.sender, by)))
        except UsageError as error:
            raise PeerError("a set-up names a column that the contract does not have") from error
        if message.number("leaves") != leaves:
            raise PeerError("a set-up has another number of leaves than the contract's column")
        count = database.one("SELECT COUNT(*) FROM setup WHERE match = ? AND owner = 1", match.id)
        if count is not None and count[0] >= contract.setups_per_match:
            raise RefusedError(
                "set-ups",
                self._desk.name,
                f"this match has been segmented {contract.setups_per_match} times, the most that was agreed",
                "ask by a column that was asked by before, or agree on a larger setups_per_match",
            )
        self._rows.insert(message.subject, match.id, owner=True, by=by, leaves=leaves, state="offered")
        self._rows.absorb(message.subject, message.kind, dict(message.header), message.blob)
        half, delta = os.urandom(32), os.urandom(16)
        joint = self._rows.set_joint(message.subject, bytes.fromhex(message.subject), half, match.transcript)
        offer, secret = base_ot_offer(joint, delta, os.urandom(OFFER_RANDOMNESS_BYTES))
        for kind, data in (("delta", delta), ("offer", offer), ("secret", secret)):
            self._rows.keep(kind, message.subject, data)
        header: dict[str, object] = {"half": half.hex()}
        self._rows.absorb(message.subject, "setup.base", header, offer)
        self._desk.send(message.sender, "setup.base", message.subject, header, offer)

    def on_matrix(self, message: Message) -> None:
        """The asker's matrix: finish the base OTs, store it, and only then draw the challenge."""
        setup = self._rows.expect(message, "offered", owner=True)
        self._rows.absorb(setup.id, message.kind, dict(message.header), message.blob)
        seeds = base_ot_finish(
            setup.joint_bytes,
            self._rows.kept("delta", setup.id),
            self._rows.kept("offer", setup.id),
            self._rows.kept("secret", setup.id),
            message.hex("reply"),
        )
        self._rows.keep("seeds", setup.id, seeds)
        self._rows.keep("matrix", setup.id, message.blob)
        self._rows.erase(setup.id, "offer", "secret")
        challenge = os.urandom(32)
        self._rows.keep("challenge", setup.id, challenge)
        header: dict[str, object] = {"challenge": challenge.hex()}
        self._rows.absorb(setup.id, "setup.challenge", header, b"")
        self._desk.send(message.sender, "setup.challenge", setup.id, header)
        self._rows.set_state(setup.id, "challenged")

    def on_answer(self, message: Message) -> None:
        """The asker's answer: check it, and only then send corrections."""
        setup = self._rows.expect(message, "challenged", owner=True)
        match = self._matching.find(setup.match)
        if match is None or match.state != "ready":
            raise PeerError("a set-up outlived its match")
        self._rows.absorb(setup.id, message.kind, dict(message.header), message.blob)
        seeds, delta, matrix = (self._rows.kept(kind, setup.id) for kind in ("seeds", "delta", "matrix"))
        slots = self._matching.all_slots(match)
        challenge = self._rows.kept("challenge", setup.id)
        extension_check(setup.joint_bytes, seeds, delta, matrix, slots, setup.depth, challenge, message.blob)
        nodes, corrections = tree_corrections(setup.joint_bytes, seeds, delta, matrix, slots, setup.depth)
        self._rows.keep("nodes", setup.id, nodes)
        self._rows.erase(setup.id, "delta", "seeds", "matrix", "challenge")
        self._rows.absorb(setup.id, "setup.corrections", {}, corrections)
        self._desk.send(message.sender, "setup.corrections", setup.id, {}, corrections)
        self._rows.set_state(setup.id, "ready")
