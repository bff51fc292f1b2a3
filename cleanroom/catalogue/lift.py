"""Lift: did a campaign change what people do at the owner? Test against control, with noise and chance in one interval.

The asker's dimension says who was in the test and who in the control group. The outcome is a value of an owner's
dimension (what share has it) or an owner's clamped measure (how much per person). The effect is test less control.

Whom a number is per: with `test_people` and `control_people`, the asker's own exact numbers of people that it assigned,
it is everybody assigned; who is not at the owner counts as not having the value, or as 0. That is the effect that a
campaign is judged by, and the number of people needs no noise. Without them it is the customers that both companies
share. These may themselves be an effect of the campaign, and the finding says so. A number of people assigned that is
smaller than what the noisy numbers certainly need is a slip of the asker's: nothing is told of that group.

People without a value of a measure count as 0: leaving them out would compare only those who bought, in either group,
and a campaign that wins many small buyers would look like a loss.

Plans: one histogram of the outcome by group. For a measure one sum by group, and without the asker's own numbers a
count by group as well, for a quarter of the units: the error of a mean m under a clamp c is least when the count gets
m / c of what the sum gets, and means are usually well under their clamp.

The rows are test, control and effect, in one unit. The effect in percent of the control group's is in the sentences and
in the file `lift`.

Intervals: `arm` derives them. Both errors go through one bound, sampling at the largest variance that the means allow.
For a share that is its own variance. For an amount it is reached only if everybody had either nothing or all of the
clamp, so the interval is wide where most have something in between: a clamp near what people spend makes it narrower.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from cleanroom.catalogue.arm import Effect, effect, mean_span
from cleanroom.catalogue.entry import Ask, Own, Parameter, Request
from cleanroom.catalogue.finding import Chart, Compared, Finding, Row
from cleanroom.catalogue.rounding import outward, within
from cleanroom.catalogue.two_groups import TwoGroups
from cleanroom.question.quantity import Quantity
from cleanroom.question.shape import Terms
from cleanroom.report.answer import Answer
from cleanroom.report.sentence import with_noise

_SUM_SHARE = Fraction(3, 4)

_PARAMETERS = (
    Parameter("by", "the asker's column that says who was in which group (a dimension)"),
    Parameter("test", "its value for the group that saw the campaign"),
    Parameter("control", "its value for the group that was held back"),
    Parameter("outcome", "the owner's column that may have changed: a dimension, with `value`, or a measure"),
    Parameter("value", "the value of the owner's dimension whose share is compared", required=False),
    Parameter("test_people", "how many people the asker assigned to the test group", required=False),
    Parameter("control_people", "how many people the asker assigned to the control group", required=False),
)


class Lift:
    """See the module."""

    name = "lift"
    version = 1
    says = (
        "Whether a campaign changed what people do at the owner: the asker's test group against its control group, with"
        " both the noise and the chance of who was in which group in the interval. Plans: one histogram of the outcome"
        " by group; for a measure a sum by group, and a count by group for a quarter of the budget unless the groups'"
        " numbers of people are given."
    )
    sentence = (
        "The effect is 1.9 to 5.6 percentage points: more of the customers that sportswear shares with bags with ads"
        " seen have travel yes at bags than of those with ads held-back."
    )
    parameters = _PARAMETERS

    def asks(self, terms: Terms, request: Request) -> tuple[Ask, ...]:
        """One histogram; or a sum, and a count for a quarter where the numbers of people were not given."""
        two = TwoGroups.of(terms, request)
        if two.measure is None:
            return (Ask(two.by, Quantity("histogram", two.outcome)),)
        total = Ask(two.by, Quantity("sum", two.outcome))
        if two.assigned:
            return (total,)
        return (replace(total, share=_SUM_SHARE), Ask(two.by, Quantity("count"), share=1 - _SUM_SHARE))

    def read(self, terms: Terms, request: Request, answers: Sequence[Answer], own: Own) -> Finding:
        """Both groups' means and the effect; nothing of a group that is under the owner's display threshold."""
        two = TwoGroups.of(terms, request)
        law, alpha = answers[0].law, float(1 - answers[0].level)
        test, control = (two.arm(answers, group) for group in two.groups)
        few = [two.few(answers, group, arm) for group, arm in zip(two.groups, (test, control), strict=True)]
        least = [two.least_people(answers[0], group) for group in two.groups]
        over = [two.assigned is not None and number > two.assigned[at] for at, number in enumerate(least)]
        spans = [None if few[at] or over[at] else mean_span(arm, law, alpha) for at, arm in enumerate((test, control))]
        found = None if None in spans else effect(test, control, law=law, alpha=alpha)
        means = two.mean_row("test", test, spans[0]), two.mean_row("control", control, spans[1])
        rows = (*means, _absolute(two, *means, found), _relative(*means, found))
        return Finding(
            entry=self.name,
            version=self.version,
            asker=request.asker,
            owner=request.owner,
            unit=two.unit,
            base=two.base,
            level=answers[0].level,
            at_once=False,
            covers="noise and sampling",
            rows=(*rows[:2], replace(rows[2], unit=two.points)),
            sentences=two.sentences(two.reason(few, over, least, answers[0].threshold), rows),
            not_covered=(*two.not_covered(), *with_noise(max(answer.threshold for answer in answers))),
            chart=Chart("bars", Fraction(0)),
            compared=Compared("0", "may be 0"),
            declared_rows=False,
            files=(("lift", [_file_row(row, unit) for row, unit in zip(rows, two.units, strict=True)]),),
        )


def _absolute(two: TwoGroups, test: Row, control: Row, found: Effect | None) -> Row:
    """The difference of the two numbers that are shown."""
    points = "" if two.measure else ", percentage points"
    names = (("number", f"effect: test less control{points}"),)
    if found is None or test.value is None or control.value is None:
        return Row(names, None, None, None, differs=False)
    low, high = outward(found.difference.low * two.times, found.difference.high * two.times)
    return Row(names, within(test.value - control.value, low, high), low, high, differs=not low <= 0 <= high)


def _relative(test: Row, control: Row, found: Effect | None) -> Row:
    """The ratio of the two numbers that are shown less 1, in percent of the control group's."""
    names = (("number", "effect, % of the control group's"),)
    if found is None or found.ratio is None or test.value is None or not control.value or control.value < 0:
        return Row(names, None, None, None, differs=False)
    low, high = outward(100.0 * found.ratio.low - 100.0, 100.0 * found.ratio.high - 100.0)
    value = 100 * test.value / control.value - 100
    return Row(names, within(value, low, high), low, high, differs=not low <= 0 <= high)


def _file_row(row: Row, unit: str) -> dict[str, Any]:
    numbers = {"value": row.value, "low": row.low, "high": row.high}
    return {
        "number": row.names[0][1],
        "unit": unit,
        **{name: None if number is None else float(number) for name, number in numbers.items()},
        "differs": row.differs,
    }
