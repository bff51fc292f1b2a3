"""A group's mean from a noisy total and a noisy or exact number of people, and the difference of two groups' means.

Model: what each person of a group does is independent of the others, with an expectation that all of the group share,
and lies in [low, high]. The truth is that expectation m: a share of people, or an amount per person. For one group, the
noisy total X and number of people N, with n the true number,

    X - m N = (sum over n people of value - m)  +  noise of X  -  m * (noise of N),

whose deviation `deviation.reach` bounds by a g that depends on n and on m itself. n is within its own noise, and m is
narrowed in rounds: the g for all m of [low, high] gives an interval for m, the g for that interval a shorter one, and
so on. All rounds speak of one event, |X - m N| <= g at the true m, so they cost no more probability than one.

Two groups, T and C, with M = X / N the estimates, d = M - m their errors and r = N / n near 1:

    D = (X - m N)_T / n_T - theta (X - m N)_C / n_C = r_T d_T - theta r_C d_C,

whose deviation is bounded by h(theta) jointly for both groups, at the fewest n and the largest variance that are left.
The difference of the errors follows from D by algebra on the same event, whichever is smaller of

    |d_T - theta d_C| <= ( h + theta |r_T - r_C| |d_C| ) / r_T     and     ( h + |r_T - r_C| |d_T| ) / r_C.

theta = 1 is the difference of the means. For their ratio, m_T - theta m_C is 0 at the true theta, so all theta with
|M_T - theta M_C| <= both bounds are kept (Fieller, 1954). Either is convex in theta, so bisection finds the set's ends.

Doubt is split by Bonferroni: a tenth of it for the two n, a tenth for the two m, the rest for D.

If a fixed crowd of L people is assigned by lot instead, each group's own bound still holds (Hoeffding, 1963, theorem
4), and the variance of D is at most the one used here times L / (L - 1) (Neyman, 1923), which counts for a handful of
people only; that the joint bound holds too is tested, not proved.
"""

import math
from dataclasses import dataclass

from cleanroom.catalogue.deviation import Noisy, Sampled, reach
from cleanroom.privacy import combination
from cleanroom.privacy.law import Law

