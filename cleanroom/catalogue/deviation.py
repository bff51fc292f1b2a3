"""How far noise and chance together move a weighted sum: one bound for both, with nothing normal about it.

Two sources of error are in a number such as "the test group's mean": the owner's noise, whose law is public, and which
people happened to be in the group (*sampling*), of which only this is known: everybody's value lies between declared
bounds. For errors that are independent, expectations of exponentials multiply, so their logarithms psi(t) add up, and
by Chernoff

    P( |sum of all errors| > h ) <= alpha    with    h = min over t > 0 of ( psi(t) + ln(2 / alpha) ) / t.

A person whose value is within `width` of its expectation and has a variance of at most v adds at most (Bennett, 1962)

    v / width^2 * ( exp(width t) - 1 - width t )

and v <= (mean - low)(high - mean) for values in [low, high] (Bhatia, Davis, 2000), which is p (1 - p) for a share: the
variance is bounded by the mean and is never guessed from noisy data. Of noise with scale s, the Gaussian law adds
s^2 t^2 / 2 and the Laplace law -ln(1 - s^2 t^2), as derived in `cleanroom.privacy.combination`.

Every t gives an h that holds; the search below only finds one that is nearly the least. Adding both sources inside one
exponential gives sqrt(noise^2 + sampling^2), where two separate bounds would give noise + sampling.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.privacy.law import Law

_NARROWINGS = 36
_SMALLEST = 1e-4  # of the largest t that can be the best one
_ROUNDED_UP = 1.0 + 1e-9
_LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class Noisy:
    """`count` independent noises of one scale; a weight is multiplied into the scale."""

    scale: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class Sampled:
    """The sum over independent people of value less expectation; a weight is multiplied into width and variance."""

    people: float
    variance: float
    width: float

    def weighted(self, weight: float) -> "Sampled":
        """The same sum times `weight`, which is not below 0."""
        return Sampled(self.people, self.variance * weight * weight, self.width * weight)


def reach(law: Law, *, noises: Sequence[Noisy], samples: Sequence[Sampled], alpha: float) -> float:
    """A number that all these errors together exceed, to either side, with probability `alpha` or less."""
    factor = 1.0 if law == "gaussian" else 2.0
    spread = math.fsum(factor * noise.count * noise.scale**2 for noise in noises)
    spread += math.fsum(sample.people * sample.variance for sample in samples)
    if spread <= 0.0:
        return 0.0
    doubt = math.log(2.0 / alpha)
    # psi(t) is at least spread * t^2 / 2, so the best t is not above this.
    most = math.sqrt(2.0 * doubt / spread)
    widest = max((noise.scale for noise in noises), default=0.0)
    if law == "laplace" and widest > 0.0:
        most = min(most, (1.0 - 1e-9) / widest)

    def height(exponent: float) -> float:
        t = most * math.exp(exponent)
        return (_log_moment(law, noises, samples, t) + doubt) / t

    longest = max((sample.width for sample in samples if sample.variance > 0.0), default=0.0)
    left, right = math.log(min(_SMALLEST, 1.0 / (1.0 + longest * most))), 0.0
    for _ in range(_NARROWINGS):
        one, other = left + (right - left) * 0.382, left + (right - left) * 0.618
        left, right = (left, other) if height(one) <= height(other) else (one, right)
    return min(height(left), height(right)) * _ROUNDED_UP


def _log_moment(law: Law, noises: Sequence[Noisy], samples: Sequence[Sampled], t: float) -> float:
    """psi(t), an upper bound on the logarithm of the expectation of exp(t times the error)."""
    found = math.fsum(
        sample.people * sample.variance * _excess(sample.width * t) / sample.width**2
        for sample in samples
        if sample.variance > 0.0
    )
    for noise in noises:
        square = (noise.scale * t) ** 2
        found += noise.count * (square / 2.0 if law == "gaussian" else -math.log1p(-square))
    return found


def _excess(u: float) -> float:
    """exp(u) - 1 - u, also where u is tiny; infinite where that is too large for a float."""
    if u > _LARGEST:
        return math.inf
    return u * u / 2.0 * (1.0 + u / 2.9) if u < 1e-4 else math.expm1(u) - u
