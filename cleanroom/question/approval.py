"""When a question needs a person of the owner: the limits inside which the owner's node answers by itself.

The limits stand in the contract, so an asker knows before asking whether somebody will have to look at the question.
Mode `required` lets nothing pass unseen. In mode `automatic` a limit that is None does not limit.
What an approver agreed to was spent like anything else, and counts towards the day.
"""

from dataclasses import dataclass

from cleanroom.errors import UsageError
from cleanroom.nearest import meant, quoted

MODES = ("automatic", "required")


@dataclass(frozen=True, slots=True)
class Approval:
    """Columns of the owner, cells, and units per question and per day (UTC) and consumer, that pass by themselves."""

    mode: str = "automatic"
    columns: tuple[str, ...] | None = None
    cells: int | None = None
    units_per_question: int | None = None
    units_per_day: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(
                f"approval: there is no mode {quoted(self.mode)}; {meant(self.mode, MODES)}modes: {', '.join(MODES)}"
            )
        for limit in (self.cells, self.units_per_question, self.units_per_day):
            if limit is not None and (type(limit) is not int or limit < 0):
                raise UsageError("approval: a limit is a whole number, not below 0")
        if self.mode == "required" and self.limits:
            raise UsageError("approval: where it is always required there are no limits to state")

    @property
    def limits(self) -> bool:
        """Whether anything is limited."""
        limited = (self.columns, self.cells, self.units_per_question, self.units_per_day)
        return any(limit is not None for limit in limited)

    def reasons(self, *, columns: tuple[str, ...], cells: int, units: int, units_today: int) -> tuple[str, ...]:
        """Why a question with these facts needs an approver, in words; empty when it passes by itself."""
        if self.mode == "required":
            return ("every question needs approval",)
        found = []
        beyond = [name for name in columns if self.columns is not None and name not in self.columns]
        if beyond:
            found.append(f"column {', '.join(beyond)} is not among those that pass by themselves")
        if self.cells is not None and cells > self.cells:
            found.append(f"{cells} cells are more than the {self.cells} that pass by themselves")
        if self.units_per_question is not None and units > self.units_per_question:
            found.append("it costs more than one question may without approval")
        if self.units_per_day is not None and units_today + units > self.units_per_day:
            found.append("with it this asker's questions of today cost more than a day may without approval")
        return tuple(found)
