"""A set-up from the asker's side: end up knowing, for every slot, all leaves but the one of our person's category.

    opened ─base→ committed ─challenge→ answered ─corrections→ ready

The owner learns that we segmented our people anew, and under which column's name; never how. There is no check on
what arrives in the trees on purpose: an abort that depended on our categories would tell them to the owner.
"""

import os

import numpy as np

from cleanroom.crypto.transfer_asker import (
    REPLY_RANDOMNESS_BYTES,
    base_ot_reply,
    extension_answer,
    extension_matrix,
    tree_siblings,
)
from cleanroom.errors import StateError
from cleanroom.ids import random_id
from cleanroom.question.shape import leaves_for, partition_cells
from parties.desk import Desk
from parties.match_rows import Match
from parties.matching import Matching
from parties.people import People
from parties.post import Message
from parties.setup_rows import Setup, SetupRows


class SetupAsker:
    """All set-ups in which this node asks."""

    def __init__(self, desk: Desk, rows: SetupRows, matching: Matching, people: People) -> None:
        self._desk = desk
        self._rows = rows
        self._matching = matching
        self._people = people

    def usable(self, match: str, by: str) -> Setup | None:
        """The set-up of this match and segmentation that is ready or on its way."""
        row = self._desk.database.one(
            "SELECT id FROM setup WHERE match = ? AND by = ? AND owner = 0 AND state != 'dead'"
            " ORDER BY since DESC LIMIT 1",
            match,
            by,
        )
        return self._rows.find(row[0], owner=False) if row else None

    def start(self, match: Match, by: str) -> str:
        """Open a set-up for one column of ours (empty: everyone in one leaf); raises RefusedError in a stopped room."""
        self._desk.stops.check_open()
        identifier = random_id()
        leaves = leaves_for(len(partition_cells(self._desk.contract, self._desk.name, by)))
        self._rows.insert(identifier, match.id, owner=False, by=by, leaves=leaves, state="opened")
        self._rows.keep("categories", identifier, self._categories(match, by))
        header: dict[str, object] = {"by": by, "leaves": leaves, "match": match.id}
        self._rows.absorb(identifier, "setup.open", header, b"")
        self._desk.send(match.peer, "setup.open", identifier, header)
        return identifier

    def _categories(self, match: Match, by: str) -> bytes:
        """One byte a slot: leaf 0 where we have nobody, else our person's leaf (1 without a column)."""
        categories = np.zeros(self._matching.all_slots(match), dtype=np.uint8)
        table = self._people.table(match.own_version)
        leaf = table.column(by).to_numpy() if by else np.ones(table.num_rows, dtype=np.uint8)
        categories[self._matching.slots(match.id)] = leaf
        return categories.tobytes()

    def on_base(self, message: Message) -> None:
        """The owner's base-OT offer: reply with our points and the whole matrix, which commits us to every category."""
        setup = self._rows.expect(message, "opened", owner=False)
        match = self._matching.find(setup.match)
        if match is None:
            raise StateError("a set-up lost its match")
        joint = self._rows.set_joint(setup.id, bytes.fromhex(setup.id), message.hex("half", 32), match.transcript)
        self._rows.absorb(setup.id, message.kind, dict(message.header), message.blob)
        reply, seeds = base_ot_reply(joint, message.blob, os.urandom(REPLY_RANDOMNESS_BYTES))
        pad = os.urandom(16)
        matrix = extension_matrix(joint, seeds, self._rows.kept("categories", setup.id), setup.depth, pad)
        self._rows.keep("seeds", setup.id, seeds)
        self._rows.keep("pad", setup.id, pad)
        header: dict[str, object] = {"reply": reply.hex()}
        self._rows.absorb(setup.id, "setup.matrix", header, matrix)
        self._desk.send(message.sender, "setup.matrix", setup.id, header, matrix)
        self._rows.set_state(setup.id, "committed")

    def on_challenge(self, message: Message) -> None:
        """The owner's challenge, chosen after it stored the matrix: show that all columns hold one list of choices."""
        setup = self._rows.expect(message, "committed", owner=False)
        challenge = message.hex("challenge", 32)
        self._rows.absorb(setup.id, message.kind, dict(message.header), message.blob)
        answer = extension_answer(
            setup.joint_bytes,
            self._rows.kept("seeds", setup.id),
            self._rows.kept("categories", setup.id),
            setup.depth,
            self._rows.kept("pad", setup.id),
            challenge,
        )
        self._rows.absorb(setup.id, "setup.answer", {}, answer)
        self._desk.send(message.sender, "setup.answer", setup.id, {}, answer)
        self._rows.set_state(setup.id, "answered")

    def on_corrections(self, message: Message) -> None:
        """The owner's corrections: derive what we may know, forget the rest."""
        setup = self._rows.expect(message, "answered", owner=False)
        self._rows.absorb(setup.id, message.kind, dict(message.header), message.blob)
        siblings = tree_siblings(
            setup.joint_bytes,
            self._rows.kept("seeds", setup.id),
            self._rows.kept("categories", setup.id),
            setup.depth,
            message.blob,
        )
        self._rows.keep("siblings", setup.id, siblings)
        self._rows.erase(setup.id, "seeds", "pad")
        self._rows.set_state(setup.id, "ready")
