"""What this node knows of pauses, closings and resumptions of its room; all of it is kept for ever.

A stop is told by its digest. The room is closed when one closing is known, paused while one pause is known that no
complete resumption has lifted. Both sets only grow, so it does not matter in which order their members arrive, how
often, or that a resumption is here before a pause that it lifts. Stops outlive a change of the room's terms.
"""

from cleanroom.ids import PartyName, RoomName
from cleanroom.question.resumption import Resumption
from cleanroom.question.standing import OPEN, RoomStanding
from cleanroom.question.stop import CLOSED, PAUSED, Stop
from parties.database import Database

MAX_STANDING_PAUSES = 8
"""Of one party at a time: more pauses say nothing more, and would fill the disk."""

_STANDING = """SELECT kind, party, reason, at, subject, statement FROM room_stop AS stop WHERE room = ?
 AND NOT EXISTS (SELECT 1 FROM room_lift WHERE room = stop.room AND digest = stop.digest AND stop.kind = ?)
 ORDER BY kind = ? DESC, rowid"""


class RoomStops:
    """Reads and appends inside the caller's transaction."""

    def __init__(self, database: Database, room: RoomName) -> None:
        self._database = database
        self._room = room

    def standing_stops(self) -> list[Stop]:
        """The closings, then the pauses that nobody lifted, oldest first."""
        rows = self._database.all(_STANDING, self._room, PAUSED, CLOSED)
        return [Stop(row[0], PartyName(row[1]), *row[2:]) for row in rows]

    def standing(self) -> RoomStanding:
        """Whether the room is open, and if not who stopped it first."""
        stops = self.standing_stops()
        if not stops:
            return OPEN
        return RoomStanding("closed" if stops[0].kind == CLOSED else "paused", stops[0].by, stops[0].reason)

    def check_open(self) -> None:
        """Raises RefusedError (rule `room`) while the room is stopped."""
        refusal = self.standing().refusal()
        if refusal is not None:
            raise refusal

    def is_full(self, party: PartyName, kind: str) -> bool:
        """Whether as many stops of this kind stand by this party as are kept."""
        count = sum(stop.by == party and stop.kind == kind for stop in self.standing_stops())
        return count >= (1 if kind == CLOSED else MAX_STANDING_PAUSES)

    def add(self, stop: Stop) -> bool:
        """Remember a stop; False when it was known, or when its party has stopped the room often enough."""
        if self.is_full(stop.by, stop.kind):
            return False
        added = self._database.run(
            "INSERT OR IGNORE INTO room_stop VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            stop.digest,
            self._room,
            stop.kind,
            stop.by,
            stop.reason,
            stop.at,
            stop.subject,
            stop.statement,
        )
        return added == 1

    def lift(self, resumption: Resumption) -> bool:
        """Lift the pauses of a complete resumption; False when all of them had been lifted before."""
        if not resumption.complete:
            raise ValueError("only a resumption that all parties signed lifts anything")
        added = [
            self._database.run("INSERT OR IGNORE INTO room_lift VALUES (?, ?)", self._room, digest)
            for digest in resumption.lifts
        ]
        return any(added)
