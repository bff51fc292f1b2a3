"""Whether a room is open: what its parties have said about pausing and closing it, as one small value.

Any party alone can pause or close. A pause is lifted by the signatures of all parties, a closed room by nothing: the
parties then sign a new agreement under another room name.
"""

from dataclasses import dataclass
from typing import Literal

from cleanroom.errors import RefusedError
from cleanroom.ids import PartyName

StandingWord = Literal["open", "paused", "closed"]


@dataclass(frozen=True, slots=True)
class RoomStanding:
    """Open, or paused or closed `by` a party for a `reason` that it gave in at most 200 printable characters."""

    state: StandingWord = "open"
    by: PartyName | Literal[""] = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.state == "open") != (self.by == "") or (self.state == "open" and self.reason):
            raise ValueError("an open room was stopped by nobody, a stopped one by somebody")

    def refusal(self) -> RefusedError | None:
        """Why nothing may be asked now, None while the room is open; rule `room`, of the party that stopped it."""
        if self.state == "open":
            return None
        return RefusedError(
            "room",
            self.by,
            f"the room is {self.state} by {self.by}: {self.reason}",
            "wait until all parties have signed a resumption: cleanroom room resume"
            if self.state == "paused"
            else "a closed room never opens again; agree on a room under another name",
        )


OPEN = RoomStanding()