_ROUNDS = 6
_HALVINGS = 30
_FOR_PEOPLE = 0.1
_FOR_MEANS = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """The truth is between `low` and `high`."""

    low: float
    high: float

    @property
    def farthest(self) -> float:
        """The largest absolute value in it."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, slots=True)
class Arm:
    """One group. `people_noises` is how many noises of `people_scale` are in `people`, 0 where it is exact.

    `inside` says that the total's own noise is one of them: the total is then one of the cells that make up the people.
    """

    total: float
    people: float
    bounds: Span
    total_scale: float
    people_scale: float = 0.0
    people_noises: int = 0
    inside: bool = False

    @property
    def mean(self) -> float:
        """The estimate; only where `people` is above 0."""
        return self.total / self.people

    def people_span(self, law: Law, alpha: float) -> Span:
        """How many people the group may have."""
        if not self.people_noises:
            return Span(self.people, self.people)
        far = combination.reach(law, alpha, equal_weights=self.people_noises)
        far *= self.people_scale * math.sqrt(self.people_noises)
        return Span(max(self.people - far, 0.0), max(self.people + far, 0.0))

    def mean_span(self, law: Law, people: Span, alpha: float) -> Span:
        """Between which numbers the expectation is; all of the bounds where nobody may be in the group."""
        left = self.bounds
        if people.low <= 0.0 or self.people <= 0.0:
            return left
        for _ in range(_ROUNDS):
            samples = (self.sampled(people.high, left),)
            far = reach(law, noises=self.noises(left, 1.0), samples=samples, alpha=alpha)
            low = max((self.total - far) / self.people, left.low)
            high = min((self.total + far) / self.people, left.high)
            if low > high:
                return self.bounds  # a rare draw, outside the level: nothing is known
            left = Span(low, high)
        return left

    def sampled(self, people: float, means: Span) -> Sampled:
        """The people's part of X - m N, with the largest variance that a mean in `means` allows."""
        middle = (self.bounds.low + self.bounds.high) / 2.0
        worst = min(max(middle, means.low), means.high)
        variance = (worst - self.bounds.low) * (self.bounds.high - worst)
        return Sampled(people, variance, self.bounds.high - self.bounds.low)

    def noises(self, means: Span, weight: float) -> tuple[Noisy, ...]:
        """The noise of X - m N, times `weight`, at its largest for any mean in `means`."""
        own, base = self.total_scale * weight, self.people_scale * means.farthest * weight
        if not self.inside:
            return (Noisy(own), Noisy(base, self.people_noises))
        return (
            Noisy(own * max(abs(1.0 - means.low), abs(1.0 - means.high))),
            Noisy(base, self.people_noises - 1),
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """`difference` is test less control; `ratio` is test over control, None where control may be nothing."""

    difference: Span
    ratio: Span | None


def mean_span(arm: Arm, law: Law, alpha: float) -> Span:
    """One group's mean, for itself, with all of `alpha`."""
    people = arm.people_span(law, alpha * _FOR_PEOPLE)
    return arm.mean_span(law, people, alpha * (1.0 - _FOR_PEOPLE))


def effect(test: Arm, control: Arm, *, law: Law, alpha: float) -> Effect | None:
    """Difference and ratio, each for itself with probability 1 - alpha; None where a group may have nobody."""
    pair = _Pair.of(test, control, law, alpha)
    if pair is None:
        return None
    far, gap = pair.bound(1.0), test.mean - control.mean
    low = max(gap - far, pair.test_means.low - pair.control_means.high)
    high = min(gap + far, pair.test_means.high - pair.control_means.low)
    if low > high:  # a rare draw, outside the level
        low, high = test.bounds.low - control.bounds.high, test.bounds.high - control.bounds.low
    return Effect(Span(low, high), pair.ratio())


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two groups with what the tenths of the doubt say about their people and means."""

    test: Arm
    control: Arm
    law: Law
    alpha: float
    test_people: Span
    control_people: Span
    test_means: Span
    control_means: Span

    @classmethod
    def of(cls, test: Arm, control: Arm, law: Law, alpha: float) -> "_Pair | None":
        people = [arm.people_span(law, alpha * _FOR_PEOPLE / 2.0) for arm in (test, control)]
        if any(span.low <= 0.0 for span in people) or test.people <= 0.0 or control.people <= 0.0:
            return None
        means = [
            arm.mean_span(law, span, alpha * _FOR_MEANS / 2.0)
            for arm, span in zip((test, control), people, strict=True)
        ]
        return cls(test, control, law, alpha * (1.0 - _FOR_PEOPLE - _FOR_MEANS), *people, *means)

    def bound(self, theta: float) -> float:
        """How far M_T - theta M_C may be from m_T - theta m_C."""
        few_test, few_control = self.test_people.low, self.control_people.low
        noises = (
            *self.test.noises(self.test_means, 1.0 / few_test),
            *self.control.noises(self.control_means, theta / few_control),
        )
        samples = (
            self.test.sampled(few_test, self.test_means).weighted(1.0 / few_test),
            self.control.sampled(few_control, self.control_means).weighted(theta / few_control),
        )
        joint = reach(self.law, noises=noises, samples=samples, alpha=self.alpha)
        over_test, over_control = _over(self.test, self.test_people), _over(self.control, self.control_people)
        apart = max(over_test.high - over_control.low, over_control.high - over_test.low)
        return min(
            (joint + theta * apart * _error(self.control, self.control_means)) / over_test.low,
            (joint + apart * _error(self.test, self.test_means)) / over_control.low,
        )

    def ratio(self) -> Span | None:
        """The theta that are kept, between the ends that the means alone leave."""
        if self.control_means.low <= 0.0 or self.test_means.low < 0.0:
            return None
        least = self.test_means.low / self.control_means.high
        most = self.test_means.high / self.control_means.low
        likely = self.test.mean / self.control.mean if self.control.mean > 0.0 else most + 1.0
        if not least <= likely <= most:  # noise says more than the means can be: their ends are all that is known
            return Span(least, most)
        return Span(self._end(likely, least), self._end(likely, most))

    def _end(self, kept: float, end: float) -> float:
        """The last theta from `kept` towards `end` that is kept; `end` if all are."""
        if self._keeps(end):
            return end
        dropped = end
        for _ in range(_HALVINGS):
            middle = (kept + dropped) / 2.0
            kept, dropped = (middle, dropped) if self._keeps(middle) else (kept, middle)
        return dropped

    def _keeps(self, theta: float) -> bool:
        return abs(self.test.mean - theta * self.control.mean) <= self.bound(theta)


def _over(arm: Arm, people: Span) -> Span:
    """r = N / n."""
    return Span(arm.people / people.high, arm.people / people.low)


def _error(arm: Arm, means: Span) -> float:
    """|d|, at its largest."""
    return Span(arm.mean - means.high, arm.mean - means.low).farthest
