"""The rows that both halves of a set-up keep, and the transcript that binds every byte of it.

A set-up belongs to one match and one segmentation of the asker, has a random id from both sides and runs once. A
failed check, a second message of one kind or lost state kills it on both sides; the asker then opens a new one with
fresh randomness. Nothing is ever computed twice under one set-up id.
"""

import math
from dataclasses import dataclass
from hashlib import sha256

from cleanroom.errors import OutOfTurnError, PeerError
from cleanroom.wire.canonical import canonical_bytes, labelled_hash
from parties.desk import Desk
from parties.post import Message

_BULK = (
    "setup.delta",
    "setup.offer",
    "setup.secret",
    "setup.seeds",
    "setup.matrix",
    "setup.challenge",
    "setup.pad",
    "setup.categories",
    "setup.nodes",
    "setup.siblings",
)


@dataclass(frozen=True, slots=True)
class Setup:
    """A row of the setup table. `id` is the asker's random half, `joint_id` both halves together."""

    id: str
    match: str
    owner: bool
    by: str
    leaves: int
    state: str
    joint_id: str
    transcript: str

    @property
    def depth(self) -> int:
        """Levels of a slot's tree."""
        return self.leaves.bit_length() - 1

    @property
    def joint_bytes(self) -> bytes:
        """The 32-byte id that every hash of the set-up covers."""
        return bytes.fromhex(self.joint_id)


class SetupRows:
    """Reads and writes the setup table inside the caller's transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._database = desk.database

    def find(self, identifier: str, *, owner: bool) -> Setup | None:
        """The set-up of that id on this side."""
        row = self._database.one(
            "SELECT id, match, owner, by, leaves, state, joint_id, transcript FROM setup WHERE id = ? AND owner = ?",
            identifier,
            int(owner),
        )
        return Setup(row[0], row[1], bool(row[2]), *row[3:]) if row else None

    def find_joint(self, joint: str, *, owner: bool) -> Setup | None:
        """The set-up that both sides call so."""
        row = self._database.one(
            "SELECT id FROM setup WHERE joint_id = ? AND joint_id != '' AND owner = ?", joint, int(owner)
        )
        return self.find(row[0], owner=owner) if row else None

    def were_replayed(self) -> bool:
        """Whether a backup was restored here once: then a peer may hold matches and set-ups that we do not know."""
        return self._database.one("SELECT 1 FROM meta WHERE name = 'replayed'") is not None

    def expect(self, message: Message, state: str, *, owner: bool) -> Setup:
        """The set-up that this message continues; raises PeerError when it is not waiting for it."""
        setup = self.find(message.subject, owner=owner)
        if setup is None or self.peer(setup) != message.sender:
            raise PeerError(f"a {message.kind} message continues nothing that was begun with its sender")
        if setup.state != state:
            raise OutOfTurnError(f"a {message.kind} message came at the wrong moment")
        return setup

    def peer(self, setup: Setup) -> str:
        """The other party of the set-up's match."""
        row = self._database.one("SELECT peer FROM match WHERE id = ?", setup.match)
        return str(row[0]) if row else ""

    def insert(self, identifier: str, match: str, *, owner: bool, by: str, leaves: int, state: str) -> None:
        """A new set-up."""
        self._database.run(
            "INSERT INTO setup (id, match, owner, by, leaves, state, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
            identifier,
            match,
            int(owner),
            by,
            leaves,
            state,
            self._desk.clock(),
        )

    def set_state(self, identifier: str, state: str) -> None:
        """Move on."""
        self._database.run("UPDATE setup SET state = ?, since = ? WHERE id = ?", state, self._desk.clock(), identifier)

    def set_joint(self, identifier: str, asker_half: bytes, owner_half: bytes, match_transcript: str) -> bytes:
        """Fix the joint id; returns its 32 bytes."""
        joint = labelled_hash("cleanroom/v1/setup-id", asker_half, owner_half, bytes.fromhex(match_transcript))
        self._database.run("UPDATE setup SET joint_id = ? WHERE id = ?", joint.hex(), identifier)
        return joint

    def absorb(self, identifier: str, kind: str, header: dict[str, object], blob: bytes) -> None:
        """Extend the transcript by one message, in either direction."""
        row = self._database.one("SELECT transcript FROM setup WHERE id = ?", identifier)
        previous = bytes.fromhex(row[0]) if row else b""
        content = canonical_bytes(header)
        extended = labelled_hash(
            "cleanroom/v1/setup-transcript", previous, kind.encode("ascii"), content, sha256(blob).digest()
        )
        self._database.run("UPDATE setup SET transcript = ? WHERE id = ?", extended.hex(), identifier)

    def keep(self, kind: str, identifier: str, data: bytes) -> None:
        """Seal a part of the set-up's state."""
        self._database.keep(f"setup.{kind}", identifier, data)

    def kept(self, kind: str, identifier: str) -> bytes:
        """Open a part of the set-up's state."""
        return self._database.kept(f"setup.{kind}", identifier)

    def erase(self, identifier: str, *kinds: str) -> None:
        """Forget parts of the set-up's state; all of it when none is named."""
        for kind in [f"setup.{kind}" for kind in kinds] or _BULK:
            self._database.erase(kind, identifier)

    def unfinished(self, *, since: float = math.inf) -> list[Setup]:
        """Set-ups under way, of which nothing was heard after `since`; all that are, if it is left out.

        None that was under way when the last process ended is resumed: the database could be a backup from the middle
        of one, and a second message on the same base OTs would open every leaf.
        """
        rows = self._database.all(
            "SELECT id, owner FROM setup WHERE state NOT IN ('ready', 'dead') AND since <= ?", since
        )
        found = (self.find(identifier, owner=bool(owner)) for identifier, owner in rows)
        return [setup for setup in found if setup is not None]

    def kill_of_match(self, match: str) -> None:
        """A set-up dies with its match."""
        for (identifier,) in self._database.all("SELECT id FROM setup WHERE match = ? AND state != 'dead'", match):
            self.kill(identifier)

    def kill_all(self) -> None:
        """No set-up survives a restored backup; the peers are told when this node serves again."""
        for identifier, owner in self._database.all("SELECT id, owner FROM setup WHERE state != 'dead'"):
            setup = self.find(identifier, owner=bool(owner))
            self.kill(identifier)
            if setup is not None and (peer := self.peer(setup)) in self._desk.contract.cards:
                self._desk.send(peer, "setup.abort", identifier, {})

    def kill(self, identifier: str) -> None:
        """The set-up ends here: seeds erased, never to be resumed."""
        self.erase(identifier)
        self.set_state(identifier, "dead")
