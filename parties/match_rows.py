"""The rows of this node's matches, and the promise on how often and how well hidden an overlap is shown."""

from dataclasses import dataclass

import numpy as np

from cleanroom.errors import RefusedError
from cleanroom.ids import PartyName
from cleanroom.match.handshake import dummies_of_lineage, dummies_of_match
from parties.blinding import Numbers
from parties.desk import Desk
from parties.people import People

STALLED_S = 900.0


@dataclass(frozen=True, slots=True)
class Match:
    """A row of the match table."""

    id: str
    peer: PartyName
    initiator: bool
    state: str
    own_version: str
    peer_version: str
    dummies: int
    transcript: str


class MatchRows:
    """Reads and writes the match table inside the worker's transaction."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    def find(self, match: str) -> Match | None:
        """The match of that id."""
        row = self._desk.database.one(
            "SELECT id, peer, initiator, state, own_version, peer_version, dummies, transcript FROM match WHERE id = ?",
            match,
        )
        return Match(row[0], row[1], bool(row[2]), *row[3:]) if row else None

    def usable(self, peer: PartyName) -> Match | None:
        """The oldest ready match with this peer over the current table, else the newest that is on its way."""
        version = self._people.require()
        row = self._desk.database.one(
            "SELECT id FROM match WHERE peer = ? AND own_version = ? AND contract = ?"
            " AND (state = 'ready' OR (state != 'aborted' AND since > ?))"
            " ORDER BY state = 'ready' DESC, CASE state WHEN 'ready' THEN since ELSE -since END LIMIT 1",
            peer,
            version.id,
            self._desk.contract_hash.hex(),
            self._desk.clock() - STALLED_S,
        )
        return self.find(row[0]) if row else None

    def slots(self, match: str) -> Numbers:
        """The slot of each of our people (first, in table order) and dummies."""
        return np.frombuffer(self._desk.database.kept("match.slots", match), dtype="<u4")

    def all_slots(self, match: Match) -> int:
        """M: both capacities together."""
        datasets = self._desk.contract.datasets
        return datasets[self._desk.name].capacity + datasets[match.peer].capacity

    def check_limit(self, peer: str) -> None:
        """R matches were promised with this many dummies each: neither more matches nor weaker ones before them.

        Of the R one peer gets its equal share, rounded up: a peer whose own debits cost it nothing uses up no more.
        """
        overlap, lineage = self._desk.dataset.overlap, self._desk.dataset.lineage
        fewest = self._desk.ledger.fewest_dummies(lineage)
        if fewest is not None and fewest < dummies_of_lineage(self._desk.contract, self._desk.name):
            raise RefusedError(
                "matches",
                self._desk.name,
                "earlier matches of these people hid their overlap with fewer dummies than the present terms promise",
                "go back to the terms of the overlap under which these people were matched before",
            )
        if self._desk.ledger.matches(lineage) >= overlap.matches:
            raise RefusedError(
                "matches",
                self._desk.name,
                f"the coordinator has been shown the overlap of these people {overlap.matches} times, the most agreed",
                "reuse the present matches; a later contract cannot raise the number for people matched already",
            )
        share = -(-overlap.matches // (len(self._desk.contract.cards) - 1))
        if self._desk.ledger.matches(lineage, peer) >= share:
            raise RefusedError(
                "matches",
                self._desk.name,
                f"{share} of the {overlap.matches} matches of these people were made with {peer}, its whole share",
                "reuse the present match; the others are kept for the other parties of the room",
            )

    def insert(self, match: str, peer: str, *, initiator: bool, state: str, version: str) -> None:
        """A new match over one version of our table."""
        self._desk.database.run(
            "INSERT INTO match (id, peer, initiator, state, contract, own_version, dummies, since)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            match,
            peer,
            int(initiator),
            state,
            self._desk.contract_hash.hex(),
            version,
            dummies_of_match(self._desk.contract, self._desk.name, PartyName(peer)),
            self._desk.clock(),
        )

    def set_state(self, match: str, state: str) -> None:
        """Move on."""
        self._desk.database.run("UPDATE match SET state = ?, since = ? WHERE id = ?", state, self._desk.clock(), match)
