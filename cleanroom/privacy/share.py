"""How large a share can be, and how many times another share, given noisy numbers and nothing else.

A share is p = t / T: a true part of a true total, both known with noise only. The total is the sum of n cells of which
the part is one, x and X are their noisy values, and the cells' noises e are independent with one scale s. (A cell may
itself be the sum of m released cells: then s sqrt(m) stands for s below.)

One share. For the true p, and only for it, t - p T is 0, so x - p X is noise alone: weight 1 - p on the part and -p on
the n - 1 other cells. In units of its own size,

    Z(p) = (x - p X) / (s w(p)),    w(p) = sqrt((1 - p)^2 + (n - 1) p^2)

is a combination of noises whose weights have length 1, whatever p is, and `cleanroom.privacy.combination.reach` bounds
it under either law: |Z| <= z except with probability alpha. The shares that this allows (Fieller, 1954) lie between

    least(z) = inf { p in [0, 1] : Z(p) <= z }    and    most(z) = sup { p in [0, 1] : Z(p) >= -z }.

Nothing is assumed of the size of T: where noise drowns it, the ends are 0 and 1. To compute `most`: x - p X + z s w(p)
is convex in p, since w is a norm. So it is not below 0 up to one root and from another root on. If it is not below 0 at
1, `most` is 1; if it is, `most` is the only root in [0, 1], and halving keeps the end that lies outside. It is below 0
at both ends only if no share fits, which a draw outside alpha can cause: then nothing is known. `least` is alike.

A ratio of two shares, p / q, with the noises of q independent of those of p. Let z = reach(alpha / 3). The pair
(Z(p), Z(q)) of the true p and q keeps, at once with probability 1 - alpha,

    |Z(p)| <= z,    |Z(q)| <= z,    |Z(p) - Z(q)| <= sqrt(2) z:

the third, too, is a fixed combination of all noises, no noise in both, with weights of length sqrt(2); that p and q
have scales of their own changes nothing, since each noise counts in units of its scale. It takes off those corners of
the square in which one share is as low and the other as high as can be, so that errors add up nearly as roots of
squares do. The largest ratio that is left: let a = -Z(p) and b = Z(q). Then p <= most(a), q >= least(b), b <= z and
a + b <= sqrt(2) z. So with a_0 = (sqrt(2) - 1) z < a_1 < ... < a_k = z

    p / q <= most(a_0) / least(z)                              if a <= a_0
    p / q <= most(a_{i+1}) / least(sqrt(2) z - a_i)            if a_i <= a <= a_{i+1}

by nothing but that `most` never falls and `least` never rises as z grows. The bound is the largest of these, and the
smallest ratio is found alike with least and most exchanged. Where q may be 0 the ratio has no largest.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

RATIO_STATEMENTS = 3
"""How many times `reach` is used for one ratio; alpha is to be divided by it."""

_HALVINGS = 44
_PIECES = 8
_ROOT_OF_TWO = math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class NoisyShare:
    """A noisy `part` of a noisy `total` of `cells` cells, with noise of scale `noise` in each."""

    part: float
    total: float
    cells: int
    noise: float

    def most(self, reach: float) -> float | None:
        """No true share is larger, as long as noise stays within `reach`; None if none fits at all."""
        return self._root(reach, sign=1.0)

    def least(self, reach: float) -> float | None:
        """No true share is smaller, as long as noise stays within `reach`; None if none fits at all."""
        return self._root(reach, sign=-1.0)

    def _root(self, reach: float, *, sign: float) -> float | None:
        """The far end of sign (x - p X) + reach s w(p) >= 0, from outside: sign 1 for `most`, -1 for `least`."""
        start, end = (0.0, 1.0) if sign > 0 else (1.0, 0.0)
        if self._room(end, reach, sign) >= 0.0:
            return end
        if self._room(start, reach, sign) < 0.0:
            return None
        for _ in range(_HALVINGS):
            middle = (start + end) / 2.0
            start, end = (middle, end) if self._room(middle, reach, sign) >= 0.0 else (start, middle)
        return end

    def _room(self, share: float, reach: float, sign: float) -> float:
        weight = math.sqrt((1.0 - share) ** 2 + (self.cells - 1) * share**2)
        return sign * (self.part - share * self.total) + reach * self.noise * weight


def ratio_range(first: NoisyShare, second: NoisyShare, reach: float) -> tuple[float, float] | None:
    """Between which numbers first / second is, the upper one infinite where second may be 0; None if nothing fits.

    `reach` is that of alpha / RATIO_STATEMENTS for any weights; see the module.
    """
    nearest = (_ROOT_OF_TWO - 1.0) * reach
    points = [nearest + (reach - nearest) * piece / _PIECES for piece in range(_PIECES + 1)]
    pairs = [(nearest, reach), *((after, _ROOT_OF_TWO * reach - before) for before, after in pairwise(points))]
    low, high = math.inf, -math.inf
    for a, b in pairs:
        most_first, least_second = first.most(a), second.least(b)
        if most_first is not None and least_second is not None:
            high = max(high, _ratio(most_first, least_second))
        least_first, most_second = first.least(a), second.most(b)
        if least_first is not None and most_second is not None:
            low = min(low, _ratio(least_first, most_second))
    return (low, high) if low <= high else None


def _ratio(first: float, second: float) -> float:
    return first / second if second > 0.0 else math.inf
