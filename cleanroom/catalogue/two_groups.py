"""The two groups that a lift compares: what was asked of them, checked, their noisy numbers, and how they are said.

A group's numbers become an `Arm` with the noise that is in them. Nothing is told of a group under the owner's display
threshold, nor of one that certainly has more people at the owner than were said to have been assigned to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cleanroom.catalogue.arm import Arm, Span
from cleanroom.catalogue.checked import declared
from cleanroom.catalogue.entry import Request
from cleanroom.catalogue.finding import Row
from cleanroom.catalogue.rounding import outward, said, within
from cleanroom.catalogue.words import on_a_grid
from cleanroom.errors import UsageError
from cleanroom.nearest import listed, quoted
from cleanroom.privacy.combination import reach
from cleanroom.question.columns import Dimension, Measure
from cleanroom.question.shape import Terms, find_column, partition_cells
from cleanroom.report.answer import Answer

_MOST_PEOPLE = 1 << 31


@dataclass(frozen=True, slots=True)
class TwoGroups:
    """See the module. `measure` is None where the outcome is a dimension's value; `assigned` where it was not said."""

    asker: str
    owner: str
    by: str
    groups: tuple[str, str]
    outcome: str
    value: str
    measure: Measure | None
    assigned: tuple[int, int] | None

    @classmethod
    def of(cls, terms: Terms, request: Request) -> "TwoGroups":
        by, groups = request.text("by"), (request.text("test"), request.text("control"))
        names = [name for name in partition_cells(terms, request.asker, by) if name is not None]
        for parameter, group in zip(("test", "control"), groups, strict=True):
            declared(group, names, f"{parameter}: {request.asker}'s {by}")
        if groups[0] == groups[1]:
            raise UsageError(f"lift compares two groups; test and control are both {quoted(groups[0])}")
        outcome, value = request.text("outcome"), request.text("value")
        column = find_column(terms, request.owner, outcome, _role(terms, request, outcome, value))
        if isinstance(column, Dimension):
            declared(value, column.cells, f"value: {request.owner}'s {outcome}")
        measure = column if isinstance(column, Measure) else None
        return cls(request.asker, request.owner, by, groups, outcome, value, measure, _assigned(request))

    @property
    def times(self) -> int:
        return 1 if self.measure else 100

    @property
    def unit(self) -> str:
        return f"{self.measure.unit} per person" if self.measure else "%"

    @property
    def points(self) -> str:
        return f"{self.measure.unit} per person" if self.measure else "percentage points"

    @property
    def units(self) -> tuple[str, ...]:
        """Of test, control, effect, and the effect against control."""
        return (self.unit, self.unit, self.points, "%")

    @property
    def people(self) -> str:
        if self.assigned:
            return f"customers that {self.asker} assigned"
        return f"customers that {self.asker} shares with {self.owner}"

    @property
    def base(self) -> str:
        return f"{self.people}, each group's own"

    def arm(self, answers: Sequence[Answer], group: str) -> Arm:
        """The group's noisy total and people, with the noise that is in them."""
        scale = float(answers[0].scale)
        people = None if self.assigned is None else self.assigned[self.groups.index(group)]
        cells = [cell for cell in answers[0].cells if cell.by == group]
        if self.measure is None:
            (total,) = (float(cell.value) for cell in cells if cell.of == self.value)
            if people is not None:
                return Arm(total, people, Span(0.0, 1.0), scale)
            everybody = float(sum(cell.value for cell in cells))
            return Arm(total, everybody, Span(0.0, 1.0), scale, scale, len(cells), inside=True)
        bounds = Span(min(float(self.measure.low), 0.0), max(float(self.measure.high), 0.0))
        if people is not None:
            return Arm(float(cells[0].value), people, bounds, scale)
        (count,) = (float(cell.value) for cell in answers[1].cells if cell.by == group)
        return Arm(float(cells[0].value), count, bounds, scale, float(answers[1].scale), 1)

    def few(self, answers: Sequence[Answer], group: str, arm: Arm) -> bool:
        """Whether a noisy number of people that the group's mean is made of is to be shown as under the threshold."""
        if self.measure is None:
            cells = [cell for cell in answers[0].cells if cell.by == group and cell.of == self.value]
            return any(cell.below for cell in cells) or arm.people < answers[0].threshold
        return len(answers) > 1 and arm.people < answers[1].threshold

    def least_people(self, answer: Answer, group: str) -> int:
        """How many people the group certainly has at the owner; 0 where the noisy numbers do not say.

        Of a histogram that is the outcome's cell alone or all of the group's, whichever is more; of a sum, as many as
        it takes if everybody has the most. Four statements of two groups share the doubt.
        """
        cells = [cell for cell in answer.cells if cell.by == group]
        alpha, found = float(1 - answer.level) / 4, 0
        for chosen in (cells, [cell for cell in cells if cell.of == self.value] if self.measure is None else cells):
            total = float(sum(cell.value for cell in chosen))
            far = reach(answer.law, alpha, equal_weights=len(chosen)) * float(answer.scale) * math.sqrt(len(chosen))
            most, least = (float(self.measure.high), float(self.measure.low)) if self.measure else (1.0, 0.0)
            if total > far and most > 0.0:
                found = max(found, math.ceil((total - far) / most))
            if total < -far and least < 0.0:
                found = max(found, math.ceil((total + far) / least))
        return found

    def reason(self, few: Sequence[bool], over: Sequence[bool], least: Sequence[int], threshold: int) -> str:
        """Why nothing can be told of a group."""
        if any(few):
            return f"a group, or those in it with {self.what}, are under {threshold}"
        if self.assigned is None or not any(over):
            return "a group is as small as the noise"
        at = over.index(True)
        return (
            f"at least {least[at]:,} of the customers that {self.asker} shares with {self.owner} have {self.by}"
            f" {self.groups[at]}, and only {self.assigned[at]:,} people are said to have been assigned to it; the same"
            " question with the right number costs nothing more"
        )

    def mean_row(self, which: str, arm: Arm, span: Span | None) -> Row:
        """The row of one group; without numbers where they are to be shown as under the threshold."""
        names = (("number", f"{which}: {self.by} {self.groups[which == 'control']}"),)
        if span is None:
            return Row(names, None, None, None, differs=False)
        low, high = outward(span.low * self.times, span.high * self.times)
        value = within(Fraction(arm.mean * self.times), low, high) if arm.people > 0.0 else None
        return Row(names, value, low, high, differs=not low <= 0 <= high)

    def sentences(self, reason: str, rows: Sequence[Row]) -> tuple[str, ...]:
        """The effect, each group, and the effect in percent; or the reason why there is none."""
        test, control = (f"{self.by} {group}" for group in self.groups)
        low, high = rows[2].low, rows[2].high
        if low is None or high is None:
            return (f"No effect of {test} against {control} can be told: {reason}.",)
        if not rows[2].differs:
            first = (
                f"No effect can be told: test less control is between {said(low, high, between=' and ')} {self.points}"
                f" on {self.what}, which noise and chance alone may have made."
            )
        else:
            ends = (low, high) if low > 0 else (-high, -low)
            word = "more" if low > 0 else "less" if self.measure else "fewer"
            first = f"The effect is {said(*ends)} {self.points}: " + (
                f"the {self.people} with {test} have {word} {self.what} than those with {control}."
                if self.measure
                else f"{word} of the {self.people} with {test} have {self.what} than of those with {control}."
            )
        return tuple(filter(None, (first, self._each(test, control, rows), self._percent(control, rows))))

    @property
    def what(self) -> str:
        """The outcome."""
        return f"{self.outcome} at {self.owner}" if self.measure else f"{self.outcome} {self.value} at {self.owner}"

    def _each(self, test: str, control: str, rows: Sequence[Row]) -> str:
        unit = "" if self.measure else "%"
        texts = [said(row.low, row.high, unit) for row in rows[:2] if row.low is not None and row.high is not None]
        if len(texts) < 2:
            return ""
        if self.measure is None:
            return f"Of the {self.people} with {test}, {texts[0]} have {self.what}; with {control}, {texts[1]}."
        return f"The {self.people} with {test} have {texts[0]} {self.unit}; with {control}, {texts[1]}."

    def _percent(self, control: str, rows: Sequence[Row]) -> str:
        """Only where both effect and percentage can be told from nothing."""
        low, high = rows[3].low, rows[3].high
        if low is None or high is None or not (rows[2].differs and rows[3].differs):
            return ""
        word = "more" if low > 0 else "less" if self.measure else "fewer"
        return f"That is {said(*((low, high) if low > 0 else (-high, -low)), '%')} {word} than with {control}."

    def not_covered(self) -> tuple[str, ...]:
        lines = [
            "Whether the groups were drawn by lot: if people chose their group, this is a difference and no effect.",
            "People who influence each other, and one person under several identifiers.",
        ]
        if self.assigned is None:
            lines.append(
                f"People who are not at {self.owner}: if the campaign brought customers there, the groups compared are"
                " no longer alike; say how many people were assigned to either, and everybody counts."
            )
        if self.measure is not None:
            lines.append(f"Amounts beyond the agreed bounds of {self.outcome}; people without a value count as 0.")
            lines.extend(on_a_grid((self.measure,)))
        return tuple(lines)


def _role(terms: Terms, request: Request, outcome: str, value: str) -> str:
    """A dimension if a value is given; else a measure, with a hint where only a dimension has that name."""
    if value:
        return "dimension"
    dataset = terms.datasets[request.owner]
    column = dataset.dimension(outcome)
    if column is not None and dataset.measure(outcome) is None:
        raise UsageError(
            f"lift: {request.owner}'s {outcome} is a dimension: say with `value` whose share is compared; one of"
            f" {listed(column.cells)}"
        )
    return "measure"


def _assigned(request: Request) -> tuple[int, int] | None:
    """Both numbers of people, or None where neither was given."""
    texts = [request.text(name) for name in ("test_people", "control_people")]
    if not any(texts):
        return None
    numbers = [int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else 0 for text in texts]
    if not all(0 < number < _MOST_PEOPLE for number in numbers):
        raise UsageError("lift: test_people and control_people are whole numbers from 1, and given together")
    return numbers[0], numbers[1]
